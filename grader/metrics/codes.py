"""What a generator's codes tell of a judge's answers: normalised mutual information, and continuous codes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
PERMUTATIONS = 200
_SEED = 0
_CHANCE = 0.95  # the quantile of what permuted values reach


@dataclass(frozen=True)
class Code:
    """The attribute that a code tells most of, and how much.

    `nmi`: normalised mutual information adjusted for chance, 0 to 1: 0 is what values exchanged within rows reach on
    average. `unadjusted`: without that; one picture of 200 with an attribute has a third of it, whatever the code does.
    `chance`: the adjusted one of the best attribute for exchanged values, 95 % of the time. `spearman`: rank
    correlation of the value with the judge's logit; None unless the mean logit rises or falls all the way.
    """

    attribute: int
    nmi: float
    unadjusted: float
    chance: float
    spearman: float | None


def code_information(values: Ints, rows: Ints, logits: Array) -> Code:
    """One code: the values ``(n,)`` enumerated in rows ``(n,)``, and the judge's logits ``(n, attributes)``.

    The judge answers yes above 0. Raises ValueError for arrays that don't belong together.
    """
    n = len(values)
    if n == 0 or logits.ndim != 2 or not len(rows) == len(logits) == n:
        raise ValueError("expected a value, a row and logits for each image")
    order = np.lexsort((values, rows))  # chance must not depend on the order of the images
    rows, logits = rows[order], logits[order]
    there = logits > 0
    _, index = np.unique(values[order], return_inverse=True)
    found = normalised_information(index[None], there)
    # Images of one row share everything but the code, so that values are exchanged within rows.
    rng = np.random.default_rng(_SEED)
    edges = np.flatnonzero(np.diff(rows)) + 1
    permuted = np.tile(index, (PERMUTATIONS, 1))
    for members in np.split(np.arange(n), edges):
        permuted[:, members] = rng.permuted(permuted[:, members], axis=1)
    by_chance = normalised_information(permuted, there)
    level = by_chance.mean(0)
    adjusted = _adjusted(found, level)[0]
    best = int(adjusted.argmax())
    chance = np.quantile(_adjusted(by_chance, level).max(1), _CHANCE)
    spearman = _correlation(index, logits[:, best])
    return Code(best, max(0.0, float(adjusted[best])), float(found[0, best]), max(0.0, float(chance)), spearman)


def _adjusted(information: Array, level: Array) -> Array:
    """(information - level) / (1 - level), as Vinh et al. adjust it (JMLR 11, 2010); 0 where nothing is left."""
    room = 1 - level
    shown = np.divide(information - level, room, out=np.zeros_like(information), where=room > 1e-9)
    return np.asarray(np.where(np.abs(shown) < 1e-9, 0, shown))


def normalised_information(values: Ints, there: Bools) -> Array:
    """Mutual information of values and answers over the smaller entropy; 0 where an entropy is 0.

    values: ``(k, n)`` from 0, each row another order of the same ones. there: ``(n, attributes)``. Gives
    ``(k, attributes)``, from 0 to 1.
    """
    n = values.shape[1]
    counts = np.bincount(values[0])
    yes = np.stack([(values == v).astype(np.float64) @ there for v in range(len(counts))], 1) / n  # (k, values, a)
    share = (counts / n)[:, None]
    of_values, of_answers = _surprise(share).sum(), _surprise(there.mean(0)) + _surprise(1 - there.mean(0))
    joint = (_surprise(yes) + _surprise(np.maximum(share - yes, 0))).sum(1)
    smaller = np.minimum(of_values, of_answers)
    shared = np.maximum(of_values + of_answers - joint, 0)
    found = np.divide(shared, smaller, out=np.zeros_like(shared), where=smaller > 1e-12)
    return np.asarray(np.minimum(found, 1))


def _surprise(p: Array) -> Array:
    return np.asarray(-p * np.log(np.where(p > 0, p, 1)))


def _correlation(index: Ints, logit: Array) -> float | None:
    from scipy.stats import spearmanr

    if index.max() < 2:  # any two values rise or fall
        return None
    steps = np.diff(np.bincount(index, logit) / np.bincount(index))
    if not ((steps > 0).all() or (steps < 0).all()):
        return None
    return float(spearmanr(index, logit).statistic)
