"""How much the images of one class differ: mean pairwise distance and Vendi score of their features."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from grader.metrics.jackknife import GROUPS, groups, jackknife_interval

Array = NDArray[np.float64]


def pairwise_distance(features: Array) -> float:
    """Mean Euclidean distance over all pairs of different rows of ``(n, d)``, n at least 2.

    >>> pairwise_distance(np.array([[0.0, 0.0], [3.0, 4.0], [0.0, 0.0]]))
    3.3333333333333335
    """
    return mean_of_pairs(distances(features))


def pairwise_interval(classes: list[Array], value: float) -> tuple[float, float] | None:
    """95 % interval of the mean over classes of `pairwise_distance`: every class without its i-th group, i by i.

    classes: the `distances` of each. None if a class has fewer rows than 2 groups' worth.
    """
    if min(len(c) for c in classes) < 2 * GROUPS:
        return None
    without = np.zeros(GROUPS)
    for table in classes:
        n = len(table)
        member = np.zeros((GROUPS, n))
        for i, left_out in enumerate(groups(n)):
            member[i, left_out] = 1
        between = member @ table @ member.T  # sums of distances between groups
        left = n - member.sum(1)
        without += (table.sum() - 2 * between.sum(1) + between.diagonal()) / (left * (left - 1))
    return jackknife_interval(value, without / len(classes))


def vendi_score(features: Array) -> float:
    """The effective number of different rows: exp of the entropy of the eigenvalues of K / n (Friedman, Dieng, 2023).

    K holds the cosines of the rows of ``(n, d)``. From 1, all alike, to n, all orthogonal; a row of zeros is like no
    other.

    >>> round(vendi_score(np.eye(7)), 9), round(vendi_score(np.ones((7, 3))), 9)
    (7.0, 1.0)
    """
    n = len(features)
    norms = np.linalg.norm(features, axis=1, keepdims=True)
    unit = features / np.where(norms > 0, norms, 1)
    kernel = unit @ unit.T
    np.fill_diagonal(kernel, 1)
    values = np.linalg.eigvalsh(kernel / n)
    values = values[values > 1e-15]
    return float(np.exp(-(values * np.log(values)).sum()))


def mean_of_pairs(table: Array) -> float:
    """The mean of `distances` ``(n, n)``, those of a row from itself left out."""
    n = len(table)
    return float(table.sum() / (n * (n - 1)))


def distances(features: Array) -> Array:
    """Euclidean distances of all rows of ``(n, d)`` from each other: ``(n, n)``. Raises ValueError for n below 2."""
    if features.ndim != 2 or len(features) < 2:
        raise ValueError(f"expected a matrix with 2 rows or more, found {features.shape}")
    centred = features - features.mean(0)
    squares = np.square(centred).sum(1)
    found = np.sqrt(np.maximum(squares[:, None] + squares - 2 * centred @ centred.T, 0))
    np.fill_diagonal(found, 0)
    return np.asarray(found)
