"""What the class gets in the end: points by problem before and after the course's policy, and why they differ."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from grader.assignment import Assignment
from grader.batch.entries import Entry

_UNFINISHED = ("error", "skipped")


@dataclass(frozen=True)
class Adjustment:
    """One step from measured points to those that count: so many points more, or less where negative.

    `problem` is empty where it is about the whole submission. `who` and `when` are of a person's decision.
    """

    problem: str
    points: float
    why: str
    who: str = ""
    when: str = ""


@dataclass(frozen=True)
class Settled:
    """One student. `before` and `points`: by problem, None where the machine could not finish or nothing counts."""

    student: str
    before: Mapping[str, float | None]
    points: Mapping[str, float | None]
    adjustments: tuple[Adjustment, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Settlement:
    """The class, by student. `notes`: what a person should look at. `hidden`: measures that students don't see."""

    students: Mapping[str, Settled]
    notes: tuple[str, ...] = ()
    hidden: frozenset[str] = field(default_factory=frozenset)


def points_of(entry: Entry, work: Assignment) -> dict[str, float | None]:
    """Points by problem, as they were measured; None where a problem could not be finished."""
    if entry.report is None:
        return {p.id: None for p in work.problems if not entry.keys or p.id in entry.keys}
    return {p["id"]: None if p["state"] in _UNFINISHED else p["points"] for p in entry.report["problems"]}


def unchanged(entries: Iterable[Entry], work: Assignment) -> Settlement:
    """What was measured, without any policy."""
    found = {}
    for entry in sorted(entries, key=lambda e: e.student):
        points = points_of(entry, work)
        found[entry.student] = Settled(entry.student, points, points)
    return Settlement(found)
