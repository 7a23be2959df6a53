from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import entropy, spearmanr
from sklearn.metrics import adjusted_mutual_info_score, mutual_info_score

from grader.metrics.codes import code_information, normalised_information

RNG = np.random.default_rng
VALUES, ROWS = (axis.reshape(-1) for axis in np.meshgrid(np.arange(10), np.arange(20)))


@given(st.integers(0, 2**32 - 1), st.integers(2, 10))
@settings(max_examples=30)
def test_information_is_the_peers_over_the_smaller_entropy(seed: int, kinds: int) -> None:
    rng = RNG(seed)
    values = np.concatenate([np.arange(kinds), rng.integers(0, kinds, 60)])
    there = rng.random((len(values), 4)) < rng.uniform(0, 1, 4)
    found = normalised_information(values[None], there)[0]
    for a in range(4):
        smaller = min(entropy(np.bincount(values)), entropy([there[:, a].mean(), 1 - there[:, a].mean()]))
        theirs = mutual_info_score(values, there[:, a]) / smaller if smaller else 0.0
        assert found[a] == pytest.approx(theirs, abs=1e-9)
    assert ((found >= 0) & (found <= 1)).all()


def test_closed_forms() -> None:
    logits = RNG(0).normal(size=(200, 13))
    logits[:, 4] = np.where(VALUES == 3, 1, -1)  # what one value of ten tells of a yes or no, all of it
    found = code_information(VALUES, ROWS, logits)
    assert found.attribute == 4 and found.nmi == pytest.approx(1) and found.chance < 0.3 and found.spearman is None
    constant = code_information(VALUES, ROWS, -np.ones((200, 13)))
    assert (constant.nmi, constant.unadjusted, constant.chance) == (0, 0, 0)  # an entropy of 0
    one = code_information(np.zeros(5, np.int64), np.arange(5), RNG(0).normal(size=(5, 2)))
    assert (one.nmi, one.spearman) == (0, None)


def test_a_rare_attribute_is_no_finding() -> None:
    """One picture of 200 says nothing of a code, however large its share of that little entropy is."""
    logits = -np.ones((200, 13))
    logits[17, 2] = 1
    found = code_information(VALUES, ROWS, logits)
    assert found.nmi == 0 and found.chance == 0
    logits[:, 5] = np.where(VALUES < 5, 1, -1)
    found = code_information(VALUES, ROWS, logits)
    assert found.attribute == 5 and found.nmi == pytest.approx(1) and found.unadjusted == pytest.approx(1)


def test_the_adjusted_information_is_the_peers_where_rows_are_one() -> None:
    """scikit-learn has the expectation in closed form; here it is the mean of 200 permutations."""
    rng = RNG(5)
    values = rng.integers(0, 4, 300)
    logits = np.where((values == 2) ^ (rng.random(300) < 0.2), 1.0, -1.0)[:, None]
    found = code_information(values, np.zeros(300, np.int64), logits)
    theirs = adjusted_mutual_info_score(values, logits[:, 0] > 0, average_method="min")
    assert found.nmi == pytest.approx(theirs, abs=0.005)


def test_a_code_that_turns_something_up_is_continuous() -> None:
    logits = RNG(1).normal(size=(200, 13))
    logits[:, 9] = VALUES - 4.5 + RNG(2).normal(size=200) * 0.3
    for sign in (1, -1):
        found = code_information(VALUES, ROWS, sign * logits)
        assert found.attribute == 9 and found.spearman is not None
        assert found.spearman == pytest.approx(sign * spearmanr(VALUES, logits[:, 9]).statistic)
        assert sign * found.spearman > 0.9
    two = code_information(VALUES[VALUES < 2], ROWS[VALUES < 2], logits[VALUES < 2])
    assert two.spearman is None  # two values always rise or fall


def test_chance_is_that_of_values_without_meaning() -> None:
    passed = 0
    for seed in range(40):
        found = code_information(VALUES, ROWS, RNG(seed).normal(size=(200, 13)))
        passed += found.nmi > found.chance
    assert passed <= 6  # 5 % of 40 are 2


def test_rows_that_differ_are_no_code() -> None:
    """All images of a row show the same: the code tells nothing, however much rows differ."""
    found = code_information(VALUES, ROWS, RNG(0).normal(size=(20, 13))[ROWS])
    assert found.nmi == pytest.approx(0, abs=1e-12) and found.chance == pytest.approx(0, abs=1e-12)


def test_order_of_the_images_is_no_matter() -> None:
    logits = RNG(3).normal(size=(200, 13))
    order = RNG(4).permutation(200)
    a, b = code_information(VALUES, ROWS, logits), code_information(VALUES[order], ROWS[order], logits[order])
    assert a.attribute == b.attribute and a.nmi == pytest.approx(b.nmi)
    assert code_information(VALUES + 3, ROWS, logits) == a  # names of values are none either


def test_what_does_not_belong_together() -> None:
    with pytest.raises(ValueError):
        code_information(VALUES, ROWS[:-1], np.zeros((200, 13)))
    with pytest.raises(ValueError):
        code_information(VALUES[:0], ROWS[:0], np.zeros((0, 13)))
