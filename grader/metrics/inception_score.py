"""Inception Score (Salimans et al., NeurIPS 2016)."""

from __future__ import annotations

import itertools

import numpy as np
from numpy.typing import NDArray

SPLITS = 10


def shuffled_order(n: int, seed: int) -> NDArray[np.int64]:
    """The order in which torch-fidelity takes n images: a permutation by NumPy's legacy generator."""
    return np.random.RandomState(seed).permutation(n)


def inception_score(
    probabilities: NDArray[np.float64], splits: int = SPLITS, *, every_row: bool = False
) -> tuple[float, float]:
    """Mean and standard deviation (ddof 0) of exp(mean KL(p(y|x) || p(y))) over equal, consecutive splits.

    probabilities: float64 ``(n, classes)``, each row a distribution, in the order of the sorted file names. The last
    n mod splits rows are left out, as in the usual script; with `every_row` splits differ by one row instead, as in
    torch-fidelity. Raises ValueError for n < splits or rows that do not sum to 1.

    >>> inception_score(np.eye(4)[np.arange(80) % 4], 10)
    (4.0, 0.0)
    """
    n = len(probabilities)
    if n < splits:
        raise ValueError(f"{n} images are too few for {splits} splits")
    if not np.allclose(probabilities.sum(1), 1, atol=1e-3) or (probabilities < 0).any():
        raise ValueError("expected one distribution in each row")
    edges = [i * n // splits if every_row else i * (n // splits) for i in range(splits + 1)]
    scores = []
    for start, end in itertools.pairwise(edges):
        part = probabilities[start:end]
        marginal = part.mean(0, keepdims=True)
        ratio = np.divide(part, marginal, out=np.ones_like(part), where=part > 0)  # 0 log 0 = 0
        scores.append(float(np.exp((part * np.log(ratio)).sum(1).mean())))
    return float(np.mean(scores)), float(np.std(scores))
