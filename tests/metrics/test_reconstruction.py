"""Squared error, PSNR and SSIM against scikit-image, written independently; scales of reported figures."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats
from skimage import metrics

from fixtures.faces import face
from grader.metrics import reconstruction as ours

Pixels = NDArray[np.uint8]
peer: Any = metrics  # half typed


def _pair(n: int = 3, seed: int = 0) -> tuple[Pixels, Pixels]:
    originals = np.stack([np.asarray(face(f"reconstruction {seed} {i}")) for i in range(n)])
    noise = np.random.default_rng(seed).normal(0, 20, originals.shape)
    return np.clip(originals + noise, 0, 255).astype(np.uint8), originals


def test_error_and_psnr_are_the_peers() -> None:
    a, b = _pair()
    x, y = a / 255, b / 255
    errors = ours.squared_errors(a, b)
    assert errors == pytest.approx([peer.mean_squared_error(p, q) for p, q in zip(x, y, strict=True)], rel=1e-12)
    assert ours.psnr(errors.mean()) == pytest.approx(peer.peak_signal_noise_ratio(y, x, data_range=1), abs=1e-9)


@pytest.mark.parametrize("crop", [64, 11, 17])
def test_similarity_is_the_peers(crop: int) -> None:
    a, b = (p[:, :crop, : crop + 3] for p in _pair(seed=crop))
    theirs = [
        peer.structural_similarity(
            p / 255,
            q / 255,
            data_range=1,
            channel_axis=2,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
        for p, q in zip(a, b, strict=True)
    ]
    assert ours.structural_similarities(a, b) == pytest.approx(theirs, abs=1e-9)


def test_closed_forms() -> None:
    """Constant pictures have no variance: what is left is the comparison of their brightness."""
    a, b = np.full((2, 12, 12, 3), 51, np.uint8), np.full((2, 12, 12, 3), 102, np.uint8)
    assert ours.squared_errors(a, b) == pytest.approx([0.04, 0.04])
    c1 = 0.01**2
    assert ours.structural_similarities(a, b) == pytest.approx([(2 * 0.2 * 0.4 + c1) / (0.2**2 + 0.4**2 + c1)] * 2)
    assert ours.structural_similarities(a, a) == pytest.approx([1, 1])
    assert ours.psnr(1.0) == 0 and ours.psnr(0.0) == math.inf


def test_parts_are_no_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = _pair(5)
    whole = ours.squared_errors(a, b), ours.structural_similarities(a, b)
    monkeypatch.setattr(ours, "_PART", 2)
    assert np.array_equal(whole[0], ours.squared_errors(a, b))
    assert whole[1] == pytest.approx(ours.structural_similarities(a, b), abs=1e-15)


@given(st.integers(0, 2**32 - 1))
def test_symmetric_and_bounded(seed: int) -> None:
    a, b = np.random.default_rng(seed).integers(0, 256, (2, 2, 12, 11, 3), np.uint8)
    assert np.array_equal(ours.squared_errors(a, b), ours.squared_errors(b, a))
    found = ours.structural_similarities(a, b)
    assert found == pytest.approx(ours.structural_similarities(b, a), abs=1e-12) and (np.abs(found) <= 1).all()


@pytest.mark.parametrize("shape", [(2, 12, 12, 3), (1, 12, 12, 1), (0, 12, 12, 3)])
def test_other_shapes_are_refused(shape: tuple[int, ...]) -> None:
    first = np.zeros((1, 12, 12, 3) if shape[0] else shape, np.uint8)
    for compare in (ours.squared_errors, ours.structural_similarities):
        with pytest.raises(ValueError):
            compare(first, np.zeros(shape, np.uint8))


def test_pictures_smaller_than_the_window() -> None:
    with pytest.raises(ValueError, match="11 pixels"):
        ours.structural_similarities(*np.zeros((2, 1, 10, 64, 3), np.uint8))


@given(st.lists(st.floats(0.001, 1), min_size=2, max_size=50))
def test_interval_is_students(values: list[float]) -> None:
    array = np.array(values)
    found = ours.mean_interval(array)
    assert found is not None
    if array.std() > 1e-9:
        theirs = stats.t.interval(0.95, len(values) - 1, array.mean(), stats.sem(array))
        assert found == pytest.approx(theirs, rel=1e-9, abs=1e-12)
    in_decibels = ours.psnr_interval(array)
    assert in_decibels is not None
    low, high = in_decibels
    value = ours.psnr(float(array.mean()))
    assert low <= value <= high and value - low == pytest.approx(high - value, abs=1e-9)


def test_psnr_interval_is_that_of_the_error_where_it_is_narrow() -> None:
    errors = np.random.default_rng(0).normal(0.005, 0.0004, 2000)
    low, high = ours.mean_interval(errors) or (0.0, 0.0)
    found = ours.psnr_interval(errors)
    assert found == pytest.approx((ours.psnr(high), ours.psnr(low)), abs=1e-3)


def test_no_interval_of_one_image() -> None:
    one = np.array([0.1])
    assert ours.mean_interval(one) is None and ours.psnr_interval(one) is None
    assert ours.psnr_interval(np.zeros(3)) is None


def test_reports_scales() -> None:
    assert ours.unit_mse(215.99, -1, 1, 12288) == pytest.approx(0.0043943, abs=1e-7)
    assert ours.psnr(ours.unit_mse(215.99, -1, 1, 12288)) == pytest.approx(23.571, abs=1e-3)
    assert ours.psnr(ours.unit_mse(0.0197, -1, 1)) == pytest.approx(23.076, abs=1e-3)
    assert ours.unit_mse(65.025, 0, 255) == pytest.approx(0.001)


@given(st.floats(0, 60))
def test_psnr_and_back(decibels: float) -> None:
    assert ours.psnr(ours.mse_of_psnr(decibels)) == pytest.approx(decibels, abs=1e-9)


@pytest.mark.parametrize(
    "given",
    [(-1.0, 0, 1, 1), (math.nan, 0, 1, 1), (1.0, 1, 1, 1), (1.0, 1, -1, 1), (1.0, 0, 1, 0), (1.0, 0, math.inf, 1)],
)
def test_impossible_scales(given: tuple[float, float, float, int]) -> None:
    with pytest.raises(ValueError):
        ours.unit_mse(*given)


def test_impossible_decibels() -> None:
    with pytest.raises(ValueError):
        ours.mse_of_psnr(math.inf)
    with pytest.raises(ValueError):
        ours.psnr(-0.1)
