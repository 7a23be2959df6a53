"""The Fréchet distance against closed forms and against the textbook formula by scipy."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from grader.metrics.fid import (
    Gaussian,
    frechet_interval,
    gaussian,
    gaussian_of_covariance,
    nuclear_norms_without,
)
from grader.metrics.fid import (
    frechet_distance as distance_of_gaussians,
)

Array = NDArray[np.float64]


def frechet_distance(a: Array, b: Array) -> float:
    return distance_of_gaussians(gaussian(a), gaussian(b))


def _textbook(a: Array, b: Array) -> float:
    """As printed in the paper: eigenvalues of the product of the covariances, in float64."""
    ca, cb = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = np.sqrt(scipy.linalg.eigvals(ca @ cb).astype(complex)).real.sum()
    return float(((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(ca) + np.trace(cb) - 2 * root)


@pytest.mark.parametrize(("n", "m", "d"), [(300, 400, 20), (30, 50, 20), (15, 300, 40), (12, 9, 40), (2, 2, 3)])
def test_agrees_with_the_textbook(n: int, m: int, d: int) -> None:
    rng = np.random.default_rng(n * m)
    mix = rng.normal(size=(d, d))
    a, b = rng.normal(size=(n, d)) @ mix + 3, rng.normal(size=(m, d))
    assert frechet_distance(a, b) == pytest.approx(_textbook(a, b), rel=1e-7)


def test_agrees_with_sqrtm_where_that_is_well_conditioned() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(500, 8)) * np.arange(1, 9), rng.normal(size=(400, 8)) + 1
    ca, cb = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = scipy.linalg.sqrtm(ca @ cb).real
    expected = ((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(ca + cb - 2 * root)
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-9)


def test_closed_form_in_one_dimension() -> None:
    # (mean difference)² + (difference of the standard deviations)².
    a, b = np.array([[0.0], [2.0]]), np.array([[10.0], [14.0]])
    expected = 11.0**2 + (np.sqrt(2) - np.sqrt(8)) ** 2
    assert frechet_distance(a, b) == pytest.approx(expected)


def test_shift_and_scale() -> None:
    rng = np.random.default_rng(2)
    a = rng.normal(size=(100, 30))
    assert frechet_distance(a, a + 2) == pytest.approx(30 * 4)
    centred = a - a.mean(0)
    assert frechet_distance(centred, 3 * centred) == pytest.approx(4 * np.square(centred).sum() / 99)


@given(st.integers(2, 40), st.integers(1, 30), st.integers(0, 10))
def test_identical_sets_are_at_zero_and_the_order_does_not_matter(n: int, d: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(n, d)), rng.normal(size=(n + 3, d))
    assert frechet_distance(a, a[::-1]) == 0
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a), rel=1e-9)


def test_constant_features() -> None:
    assert frechet_distance(np.ones((5, 4)), np.ones((6, 4))) == 0
    assert frechet_distance(np.ones((5, 4)), np.zeros((6, 4))) == pytest.approx(4)


def test_agrees_with_pytorch_fids_own_code() -> None:
    from pytorch_fid.fid_score import calculate_frechet_distance

    rng = np.random.default_rng(5)
    a, b = rng.normal(size=(300, 24)) @ rng.normal(size=(24, 24)), rng.normal(size=(280, 24)) + 0.5
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the peer calls sqrtm with an argument that scipy is about to drop
        theirs = calculate_frechet_distance(a.mean(0), np.cov(a, rowvar=False), b.mean(0), np.cov(b, rowvar=False))
    assert frechet_distance(a, b) == pytest.approx(theirs, rel=1e-7)


def test_agrees_with_torch_fidelitys_own_code_where_covariances_have_full_rank() -> None:
    import torch
    from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric

    rng = np.random.default_rng(7)
    a, b = rng.normal(size=(700, 256)) * np.linspace(0.5, 2, 256), rng.normal(size=(600, 256)) + 0.1
    statistics = [fid_features_to_statistics(torch.from_numpy(f)) for f in (a, b)]
    theirs = fid_statistics_to_metric(*statistics, False)["frechet_inception_distance"]
    assert frechet_distance(a, b) == pytest.approx(theirs, rel=1e-7)


def test_statistics_as_other_programs_store_them() -> None:
    rng = np.random.default_rng(6)
    a, b = rng.normal(size=(60, 20)), rng.normal(size=(15, 20)) * 2
    stored = gaussian_of_covariance(b.mean(0), np.cov(b, rowvar=False), 15)
    # A covariance holds squares: rounding cuts its smallest roots off at half of the digits.
    assert distance_of_gaussians(gaussian(a), stored) == pytest.approx(frechet_distance(a, b), rel=1e-7)


@pytest.mark.parametrize("n", [40, 43, 200])
def test_interval_is_the_jackknife_written_plainly(n: int) -> None:
    rng = np.random.default_rng(n)
    a, b = rng.normal(size=(n, 30)), gaussian(rng.normal(size=(90, 30)) * 1.2 + 0.3)
    value = distance_of_gaussians(gaussian(a), b)
    without = [distance_of_gaussians(gaussian(np.delete(a, np.arange(k, n, 20), axis=0)), b) for k in range(20)]
    error = np.sqrt(19 / 20 * np.square(np.array(without) - np.mean(without)).sum())
    expected = value - 2.093024 * error, value + 2.093024 * error
    assert frechet_interval(a, b, value) == pytest.approx(expected, rel=1e-6)
    assert frechet_interval(a[:39], b, value) is None


@given(st.integers(3, 30), st.integers(1, 40), st.integers(1, 2), st.floats(0.01, 1), st.integers(0, 99))
def test_norms_without_rows_are_those_of_the_eigenvalues(n: int, d: int, kinds: int, decay: float, seed: int) -> None:
    """Also where rows are equal to each other (of two kinds), or few dimensions hold everything."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(n, d)) * decay ** np.arange(d)
    if seed % 3 == 0:
        rows = rows[np.arange(n) % kinds]
    left_out = [np.arange(k, n, 3) for k in range(3)]
    centred = rows - rows.mean(0)
    found = nuclear_norms_without(centred @ centred.T, left_out)
    kept = [np.delete(rows, out, axis=0) for out in left_out]
    plain = [np.linalg.svd(k - k.mean(0), compute_uv=False).sum() for k in kept]
    size = np.linalg.svd(centred, compute_uv=False).sum()
    assert found == pytest.approx(plain, abs=2e-6 * size + 1e-9)


def test_interval_covers_the_spread_of_repeated_samples() -> None:
    """The jackknife's error against the standard deviation over fresh samples from the same generator."""
    rng = np.random.default_rng(9)
    reference = gaussian(rng.normal(size=(2000, 16)))
    values, errors = [], []
    for _ in range(60):
        a = rng.normal(size=(400, 16)) * 1.3 + 0.2
        value = distance_of_gaussians(gaussian(a), reference)
        interval = frechet_interval(a, reference, value)
        assert interval is not None
        values.append(value)
        errors.append((interval[1] - interval[0]) / 2 / 2.093)
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.3)


@pytest.mark.parametrize("shape", [(1, 3), (5,), (0, 3)])
def test_shapes_that_make_no_sense(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="2 rows or more"):
        gaussian(np.zeros(shape))


def test_different_widths() -> None:
    with pytest.raises(ValueError, match="same width"):
        frechet_distance(np.zeros((5, 3)), np.zeros((5, 4)))


def test_values_that_are_not_finite() -> None:
    bad = np.zeros((5, 3))
    bad[0, 0] = np.nan
    with pytest.raises(ValueError, match="finite"):
        gaussian(bad)


def test_a_bootstrap_adds_the_bias_again() -> None:
    """docs/statistics.md in small: resampling with replacement lies as far above the value as that above the truth."""
    rng = np.random.default_rng(4)
    reference = gaussian(rng.normal(size=(4000, 20)))
    values, resampled = [], []
    for _ in range(20):
        a = rng.normal(size=(150, 20))
        values.append(distance_of_gaussians(gaussian(a), reference))
        draws = [gaussian(a[rng.integers(0, 150, 150)]) for _ in range(10)]
        resampled.append(np.mean([distance_of_gaussians(draw, reference) for draw in draws]))
    truth = distance_of_gaussians(gaussian(rng.normal(size=(100_000, 20))), reference)
    bias, surplus = np.mean(values) - truth, np.mean(resampled) - np.mean(values)
    assert bias > 5 * truth and 0.6 * bias < surplus < 1.6 * bias


def test_statistics_that_are_no_numbers_are_at_no_distance() -> None:
    whole = gaussian(np.random.default_rng(0).normal(size=(9, 3)))
    broken = Gaussian(np.array([np.nan, 0, 0]), whole.factor, 9)
    assert np.isnan(distance_of_gaussians(whole, broken))
