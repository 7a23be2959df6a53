"""Do two pictures show the same? A perceptual hash finds candidates among many, then pixels are compared.

The hash is that of Zauner (2010, "pHash"), with 12 x 12 instead of 8 x 8 coefficients: faces that were aligned by their
eyes are too much alike for 63 bits. How often it is wrong: docs/statistics.md.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE = 32  # of a thumbnail, in pixels
BITS = 143
NEAREST = 5  # candidates of one picture at most
WITHIN = 48  # bits in which a candidate's hash differs at most
SAME = 0.95  # similarity from which on two pictures show the same
LIKELY = 0.93  # similarity from which on the features of a network may decide
SAME_FEATURES = 0.95  # cosine of features with which they do
_COEFFICIENTS = 12
_EIGHT = tuple(pair for pair in itertools.product((-1, 0, 1), repeat=2) if any(pair))
# Steps of the search for the best shift: from which similarity on, how far in half pixels, and where to.
_SEARCH = ((-1.0, 2, ((0, 0), *_EIGHT)), (0.6, 2, _EIGHT), (0.75, 1, _EIGHT))
_NEIGHBOURHOOD, _COARSE = 3.0, 1.5  # pixels
_BRIGHTNESS = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601
_ROWS, _PAIRS = 256, 64

Thumbnails = NDArray[np.float32]  # (n, 3, 32, 32) in 0..255
Hashes = NDArray[np.bool_]


def thumbnail(image: Image.Image) -> Thumbnails:
    """Red, green and blue at 32 x 32 pixels, float32 ``(3, 32, 32)`` in 0..255."""
    small = image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    return np.asarray(small, np.float32).transpose(2, 0, 1)


def thumbnails(pixels: NDArray[np.uint8]) -> Thumbnails:
    """Those of images ``(n, h, w, 3)``: ``(n, 3, 32, 32)``."""
    found = [thumbnail(Image.fromarray(image)) for image in pixels]
    return np.stack(found) if found else np.zeros((0, 3, SIDE, SIDE), np.float32)


def perceptual_hash(thumbnails: Thumbnails) -> Hashes:
    """One bit for each of the 12 x 12 lowest frequencies of the brightness but the first: above the median or not.

    thumbnails: float32 ``(n, 3, 32, 32)``. Result: bool ``(n, 143)``.
    """
    at = np.arange(SIDE)
    cosine = np.cos(np.pi / SIDE * np.arange(_COEFFICIENTS)[:, None] * (at + 0.5)).astype(np.float32)
    found = (cosine @ np.tensordot(thumbnails, _BRIGHTNESS, (1, 0)) @ cosine.T).reshape(len(thumbnails), -1)[:, 1:]
    return np.asarray(found > np.median(found, axis=1, keepdims=True))


def candidates(ours: Hashes, others: Hashes, *, nearest: int = NEAREST, within: int = WITHIN) -> NDArray[np.int64]:
    """Pairs of indices, int64 ``(k, 2)``, whose hashes differ in few bits: for each of ours the nearest others."""
    signs = _signs(others).T
    found = [np.zeros((0, 2), np.int64)]
    for start in range(0, len(ours), _ROWS):
        agreement = _signs(ours[start : start + _ROWS]) @ signs  # bits that agree less those that differ
        at = np.flatnonzero(agreement >= BITS - 2 * within)
        row, column = np.divmod(at, len(others))
        order = np.lexsort((column, -agreement.reshape(-1)[at], row))
        row, column = row[order], column[order]
        rank = np.arange(len(row)) - np.searchsorted(row, row)
        keep = rank < nearest
        found.append(np.stack([row[keep] + start, column[keep]], 1))
    return np.concatenate(found)


def _signs(hashes: Hashes) -> NDArray[np.float32]:
    return 2 * hashes.astype(np.float32) - 1


def similarity(
    a: Thumbnails, b: Thumbnails | NDArray[np.int8], pairs: NDArray[np.int64] | None = None
) -> NDArray[np.float64]:
    """Cosine of the `details` of pictures ``(n, 3, 32, 32)``, pair by pair, the best over small shifts: ``(n,)``, to 1.

    `pairs`, int64 ``(k, 2)``: which of `a` with which of `b`, which may be `compressed`.
    """
    if pairs is None:
        pairs = np.repeat(np.arange(len(a))[:, None], 2, axis=1)
    pairs = pairs[order := np.argsort(pairs[:, 0], kind="stable")]
    best = np.full(len(pairs), -1, np.float32)
    where = np.zeros((len(pairs), 2), np.int64)
    for least, step, neighbours in _SEARCH:
        promising, before = best >= least, where.copy()
        for down, right in np.unique(before[promising], axis=0).tolist():
            rows = np.nonzero(promising & (before == (down, right)).all(1))[0]
            shifts = [(down + step * y, right + step * x) for y, x in neighbours]
            found = _cosines(a, b, pairs[rows], shifts)
            better = found.max(1) > best[rows]
            best[rows[better]] = found.max(1)[better]
            where[rows[better]] = np.array(shifts)[found.argmax(1)[better]]
    unsorted = np.zeros(len(pairs))
    unsorted[order] = best
    return unsorted


def _cosines(
    a: Thumbnails, b: Thumbnails | NDArray[np.int8], pairs: NDArray[np.int64], shifts: Sequence[tuple[int, int]]
) -> NDArray[np.float32]:
    """Of what pictures have in common after shifts in half pixels: ``(k, shifts)``. pairs: ordered by the first."""
    # By parts, since a thousand pairs already take a hundred megabytes.
    parts = [pairs[start : start + _PAIRS] for start in range(0, len(pairs), _PAIRS)]
    return np.concatenate([np.zeros((0, len(shifts)), np.float32), *(_of_part(a, b, p, shifts) for p in parts)])


def _of_part(
    a: Thumbnails, b: Thumbnails | NDArray[np.int8], pairs: NDArray[np.int64], shifts: Sequence[tuple[int, int]]
) -> NDArray[np.float32]:
    """All shifts of a picture by all pictures that it is paired with: one product of matrices.

    What lies outside of a shifted picture is 0 and adds nothing.
    """
    used, first = np.unique(pairs[:, 0], return_index=True)
    halved = {odd: _between(a[used], odd) for odd in {(down % 2, right % 2) for down, right in shifts}}
    x = np.zeros((len(used), len(shifts), *a.shape[1:]), np.float32)
    inside = np.zeros((len(shifts), SIDE, SIDE), np.float32)
    for i, (down, right) in enumerate(shifts):
        (rows, to_rows), (columns, to_columns) = _overlap(down), _overlap(right)
        x[:, i, :, to_rows, to_columns] = halved[down % 2, right % 2][:, :, rows, columns]
        inside[i, to_rows, to_columns] = 1
    x = x.reshape(len(used), len(shifts), -1)
    y = b[pairs[:, 1]].reshape(len(pairs), -1).astype(np.float32, copy=False)
    yy = np.square(y).reshape(len(y), 3, -1).sum(1) @ inside.reshape(len(shifts), -1).T
    xx = np.matmul(x[:, :, None], x[:, :, :, None]).reshape(len(used), -1)
    ends = [*first[1:], len(pairs)]
    product = np.concatenate([y[i:j] @ one.T for one, i, j in zip(x, first, ends, strict=True)])
    of_pairs = np.repeat(xx, np.diff([*first, len(pairs)]), axis=0)
    return np.asarray(product / np.sqrt(np.maximum(of_pairs * yy, 1e-6)))


def _between(pictures: Thumbnails, odd: tuple[int, int]) -> Thumbnails:
    """Pictures half a pixel further along each axis that is odd: between two pixels lies their mean."""
    if odd[0]:
        pictures = (pictures[:, :, :-1] + pictures[:, :, 1:]) / np.float32(2)
    return (pictures[..., :-1] + pictures[..., 1:]) / np.float32(2) if odd[1] else pictures


def _overlap(steps: int) -> tuple[slice, slice]:
    """What two axes have in common after a shift in half pixels; an odd one is of the means of neighbours."""
    whole, odd = divmod(steps, 2)
    first, last = max(0, -whole), min(SIDE, SIDE - odd - whole)
    return slice(first + whole, last + whole), slice(first, last)


def details(thumbnails: Thumbnails | NDArray[np.uint8]) -> Thumbnails:
    """What `similarity` compares: brightness, and blue and red beside it, less what is common to a neighbourhood.

    float32 ``(n, 3, 32, 32)``, of thumbnails. Slow changes are common to pictures of one kind, and a copy may be
    brighter. Colours count in a coarser form, which saving with loss keeps.
    """
    # By parts, which stay near the processor: four times as quick.
    starts = range(0, len(thumbnails), _ROWS)
    parts = [_details(thumbnails[start : start + _ROWS].astype(np.float32)) for start in starts]
    return np.concatenate([np.zeros((0, 3, SIDE, SIDE), np.float32), *parts])


def _details(thumbnails: Thumbnails) -> Thumbnails:
    brightness = np.tensordot(thumbnails, _BRIGHTNESS, (1, 0))
    blue, red = (_blurred(thumbnails[:, c] - brightness, _COARSE) for c in (2, 0))
    planes = (brightness, blue, red)
    return np.stack([plane - _blurred(plane, _NEIGHBOURHOOD) for plane in planes], 1)


def compressed(of: Thumbnails) -> NDArray[np.int8]:
    """Details in a quarter of the memory, each picture's scaled to -127..127: similarities differ by 1e-3 at most.

    Less than a step of brightness is left as small as it is: the rounding of a picture of one colour is no detail.
    """
    largest = np.maximum(np.abs(of).max((1, 2, 3), keepdims=True), 1)
    return np.asarray(np.rint(of * (127 / largest)), np.int8)


def _blurred(planes: Thumbnails, sigma: float) -> Thumbnails:
    """Planes ``(n, 32, 32)`` after a Gaussian along rows and columns."""
    at = np.arange(SIDE)
    blur = np.exp(-np.square(at - at[:, None]) / (2 * sigma**2)).astype(np.float32)
    blur /= blur.sum(1, keepdims=True)
    along_rows = (planes.reshape(-1, SIDE) @ blur.T).reshape(planes.shape)  # one product: many small ones are slower
    return np.asarray(np.matmul(blur, along_rows))
