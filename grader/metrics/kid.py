"""Kernel Inception Distance: squared maximum mean discrepancy, kernel (x·y / d + 1)³ (Bińkowski et al., ICLR 2018)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from grader.metrics.jackknife import GROUPS, groups, jackknife_interval

Array = NDArray[np.float64]


def _kernel(a: Array, b: Array) -> Array:
    return np.asarray((a @ b.T / a.shape[1] + 1) ** 3)


def _check(a: Array, b: Array, least: int = 2) -> None:
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1] or min(len(a), len(b)) < least:
        raise ValueError(f"expected matrices of one width with {least} rows or more, found {a.shape} and {b.shape}")


def kernel_distance(a: Array, b: Array) -> tuple[float, tuple[float, float] | None]:
    """The unbiased estimate over ALL pairs of a ``(n, d)`` and b ``(m, d)``, and its 95 % interval; may be negative.

    With all pairs there are no random subsets, hence no seed and no spread that comes from drawing them. The interval
    is a jackknife over groups of a, the reference b being fixed; None for fewer than 2 groups' worth.
    """
    _check(a, b)
    aa, ab, bb = _kernel(a, a), _kernel(a, b), _kernel(b, b)
    np.fill_diagonal(aa, 0)
    n, m = len(a), len(b)
    within_b = (bb.sum() - np.trace(bb)) / (m * (m - 1))
    across = ab.mean(1)
    value = float(aa.sum() / (n * (n - 1)) + within_b - 2 * across.mean())
    if n < 2 * GROUPS:
        return value, None
    rows = aa.sum(1)
    without = []
    for g in groups(n):
        k = n - len(g)
        # Pairs inside the group are in its rows twice, so that they come back once.
        within = aa.sum() - 2 * rows[g].sum() + aa[np.ix_(g, g)].sum()
        without.append(within / (k * (k - 1)) + within_b - 2 * (across.sum() - across[g].sum()) / k)
    return value, jackknife_interval(value, np.array(without))


def kernel_distance_of_subsets(
    a: Array, b: Array, subsets: int = 100, size: int = 1000, seed: int = 2020
) -> tuple[float, float]:
    """Mean and standard deviation over random subsets, drawn as torch-fidelity does with the same seed.

    At n = size every subset is the whole set, and the standard deviation says nothing: it is 0.
    """
    _check(a, b, size)
    rng = np.random.RandomState(seed)
    found = []
    for _ in range(subsets):
        x, y = (f[rng.choice(len(f), size, replace=False)] for f in (a, b))
        xx, yy = _kernel(x, x), _kernel(y, y)
        pairs = xx.sum() - np.trace(xx) + yy.sum() - np.trace(yy)
        found.append(pairs / (size * (size - 1)) - 2 * _kernel(x, y).mean())
    return float(np.mean(found)), float(np.std(found))
