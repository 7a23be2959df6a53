"""Accuracy with its interval, per-class figures and the confusion matrix; intervals of proportions."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_Z95 = 1.959963984540054  # the 97.5 % point of the normal distribution


@dataclass(frozen=True)
class Accuracy:
    """`value` = correct / n. `confusion[i][j]` counts items of class i taken for class j; `unjudged[i]` those without
    a judgement, which count as wrong. `per_class[i]` is the accuracy of class i, None where it has no item.
    """

    value: float
    interval: tuple[float, float]
    n: int
    per_class: tuple[float | None, ...]
    confusion: tuple[tuple[int, ...], ...]
    unjudged: tuple[int, ...]


def accuracy(
    wanted: NDArray[np.int64], taken: NDArray[np.int64], class_sizes: NDArray[np.int64], classes: int
) -> Accuracy:
    """Accuracy over all the items that there should be, not only those that were judged.

    wanted, taken: class of each judged item and what it was taken for, int64 ``(n,)`` in 0..classes-1.
    class_sizes: how many items each class should have, int64 ``(classes,)``.
    """
    confusion = np.zeros((classes, classes), np.int64)
    np.add.at(confusion, (wanted, taken), 1)
    right = np.diagonal(confusion)
    n, correct = int(class_sizes.sum()), int(right.sum())
    unjudged = class_sizes - confusion.sum(1)
    if n == 0 or (unjudged < 0).any():
        raise ValueError("more judged items than there should be, or none at all")
    return Accuracy(
        value=correct / n,
        interval=wilson_interval(correct, n),
        n=n,
        per_class=tuple(int(r) / int(s) if s else None for r, s in zip(right, class_sizes, strict=True)),
        confusion=tuple(tuple(int(v) for v in row) for row in confusion),
        unjudged=tuple(int(v) for v in unjudged),
    )


def wilson_interval(correct: int, n: int) -> tuple[float, float]:
    """The 95 % score interval of a proportion (Wilson, JASA 22, 1927).

    >>> low, high = wilson_interval(81, 263)  # Newcombe, Statistics in Medicine 17, 1998, table I
    >>> f"{low:.4f} {high:.4f}"
    '0.2553 0.3662'
    """
    p, z2 = correct / n, _Z95**2
    centre = (p + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z95 * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    # The ends are exactly 0 and 1 there; rounding would leave 1 outside of the interval of n right ones.
    return (0.0 if correct == 0 else centre - half), (1.0 if correct == n else centre + half)


def exact_interval(count: int, n: int) -> tuple[float, float]:
    """The exact 95 % interval of a proportion, from a count among n (Clopper and Pearson, Biometrika 26, 1934).

    >>> low, high = exact_interval(81, 263)  # Newcombe, Statistics in Medicine 17, 1998, table I
    >>> f"{low:.4f} {high:.4f}"
    '0.2527 0.3676'
    """
    from scipy.special import betaincinv

    low = float(betaincinv(count, n - count + 1, 0.025)) if count else 0.0
    high = float(betaincinv(count + 1, n - count, 0.975)) if count < n else 1.0
    return low, high


def difference_interval(first: tuple[int, int], second: tuple[int, int]) -> tuple[float, float]:
    """The 95 % interval of the difference of two proportions, each a count among n, from their score intervals.

    Newcombe's method 10 (Statistics in Medicine 17, 1998).

    >>> low, high = difference_interval((56, 70), (48, 80))  # Newcombe, table II
    >>> f"{low:.4f} {high:.4f}"
    '0.0524 0.3339'
    """
    (a, m), (b, n) = first, second
    p, q = a / m, b / n
    (low_p, high_p), (low_q, high_q) = wilson_interval(a, m), wilson_interval(b, n)
    low = p - q - math.hypot(p - low_p, high_q - q)
    high = p - q + math.hypot(high_p - p, q - low_q)
    return max(-1.0, low), min(1.0, high)


def chance_of_difference(first: tuple[int, int], second: tuple[int, int]) -> float:
    """How often two samples of one proportion differ as much or more: Fisher's exact test, both sides.

    >>> round(chance_of_difference((3, 4), (1, 4)), 4)  # the lady tasting tea
    0.4857
    """
    from scipy.stats import fisher_exact

    (a, m), (b, n) = first, second
    return float(fisher_exact([[a, m - a], [b, n - b]]).pvalue)
