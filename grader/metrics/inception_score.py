"""Inception Score (Salimans et al., NeurIPS 2016)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from grader.metrics.jackknife import GROUPS, groups, jackknife_interval

SPLITS = 10
_RENAMINGS = 100
_RENAMING_SEED = 0
Array = NDArray[np.float64]


def shuffled_order(n: int, seed: int) -> NDArray[np.int64]:
    """The order in which torch-fidelity takes n images: a permutation by NumPy's legacy generator."""
    return np.random.RandomState(seed).permutation(n)


def inception_score(probabilities: Array, splits: int = SPLITS, *, every_row: bool = False) -> tuple[float, float]:
    """Mean and standard deviation (ddof 0) of exp(mean KL(p(y|x) || p(y))) over equal, consecutive splits.

    probabilities: float64 ``(n, classes)``, each row a distribution, in the order of the sorted file names. The last
    n mod splits rows are left out, as in the usual script; with `every_row` splits differ by one row instead, as in
    torch-fidelity. Raises ValueError for n < splits or rows that do not sum to 1.

    >>> mean, deviation = inception_score(np.eye(4)[np.arange(80) % 4], 10)
    >>> round(mean, 12), round(deviation, 12)
    (4.0, 0.0)
    """
    n = len(probabilities)
    if n < splits:
        raise ValueError(f"{n} images are too few for {splits} splits")
    if not np.allclose(probabilities.sum(1), 1, atol=1e-3) or (probabilities < 0).any():
        raise ValueError("expected one distribution in each row")
    scores = _scores(probabilities, _information(probabilities), np.arange(n)[None], splits, every_row)
    return float(scores.mean()), float(scores.std())


def inception_score_interval(
    probabilities: Array, value: float, splits: int = SPLITS, *, every_row: bool = False
) -> tuple[float, float] | None:
    """95 % interval of the score by a jackknife over groups; None for fewer images than 2 groups' worth.

    It holds other images of the same generator under names in the same order: the spread of the splits is inside.
    """
    n = len(probabilities)
    if n < 2 * GROUPS:
        return None
    information = _information(probabilities)
    without = []
    for left_out in groups(n):
        order = np.delete(np.arange(n), left_out)[None]
        without.append(_scores(probabilities, information, order, splits, every_row).mean())
    return jackknife_interval(value, np.array(without))


def renaming_deviation(probabilities: Array, splits: int = SPLITS, *, every_row: bool = False) -> float:
    """Standard deviation of the score over 100 random orders of the same images: what other file names would do."""
    rng = np.random.default_rng(_RENAMING_SEED)
    orders = rng.permuted(np.tile(np.arange(len(probabilities)), (_RENAMINGS, 1)), axis=1)
    return float(_scores(probabilities, _information(probabilities), orders, splits, every_row).mean(1).std(ddof=1))


def _information(rows: Array) -> Array:
    """Σ p log p of each row, with 0 log 0 = 0."""
    return np.asarray((rows * np.log(np.where(rows > 0, rows, 1))).sum(1))


def _scores(rows: Array, information: Array, orders: NDArray[np.int64], splits: int, every_row: bool) -> Array:
    """The score of each split for each order ``(k, m)`` of rows: ``(k, splits)``.

    The mean of KL(p || q) over a split whose mean is q is the mean of Σ p log p less Σ q log q, so that only the
    means of splits are needed: one matrix product for all the orders.
    """
    k, m = orders.shape
    edges = [i * m // splits if every_row else i * (m // splits) for i in range(splits + 1)]
    sizes = np.diff(edges)
    member = np.zeros((k, splits, len(rows)))
    for s in range(splits):
        np.put_along_axis(member[:, s], orders[:, edges[s] : edges[s + 1]], 1 / sizes[s], axis=1)
    flat = member.reshape(k * splits, -1)
    return np.asarray(np.exp(flat @ information - _information(flat @ rows)).reshape(k, splits))
