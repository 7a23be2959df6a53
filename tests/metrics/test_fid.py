"""The Fréchet distance against closed forms and against the textbook formula by scipy."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.linalg
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from grader.metrics.fid import frechet_distance

Array = NDArray[np.float64]


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
    assert 0 <= frechet_distance(a, a[::-1]) < 1e-9 * max(1.0, np.square(a).sum())
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a), rel=1e-9)


def test_constant_features() -> None:
    assert frechet_distance(np.ones((5, 4)), np.ones((6, 4))) == 0
    assert frechet_distance(np.ones((5, 4)), np.zeros((6, 4))) == pytest.approx(4)


@pytest.mark.parametrize(
    ("a", "b"),
    [((1, 3), (5, 3)), ((5, 3), (5, 4)), ((5,), (5,)), ((0, 3), (5, 3))],
)
def test_shapes_that_make_no_sense(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="2 rows or more"):
        frechet_distance(np.zeros(a), np.zeros(b))


def test_values_that_are_not_finite() -> None:
    bad = np.zeros((5, 3))
    bad[0, 0] = np.nan
    with pytest.raises(ValueError, match="finite"):
        frechet_distance(bad, np.zeros((5, 3)))
