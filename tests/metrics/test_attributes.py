from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, roc_auc_score
from sklearn.metrics.pairwise import cosine_similarity

from grader.metrics.attributes import identity, recognise

RNG = np.random.default_rng


def _answers(seed: int, n: int = 200, attributes: int = 13) -> tuple[np.ndarray, np.ndarray]:
    rng = RNG(seed)
    return rng.random((n, attributes)) < rng.uniform(0.1, 0.9, attributes), np.arange(n) % 2 == 1


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=25)
def test_accuracy_is_the_peers_best(seed: int) -> None:
    there, labels = _answers(seed, 40, 5)
    found = recognise(there, labels)
    theirs = np.array([balanced_accuracy_score(labels, there[:, a]) for a in range(5)])
    assert found.accuracy == pytest.approx(max(theirs.max(), 1 - theirs.min()))
    told = there[:, found.attribute] if found.on else ~there[:, found.attribute]
    assert balanced_accuracy_score(labels, told) == pytest.approx(found.accuracy)
    for on in (0, 1):
        given_sign = recognise(there, labels, on=on)
        assert given_sign.accuracy == pytest.approx(max(theirs if on else 1 - theirs)) and given_sign.on == on


@pytest.mark.parametrize("on", [0, 1])
def test_an_attribute_that_follows_the_label_is_found(on: int) -> None:
    there, labels = _answers(0)
    flips = RNG(1).random(len(labels)) < 0.2
    there[:, 9] = (labels == bool(on)) ^ flips
    found = recognise(there, labels)
    assert (found.attribute, found.on, found.found) == (9, on, True) and found.accuracy == pytest.approx(0.8, abs=0.06)
    assert 0.55 < found.chance < 0.65  # the best of 26 of a fair coin's 200 throws


def test_chance_is_seldom_passed_by_chance() -> None:
    assert sum(recognise(*_answers(seed)).found for seed in range(60)) <= 8  # 5 % of 60 are 3


def test_one_candidate_has_less_luck() -> None:
    there, labels = _answers(3)
    assert recognise(there[:, :1], labels, on=1).chance < recognise(there, labels).chance
    assert recognise(there, labels) == recognise(there, labels)


def test_a_judge_that_always_says_no_finds_nothing() -> None:
    found = recognise(np.zeros((20, 13), bool), np.arange(20) % 2 == 0)
    assert not found.found and found.accuracy == 0.5


@pytest.mark.parametrize("labels", [np.zeros(4, bool), np.ones(4, bool), np.array([True, False])])
def test_labels_of_one_value_say_nothing(labels: np.ndarray) -> None:
    with pytest.raises(ValueError):
        recognise(np.ones((4, 13), bool), labels)


@given(st.integers(0, 2**32 - 1), st.integers(2, 12))
@settings(max_examples=25)
def test_identity_is_a_mean_of_areas_under_curves(seed: int, pairs: int) -> None:
    rng = RNG(seed)
    a = rng.normal(size=(pairs, 4))
    b = a + rng.normal(size=a.shape)
    cosine = cosine_similarity(a, b)
    own = np.eye(pairs, dtype=bool)
    # The area for one anchor: its partner against the other pairs' images.
    areas = [roc_auc_score(own[i], row[i]) for row in (cosine, cosine.T) for i in range(pairs)]
    found = identity(a, b)
    assert found.value == pytest.approx(np.mean(areas)) and found.interval is None
    assert (found.within, found.across) == pytest.approx((cosine[own].mean(), cosine[~own].mean()))


def test_identity_of_equal_and_of_strange_pictures() -> None:
    a = RNG(0).normal(size=(60, 30))
    same, strange = identity(a, a), identity(a, RNG(1).normal(size=a.shape))
    assert (same.value, same.interval) == (1, (1, 1))
    assert same.within == pytest.approx(1)
    assert strange.interval is not None and strange.interval[0] < 0.5 < strange.interval[1]
    constant = identity(np.ones((5, 3)), np.ones((5, 3)))
    assert constant.value == 0.5  # all images alike: nobody is recognised
    assert identity(np.zeros((3, 2)), np.zeros((3, 2))).value == 0.5


def test_interval_of_identity_holds_the_spread() -> None:
    values, halves = [], []
    for seed in range(40):
        rng = RNG(seed)
        a = rng.normal(size=(80, 20))
        found = identity(a, 0.4 * a + rng.normal(size=a.shape))
        assert found.interval is not None
        values.append(found.value)
        halves.append((found.interval[1] - found.interval[0]) / 2)
    spread = 1.96 * np.std(values, ddof=1)
    assert 0.8 * spread < np.mean(halves) < 1.8 * spread


@pytest.mark.parametrize("shapes", [((1, 3), (1, 3)), ((3, 2), (2, 2)), ((4,), (4,))])
def test_too_few_pairs(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    with pytest.raises(ValueError):
        identity(np.ones(shapes[0]), np.ones(shapes[1]))
