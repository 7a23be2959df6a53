from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from grader.metrics.accuracy import accuracy, wilson_interval


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
