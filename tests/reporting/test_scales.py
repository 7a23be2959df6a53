"""Geometry of scales, against sums by hand and properties that must hold for any values."""

from __future__ import annotations

import dataclasses
import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from grader.assignment import load_assignment
from grader.metrics import METRICS
from grader.reporting.scales import lanes, reported_values, scale, span, ticks_of
from grader.results import BaselineResult, MeasureResult
from tests.reporting.reports import measure

HOMEWORK = load_assignment("dlcv-fall2021-hw2")
NUMBERS = st.floats(-1e6, 1e6).map(lambda value: round(value, 6))


def _fid(value: float | None, interval: tuple[float, float] | None = None) -> MeasureResult:
    baselines = tuple(BaselineResult(n, v, "le", 5, False, 0, False) for n, v in (("simple", 35.0), ("strong", 30.0)))
    return dataclasses.replace(measure("fid", value=value), interval=interval, baselines=baselines)


def test_reported_results_come_from_the_assignment() -> None:
    reported = reported_values(_fid(27.0), HOMEWORK)
    assert len(reported) == 9 and reported[0] == ("r1", 24.74) and reported[-1] == ("r9", 33.53)
    assert reported_values(_fid(27.0), None) == []


def test_places_on_a_scale() -> None:
    drawn = scale(_fid(27.0, (26.0, 28.5)), HOMEWORK)
    assert drawn is not None and drawn.value is not None and drawn.interval is not None
    # From 24.74 to 35, and 8 % of that more on both sides; values lie between 3 and 97 per cent of the width.
    low, high = 24.74 - 0.08 * 10.26, 35 + 0.08 * 10.26

    def at(value: float) -> float:
        return 3 + 94 * (value - low) / (high - low)

    assert drawn.value == pytest.approx(at(27.0), abs=0.01)
    assert drawn.interval == pytest.approx((at(26.0), at(28.5) - at(26.0)), abs=0.02)
    assert [b.x for b in drawn.baselines] == pytest.approx([at(35.0), at(30.0)], abs=0.01)
    assert [b.text for b in drawn.baselines] == ["simple ≤ 35", "strong ≤ 30"]
    assert [d.text for d in drawn.dots][:2] == ["r1: 24.74", "r2: 25.1"]
    assert drawn.off == 0 and "lower is better; value 27.000; baseline simple at 35" in drawn.title
    assert "9 reported results from 24.74 to 33.53" in drawn.title


def test_a_value_far_away_leaves_the_scale_to_the_rest() -> None:
    near, far = scale(_fid(None), HOMEWORK), scale(_fid(365.0, (360.0, 370.0)), HOMEWORK)
    assert near is not None and far is not None
    assert far.off == 1 and far.value == 97 and far.interval is None
    assert [b.x for b in far.baselines] == [b.x for b in near.baselines] and near.value is None


def test_without_anything_to_compare_a_scale_begins_at_nothing() -> None:
    alone = dataclasses.replace(measure("vendi_score", points=0, value=6.0), interval=(5.0, 7.0))
    drawn = scale(alone, None)
    assert drawn is not None and drawn.ticks[0].text == "0" and drawn.ticks[0].x == 3
    assert scale(measure("vendi_score", "skipped", None, points=0), HOMEWORK) is None


@given(NUMBERS, st.lists(NUMBERS, max_size=9))
@example(1.0, [0.0])
def test_any_values_have_a_scale(value: float, others: list[float]) -> None:
    low, high, off = span(value, None, others, METRICS["fid"])
    assert low < high and all(low <= other <= high for other in others)
    assert (low <= value <= high) is (off == 0)
    ticks = ticks_of(low, high)
    assert 1 <= len(ticks) <= 5 and all(math.isfinite(tick) for tick in ticks)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=9))
def test_fractions_stay_between_nothing_and_all(values: list[float]) -> None:
    low, high, off = span(values[0], None, values[1:], METRICS["digit_accuracy"])
    assert 0 <= low < high <= 1 and off == 0 and all(low <= v <= high for v in values)


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=2))
def test_a_difference_of_shares_may_be_negative(values: list[float]) -> None:
    low, high, off = span(values[0], (min(values), max(values)), [], METRICS["face_count_change"])
    assert -1 <= low < high <= 1 and off == 0 and all(low <= v <= high for v in values)


@given(st.lists(st.tuples(st.floats(0, 300), st.floats(1, 80))))
def test_what_shares_a_lane_does_not_touch(places: list[tuple[float, float]]) -> None:
    ends = [(left, left + width) for left, width in places]
    rows = lanes(ends)
    for i, (row, (left, right)) in enumerate(zip(rows, ends, strict=True)):
        for other, (start, end) in list(zip(rows, ends, strict=True))[:i]:
            assert row != other or right <= start or end <= left
