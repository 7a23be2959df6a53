"""The table of a class page: a row for each student, and what persons decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grader.metrics import METRICS
from grader.results import STATES
from grader.text import number

_DIGEST = 12  # characters of a submission's sha256, by which a decision may name it


@dataclass(frozen=True)
class _Cell:
    """One cell of the table; `order` is what it is sorted by."""

    text: str
    order: str
    aside: str = ""


def show(measure: Mapping[str, Any], value: float | None) -> str:
    """A measure's value, in its unit."""
    return "–" if value is None else METRICS[measure["metric"]].show(value)


def row_of(
    student: Mapping[str, Any], problems: Sequence[Mapping[str, Any]], measures: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """What the page shows of a student (`class.json`)."""
    cells = [_points(student["problems"].get(p["id"])) for p in problems]
    total, most = student["total"], sum(p["max_points"] + p["max_by_hand"] for p in problems)
    fewer = f"of {number(student['max_total'])}" if total is not None and student["max_total"] != most else ""
    cells.append(_Cell("–" if total is None else number(total), _order(total), fewer))
    for measure in measures:
        value = student["measures"].get(f"{measure['problem']}.{measure['id']}", {}).get("value")
        cells.append(_Cell(show(measure, value), _order(value)))
    severities = [f["severity"] for f in student["findings"]]
    return {
        "student": student["student"],
        "state": student["state"],
        "report": student["report"],
        "digest": student["digest"][:_DIGEST],
        "rank": STATES.index(student["state"]),
        "cells": cells,
        "errors": severities.count("error"),
        "warnings": severities.count("warning"),
        "told": "; ".join(dict.fromkeys(f["rule"] for f in student["findings"])),
        "steps": [_step(a) for a in student["adjustments"]],
    }


def _step(adjustment: Mapping[str, Any]) -> str:
    a = adjustment
    change = f"{number(a['points'])} points, " if a["points"] else ""
    of = f" ({a['who']}, {a['when']})" if a["who"] else ""
    return f"{a['problem'] + ': ' if a['problem'] else ''}{change}{a['why']}{of}"


def decisions_of(students: Sequence[Mapping[str, Any]]) -> list[tuple[str, list[str]]]:
    """By student, what persons decided: with who, when and why."""
    found = [(s["student"], [_step(a) for a in s["adjustments"] if a["who"]]) for s in students]
    return [(student, steps) for student, steps in found if steps]


def _points(problem: Mapping[str, Any] | None) -> _Cell:
    """The points that count, and beside them what was measured and given by hand, where that is something else."""
    if problem is None:
        return _Cell("–", _order(None))
    points, before, by_hand = problem["points"], problem["before"], problem["by_hand"]
    told = [f"measured {number(before)}"] if before is not None and before != points else []
    told += [f"by hand {number(by_hand)}"] if by_hand and points is not None else []
    told = ["excused", *told] if problem["excused"] else told
    if points is None:
        return _Cell("–", _order(None), ", ".join(told))
    final = points + (by_hand or 0.0)
    return _Cell(number(final), _order(final), ", ".join(told))


def _order(value: float | None) -> str:
    return "" if value is None else repr(float(value))
