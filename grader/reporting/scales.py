"""Where things lie on a measure's scale: pure geometry, in per cent of the width and pixels of the height.

Widths are per cent so that a scale fits a telephone as well as a desk; where texts could meet, a width of
`NARROWEST` pixels is assumed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from grader.assignment import Assignment
from grader.metrics import METRICS, Metric
from grader.reporting.outcomes import clean
from grader.results import MeasureResult
from grader.text import number

NARROWEST = 270  # pixels
_LEFT, _RIGHT = 3.0, 97.0  # per cent between which values lie, so that no mark is cut
_LETTER = 6.6  # pixels of a letter, about
_LINE = 17  # pixels of a line of text
_DOT = 9  # pixels from dot to dot
_LEAST = 1e-7  # of a scale's length: values that differ less are one
_FAR = 1.5  # a value is off the scale where it lies this many spans of the rest beyond the rest


@dataclass(frozen=True)
class Mark:
    """A text or a dot at `x` per cent and `y` pixels; `anchor` is SVG's text-anchor."""

    x: float
    y: float
    text: str
    anchor: str = "middle"


@dataclass(frozen=True)
class Scale:
    """One measure's scale. `off`: -1 or 1 where the value lies left or right of it. `title` says all of it in words."""

    title: str
    height: float
    track: float
    ticks: tuple[Mark, ...]
    baselines: tuple[Mark, ...]
    dots: tuple[Mark, ...]
    value: float | None
    interval: tuple[float, float] | None
    off: int = 0


def scale(m: MeasureResult, assignment: Assignment | None) -> Scale | None:
    """The scale of a measure; None where there is neither a value nor anything to compare it with."""
    metric = METRICS[m.metric]
    reported = reported_values(m, assignment)
    others = [b.value for b in m.baselines] + [value for _, value in reported]
    if m.value is None and not others:
        return None
    low, high, off = span(m.value, m.interval, others, metric)

    def at(value: float) -> float:
        return round(_LEFT + (_RIGHT - _LEFT) * (min(max(value, low), high) - low) / (high - low), 2)

    lines = [(b, f"{clean(b.name)[:24]} {'≥' if b.op == 'ge' else '≤'} {_short(b.value, metric)}") for b in m.baselines]
    rows = lanes([_text_ends(at(b.value), text) for b, text in lines])
    top = _LINE * (max(rows, default=-1) + 1)
    piles = lanes([_dot_ends(at(value)) for _, value in reported])
    track = top + 14 + _DOT * (max(piles, default=-1) + 1)
    baselines = tuple(
        Mark(at(b.value), _LINE * (row + 1) - 4, text, _anchor(at(b.value)))
        for (b, text), row in zip(lines, rows, strict=True)
    )
    dots = tuple(
        Mark(at(value), track - 12 - _DOT * pile, f"{clean(name)}: {_short(value, metric)}")
        for (name, value), pile in zip(reported, piles, strict=True)
    )
    ticks = tuple(Mark(at(t), track + 24, _short(t, metric), _anchor(at(t))) for t in ticks_of(low, high))
    bar = None if m.interval is None or off else (at(m.interval[0]), round(at(m.interval[1]) - at(m.interval[0]), 2))
    value = None if m.value is None else at(m.value)
    return Scale(_title(m, metric, reported, low, high), track + 30, track, ticks, baselines, dots, value, bar, off)


def reported_values(m: MeasureResult, assignment: Assignment | None) -> list[tuple[str, float]]:
    """What others reported for a measure, from low to high."""
    found = [(r.id, r.values[m.id]) for r in assignment.reported if m.id in r.values] if assignment else []
    return sorted(found, key=lambda pair: pair[1])


def span(
    value: float | None, interval: tuple[float, float] | None, others: Sequence[float], metric: Metric
) -> tuple[float, float, int]:
    """Both ends of a scale, and on which side of it the value lies (-1, 0, 1).

    A value far from all that it is compared with doesn't stretch the scale, which would push the rest together.

    >>> span(365.0, (360.0, 370.0), [24.0, 34.0], METRICS["fid"])
    (23.2, 34.8, 1)
    """
    own = [] if value is None else [value, *(interval or ())]
    off = 0
    if others and value is not None:
        least, most = min(others), max(others)
        room = _FAR * max(most - least, 0.2 * abs(most))
        off = -1 if value < least - room else 1 if value > most + room else 0
    if metric.fraction:
        off = 0  # everything lies between 0 and 1
    shown = [*others, *([] if off else own)] if others else [0.0, *own]
    low, high = min(shown), max(shown)
    edge = next(e for e in (0.08 * (high - low), 0.1 * abs(high), 1.0) if e > _LEAST)
    first = low if low == 0 else low - edge
    last = high + edge
    if metric.fraction:
        first, last = max(first, -1.0 if low < 0 else 0.0), min(last, 1.0)  # a difference may be negative
    first, last = round(first, 10), round(last, 10)
    if value is not None and first <= value <= last:
        off = 0  # the scale of a few equal values has room of its own
    return first, last, off


def ticks_of(low: float, high: float) -> list[float]:
    """Two to five round numbers from low to high.

    >>> ticks_of(23.2, 34.8), ticks_of(0.0, 1.0)
    ([25.0, 27.5, 30.0, 32.5], [0.0, 0.25, 0.5, 0.75, 1.0])
    """
    power = 10.0 ** math.floor(math.log10(high - low))
    steps = [base * scale for scale in (power / 10, power) for base in (1, 2, 2.5, 5)]
    for step in steps:
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first + 1 <= 5:
            return [round(i * step, 10) for i in range(first, last + 1)]
    return [low, high]


def lanes(places: Sequence[tuple[float, float]]) -> list[int]:
    """The row of each text or dot, as low as it can be without touching another one. places: left and right ends.

    >>> lanes([(10, 80), (70, 95), (90, 120)])
    [0, 1, 0]
    """
    ends: list[float] = []  # of the last one in each row
    found = [0] * len(places)
    for i in sorted(range(len(places)), key=lambda i: places[i]):
        left, right = places[i]
        found[i] = next((row for row, end in enumerate(ends) if end <= left), len(ends))
        ends[found[i] : found[i] + 1] = [right]
    return found


def _text_ends(x: float, text: str) -> tuple[float, float]:
    """Left and right end, in pixels of the narrowest scale, of a text at `x` per cent."""
    width = len(text) * _LETTER
    left = x * NARROWEST / 100 - {"start": 0, "middle": width / 2, "end": width}[_anchor(x)]
    return left, left + width


def _dot_ends(x: float) -> tuple[float, float]:
    return x * NARROWEST / 100, x * NARROWEST / 100 + _DOT


def _anchor(x: float) -> str:
    return "start" if x < 25 else "end" if x > 75 else "middle"


def _short(value: float, metric: Metric) -> str:
    return f"{number(round(100 * value, 4) if metric.fraction else round(value, 6))}{metric.suffix}"


def _title(m: MeasureResult, metric: Metric, reported: Sequence[tuple[str, float]], low: float, high: float) -> str:
    """The scale in words, for who can't see it."""
    better = "higher" if metric.op == "ge" else "lower"
    told = [f"Scale from {_short(low, metric)} to {_short(high, metric)}, {better} is better"]
    if m.value is not None:
        told.append(f"value {metric.show(m.value)}")
    told += [f"baseline {clean(b.name)} at {_short(b.value, metric)}" for b in m.baselines]
    if reported:
        first, last = (_short(value, metric) for _, value in (reported[0], reported[-1]))
        told.append(f"{len(reported)} reported results from {first} to {last}")
    return "; ".join(told)
