"""Near ones among many vectors, in time that grows a little faster than their number and never with its square.

Signs of random projections (Charikar, "Similarity estimation techniques from rounding algorithms", STOC 2002) give each
vector a key in which near ones differ in few bits. For each of several sets of projections all keys are sorted, and
each vector is compared with the next few in that order alone: however much alike a class's images are, nothing is
compared with everything.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grader.similarity.descriptors import unit

_ORDERS = 8
_BITS = 32  # of a key: more than the logarithm of any number of images
_WINDOW = 4  # compared with in each order and direction
_SEED = 20260901
_ROWS = 20_000
_DIFFERENT = 72  # of the bits of all keys: vectors with a cosine of 0.85 differ in 45 +- 6

Pairs = NDArray[np.int64]  # (k, 2)


@dataclass(frozen=True)
class Keyed:
    """Descriptors int8 ``(n, w)`` with their keys, uint32 ``(n, 8)``."""

    rows: NDArray[np.int8]
    keys: NDArray[np.uint32]


def keyed(rows: NDArray[np.int8]) -> Keyed:
    """The keys of descriptors."""
    random = np.random.default_rng(_SEED)
    directions = random.standard_normal((rows.shape[1], _ORDERS * _BITS), np.float32)
    keys = np.zeros((len(rows), _ORDERS), np.uint32)
    for start in range(0, len(rows), _ROWS):
        bits = unit(rows[start : start + _ROWS]) @ directions > 0
        keys[start : start + _ROWS] = np.packbits(bits, axis=1).view(">u4")
    return Keyed(rows, keys)


def among(index: Keyed) -> Pairs:
    """Pairs of different rows that may be near, each once, the smaller number first."""
    found = []
    for order in range(_ORDERS):
        at = np.argsort(index.keys[:, order], kind="stable")
        for step in range(1, _WINDOW + 1):
            pairs = np.stack([at[:-step], at[step:]], 1)
            found.append(np.sort(pairs[_alike(index.keys, index.keys, pairs)], axis=1))
    return np.unique(np.concatenate(found), axis=0)


def between(queries: Keyed, index: Keyed) -> Pairs:
    """Pairs of a row of the queries and one of the index that may be near, each once."""
    found = [np.zeros((0, 2), np.int64)]
    asked = np.arange(len(queries.keys))
    for order in range(_ORDERS if len(index.keys) else 0):
        at = np.argsort(index.keys[:, order], kind="stable")
        place = np.searchsorted(index.keys[at, order], queries.keys[:, order])
        for step in range(-_WINDOW, _WINDOW):
            there = place + step
            fits = (there >= 0) & (there < len(at))
            pairs = np.stack([asked[fits], at[there[fits]]], 1)
            found.append(pairs[_alike(queries.keys, index.keys, pairs)])
    return np.unique(np.concatenate(found), axis=0)


def cosines(a: NDArray[np.int8], b: NDArray[np.int8], pairs: Pairs) -> NDArray[np.float32]:
    """Cosine of the descriptors of each pair: float32 ``(k,)``."""
    found = np.zeros(len(pairs), np.float32)
    for start in range(0, len(pairs), _ROWS):
        part = pairs[start : start + _ROWS]
        found[start : start + _ROWS] = np.einsum("nw,nw->n", unit(a[part[:, 0]]), unit(b[part[:, 1]]))
    return found


def _alike(a: NDArray[np.uint32], b: NDArray[np.uint32], pairs: Pairs) -> NDArray[np.bool_]:
    differing = np.bitwise_count(a[pairs[:, 0]] ^ b[pairs[:, 1]]).sum(1, dtype=np.int64)
    return np.asarray(differing <= _DIFFERENT)
