"""How near reconstructions come to their originals: squared error, PSNR, SSIM; and the scales of reported figures."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]
_PART = 100  # images that are held as float64 at once
_SIGMA, _RADIUS = 1.5, 5  # the window of Wang et al.: 11 x 11, a Gaussian of 1.5 pixels
_C1, _C2 = 0.01**2, 0.03**2  # (K1 L)² and (K2 L)², pixels in [0, 1]


def squared_errors(ours: Pixels, originals: Pixels) -> Array:
    """The mean squared error of each image over all its values in [0, 1]: float64 ``(n,)``.

    ours, originals: uint8 ``(n, h, w, c)``, n at least 1. Raises ValueError for arrays of different shapes.

    >>> squared_errors(np.full((1, 2, 2, 3), 51, np.uint8), np.zeros((1, 2, 2, 3), np.uint8))  # 51 is 0.2
    array([0.04])
    """
    return np.concatenate([np.square(a - b).mean((1, 2, 3)) for a, b in _parts(ours, originals)])


def psnr(mse: float) -> float:
    """10 · log10(1 / MSE) in dB, MSE of values in [0, 1]; infinite for 0.

    >>> psnr(0.01)
    20.0
    """
    if mse < 0:
        raise ValueError("a mean squared error is not negative")
    return -10 * math.log10(mse) if mse > 0 else math.inf


def structural_similarities(ours: Pixels, originals: Pixels) -> Array:
    """SSIM of each image (Wang et al., IEEE TIP 13, 2004), mean over its channels: float64 ``(n,)``, at most 1.

    Gaussian window of 11 x 11 pixels with standard deviation 1.5, K1 = 0.01, K2 = 0.03, variances with n; windows that
    reach beyond the border are left out. ours, originals: uint8 ``(n, h, w, c)``, h and w at least 11, else ValueError.
    """
    if not has_room(ours):
        raise ValueError(f"expected pictures of {2 * _RADIUS + 1} pixels or more, found {ours.shape[1:3]}")
    return np.concatenate([_similarity(a, b) for a, b in _parts(ours, originals)])


def has_room(pictures: Pixels) -> bool:
    """True if a window of SSIM lies within pictures ``(n, h, w, c)``."""
    _, height, width, _ = pictures.shape
    return bool(min(height, width) > 2 * _RADIUS)


def _similarity(a: Array, b: Array) -> Array:
    mean_a, mean_b = _windows(a), _windows(b)
    product, squares = mean_a * mean_b, np.square(mean_a) + np.square(mean_b)
    covariance = _windows(a * b) - product
    variances = _windows(np.square(a) + np.square(b)) - squares
    similarity = (2 * product + _C1) * (2 * covariance + _C2) / ((squares + _C1) * (variances + _C2))
    return np.asarray(similarity.mean((1, 2, 3)))


def _windows(pictures: Array) -> Array:
    """The weighted mean of each window that lies within its picture: ``(n, h - 10, w - 10, c)``."""
    from scipy.ndimage import correlate1d

    weights = np.exp(-0.5 * np.square(np.arange(-_RADIUS, _RADIUS + 1) / _SIGMA))
    weights /= weights.sum()
    inner = slice(_RADIUS, -_RADIUS)
    rows = correlate1d(pictures, weights, axis=1)[:, inner]
    return np.asarray(correlate1d(rows, weights, axis=2)[:, :, inner])


def _parts(ours: Pixels, originals: Pixels) -> Iterator[tuple[Array, Array]]:
    """Both in [0, 1], a few images at a time."""
    if ours.shape != originals.shape or ours.ndim != 4 or len(ours) == 0:
        raise ValueError(f"expected pictures of one shape, found {ours.shape} and {originals.shape}")
    for start in range(0, len(ours), _PART):
        part = slice(start, start + _PART)
        yield ours[part].astype(np.float64) / 255, originals[part].astype(np.float64) / 255


def mean_interval(values: Array) -> tuple[float, float] | None:
    """95 % interval of the mean of independent values: mean ± t · s / √n; None for fewer than 2.

    >>> low, high = mean_interval(np.array([1.0, 2.0, 3.0, 4.0]))  # t with 3 degrees of freedom is 3.1824
    >>> f"{low:.4f} {high:.4f}"
    '0.4457 4.5543'
    """
    n = len(values)
    if n < 2:
        return None
    from scipy.special import stdtrit

    half = float(stdtrit(n - 1, 0.975) * values.std(ddof=1) / math.sqrt(n))
    return float(values.mean()) - half, float(values.mean()) + half


def psnr_interval(errors: Array) -> tuple[float, float] | None:
    """95 % interval of the PSNR of the mean of errors, to first order: the relative half width of the error in dB.

    None for fewer than 2 errors, or where all are 0.
    """
    mean = float(errors.mean())
    interval = mean_interval(errors)
    if interval is None or mean == 0:
        return None
    half = 10 / math.log(10) * (interval[1] - mean) / mean
    return psnr(mean) - half, psnr(mean) + half


def unit_mse(error: float, low: float = 0, high: float = 1, summed_over: int = 1) -> float:
    """A squared error of values in [low, high], summed over so many values, as mean squared error on [0, 1].

    Raises ValueError for a negative error or an empty range.

    >>> f"{unit_mse(215.99, -1, 1, 64 * 64 * 3):.5f}", f"{unit_mse(0.0197, -1, 1):.6f}"
    ('0.00439', '0.004925')
    """
    if not (math.isfinite(error) and error >= 0):
        raise ValueError("expected a squared error, 0 or more")
    if not (math.isfinite(high - low) and high > low) or summed_over < 1:
        raise ValueError("expected a range with its lower end first, and a sum over 1 value or more")
    return error / summed_over / (high - low) ** 2


def mse_of_psnr(decibels: float) -> float:
    """The mean squared error on [0, 1] behind a PSNR.

    >>> mse_of_psnr(20.0)
    0.01
    """
    if not math.isfinite(decibels):
        raise ValueError("expected a PSNR in dB")
    return float(10 ** (-decibels / 10))
