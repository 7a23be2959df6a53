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
_PROMISING = 0.6  # similarity at whole pixels from which on half ones are tried
_NEIGHBOURHOOD, _COARSE = 3.0, 1.5  # pixels
_BRIGHTNESS = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601
_ROWS, _PAIRS = 256, 64
_AROUND = tuple(itertools.product((-2, 0, 2), repeat=2))  # shifts in half pixels, down and to the right
_FINER = tuple(itertools.product((-2, -1, 0, 1, 2), repeat=2))

Thumbnails = NDArray[np.float32]  # (n, 3, 32, 32) in 0..255
Hashes = NDArray[np.bool_]


def thumbnail(image: Image.Image) -> Thumbnails:
    """Red, green and blue at 32 x 32 pixels, float32 ``(3, 32, 32)`` in 0..255."""
    small = image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BILINEAR)
    return np.asarray(small, np.float32).transpose(2, 0, 1)


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
        distance = (BITS - _signs(ours[start : start + _ROWS]) @ signs) / 2
        row, column = np.nonzero(distance <= within)
        order = np.lexsort((column, distance[row, column], row))
        row, column = row[order], column[order]
        rank = np.arange(len(row)) - np.searchsorted(row, row)
        keep = rank < nearest
        found.append(np.stack([row[keep] + start, column[keep]], 1))
    return np.concatenate(found)


def _signs(hashes: Hashes) -> NDArray[np.float32]:
    return 2 * hashes.astype(np.float32) - 1


def similarity(a: Thumbnails, b: Thumbnails, pairs: NDArray[np.int64] | None = None) -> NDArray[np.float64]:
    """Cosine of the `details` of pictures ``(n, 3, 32, 32)``, pair by pair, the best over small shifts: ``(n,)``, to 1.

    `pairs`, int64 ``(k, 2)``: which of `a` with which of `b`.
    """
    if pairs is None:
        pairs = np.repeat(np.arange(len(a))[:, None], 2, axis=1)
    pairs = pairs[order := np.argsort(pairs[:, 0], kind="stable")]
    coarse = _cosines(a, b, pairs, _AROUND)
    best, where = coarse.max(1), coarse.argmax(1)
    for i, (down, right) in enumerate(_AROUND):
        near = np.nonzero((best >= _PROMISING) & (where == i))[0]
        finer = [(down + y, right + x) for y, x in _FINER]
        best[near] = np.maximum(best[near], _cosines(a, b, pairs[near], finer).max(1))
    found = np.zeros(len(pairs))
    found[order] = best
    return found


def _cosines(
    a: Thumbnails, b: Thumbnails, pairs: NDArray[np.int64], shifts: Sequence[tuple[int, int]]
) -> NDArray[np.float32]:
    """Of what pictures have in common after shifts in half pixels: ``(k, shifts)``. pairs: in the order of the first."""
    # By parts, since a thousand pairs already take a hundred megabytes.
    parts = [pairs[start : start + _PAIRS] for start in range(0, len(pairs), _PAIRS)]
    return np.concatenate([np.zeros((0, len(shifts)), np.float32), *(_of_part(a, b, p, shifts) for p in parts)])


def _of_part(
    a: Thumbnails, b: Thumbnails, pairs: NDArray[np.int64], shifts: Sequence[tuple[int, int]]
) -> NDArray[np.float32]:
    """All shifts of a picture by all pictures that it is paired with: one product of matrices.

    What lies outside of a shifted picture is 0 and adds nothing.
    """
    used, first = np.unique(pairs[:, 0], return_index=True)
    halved = _between(a[used])
    x = np.zeros((len(used), len(shifts), *a.shape[1:]), np.float32)
    inside = np.zeros((len(shifts), SIDE, SIDE), np.float32)
    for i, (down, right) in enumerate(shifts):
        (rows, to_rows), (columns, to_columns) = _overlap(down), _overlap(right)
        x[:, i, :, to_rows, to_columns] = halved[down % 2, right % 2][:, :, rows, columns]
        inside[i, to_rows, to_columns] = 1
    x = x.reshape(len(used), len(shifts), -1)
    y = b[pairs[:, 1]]
    yy = np.square(y).sum(1).reshape(len(y), -1) @ inside.reshape(len(shifts), -1).T
    y = y.reshape(len(y), -1)
    ends = [*first[1:], len(pairs)]
    product = np.concatenate([y[i:j] @ one.T for one, i, j in zip(x, first, ends, strict=True)])
    xx = np.repeat(np.square(x).sum(2), np.diff([*first, len(pairs)]), axis=0)
    return np.asarray(product / np.sqrt(np.maximum(xx * yy, 1e-6)))


def _between(pictures: Thumbnails) -> dict[tuple[int, int], Thumbnails]:
    """Pictures as they are, and half a pixel further: between two pixels lies their mean."""
    lower = (pictures[:, :, :-1] + pictures[:, :, 1:]) / np.float32(2)
    both = {(0, 0): pictures, (1, 0): lower}
    return both | {(odd, 1): (p[..., :-1] + p[..., 1:]) / np.float32(2) for (odd, _), p in both.items()}


def _overlap(steps: int) -> tuple[slice, slice]:
    """What two axes have in common after a shift in half pixels; an odd one is of the means of neighbours."""
    whole, odd = divmod(steps, 2)
    first, last = max(0, -whole), min(SIDE, SIDE - odd - whole)
    return slice(first + whole, last + whole), slice(first, last)


def details(thumbnails: Thumbnails) -> Thumbnails:
    """What `similarity` compares: brightness, and blue and red beside it, less what is common to a neighbourhood.

    float32 ``(n, 3, 32, 32)``, of thumbnails. Slow changes are common to pictures of one kind, and a copy may be
    brighter. Colours count in a coarser form, which saving with loss keeps.
    """
    # By parts, which stay near the processor: four times as quick.
    parts = [_details(thumbnails[start : start + _ROWS]) for start in range(0, len(thumbnails), _ROWS)]
    return np.concatenate([np.zeros((0, 3, SIDE, SIDE), np.float32), *parts])


def _details(thumbnails: Thumbnails) -> Thumbnails:
    brightness = np.tensordot(thumbnails, _BRIGHTNESS, (1, 0))
    blue, red = (_blurred(thumbnails[:, c] - brightness, _COARSE) for c in (2, 0))
    planes = (brightness, blue, red)
    return np.stack([plane - _blurred(plane, _NEIGHBOURHOOD) for plane in planes], 1)


def _blurred(planes: Thumbnails, sigma: float) -> Thumbnails:
    """Planes ``(n, 32, 32)`` after a Gaussian along rows and columns."""
    at = np.arange(SIDE)
    blur = np.exp(-np.square(at - at[:, None]) / (2 * sigma**2)).astype(np.float32)
    blur /= blur.sum(1, keepdims=True)
    along_rows = (planes.reshape(-1, SIDE) @ blur.T).reshape(planes.shape)  # one product: many small ones are slower
    return np.asarray(np.matmul(blur, along_rows))
