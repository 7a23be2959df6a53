"""Fréchet distance between two sets of features (Heusel et al., NeurIPS 2017, after Dowson and Landau, 1982)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Features = NDArray[np.float64]


def frechet_distance(a: Features, b: Features) -> float:
    """|mean a - mean b|² + tr(A) + tr(B) - 2 tr((A B)^½), A and B the covariances with n - 1.

    a, b: float64 ``(n, d)`` and ``(m, d)``, n and m at least 2; returns a value >= 0.

    With the centred features X = (a - mean a) / sqrt(n - 1) and Y alike, A = XᵀX and B = YᵀY, so that the trace of
    the root is the sum of the singular values of X Yᵀ: exact, also where A and B are singular (n <= d), and without
    the square root of a large, badly conditioned product.
    """
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1] or min(len(a), len(b)) < 2:
        raise ValueError(f"expected two matrices of the same width with 2 rows or more, found {a.shape} and {b.shape}")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ValueError("features must be finite")
    mean_a, mean_b = a.mean(0), b.mean(0)
    x, y = _factor(a - mean_a), _factor(b - mean_b)
    root = np.linalg.svd(x @ y.T, compute_uv=False).sum()
    squares = np.square(mean_a - mean_b).sum() + np.square(x).sum() + np.square(y).sum()
    # Rounding leaves about 1e-13 of the traces, of either sign, where the sets are equal.
    return max(0.0, float(squares - 2 * root))


def _factor(centred: Features) -> Features:
    """A matrix with at most d rows and the same FᵀF as centred / sqrt(n - 1)."""
    n, d = centred.shape
    scaled = centred / np.sqrt(n - 1)
    return np.asarray(np.linalg.qr(scaled, mode="r")) if n > d else scaled
