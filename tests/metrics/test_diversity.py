from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import pdist
from scipy.stats import entropy

from grader.metrics.diversity import distances, pairwise_distance, pairwise_interval, vendi_score


def test_pairwise_distance_is_scipys() -> None:
    features = np.random.default_rng(0).normal(size=(50, 7)) + 100
    assert pairwise_distance(features) == pytest.approx(pdist(features).mean(), rel=1e-9)


def test_interval_is_the_jackknife_written_plainly() -> None:
    rng = np.random.default_rng(1)
    classes = [rng.normal(size=(n, 5)) * s for n, s in ((60, 1), (45, 3))]
    value = float(np.mean([pairwise_distance(c) for c in classes]))
    without = [
        np.mean([pairwise_distance(np.delete(c, np.arange(i, len(c), 20), axis=0)) for c in classes]) for i in range(20)
    ]
    error = np.sqrt(19 / 20 * np.square(np.array(without) - np.mean(without)).sum())
    expected = value - 2.093024 * error, value + 2.093024 * error
    assert pairwise_interval([distances(c) for c in classes], value) == pytest.approx(expected, rel=1e-6)
    assert pairwise_interval([distances(c) for c in (classes[0], classes[1][:39])], value) is None


def test_vendi_score_counts_groups_of_equal_rows() -> None:
    """Rows of k orthogonal kinds in shares p: exp of the entropy of p."""
    kinds = np.repeat(np.arange(4), [10, 20, 30, 40])
    assert vendi_score(np.eye(6)[kinds] * 3) == pytest.approx(np.exp(entropy([0.1, 0.2, 0.3, 0.4])))


def test_vendi_score_of_two_rows_in_closed_form() -> None:
    for cosine in (0.0, 0.3, 0.9, 1.0):
        rows = np.array([[1.0, 0.0], [cosine, np.sqrt(1 - cosine**2)]])
        assert vendi_score(rows) == pytest.approx(np.exp(entropy([(1 + cosine) / 2, (1 - cosine) / 2])))


def test_length_of_rows_does_not_matter_to_the_vendi_score() -> None:
    rows = np.random.default_rng(2).normal(size=(30, 8))
    assert vendi_score(rows * np.arange(1, 31)[:, None]) == pytest.approx(vendi_score(rows))
    assert vendi_score(np.zeros((5, 3))) == pytest.approx(5)  # features that say nothing: no two are called alike


def test_one_row_is_no_set() -> None:
    with pytest.raises(ValueError, match="2 rows or more"):
        pairwise_distance(np.zeros((1, 4)))
