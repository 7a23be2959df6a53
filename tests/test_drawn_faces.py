"""Figures of faces from the file to the report: counted, held against tags, kept with frames around the faces."""

from __future__ import annotations

import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import save_file

import grader
import grader.reporting.hidden
from fixtures.faces import face
from fixtures.hw4 import grid
from grader.judges.networks import TagReader
from grader.judges.weights import Weights
from grader.measuring.context import Context
from grader.results import MeasureResult, ScoreReport
from tests.cli.test_cli import _run as run
from tests.judges.test_cascades import PHOTOS
from tests.judges.test_inception import _randomised
from tests.measuring.test_faces import _found

ASSIGNMENT = """schema = "grader/assignment/1"
id = "drawn"
title = "Drawn faces"
data_folder = "drawn_data"
[[problem]]
id = "gan"
title = "Faces"
[[problem.deliverable]]
id = "samples"
kind = "figure"
path = "samples/gan.png"
grid = [5, 5]
tile = [64, 64]
[[problem.measure]]
id = "face_count"
deliverable = "samples"
[[problem.measure]]
id = "diversity"
deliverable = "samples"
reference = "real"
reference_most = 60
[[problem.measure]]
id = "fd_efficientnet_lite0"
deliverable = "samples"
reference = "real"
reference_most = 60
[[problem.measure]]
id = "vendi_score"
deliverable = "samples"
reference = "real"
[[problem]]
id = "text2image"
title = "Faces by tags"
[[problem.deliverable]]
id = "samples"
kind = "figure"
path = "samples/cgan.png"
grid = [5, 5]
tile = [64, 64]
[[problem.measure]]
id = "hair_accuracy"
deliverable = "samples"
tags = "tags.txt"
[[problem.measure]]
id = "eye_accuracy"
deliverable = "samples"
tags = "tags.txt"
[[problem]]
id = "variants"
title = "With and without"
[[problem.deliverable]]
id = "with"
kind = "figure"
path = "samples/gan.png2.png"
grid = [5, 5]
tile = [64, 64]
[[problem.deliverable]]
id = "without"
kind = "figure"
path = "samples/without.png"
grid = [5, 5]
tile = [64, 64]
[[problem.measure]]
id = "face_count_change"
deliverable = "with"
against = "without"
[[baseline]]
measure = "face_count"
name = "baseline"
value = FIVE
points = 2
source = "a test"
[[baseline]]
measure = "hair_accuracy"
name = "baseline"
value = 0.0
points = 3
source = "a test"
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the assignment, a submission, data and a judge."""
    top = tmp_path_factory.mktemp("drawn")
    (top / "own.toml").write_text(ASSIGNMENT.replace("FIVE", "5"))
    (top / "s/samples").mkdir(parents=True)
    grid([face(f"x{i // 5}{i % 5}") for i in range(25)], 5).save(top / "s/samples/gan.png")
    shutil.copy(top / "s/samples/gan.png", top / "s/samples/gan.png2.png")
    grid([face(f"cgan {i}") for i in range(25)], 5).save(top / "s/samples/cgan.png")
    blurred = [face(f"x{i // 5}{i % 5}").resize((4, 4)).resize((64, 64)) for i in range(25)]
    grid(blurred, 5).save(top / "s/samples/without.png")
    (top / "data/real").mkdir(parents=True)
    for i in range(64):
        face(f"real {i}").resize((96, 96)).save(top / f"data/real/{i:02}.png")
    (top / "data/tags.txt").write_text("".join(f"{i},blue hair red eyes\n" for i in range(1, 26)))
    save_file(_randomised(TagReader().network, 3), top / "tags.safetensors")
    return top


def _score(place: Path, *problems: str, **more: Path) -> ScoreReport:
    judges = {"anime_cascade": PHOTOS, "anime_tags": place / "tags.safetensors"}
    data = more.get("data", place / "data")
    return grader.score(place / "s", place / "own.toml", problems=problems, data=data, judges=judges, cache=False)


def _measure(report: ScoreReport, id: str) -> MeasureResult:
    return next(m for v in report.problems for m in v.measures if m.id == id)


def test_faces_are_counted_in_the_picture_as_handed_in(place: Path) -> None:
    report = _score(place, "gan")
    counted = _measure(report, "face_count")
    theirs = _found(np.asarray(Image.open(place / "s/samples/gan.png").convert("RGB")))
    assert counted.value == len(theirs) >= 5 and counted.points == 2
    assert sorted(map(tuple, counted.details["boxes"])) == sorted(theirs)
    assert len(counted.details["without_face"]) >= 25 - len(theirs)
    distance, variety = _measure(report, "fd_efficientnet_lite0"), _measure(report, "diversity")
    assert distance.details["remark"] == "25 images rank generators roughly only" and distance.interval is None
    about = distance.provenance
    assert about["reference_resized"] == "to 64x64, bicubic"  # the pictures are larger than the tiles
    assert (about["reference_n"], about["reference_of"]) == (60, 64)
    assert variety.details["remark"].endswith("; 25 images tell it roughly only")


def test_five_faces_repeated_have_collapsed_and_twentyfive_have_not(place: Path, tmp_path: Path) -> None:
    shutil.copytree(place / "s", tmp_path / "s")
    for name in ("own.toml", "data", "tags.safetensors"):
        (tmp_path / name).symlink_to(place / name)
    rng = np.random.default_rng(0)
    tiles = []
    for i in range(25):
        varied = np.asarray(face(f"x{i % 5}{i % 5}")).astype(float) * rng.uniform(0.97, 1.03) + rng.normal(
            0, 3, (64, 64, 3)
        )
        tiles.append(Image.fromarray(np.clip(varied, 0, 255).astype(np.uint8)))
    grid(tiles, 5).save(tmp_path / "s/samples/gan.png")
    rules = [{f.rule for f in _score(top, "gan").problems[0].findings} for top in (place, tmp_path)]
    assert "low-diversity" not in rules[0] and "low-diversity" in rules[1]


def test_colours_of_a_figure(place: Path) -> None:
    report = _score(place, "text2image")
    for id in ("hair_accuracy", "eye_accuracy"):
        taken = _measure(report, id)
        assert taken.value is not None and taken.n == 25
        assert len(taken.details["wrong_tags"]) == 25 - round(25 * taken.value)
        assert taken.provenance["tags"] == "tags.txt" and taken.provenance["judge_known"] is False
    assert _measure(report, "hair_accuracy").points == 3


def test_broken_tags_are_the_courses_fault(place: Path, tmp_path: Path) -> None:
    shutil.copytree(place / "data", tmp_path / "data")
    (tmp_path / "data/tags.txt").write_text("1,blue hair red eyes\n1,grey hair red eyes\n")
    report = _score(place, "text2image", data=tmp_path / "data")
    (verdict,) = report.problems
    (finding,) = verdict.findings
    assert (finding.rule, finding.severity) == ("broken-tags", "warning")  # told once for both measures
    assert [m.state for m in verdict.measures] == ["error", "error"] and verdict.points == 0
    assert report.state == "error"
    hidden = json.dumps(grader.reporting.hidden.hide(report).to_dict())
    assert "broken-tags" in hidden and "stands above" not in hidden


def test_a_change_between_two_figures(place: Path) -> None:
    (verdict,) = _score(place, "variants").problems
    (change,) = verdict.measures
    faces = [len(_found(np.asarray(Image.open(place / f"s/samples/{n}.png")))) for n in ("gan", "without")]
    assert change.value == (faces[0] - faces[1]) / 25 > 0 and verdict.state == "pass"
    assert change.details["without"] == {"faces": faces[1], "asked": 25}


def test_without_opencvs_cascade_a_measure_is_skipped(place: Path) -> None:
    report = grader.score(place / "s", place / "own.toml", problems=["gan"], data=place / "data", cache=False)
    counted = _measure(report, "face_count")
    assert counted.state == "skipped" and "grader weights fetch anime_cascade" in counted.reason


def test_figures_are_kept(place: Path, tmp_path: Path) -> None:
    options = ("--assignment", "own.toml", "--problem", "gan", "--data", "data", "--no-cache", "--judge")
    cascade = f"anime_cascade={PHOTOS}"
    kept = tmp_path / "kept"
    done = run("score", "s", *options, cascade, "--keep", kept, "--report", f"html={tmp_path}/page.html", cwd=place)
    assert done.returncode == 0, done.stdout + done.stderr
    assert [p.name for p in kept.iterdir()] == ["gan-samples.png"]
    framed = Image.open(io.BytesIO((kept / "gan-samples.png").read_bytes()))
    plain = Image.open(place / "s/samples/gan.png")
    assert framed.size == plain.size
    changed = (np.asarray(framed) != np.asarray(plain.convert("RGB"))).any(2)
    (x0, y0, _, _), *_ = sorted(_found(np.asarray(plain.convert("RGB"))))
    assert changed[y0, x0] and 0 < changed.mean() < 0.3
    page = (tmp_path / "page.html").read_text()
    assert page.count('class="annotated" src="data:image/webp;base64,') == 1


def test_places_where_nothing_can_be_kept(place: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for where, told in ((tmp_path / "file", "that is a file"), (tmp_path / "no/folder", "there is no folder")):
        done = run("score", "s", "--assignment", "own.toml", "--keep", where, cwd=place)
        assert done.returncode == 2 and told in done.stderr and "--keep" in done.stderr


class _Detector:
    """Stands in for the cascade: finds as many faces as it is told, one in each place from the first on."""

    version = "test"
    weights = Weights("anime_cascade", Path("c.xml"), "0" * 64, True)

    def __init__(self, faces: int) -> None:
        self._faces = faces

    def faces(self, picture: NDArray[np.uint8]) -> list[tuple[int, int, int, int]]:
        height, width = picture.shape[:2]
        places = [(i % 5 * width // 5, i // 5 * height // 5) for i in range(self._faces)]
        return [(x + 4, y + 4, x + width // 5 - 4, y + height // 5 - 4) for x, y in places]


@pytest.mark.parametrize(("faces", "gan", "text2image"), [(19, 0, 0), (20, 2, 1), (25, 2, 1)])
def test_the_homeworks_count_at_its_boundary(
    faces: int, gan: float, text2image: float, good_hw3: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Context, "cascade", lambda *_: _Detector(faces))
    report = grader.score(good_hw3, "mlds-spring2018-hw3", problems=["gan", "text2image"])
    for problem, points in (("gan", gan), ("text2image", text2image)):
        taken = _measure(report, f"face_count.{problem}")
        assert (taken.value, taken.points, taken.state) == (faces, points, "pass" if points else "fail")
    assert _measure(report, "face_count.gan").reason == ("" if gan else "19 faces do not reach baseline, 20 faces")
