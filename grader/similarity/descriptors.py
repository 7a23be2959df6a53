"""What an image is known by: a hash of its pixels, and a small picture of its details that two edits have in common."""

from __future__ import annotations

import hashlib
import itertools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from grader.metrics import copies

SIDE, COLOUR_SIDE = 14, 3
WIDTH = SIDE**2 + 2 * COLOUR_SIDE**2  # bytes of a descriptor
_DIGEST = 16  # bytes: among a million images two differing ones agree with a chance of 1e-27


class Edit(NamedTuple):
    """What may have been done to a copied picture. down, right: parts of a descriptor's pixel, each two of 28."""

    title: str
    mirrored: bool = False
    down: float = 0
    right: float = 0
    turned: float = 0
    scaled: float = 1
    inverted: bool = False


EDITS = (
    Edit("mirrored", mirrored=True),
    Edit("inverted", inverted=True),
    *(Edit("enlarged", scaled=scale) for scale in (1.08, 1.16)),
    *(Edit("turned", turned=degrees) for degrees in (-9, -5, 5, 9)),
    *(
        Edit("shifted", down=length * down, right=length * right)
        for length in (0.5, 1)
        for down, right in itertools.product((-1, 0, 1), repeat=2)
        if down or right
    ),
)
Descriptors = NDArray[np.int8]  # (n, WIDTH)


def digests(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Hashes of images uint8 ``(n, h, w, 3)``: uint8 ``(n, 16)``, equal where size and every pixel are."""
    size = str(pixels.shape[1:]).encode()
    found = [hashlib.blake2b(size + image.tobytes(), digest_size=_DIGEST).digest() for image in pixels]
    return np.frombuffer(b"".join(found), np.uint8).reshape(-1, _DIGEST)


def describe(details: NDArray[np.float32]) -> Descriptors:
    """Descriptors of images by their details ``(n, 3, 32, 32)``, which `grader.metrics.copies` compares: brightness at
    14 x 14 and two colours at 3 x 3, each scaled to fill -127..127.

    14 x 14 and not 8 x 8, so that a picture can still be shifted by a pixel of the 28 or by a half of it.
    """
    if not len(details):
        return np.zeros((0, WIDTH), np.int8)
    down, coarse = _reducing(SIDE), _reducing(COLOUR_SIDE)
    gray = np.matmul(np.matmul(down, details[:, 0]), down.T).reshape(len(details), -1)
    colour = np.matmul(np.matmul(coarse, details[:, 1:]), coarse.T).reshape(len(details), -1)
    joined = np.concatenate([gray, colour], 1)
    largest = np.maximum(np.abs(joined).max(1, keepdims=True), 1e-3)
    return np.asarray(np.rint(joined * (127 / largest)), np.int8)


def edited(found: Descriptors, edit: Edit) -> Descriptors:
    """The descriptors that the same images would about have after an edit; what comes in at the border is empty."""
    gray = found[:, : SIDE**2].astype(np.float32) @ _warp(edit).T
    colour = found[:, SIDE**2 :]
    if edit.mirrored:
        colour = colour.reshape(-1, 2, COLOUR_SIDE, COLOUR_SIDE)[:, :, :, ::-1].reshape(len(found), -1)
    moved = np.concatenate([np.rint(gray).astype(np.int8), colour], 1, dtype=np.int8)
    return np.negative(moved) if edit.inverted else moved


def unit(found: Descriptors) -> NDArray[np.float32]:
    """Descriptors scaled to length 1; all zero where an image shows nothing."""
    rows = found.astype(np.float32)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(length, 1e-6), np.float32)


def _reducing(side: int) -> NDArray[np.float32]:
    """Means of neighbouring pixels: ``(side, 32)``."""
    edges = np.linspace(0, copies.SIDE, side + 1)
    at = np.arange(copies.SIDE)
    share = np.minimum(at + 1, edges[1:, None]) - np.maximum(at, edges[:-1, None])
    return np.asarray(share.clip(0, 1) * side / copies.SIDE, np.float32)


def _warp(edit: Edit) -> NDArray[np.float32]:
    """What each pixel becomes as weighted mean of four others: ``(196, 196)``."""
    middle = (SIDE - 1) / 2
    y, x = (at.ravel() - middle for at in np.mgrid[:SIDE, :SIDE])
    cos, sin = np.cos(np.radians(edit.turned)) / edit.scaled, np.sin(np.radians(edit.turned)) / edit.scaled
    y, x = y - edit.down, x - edit.right
    y, x = cos * y + sin * x + middle, cos * x - sin * y + middle
    if edit.mirrored:
        x = SIDE - 1 - x
    found = np.zeros((SIDE**2, SIDE**2), np.float32)
    for dy in (0, 1):
        for dx in (0, 1):
            row, column = np.floor(y).astype(int) + dy, np.floor(x).astype(int) + dx
            weight = (1 - np.abs(y - row)) * (1 - np.abs(x - column))
            inside = (row >= 0) & (row < SIDE) & (column >= 0) & (column < SIDE)
            found[np.nonzero(inside)[0], (row * SIDE + column)[inside]] = weight[inside]
    return found
