from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch_fidelity.metric_kid import kid_features_to_metric

from grader.metrics.kid import kernel_distance, kernel_distance_of_subsets


def _plain(a: np.ndarray, b: np.ndarray) -> float:
    """The formula of the paper, one pair at a time."""

    def k(x: np.ndarray, y: np.ndarray) -> float:
        return float((x @ y / len(x) + 1) ** 3)

    n, m = len(a), len(b)
    aa = sum(k(a[i], a[j]) for i in range(n) for j in range(n) if i != j) / (n * (n - 1))
    bb = sum(k(b[i], b[j]) for i in range(m) for j in range(m) if i != j) / (m * (m - 1))
    return aa + bb - 2 * sum(k(x, y) for x in a for y in b) / (n * m)


@given(st.integers(2, 12), st.integers(2, 12), st.integers(1, 6), st.integers(0, 5))
def test_agrees_with_the_paper(n: int, m: int, d: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    a, b = rng.normal(size=(n, d)), rng.normal(size=(m, d)) + 0.5
    assert kernel_distance(a, b)[0] == pytest.approx(_plain(a, b), rel=1e-9, abs=1e-9)


def test_subsets_agree_with_torch_fidelity() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(120, 10)), rng.normal(size=(150, 10)) * 1.2
    theirs = kid_features_to_metric(
        torch.from_numpy(a), torch.from_numpy(b), kid_subsets=7, kid_subset_size=50, rng_seed=2020, verbose=False
    )
    mean, deviation = kernel_distance_of_subsets(a, b, subsets=7, size=50, seed=2020)
    assert mean == pytest.approx(theirs["kernel_inception_distance_mean"], rel=1e-6)
    assert deviation == pytest.approx(theirs["kernel_inception_distance_std"], rel=1e-6)


def test_subsets_of_everything_have_no_spread_and_are_the_closed_form() -> None:
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(50, 6)), rng.normal(size=(50, 6)) + 1
    mean, deviation = kernel_distance_of_subsets(a, b, subsets=5, size=50)
    assert mean == pytest.approx(kernel_distance(a, b)[0]) and deviation == pytest.approx(0, abs=1e-12)


def test_unbiased_around_zero_for_one_distribution() -> None:
    rng = np.random.default_rng(3)
    values = [kernel_distance(rng.normal(size=(60, 8)), rng.normal(size=(60, 8)))[0] for _ in range(200)]
    assert abs(np.mean(values)) < 4 * np.std(values) / np.sqrt(200) and min(values) < 0 < max(values)


@pytest.mark.parametrize("n", [40, 47])
def test_interval_is_the_jackknife_written_plainly(n: int) -> None:
    rng = np.random.default_rng(n)
    a, b = rng.normal(size=(n, 5)) * 1.1, rng.normal(size=(70, 5))
    value, interval = kernel_distance(a, b)
    without = np.array([kernel_distance(np.delete(a, np.arange(k, n, 20), 0), b)[0] for k in range(20)])
    error = np.sqrt(19 / 20 * np.square(without - without.mean()).sum())
    assert interval == pytest.approx((value - 2.093024 * error, value + 2.093024 * error), rel=1e-6)
    assert kernel_distance(a[:39], b)[1] is None


def test_wrong_shapes() -> None:
    with pytest.raises(ValueError, match="2 rows or more"):
        kernel_distance(np.zeros((1, 3)), np.zeros((4, 3)))
    with pytest.raises(ValueError, match="one width"):
        kernel_distance(np.zeros((4, 2)), np.zeros((4, 3)))
    with pytest.raises(ValueError, match="1000 rows"):
        kernel_distance_of_subsets(np.zeros((4, 3)), np.zeros((4, 3)))
