from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from grader.metrics.accuracy import accuracy, chance_of_difference, difference_interval, wilson_interval


@given(st.integers(1, 3000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_interval_is_scipys(pair: tuple[int, int]) -> None:
    correct, n = pair
    theirs = binomtest(correct, n).proportion_ci(0.95, method="wilson")
    assert wilson_interval(correct, n) == pytest.approx((theirs.low, theirs.high), abs=1e-12)


def test_what_is_not_judged_is_wrong() -> None:
    found = accuracy(np.array([0, 0, 1]), np.array([0, 1, 1]), np.array([3, 2, 0]), 3)
    assert found.value == 2 / 5 and found.n == 5
    assert found.confusion == ((1, 1, 0), (0, 1, 0), (0, 0, 0)) and found.unjudged == (1, 1, 0)
    assert found.per_class == (1 / 3, 1 / 2, None)


def test_nothing_judged_is_zero() -> None:
    none = np.zeros(0, np.int64)
    assert accuracy(none, none, np.array([5, 5]), 2).value == 0


def test_more_than_there_should_be_is_an_error() -> None:
    with pytest.raises(ValueError):
        accuracy(np.array([0, 0]), np.array([0, 0]), np.array([1]), 1)
    none = np.zeros(0, np.int64)
    with pytest.raises(ValueError):
        accuracy(none, none, np.array([0]), 1)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=60))
def test_agrees_with_a_plain_count(pairs: list[tuple[int, int]]) -> None:
    wanted, taken = (np.array(column) for column in zip(*pairs, strict=True))
    found = accuracy(wanted, taken, np.bincount(wanted, minlength=5), 5)
    assert found.value == pytest.approx(sum(a == b for a, b in pairs) / len(pairs))
    assert found.interval[0] <= found.value <= found.interval[1]


@pytest.mark.parametrize(
    ("first", "second", "told"),
    # Newcombe, Statistics in Medicine 17, 1998, table II, method 10.
    [
        ((56, 70), (48, 80), (0.0524, 0.3339)),
        ((9, 10), (3, 10), (0.1705, 0.8090)),
        ((6, 7), (2, 7), (0.0582, 0.8062)),
        ((5, 56), (0, 29), (-0.0381, 0.1926)),
        ((0, 10), (0, 10), (-0.2775, 0.2775)),
        ((10, 10), (0, 10), (0.6075, 1.0)),
    ],
)
def test_differences_of_proportions(first: tuple[int, int], second: tuple[int, int], told: tuple[float, float]) -> None:
    assert difference_interval(first, second) == pytest.approx(told, abs=5e-5)
    turned = difference_interval(second, first)
    assert turned == pytest.approx((-told[1], -told[0]), abs=5e-5)


def test_the_exact_chance_of_a_difference() -> None:
    # By hand: with the margins 24 and 20 of 25 each, the sum of the hypergeometric chances no larger than the own one.
    from math import comb

    chances = [comb(25, a) * comb(25, 44 - a) / comb(50, 44) for a in range(19, 26)]
    own = chances[24 - 19]
    assert chance_of_difference((24, 25), (20, 25)) == pytest.approx(sum(c for c in chances if c <= own * (1 + 1e-9)))
    assert chance_of_difference((25, 25), (25, 25)) == 1
    assert chance_of_difference((25, 25), (5, 25)) < 1e-6
