"""What other programs stumble over: equal sets, constant images, few images, threads, zips."""

from __future__ import annotations

import math
import shutil
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

import grader
from fixtures.faces import face
from grader.judges.inception import FidInception
from grader.results import ScoreReport
from tests.judges.test_inception import _randomised
from tests.judges.test_measures import HEAD, MEASURES, N


@pytest.fixture(scope="module")
def top(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("peers")
    for folder, count in (("s/gan", N), ("data/face/test", N - 5)):
        (top / folder).mkdir(parents=True)
        for i in range(count):
            face(f"stumble {folder} {i}").save(top / folder / f"{i:04d}.png")
    text = HEAD
    for name in MEASURES:
        text += f'[[problem.measure]]\nid = "{name}"\ndeliverable = "faces"\nprotocol = "torch-fidelity"\n'
        text += "" if name == "inception_score" else 'reference = "face/test"\n'
    (top / "small.toml").write_text(text)
    save_file(_randomised(FidInception(), 7), top / "w.safetensors")
    return top


def _score(top: Path, submission: Path, data: Path | None = None, cache: bool = True) -> ScoreReport:
    return grader.score(
        submission,
        top / "small.toml",
        data=data or top / "data",
        judges={"inception": top / "w.safetensors"},
        device="cpu",
        cache=cache,
    )


def _values(report: ScoreReport) -> dict[str, float]:
    assert all(m.state == "pass" and m.value is not None for m in report.problems[0].measures)
    return {m.id: m.value for m in report.problems[0].measures if m.value is not None}


def test_sets_of_other_sizes_and_fewer_images_than_dimensions(top: Path) -> None:
    values = _values(_score(top, top / "s"))
    assert values["fid"] > 0 and all(math.isfinite(v) for v in values.values())


def test_distances_have_a_standard_error(top: Path, tmp_path: Path) -> None:
    text = (top / "small.toml").read_text().replace(f"count = {N}", "count = 40")
    (tmp_path / "own.toml").write_text(text)
    (tmp_path / "gan").mkdir()
    for i in range(40):
        face(f"error {i}").save(tmp_path / f"gan/{i}.png")
    judges = {"inception": top / "w.safetensors"}
    report = grader.score(tmp_path, tmp_path / "own.toml", data=top / "data", judges=judges, device="cpu")
    for m in report.problems[0].measures[:2]:
        assert m.id in ("fid", "kid") and m.value is not None and m.interval is not None
        assert m.interval[1] == pytest.approx(m.value + 2.093024 * m.details["standard_error"])


def test_equal_sets_are_at_zero(top: Path, tmp_path: Path) -> None:
    (tmp_path / "face").mkdir()
    shutil.copytree(top / "s/gan", tmp_path / "face/test")
    values = _values(_score(top, top / "s", tmp_path))
    assert values["fid"] == 0
    assert values["precision"] == values["recall"] == values["coverage"] == 1


def test_constant_images(top: Path, tmp_path: Path) -> None:
    (tmp_path / "gan").mkdir()
    for i in range(N):
        Image.new("RGB", (64, 64), (90, 90, 90)).save(tmp_path / f"gan/{i}.png")
    values = _values(_score(top, tmp_path))
    assert values["inception_score"] == pytest.approx(1)
    assert values["fid"] > 0 and all(math.isfinite(v) for v in values.values())


def test_a_zip_gives_what_the_folder_gives(top: Path, tmp_path: Path) -> None:
    names = sorted((top / "s/gan").iterdir())
    with zipfile.ZipFile(tmp_path / "s.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in reversed(names):  # whatever the order of the entries
            archive.write(path, f"gan/{path.name}")
    assert _values(_score(top, tmp_path / "s.zip")) == _values(_score(top, top / "s"))


def test_threads_change_nothing_that_counts(top: Path) -> None:
    threads = torch.get_num_threads()
    found = []
    try:
        for count in (1, 2):
            torch.set_num_threads(count)
            found.append(_values(_score(top, top / "s", cache=False)))
    finally:
        torch.set_num_threads(threads)
    assert found[0] == pytest.approx(found[1], rel=1e-5)


def test_deep_and_transparent_images_are_errors_of_the_submission(top: Path, tmp_path: Path) -> None:
    shutil.copytree(top / "s/gan", tmp_path / "gan")
    pixels = np.asarray(face("deep"))
    Image.fromarray(pixels[..., 0].astype(np.uint16) * 257).save(tmp_path / "gan/0000.png")
    Image.fromarray(np.dstack([pixels, pixels[..., 0]])).save(tmp_path / "gan/0001.png")
    report = _score(top, tmp_path)
    assert {f.rule for f in report.problems[0].findings if f.severity == "error"} == {
        "wrong-depth",
        "wrong-mode",
    }
    # 16 bits are not judged; alpha is dropped and the image measured, but neither earns anything.
    assert all(m.n == N - 1 for m in report.problems[0].measures) and report.state == "fail"
