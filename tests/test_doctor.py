"""`grader doctor`: what is missing is what `score` would skip."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import grader
from grader import doctor
from grader.assignment import load_assignment
from grader.doctor import diagnose
from grader.readiness import needs_of_data
from grader.references.data import Data
from tests.cli.test_cli import _run as run
from tests.conftest import GOOD, ROOT


def _diagnose(*problems: str, data: Path | None = None, **more: Any) -> doctor.Diagnosis:
    return diagnose(load_assignment().only(problems), Data(data, "hw2_data"), **more)


def test_it_skips_what_score_skips(course: Path) -> None:
    for data in (course, None):
        report = grader.score(GOOD, data=data, device="cpu")
        skipped = {m.id for p in report.problems for m in p.measures if m.state == "skipped" and m.baselines}
        assert {s.measure for s in _diagnose(data=data).skipped} == skipped


def test_what_mends_it() -> None:
    assert [(s.measure, s.why, s.remedy) for s in _diagnose("gan").skipped] == [
        ("fid", "no weights of inception", "grader weights fetch inception"),
        ("fid", "needs face/test, and there is no data folder", "--data DIR, $GRADER_DATA, or hw2_data/ here"),
        ("inception_score", "no weights of torchvision_inception", "grader weights fetch torchvision_inception"),
    ]


def test_files_that_are_given_count(tmp_path: Path) -> None:
    (tmp_path / "w.pth").write_bytes(b"weights")
    found = _diagnose("gan", judges={"inception": tmp_path / "w.pth"})
    assert {s.why for s in found.skipped if s.measure == "fid"} == {"needs face/test, and there is no data folder"}


def test_a_reference_file_stands_in_for_pictures() -> None:
    reference = ROOT / "fixtures" / "references" / "face-test.efficientnet-lite0.npz"
    assert doctor._given([reference]) == {("face/test", "efficientnet-lite0")}


def test_without_packages(monkeypatch: pytest.MonkeyPatch, course: Path) -> None:
    monkeypatch.setattr(doctor, "_version", lambda name, _: None if name == "torch" else "1")
    found = _diagnose("acgan", "dann", data=course)
    assert {s.measure for s in found.skipped} == {"digit_accuracy", "digit_diversity", "digit_vendi_score"}
    assert {(s.why, s.remedy) for s in found.skipped} == {("needs torch", "pip install 'vision-grader[score]'")}


def test_a_torch_that_does_not_load(tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise OSError('libcudart.so: cannot open')")
    code = "from grader.doctor import _devices; print(_devices())"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
    )
    assert "can't be loaded: OSError: libcudart.so" in done.stdout


def test_the_command(course: Path, tmp_path: Path) -> None:
    fine = run("doctor", "--problem", "dann", "--data", course, cwd=tmp_path)
    assert fine.returncode == 0 and "Nothing of dlcv-fall2021-hw2 would be skipped here." in fine.stdout
    lacking = run("doctor", "--problem", "gan", cwd=tmp_path)
    assert lacking.returncode == 3 and "→ grader weights fetch inception\n" in lacking.stdout
    told = json.loads(run("doctor", "--problem", "gan", "--format", "json", cwd=tmp_path).stdout)
    assert told["schema"] == "grader/doctor/1" and told["packages"]["torch"] and told["devices"]["cpu"]
    assert [s["measure"] for s in told["skipped"]] == ["fid", "fid", "inception_score"]
    assert {c["what"] for c in told["caches"]} == {"features", "weights"}
    wrong = run("doctor", "--data", "none", cwd=tmp_path)
    assert wrong.returncode == 2 and "no such folder: none" in wrong.stderr


LIGHT = """
import sys
from click.testing import CliRunner
from grader.cli import grader
done = CliRunner().invoke(grader, sys.argv[1:])
assert done.exit_code == 0, done.output
assert not {"torch", "numpy", "PIL"} & set(sys.modules), "heavy"
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ["init", "course", "hw3"],
        ["init", "submission"],
        ["completion", "fish"],
        ["export", "gradescope"],
        ["gradebook", "--help"],
    ],
    ids=lambda arguments: " ".join(arguments),
)
def test_nothing_heavy_is_imported(arguments: list[str], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LIGHT, *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


def test_faces_need_opencv_and_a_cascade(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(FIGURES)
    work = load_assignment(tmp_path / "own.toml")
    work = work.only(["drawn"])
    found = {s.measure: (s.why, s.remedy) for s in diagnose(work, Data(None, "data")).skipped}
    assert found == {"face_count": ("no weights of anime_cascade", "grader weights fetch anime_cascade")}
    newer = lambda name, _: "5.0.0" if "opencv" in name else "1"  # noqa: E731
    monkeypatch.setattr(doctor, "_version", newer)
    told = [(s.measure, s.why, s.remedy) for s in diagnose(work, Data(None, "data")).skipped]
    extra = "pip install 'vision-grader[faces]'"
    assert ("face_count", "needs opencv-python-headless", extra) in told
    assert ("face_share", "needs opencv-python-headless", extra) in told


def test_what_tags_and_domains_need(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(FIGURES)
    needed = [(n.measure, n.path, n.required) for n in needs_of_data(load_assignment(tmp_path / "own.toml"))]
    assert needed == [
        ("hair_accuracy", "tags.txt", True),
        ("eye_accuracy", "tags.txt", False),
        ("domain_accuracy", "style/b", True),
        ("domain_accuracy", "style/a", True),
    ]


FIGURES = """schema = "grader/assignment/1"
id = "own"
title = "Own"
[[problem]]
id = "drawn"
title = "Drawn"
[[problem.deliverable]]
id = "samples"
kind = "figure"
path = "gan.png"
grid = [1, 2]
tile = [64, 64]
[[problem.deliverable]]
id = "photos"
kind = "images"
path = "photos"
count = 3
size = [64, 64]
[[problem.measure]]
id = "face_count"
deliverable = "samples"
[[problem.measure]]
id = "face_share"
deliverable = "photos"
[[problem]]
id = "more"
title = "More"
[[problem.deliverable]]
id = "samples"
kind = "figure"
path = "cgan.png"
grid = [1, 2]
tile = [64, 64]
[[problem.deliverable]]
id = "output"
kind = "images"
path = "output"
count = 3
size = [64, 64]
[[problem.measure]]
id = "hair_accuracy"
deliverable = "samples"
tags = "tags.txt"
[[problem.measure]]
id = "eye_accuracy"
deliverable = "samples"
tags = "tags.txt"
published_tags = ["blue hair red eyes", "blue hair red eyes"]
[[problem.measure]]
id = "domain_accuracy"
deliverable = "output"
reference = "style/b"
against_reference = "style/a"
"""
