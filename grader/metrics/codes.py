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
    """The attribute that a code tells most of, and how much (0 to 1).

    `chance`: what the best attribute reaches where values are exchanged within rows, 95 % of the time. `spearman`: rank
    correlation of the value with the judge's logit; None unless the mean logit rises or falls all the way.
    """

    attribute: int
    nmi: float
    chance: float
    spearman: float | None


def code_information(values: Ints, rows: Ints, logits: Array) -> Code:
    """One code: the values ``(n,)`` enumerated in rows ``(n,)``, and the judge's logits ``(n, attributes)``.

    The judge answers yes above 0. Raises ValueError for arrays that don't belong together.
    """
    n = len(values)
    if n == 0 or logits.ndim != 2 or not len(rows) == len(logits) == n:
        raise ValueError("expected a value, a row and logits for each image")
    there = logits > 0
    _, index = np.unique(values, return_inverse=True)
    found = normalised_information(index[None], there)[0]
    best = int(found.argmax())
    # Images of one row share everything but the code, so that values are exchanged within rows.
    rng = np.random.default_rng(_SEED)
    order = np.argsort(rows, kind="stable")
    edges = np.flatnonzero(np.diff(rows[order])) + 1
    permuted = np.tile(index, (PERMUTATIONS, 1))
    for members in np.split(order, edges):
        permuted[:, members] = rng.permuted(permuted[:, members], axis=1)
    chance = np.quantile(normalised_information(permuted, there).max(1), _CHANCE)
    return Code(best, float(found[best]), float(chance), _correlation(index, logits[:, best]))


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
