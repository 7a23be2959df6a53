"""Fréchet distance between two sets of features (Heusel et al., NeurIPS 2017, after Dowson and Landau, 1982)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grader.metrics.jackknife import GROUPS, groups, jackknife_interval

Array = NDArray[np.float64]
_ROUNDING = 1e-13
_EXPONENTS = -16.0, 8.0  # of e, about the largest singular value: what lies below is 1e-7 of the integral
_STEP = 0.7  # errs by 1e-6 of what is lost


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


def factor_product(a: Gaussian, b: Gaussian) -> Array:
    """X Yᵀ of the factors, which distance and interval can share. Raises ValueError for other widths of features."""
    if a.mean.shape != b.mean.shape:
        raise ValueError(f"expected features of the same width, found {a.mean.shape} and {b.mean.shape}")
    return np.asarray(a.factor @ b.factor.T)


def frechet_distance(a: Gaussian, b: Gaussian, product: Array | None = None) -> float:
    """|mean a - mean b|² + tr(A) + tr(B) - 2 tr((A B)^½) >= 0, A and B the covariances.

    With A = XᵀX and B = YᵀY the trace of the root is the sum of the singular values of X Yᵀ: exact also where A and B
    are singular (n <= d), and without the square root of a large, badly conditioned product.

    product: `factor_product` of the two, if it is at hand.
    """
    root = np.linalg.svd(factor_product(a, b) if product is None else product, compute_uv=False).sum()
    squares = np.square(a.mean - b.mean).sum() + np.square(a.factor).sum() + np.square(b.factor).sum()
    # Rounding leaves about 1e-15 of the traces, of either sign, where the sets are equal: that is 0.
    distance = float(squares - 2 * root)
    return 0.0 if distance <= _ROUNDING * squares else distance  # NaN stays NaN


def frechet_interval(
    features: Array, reference: Gaussian, value: float, product: Array | None = None
) -> tuple[float, float] | None:
    """95 % interval of the distance of the features from a fixed reference, by a jackknife over groups.

    Each group is left out in turn; only the inner products of the features in the reference's metric are needed. None
    for fewer features than 2 groups' worth. product: as in `frechet_distance`.
    """
    n = len(features)
    if n < 2 * GROUPS:
        return None
    mean = features.mean(0)
    centred = features - mean
    squared = np.square(centred).sum(1)
    if product is None or len(product) != n:  # of more features than dimensions it tells nothing of single ones
        product = centred @ reference.factor.T / np.sqrt(n - 1)
    total = np.square(reference.factor).sum()
    values = []
    roots = nuclear_norms_without((n - 1) * (product @ product.T), groups(n))
    for left_out, root in zip(groups(n), roots, strict=True):
        m = n - len(left_out)
        shift = -centred[left_out].sum(0) / m  # the mean of the others, as all of them have the mean 0
        trace = squared.sum() - squared[left_out].sum() - m * np.square(shift).sum()
        squares = np.square(mean - reference.mean + shift).sum() + trace / (m - 1) + total
        values.append(float(squares - 2 * root / np.sqrt(m - 1)))
    return jackknife_interval(value, np.array(values))


def nuclear_norms_without(gram: Array, left_out: Sequence[NDArray[np.int64]]) -> Array:
    """For each set of rows the sum of the singular values of the other rows less their mean, to 1e-6 of it.

    gram: inner products ``(n, n)`` of all rows, G. Let the k + 1 columns of U span what leaving out k rows and the mean
    takes away, and P project on the rest. As tr X^½ = 1/π ∫ log det(1 + X s⁻²) ds over s > 0,

        tr (P G P)^½ = tr G^½ + 1/π ∫ log det K(s) ds,  K(s) = Uᵀ s² (G + s²)⁻¹ U.

    With s = exp(x) the trapezoid rule converges exponentially: one eigendecomposition does for all sets, in a third of
    the time that the eigenvalues of each P G P take. For s far above all singular values log det K(s) is
    -tr(Uᵀ G U) s⁻², whose terms add up as a geometric series.
    """
    values, vectors = np.linalg.eigh(gram)
    values = np.maximum(values, 0)
    s = np.sqrt(values[-1]) * np.exp(np.arange(*_EXPONENTS, _STEP))
    if not s[0]:
        return np.zeros(len(left_out))
    weights = s[:, None] ** 2 / (values + s[:, None] ** 2)
    beyond = 1 / (s[-1] * np.expm1(_STEP))  # the sum of 1/s over all steps that follow
    found = np.full(len(left_out), np.sqrt(values).sum())
    every = vectors.sum(0)
    for i, rows in enumerate(left_out):
        of_others = every - vectors[rows].sum(0)
        spanned = np.vstack([vectors[rows], of_others / np.sqrt(len(gram) - len(rows))])
        k = (spanned * weights[:, None]).reshape(-1, len(gram)) @ spanned.T  # of all s in one product
        determinants = np.linalg.slogdet(k.reshape(len(s), len(spanned), -1))[1]
        least = len(spanned) * np.log(weights.min(1))  # rounding must not make them less
        integral = (s * np.maximum(determinants, least)).sum() - (np.square(spanned) @ values).sum() * beyond
        found[i] += _STEP / np.pi * integral
    return found
