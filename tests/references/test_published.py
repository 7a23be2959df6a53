"""The published statistics: what their cards say, and what another machine computes."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

import grader
from fixtures.faces import face
from grader.errors import UsageError
from grader.judges import JUDGES
from grader.judges.features import Extractor
from grader.metrics.fid import Gaussian, frechet_distance, gaussian
from grader.references.pictures import list_pictures, read_pictures
from grader.references.statistics import build_reference, read_reference
from reference_models.core.models import published
from tests.conftest import GOOD, ROOT

REAL = ROOT / "baselines/references/face-test.efficientnet-lite0.npz"
DRAWN = ROOT / "fixtures/references/face-test.efficientnet-lite0.npz"


@pytest.mark.parametrize("path", [REAL, DRAWN], ids=["real", "drawn"])
def test_the_card_names_the_file_and_the_file_holds_aggregates_alone(path: Path) -> None:
    card = path.with_suffix(".md").read_text()
    file = read_reference(path)
    assert hashlib.sha256(path.read_bytes()).hexdigest() in card and file.judge_sha256 in card
    assert file.features is None and file.protocol == "efficientnet-lite0" and file.name == "face/test"
    assert JUDGES["efficientnet_lite0"].knows(file.judge_sha256) and len(file.gaussian.mean) == 1280
    # A triangle: the features of single pictures are rotated away.
    assert np.array_equal(file.gaussian.factor, np.triu(file.gaussian.factor))


def test_statistics_built_here_are_the_published_ones(course: Path) -> None:
    published = read_reference(DRAWN)
    built = build_reference(
        "face/test",
        course / "face/test",
        "efficientnet-lite0",
        Extractor({}, "cpu", None),
        with_features=False,
        done=lambda *_: None,
    )
    assert built.pixel_digest == published.pixel_digest and built.gaussian.n == published.gaussian.n == 100
    assert built.gaussian.mean == pytest.approx(published.gaussian.mean, rel=1e-4, abs=1e-4)
    traces = [float(np.square(f.gaussian.factor).sum()) for f in (built, published)]
    assert traces[0] == pytest.approx(traces[1], rel=1e-4)
    assert frechet_distance(built.gaussian, published.gaussian) < 1e-3 * traces[0]


def test_worse_pictures_are_further_away() -> None:
    reference = read_reference(DRAWN).gaussian
    clear = np.stack([np.asarray(face(f"other {i}")) for i in range(100)])
    blurred = np.stack([np.asarray(Image.fromarray(p).filter(ImageFilter.GaussianBlur(1))) for p in clear])
    noise = np.random.default_rng(0).normal(0, 20, clear.shape)
    noisy = np.clip(clear + noise, 0, 255).astype(np.uint8)

    def features(pictures: np.ndarray) -> Gaussian:
        found = Extractor({}, "cpu", None).run("efficientnet-lite0", pictures, lambda *_: None)
        return gaussian(found.outputs["features"].astype(np.float64))

    near, blur, noisier = (frechet_distance(features(p), reference) for p in (clear, blurred, noisy))
    digits = frechet_distance(features(read_pictures(list_pictures(GOOD / "acgan")[:100])), reference)
    assert near < blur < noisier < digits


def test_without_data_the_published_statistics_are_used_and_named() -> None:
    report = grader.score(GOOD, problems=["gan"])
    measure = next(m for m in report.problems[0].measures if m.id == "fd_efficientnet_lite0")
    # What the solution's card states was measured on the pictures themselves.
    stated = json.loads((published("dcgan")[0].folder / "metrics.json").read_text())["measures"]
    assert measure.value == pytest.approx(next(m["value"] for m in stated if m["id"] == measure.id), rel=1e-4)
    assert (
        measure.provenance["reference_source"] == "published statistics" and measure.provenance["reference_n"] == 1000
    )
    warning = next(f for f in report.problems[0].findings if f.rule == "reference-count")
    assert "published statistics has 1000 items" in warning.message


def test_statistics_of_another_reference_are_refused(tmp_path: Path) -> None:
    text = (ROOT / "grader/assignments/dlcv-fall2021-hw2.toml").read_text()
    text = text.replace('reference_file = "references/', 'reference_file = "')
    published = 'reference = "face/test"\nreference_count = 2621\nreference_file'
    assert published in text
    text = text.replace(published, 'reference = "other"\nreference_file')
    (tmp_path / REAL.name).write_bytes(REAL.read_bytes())
    (tmp_path / "own.toml").write_text(text)
    with pytest.raises(UsageError, match=r"holds face/test by the protocol efficientnet-lite0.*wants other"):
        grader.score(GOOD, tmp_path / "own.toml", problems=["gan"])
