"""The regression that tells two domains apart, against scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from grader.metrics.domains import FOLDS, fit, held_out_accuracy

Array = NDArray[np.float64]


def _domains(m: int = 40, n: int = 60, shift: float = 1.0) -> tuple[Array, Array]:
    rng = np.random.default_rng(0)
    scale = rng.uniform(0.1, 10, 12)
    return rng.normal(0, 1, (m, 12)) * scale, (rng.normal(0, 1, (n, 12)) + shift * (np.arange(12) < 4)) * scale


def test_it_is_scikit_learns_balanced_regression() -> None:
    first, second = _domains()
    both, label = np.concatenate([first, second]), np.repeat([0, 1], [len(first), len(second)])
    scaler = StandardScaler().fit(both)
    theirs = LogisticRegression(C=1.0, class_weight="balanced", tol=1e-10, max_iter=10_000)
    theirs.fit(scaler.transform(both), label)
    ours = fit(first, second)
    assert ours.weights == pytest.approx(theirs.coef_[0], abs=1e-3)
    assert ours.bias == pytest.approx(theirs.intercept_[0], abs=1e-3)
    fresh = np.random.default_rng(1).normal(0, 3, (20, 12))
    assert ours.logits(fresh) == pytest.approx(theirs.decision_function(scaler.transform(fresh)), abs=1e-2)


def test_more_dimensions_than_pictures() -> None:
    rng = np.random.default_rng(2)
    first, second = rng.normal(0, 1, (15, 200)), rng.normal(0.4, 1, (20, 200))
    ours = fit(first, second)
    assert (ours.logits(first) < 0).all() and (ours.logits(second) > 0).all()
    assert np.isfinite(ours.weights).all()


def test_a_feature_that_never_changes_tells_nothing() -> None:
    first, second = (np.column_stack([part, np.full(len(part), 7.0)]) for part in _domains())
    assert fit(first, second).weights[-1] == 0


def test_held_out_pictures() -> None:
    first, second = _domains(shift=3.0)
    by_hand = 0.0
    for part, sign in ((first, -1), (second, 1)):
        right = 0
        for k in range(FOLDS):
            told = fit(np.delete(first, np.s_[k::5], 0), np.delete(second, np.s_[k::5], 0))
            right += int((sign * told.logits(part[k::5]) > 0).sum())
        by_hand += right / len(part) / 2
    assert held_out_accuracy(first, second) == pytest.approx(by_hand) and by_hand > 0.9
    same = np.random.default_rng(3).normal(0, 1, (300, 5))
    blind = held_out_accuracy(same[:100], same[100:])
    assert blind is not None and 0.35 < blind < 0.65  # nothing tells them apart
    assert held_out_accuracy(first[:4], second) is None


@pytest.mark.parametrize("shapes", [((0, 3), (4, 3)), ((4, 3), (4, 2)), ((4,), (4,))])
def test_wrong_features(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    with pytest.raises(ValueError, match="features of both domains"):
        fit(np.zeros(shapes[0]), np.zeros(shapes[1]))
