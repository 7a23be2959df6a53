"""Which attribute a label stands for, and what a judge's answers say of pairs that differ in it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grader.metrics.jackknife import GROUPS, groups, jackknife_interval

Array = NDArray[np.float64]
Bools = NDArray[np.bool_]
PERMUTATIONS = 200
_SEED = 0
_CHANCE = 0.95  # the quantile of what permuted labels reach
_SAME, _VARIED = 2.0, 8.0  # levels: standard deviations of a pixel over images; generated faces have 12 at least
_PASTED = 0.01  # share of the pixels


@dataclass(frozen=True)
class Recognised:
    """A label's attribute: its index, which value of the label means that it is there, and the balanced accuracy.

    `chance`: the balanced accuracy that the best of as many candidates reaches with permuted labels, 95 % of the time.
    """

    attribute: int
    on: int
    accuracy: float
    chance: float

    @property
    def found(self) -> bool:
        """False where chance does as well."""
        return self.accuracy > self.chance


def recognise(there: Bools, labels: Bools, *, on: int | None = None) -> Recognised:
    """The attribute, and the value of the label that means it, by which the answers follow the labels best.

    there: the judge's answers, bool ``(n, attributes)``. labels: bool ``(n,)``, both values at least once. on: the
    value that means that the attribute is there, where it is known. Raises ValueError.
    """
    if there.ndim != 2 or labels.shape != there.shape[:1] or labels.all() or not labels.any():
        raise ValueError("expected answers (n, attributes) and n labels of both values")
    accuracies = _balanced(there, labels[None])[0]
    rng = np.random.default_rng(_SEED)
    permuted = rng.permuted(np.tile(labels, (PERMUTATIONS, 1)), axis=1)
    best = _either(_balanced(there, permuted), on).max(1)
    attribute = int(_either(accuracies, on).argmax())
    value = on if on is not None else int(accuracies[attribute] >= 0.5)
    accuracy = float(_either(accuracies, on)[attribute])
    return Recognised(attribute, value, accuracy, float(np.quantile(best, _CHANCE)))


def _either(accuracies: Array, on: int | None) -> Array:
    """The accuracy with the sign that is prescribed (1: the label says that it is there), or with the better one."""
    return np.maximum(accuracies, 1 - accuracies) if on is None else accuracies if on else 1 - accuracies


def _balanced(there: Bools, labels: Bools) -> Array:
    """Balanced accuracy of answers ``(n, a)`` for each row of labels ``(k, n)``, true meaning there: ``(k, a)``."""
    ones = labels.sum(1, keepdims=True)
    hits = labels.astype(np.float64) @ there
    rest = there.sum(0) - hits  # said to be there where the label says no
    return np.asarray((hits / ones + 1 - rest / (labels.shape[1] - ones)) / 2)


@dataclass(frozen=True)
class Identity:
    """`value`: the chance that an image is nearer to its partner than to another pair's image like the partner.

    `within`, `across`: mean cosine of partners, and of images of different pairs and values.
    """

    value: float
    interval: tuple[float, float] | None
    within: float
    across: float


def identity(first: Array, second: Array, kind: NDArray[np.int64] | None = None) -> Identity:
    """How well partners find each other by the cosine of their features; 0.5 is chance, a tie counts as a half.

    first, second: features ``(pairs, d)`` of the images with either value of the label, 2 pairs or more. kind: int
    ``(pairs,)``, pairs of one kind alone are compared; there must be two of one. The interval, without kinds,
    is a jackknife over groups of pairs; None for fewer than 2 groups' worth. Raises ValueError.
    """
    if first.ndim != 2 or first.shape != second.shape or len(first) < 2:
        raise ValueError(f"expected features of 2 pairs or more, found {first.shape} and {second.shape}")
    cosine = _unit(first) @ _unit(second).T
    own = np.diagonal(cosine)
    # wins[i, j]: how many of the two anchors of pair i like their partner better than the image of pair j.
    wins = sum((own[:, None] > other) + 0.5 * (own[:, None] == other) for other in (cosine, cosine.T))
    n = len(own)
    compared = ~np.eye(n, dtype=np.bool_) if kind is None else (kind[:, None] == kind) & ~np.eye(n, dtype=np.bool_)
    if not compared.any():
        raise ValueError("expected two pairs of one kind")
    wins = np.where(compared, wins, 0)

    def value_of(keep: NDArray[np.int64]) -> float:
        among = np.ix_(keep, keep)
        return float(wins[among].sum() / (2 * compared[among].sum()))

    value, interval = value_of(np.arange(n)), None
    if n >= 2 * GROUPS and kind is None:
        low, high = jackknife_interval(
            value, np.array([value_of(np.delete(np.arange(n), group)) for group in groups(n)])
        )
        interval = max(0.0, low), min(1.0, high)
    return Identity(value, interval, float(own.mean()), float(cosine[compared].mean()))


def pasted_share(first: NDArray[np.uint8], second: NDArray[np.uint8]) -> float:
    """The share of a picture that is one and the same in all images of one value while those of the other value vary.

    first, second: uint8 ``(pairs, h, w, 3)``. 0 where it is below one hundredth.
    """
    spread = [part.std(0, dtype=np.float64).max(-1) for part in (first, second)]
    shares = [float(((a < _SAME) & (b > _VARIED)).mean()) for a, b in (spread, spread[::-1])]
    return max(shares) if max(shares) >= _PASTED else 0.0


def _unit(features: Array) -> Array:
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    return np.asarray(features / np.where(lengths > 0, lengths, 1))
