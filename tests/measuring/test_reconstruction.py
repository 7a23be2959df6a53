"""Reconstructions against the pictures of the data folder that have their names."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy.ndimage import gaussian_filter
from skimage import metrics

from fixtures.faces import face
from grader.assignment import ImagesSpec, MeasureSpec, NameField, NameFormat, Problem, load_assignment
from grader.checks import rules
from grader.checks.images import CheckedImages
from grader.errors import CannotMeasure
from grader.measuring import measure
from grader.measuring.context import Context
from grader.measuring.reconstruction import RULES, mistake_findings, original_findings
from grader.references.data import BadReference, Data
from grader.results import MeasureResult, Verdict
from grader.verdicts import judge_problem

peer: Any = metrics  # half typed
Pixels = NDArray[np.uint8]
N = 12
NAMES = [f"{40000 + i}.png" for i in range(N)]
MEASURES = {
    m: MeasureSpec(m, m, "reconstruction", "pixels-0-1", "", N, ()) for m in ("reconstruction_mse", "psnr", "ssim")
}
ORIGINALS = np.stack([np.asarray(face(f"original {i}")) for i in range(N)])
BLURRED = (gaussian_filter(ORIGINALS / 255, (0, 1.5, 1.5, 0)) * 255 + 0.5).astype(np.uint8)


def _images(pixels: Pixels, names: list[str] = NAMES) -> CheckedImages:
    size = (pixels.shape[2], pixels.shape[1])
    spec = ImagesSpec(
        "reconstruction", "vae/reconstruction", N, size, "RGB", "PNG", None, "", True, one_for_each="test"
    )
    return CheckedImages(spec, tuple(names), tuple(p.tobytes() for p in pixels), ())


@pytest.fixture
def context(tmp_path: Path) -> Context:
    (tmp_path / "test").mkdir()
    for name, pixels in zip(NAMES, ORIGINALS, strict=True):
        Image.fromarray(pixels).save(tmp_path / "test" / name)
    return Context(Data(tmp_path, "data"), {}, cache=False)


def test_values_are_the_peers(context: Context) -> None:
    mse, psnr, ssim = (measure(spec, _images(BLURRED), context) for spec in MEASURES.values())
    x, r = BLURRED / 255, ORIGINALS / 255
    assert mse.value == pytest.approx(peer.mean_squared_error(x, r), rel=1e-12) and mse.n == N
    assert psnr.value == pytest.approx(peer.peak_signal_noise_ratio(r, x, data_range=1), abs=1e-9)
    each = [
        peer.structural_similarity(
            a, b, data_range=1, channel_axis=2, gaussian_weights=True, sigma=1.5, use_sample_covariance=False
        )
        for a, b in zip(x, r, strict=True)
    ]
    assert ssim.value == pytest.approx(np.mean(each), abs=1e-9)
    per_image = [peer.peak_signal_noise_ratio(b, a, data_range=1) for a, b in zip(x, r, strict=True)]
    assert psnr.details["mean_of_images"] == pytest.approx(np.mean(per_image)) and psnr.details["mse"] == mse.value
    assert mse.details["psnr"] == psnr.value and mse.details["remark"] == f"PSNR {psnr.value:.2f} dB"
    assert next(iter(ssim.details["worst"])) == NAMES[int(np.argmin(each))]
    assert next(iter(ssim.details["best"])) == NAMES[int(np.argmax(each))] and len(ssim.details["worst"]) == 10
    assert next(iter(mse.details["worst"])) == NAMES[int(np.argmin(per_image))]
    for taken in (mse, psnr, ssim):
        assert taken.interval is not None and taken.value is not None
        assert taken.interval[0] < taken.value < taken.interval[1]
        assert taken.details["missing"] == 0 and taken.provenance["reference_n"] == N
        assert taken.provenance["protocol"] == "pixels-0-1" and taken.provenance["reference"] == "test"


def test_images_go_with_their_names(context: Context) -> None:
    backwards = _images(BLURRED[::-1], NAMES[::-1])
    for spec in MEASURES.values():
        there, back = (measure(spec, images, context) for images in (_images(BLURRED), backwards))
        assert there.value == pytest.approx(back.value, rel=1e-12)


def test_missing_and_unknown_images(context: Context) -> None:
    taken = measure(MEASURES["psnr"], _images(BLURRED[3:], [*NAMES[3:-1], "50000.png"]), context)
    assert taken.n == N - 4 and taken.details["missing"] == 4 and taken.value is not None
    none = measure(MEASURES["psnr"], _images(BLURRED[:1], ["50000.png"]), context)
    assert (none.value, none.state) == (None, "fail") and "no image of vae/reconstruction/" in none.reason


def test_one_image_has_no_interval(context: Context) -> None:
    taken = measure(MEASURES["reconstruction_mse"], _images(BLURRED[:1], NAMES[:1]), context)
    assert taken.value is not None and taken.interval is None


def test_the_originals_themselves_are_no_reconstruction(context: Context) -> None:
    mse, psnr, ssim = (measure(spec, _images(ORIGINALS), context) for spec in MEASURES.values())
    assert mse.value == 0 and "remark" not in mse.details and ssim.value == pytest.approx(1)
    assert (psnr.value, psnr.state) == (None, "fail") and "infinite" in psnr.reason
    one_equal = BLURRED.copy()
    one_equal[4] = ORIGINALS[4]
    taken = measure(MEASURES["psnr"], _images(one_equal), context)
    assert taken.value is not None and taken.details["without_error"] == 1
    assert np.isfinite(taken.details["mean_of_images"])


def test_without_the_data(tmp_path: Path) -> None:
    for home in (None, tmp_path):
        with pytest.raises(CannotMeasure, match="test"):
            measure(MEASURES["ssim"], _images(BLURRED), Context(Data(home, "data"), {}, cache=False))


def test_originals_of_another_size_are_the_courses_mistake(context: Context) -> None:
    with pytest.raises(BadReference, match="64x64, and 32x32 are asked for"):
        measure(MEASURES["psnr"], _images(BLURRED[:, ::2, ::2]), context)


def test_originals_of_other_names_are_the_courses_mistake(context: Context) -> None:
    home = context.data.home
    assert home is not None
    for name in NAMES:
        (home / "test" / name).rename(home / "test" / f"face {name}")
    images = _images(BLURRED)
    names = NameFormat("{number:05}.png", (NameField("number", 40000, 42620, 5),))
    named = replace(images, spec=replace(images.spec, names=names))
    with pytest.raises(BadReference, match=r"named like face 40000.png, and \{number:05\}.png is expected"):
        measure(MEASURES["psnr"], named, context)


def test_the_window_needs_its_room(tmp_path: Path) -> None:
    (tmp_path / "test").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "test" / NAMES[0])
    small = _images(np.zeros((1, 8, 8, 3), np.uint8), NAMES[:1])
    with pytest.raises(CannotMeasure, match="11 pixels"):
        measure(MEASURES["ssim"], small, Context(Data(tmp_path, "data"), {}, cache=False))


def test_a_right_reconstruction_raises_nothing(context: Context) -> None:
    for strength in (0.5, 1, 2, 4):
        blurred = (gaussian_filter(ORIGINALS / 255, (0, strength, strength, 0)) * 255 + 0.5).astype(np.uint8)
        assert mistake_findings("vae", _images(blurred), context) == []


DAMAGES: Mapping[str, Callable[[Pixels], Pixels]] = {
    "wrong-pixel-range": lambda x: np.clip(2 * x.astype(int) - 255, 0, 255).astype(np.uint8),
    "wrong-channels": lambda x: np.ascontiguousarray(x[..., ::-1]),
    "wrong-orientation": lambda x: np.ascontiguousarray(x[:, ::-1]),
    "wrong-image-order": lambda x: np.roll(x, 1, 0),
}


@pytest.mark.parametrize("rule", DAMAGES)
def test_mistakes_are_warned_of_and_change_no_value(rule: str, context: Context) -> None:
    damaged = DAMAGES[rule](BLURRED)
    (found,) = mistake_findings("vae", _images(damaged), context)
    assert (found.rule, found.severity, found.path, found.count) == (rule, "warning", "vae/reconstruction", N)
    value = measure(MEASURES["psnr"], _images(damaged), context).value
    raw = peer.peak_signal_noise_ratio(ORIGINALS / 255, damaged / 255, data_range=1)
    assert value == pytest.approx(raw) and f"about {raw:.1f} dB as handed in" in found.actual
    assert found.help.startswith("Mend it and hand in again")
    assert {r.id for r in RULES.values()} == set(DAMAGES) <= set(rules.RULES)


def _verdict(images: CheckedImages, context: Context) -> Verdict:
    work = load_assignment()
    problem = Problem("vae", "VAE", (images.spec,), tuple(MEASURES.values()))
    return judge_problem(problem, [], {("vae", "reconstruction"): images}, context, replace(work, problems=(problem,)))


def test_a_score_has_the_warning_once(context: Context) -> None:
    verdict = _verdict(_images(DAMAGES["wrong-pixel-range"](BLURRED)), context)
    assert [f.rule for f in verdict.findings] == ["wrong-pixel-range"] and verdict.state == "pass"
    assert all(isinstance(m, MeasureResult) and m.value is not None for m in verdict.measures)
    assert _verdict(_images(BLURRED), context).findings == ()


def _as_jpeg(pixels: Pixels) -> Pixels:
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, "JPEG", quality=95, subsampling=0)
    return np.asarray(Image.open(content))


COPIES: Mapping[str, Callable[[Pixels], Pixels]] = {
    "the same pixels": lambda x: x.copy(),
    "one level brighter": lambda x: np.clip(x.astype(int) + 1, 0, 255).astype(np.uint8),
    "saved as JPEG": lambda x: np.stack([_as_jpeg(image) for image in x]),
}


@pytest.mark.parametrize("how", COPIES)
def test_copies_of_the_originals_earn_nothing(how: str, context: Context) -> None:
    copied = BLURRED.copy()
    copied[2:] = COPIES[how](ORIGINALS[2:])
    verdict = _verdict(_images(copied), context)
    (found,) = verdict.findings
    assert (found.rule, found.severity, found.count) == ("copied-images", "error", N - 2)
    assert found.images[0] == (NAMES[2],) and found.examples[0] == f"{NAMES[2]} = test/{NAMES[2]}"
    exact = N - 2 if how == "the same pixels" else 0
    assert "10 of 12 images of vae/reconstruction/ are as near" in found.message
    assert f"; {exact} of them pixel by pixel. That is too much" in found.message
    whole = _verdict(_images(COPIES[how](ORIGINALS)), context)
    assert [f.rule for f in whole.findings] == ["copied-images"]  # and no mistake in saving


def test_copies_of_originals_without_room_for_a_window(tmp_path: Path) -> None:
    (tmp_path / "test").mkdir()
    small = ORIGINALS[:2, :8, :8]
    for name, pixels in zip(NAMES, small, strict=False):
        Image.fromarray(pixels).save(tmp_path / "test" / name)
    there = Context(Data(tmp_path, "data"), {}, cache=False)
    changed = small.copy()
    changed[0] ^= 1
    (found,) = original_findings("vae", _images(changed, NAMES[:2]), there)
    assert found.count == 1 and found.examples == (f"{NAMES[1]} = test/{NAMES[1]}",)


def test_another_number_of_originals_is_told(context: Context) -> None:
    assert context.data.home is not None
    (context.data.home / "test" / NAMES[0]).unlink()
    verdict = _verdict(_images(BLURRED), context)
    assert [f.rule for f in verdict.findings] == ["reference-count"]


def test_a_failure_of_the_search_is_a_note(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise MemoryError("too small")

    monkeypatch.setattr("grader.metrics.mistakes.find_mistake", broken)
    verdict = _verdict(_images(BLURRED), context)
    assert all(m.value is not None for m in verdict.measures) and verdict.findings == ()
    assert context.notes[-1].startswith("Mistakes in saving reconstruction were not looked for: MemoryError")


def test_originals_are_read_once(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    measure(MEASURES["psnr"], _images(BLURRED), context)
    monkeypatch.setattr("grader.references.pictures.read_pictures", None)
    assert measure(MEASURES["ssim"], _images(BLURRED), context).value is not None
