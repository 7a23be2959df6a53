from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import entropy
from torch_fidelity.metric_isc import isc_features_to_metric

from grader.metrics.inception_score import inception_score, inception_score_interval, renaming_deviation


def _usual_script(probabilities: np.ndarray, splits: int) -> tuple[float, float]:
    """The loop that everybody copies, written anew: scipy's entropy, one image at a time."""
    scores = []
    size = len(probabilities) // splits
    for k in range(splits):
        part = probabilities[k * size : (k + 1) * size]
        marginal = part.mean(axis=0)
        scores.append(np.exp(np.mean([entropy(row, marginal) for row in part])))
    return float(np.mean(scores)), float(np.std(scores))


@pytest.mark.parametrize(("n", "splits"), [(100, 10), (103, 10), (40, 1), (10, 10)])
def test_agrees_with_the_usual_script(n: int, splits: int) -> None:
    rng = np.random.default_rng(n)
    p = rng.dirichlet(np.full(12, 0.2), size=n)
    p[0] = np.eye(12)[0]  # zeros: 0 log 0
    assert inception_score(p, splits) == pytest.approx(_usual_script(p, splits), rel=1e-9)


@pytest.mark.parametrize("n", [200, 203, 24])
def test_agrees_with_torch_fidelity(n: int) -> None:
    import torch

    logits = np.random.default_rng(3).normal(size=(n, 20)) * 3
    shuffled = logits[np.random.RandomState(5).permutation(n)]
    theirs = isc_features_to_metric(torch.from_numpy(logits), splits=10, shuffle=True, rng_seed=5)
    p = np.exp(shuffled) / np.exp(shuffled).sum(1, keepdims=True)
    mean, deviation = inception_score(p, 10, every_row=True)
    assert mean == pytest.approx(theirs["inception_score_mean"], rel=1e-9)
    assert deviation == pytest.approx(theirs["inception_score_std"], rel=1e-6)


@pytest.mark.parametrize("every_row", [False, True])
def test_interval_is_the_jackknife_written_plainly(every_row: bool) -> None:
    p = np.random.default_rng(8).dirichlet(np.full(12, 0.2), size=203)
    value, _ = inception_score(p, every_row=every_row)
    without = [inception_score(np.delete(p, np.arange(k, 203, 20), axis=0), every_row=every_row)[0] for k in range(20)]
    error = np.sqrt(19 / 20 * np.square(np.array(without) - np.mean(without)).sum())
    found = inception_score_interval(p, value, every_row=every_row)
    assert found == pytest.approx((value - 2.093024 * error, value + 2.093024 * error), rel=1e-6)
    assert inception_score_interval(p[:39], value) is None


def test_interval_covers_the_spread_of_repeated_samples() -> None:
    rng = np.random.default_rng(9)
    values, errors = [], []
    for _ in range(60):
        p = rng.dirichlet(np.full(10, 0.1), size=400)
        value, _ = inception_score(p)
        interval = inception_score_interval(p, value)
        assert interval is not None
        values.append(value)
        errors.append((interval[1] - interval[0]) / 2 / 2.093)
    assert np.mean(errors) == pytest.approx(np.std(values), rel=0.3)


def test_renaming_moves_the_score_as_shuffling_by_hand_does() -> None:
    rng = np.random.default_rng(10)
    p = rng.dirichlet(np.full(10, 0.1), size=120)
    by_hand = np.std([inception_score(p[rng.permutation(120)])[0] for _ in range(300)])
    assert renaming_deviation(p) == pytest.approx(by_hand, rel=0.25)
    assert renaming_deviation(np.tile(p[:1], (50, 1))) == pytest.approx(0, abs=1e-12)


def test_bounds() -> None:
    uniform = np.full((20, 5), 0.2)
    assert inception_score(uniform, 2) == pytest.approx((1.0, 0.0))
    assert inception_score(np.eye(5)[np.arange(20) % 5], 2)[0] == pytest.approx(5.0)


def test_wrong_input() -> None:
    with pytest.raises(ValueError, match="too few"):
        inception_score(np.full((9, 5), 0.2), 10)
    with pytest.raises(ValueError, match="distribution"):
        inception_score(np.full((20, 5), 0.3), 10)
    with pytest.raises(ValueError, match="distribution"):
        inception_score(np.tile([1.2, -0.2], (20, 1)), 10)
