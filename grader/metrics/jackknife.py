"""Intervals of statistics that are no means of independent terms: the jackknife over groups (Tukey, 1958)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

GROUPS = 20
_T95 = 2.093024054408263  # the 97.5 % point of Student's t with GROUPS - 1 degrees of freedom


def groups(n: int) -> list[NDArray[np.int64]]:
    """GROUPS disjoint sets of indices that cover 0..n-1: every GROUPS-th item, so that sorted files are mixed.

    >>> [g.tolist() for g in groups(41)][:2]
    [[0, 20, 40], [1, 21]]
    """
    return [np.arange(k, n, GROUPS) for k in range(GROUPS)]


def jackknife_interval(value: float, without: NDArray[np.float64]) -> tuple[float, float]:
    """95 % interval around a value from its GROUPS values with one group left out each.

    Variance (g - 1)/g · Σ (θ_i - mean θ)² and Student's t with g - 1 degrees of freedom. It holds the sampling of the
    items, not the bias of the statistic: docs/statistics.md.
    """
    g = len(without)
    error = np.sqrt((g - 1) / g * np.square(without - without.mean()).sum())
    return float(value - _T95 * error), float(value + _T95 * error)


def standard_error(value: float, interval: tuple[float, float]) -> float:
    """The standard error behind a `jackknife_interval`.

    >>> round(standard_error(5.0, jackknife_interval(5.0, np.linspace(4, 6, 20))), 6)
    2.645751
    """
    return (interval[1] - value) / _T95
