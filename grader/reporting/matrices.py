"""Confusion matrices and figures by class as tables: which cell is how dark, which bar how long."""

from __future__ import annotations

import math
from dataclasses import dataclass

from grader.results import MeasureResult

_STEPS = 5  # of a cell's shade


@dataclass(frozen=True)
class Cell:
    """A count, and the name of its shade: `right-5`, `wrong-1`, or `none`."""

    count: int
    shade: str


@dataclass(frozen=True)
class Row:
    """What became of the items of one class.

    `missing` counts those without a judgement; `share` is the accuracy, None where the class has no item.
    """

    label: str
    cells: tuple[Cell, ...]
    missing: Cell
    share: float | None


@dataclass(frozen=True)
class Bar:
    """A class, its value as a share (None where it has no item), and the length of its bar in per cent."""

    label: str
    share: float | None
    length: float


@dataclass(frozen=True)
class Bars:
    """Values by class. `mark`: where a line is drawn through all bars, in per cent of their length."""

    title: str
    rows: tuple[Bar, ...]
    mark: float | None = None


def confusion(m: MeasureResult) -> tuple[Row, ...]:
    """Rows: the class asked for; cells: the class that was read. Empty for a measure without classes."""
    details = m.details
    if m.value is None or "confusion" not in details:
        return ()
    rows = zip(details["classes"], details["confusion"], details["unjudged"], strict=True)
    return tuple(
        Row(
            str(label),
            tuple(Cell(count, _shade(count, sum(counts) + left, j == i)) for j, count in enumerate(counts)),
            Cell(left, _shade(left, sum(counts) + left, False)),
            details["per_class"][label],
        )
        for i, (label, counts, left) in enumerate(rows)
    )


def _shade(count: int, whole: int, right: bool) -> str:
    if not count:
        return "none"
    return f"{'right' if right else 'wrong'}-{max(1, math.ceil(_STEPS * count / max(whole, 1)))}"


def bars(m: MeasureResult) -> Bars | None:
    """Accuracies by class, or the variety of each class beside that of real images; None where there is neither."""
    if m.value is None:
        return None
    if "confusion" in m.details:
        shares = m.details["per_class"]
        rows = tuple(Bar(str(label), share, round(100 * (share or 0.0), 1)) for label, share in shares.items())
        return Bars("Accuracy by class", rows)
    if len(shares := m.details.get("share_of_reference", {})) > 1:
        whole = max(1.0, *shares.values())
        rows = tuple(Bar(label, share, round(100 * share / whole, 1)) for label, share in shares.items())
        return Bars("Variety by class; the line is that of real images", rows, round(100 / whole, 1))
    return None
