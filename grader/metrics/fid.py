"""Fréchet distance between two sets of features (Heusel et al., NeurIPS 2017, after Dowson and Landau, 1982)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grader.metrics.jackknife import GROUPS, groups, jackknife_interval

Array = NDArray[np.float64]
_ROUNDING = 1e-13


@dataclass(frozen=True)
class Gaussian:
    """Mean ``(d,)`` and covariance of a set of n features; the covariance as a factor F ``(r, d)`` with FᵀF = it.

    r is at most d: the factor of fewer features than dimensions is the centred features themselves, which loses
    nothing where the covariance is singular.
    """

    mean: Array
    factor: Array
    n: int


def gaussian(features: Array) -> Gaussian:
    """Mean and covariance (n - 1) of features, float64 ``(n, d)``, n at least 2, all finite.

    Raises ValueError for anything else.
    """
    if features.ndim != 2 or len(features) < 2:
        raise ValueError(f"expected a matrix with 2 rows or more, found {features.shape}")
    if not np.isfinite(features).all():
        raise ValueError("features must be finite")
    n, d = features.shape
    mean = features.mean(0)
    centred = (features - mean) / np.sqrt(n - 1)
    return Gaussian(mean, np.asarray(np.linalg.qr(centred, mode="r")) if n > d else centred, n)


def gaussian_of_covariance(mean: Array, covariance: Array, n: int) -> Gaussian:
    """The same from a covariance ``(d, d)``, as other programs store it. Negative eigenvalues are rounding: cut off."""
    values, vectors = np.linalg.eigh((covariance + covariance.T) / 2)
    return Gaussian(mean, np.sqrt(np.maximum(values, 0))[:, None] * vectors.T, n)


def frechet_distance(a: Gaussian, b: Gaussian) -> float:
    """|mean a - mean b|² + tr(A) + tr(B) - 2 tr((A B)^½) >= 0, A and B the covariances.

    With A = XᵀX and B = YᵀY the trace of the root is the sum of the singular values of X Yᵀ: exact also where A and B
    are singular (n <= d), and without the square root of a large, badly conditioned product.
    """
    if a.mean.shape != b.mean.shape:
        raise ValueError(f"expected features of the same width, found {a.mean.shape} and {b.mean.shape}")
    root = np.linalg.svd(a.factor @ b.factor.T, compute_uv=False).sum()
    squares = np.square(a.mean - b.mean).sum() + np.square(a.factor).sum() + np.square(b.factor).sum()
    # Rounding leaves about 1e-15 of the traces, of either sign, where the sets are equal: that is 0.
    distance = float(squares - 2 * root)
    return 0.0 if distance <= _ROUNDING * squares else distance  # NaN stays NaN


def frechet_interval(features: Array, reference: Gaussian, value: float) -> tuple[float, float] | None:
    """95 % interval of the distance of the features from a fixed reference, by a jackknife over groups.

    Each group is left out in turn; only the inner products of the features in the reference's metric are needed, so
    a group costs the eigenvalues of one ``(n - n/20, n - n/20)`` matrix. None for fewer features than 2 groups' worth.
    """
    n = len(features)
    if n < 2 * GROUPS:
        return None
    centred = features - features.mean(0)
    squared = np.square(centred).sum(1)
    rotated = centred @ reference.factor.T
    gram = rotated @ rotated.T
    offset = features.mean(0) - reference.mean
    total = np.square(reference.factor).sum()
    values = []
    for left_out in groups(n):
        keep = np.delete(np.arange(n), left_out)
        m = len(keep)
        shift = centred[keep].mean(0)
        root = np.sqrt(np.maximum(np.linalg.eigvalsh(_centre(gram[np.ix_(keep, keep)])), 0)).sum()
        trace = squared[keep].sum() - m * np.square(shift).sum()
        squares = np.square(offset + shift).sum() + trace / (m - 1) + total
        values.append(float(squares - 2 * root / np.sqrt(m - 1)))
    return jackknife_interval(value, np.array(values))


def _centre(gram: Array) -> Array:
    """The inner products after subtracting the mean of the rows that they are of."""
    row = gram.mean(0)
    return np.asarray(gram - row - row[:, None] + row.mean())
