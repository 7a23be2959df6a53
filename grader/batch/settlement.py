"""What the class gets in the end: points by problem before and after the course's policy, and why they differ."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from grader.assignment import Assignment
from grader.batch.entries import Entry
from grader.text import number

UNFINISHED = ("error", "skipped")
DIGITS = 6  # behind the point, so that 0.1 + 0.2 is 0.3


@dataclass(frozen=True)
class Adjustment:
    """One step from measured points to those that count: so many points more, or less where negative.

    `problem` is empty where it is about the whole submission. `who` and `when` are of a person's decision. `why` is for
    those who grade; `told` is what the student reads in its place.
    """

    problem: str
    points: float
    why: str
    told: str
    who: str = ""
    when: str = ""

    def line(self, *, student: bool) -> str:
        """The step in one line, for the student or for those who grade."""
        change = f"{number(self.points)} points: " if self.points else ""
        where = f"{self.problem}: " if self.problem else ""
        of = f" ({self.who}, {self.when})" if self.who and not student else ""
        return f"{where}{change}{self.told if student else self.why}{of}"


@dataclass(frozen=True)
class Settled:
    """One student. `before` and `points`: by problem, None where the machine could not finish or nothing counts.

    `late`: how late it was, in words, empty for in time. `excused`: problems that don't count. `by_hand`: by problem,
    points that a person gave beside those that were measured.
    """

    student: str
    before: Mapping[str, float | None]
    points: Mapping[str, float | None]
    adjustments: tuple[Adjustment, ...] = ()
    notes: tuple[str, ...] = ()
    late: str = ""
    excused: frozenset[str] = frozenset()
    by_hand: Mapping[str, float] = field(default_factory=dict)

    def final(self, problem: str) -> float | None:
        """A problem's points with those by hand; None while they aren't known, and where it doesn't count."""
        points = self.points.get(problem)
        return None if points is None else round(points + self.by_hand.get(problem, 0.0), DIGITS)

    def total(self, problems: Iterable[str]) -> float | None:
        """The sum over those of the problems that count; None where one isn't known, or none counts."""
        points = [self.final(p) for p in problems if p not in self.excused]
        known = [p for p in points if p is not None]
        return round(sum(known), DIGITS) if known and len(known) == len(points) else None

    def most(self, maxima: Mapping[str, float]) -> float:
        """What the problems that count can give together. maxima: of each problem."""
        return sum(most for problem, most in maxima.items() if problem not in self.excused)

    def told(self, closed: Collection[str], maxima: Mapping[str, float]) -> list[str]:
        """The steps as the student may read them.

        closed: problems with a hidden measure. What changes their points may depend on it, and how much it changes
        them does, so that nothing is told of them but lateness and that they are excused.
        """
        lines = [a.line(student=True) for a in self.adjustments if a.problem not in closed]
        for problem in (p for p in self.points if p in closed):
            open_ = "its points are open while a measure of it is hidden"
            lines.append(f"{problem}: {'excused' if problem in self.excused else open_}")
        if self.late and not any(self.late in line for line in lines):
            lines.append(self.late)
        if left := [p for p in maxima if p in self.excused]:
            lines.append(f"{', '.join(left)} doesn't count: the sum is of {number(self.most(maxima))} points")
        return lines


@dataclass(frozen=True)
class Settlement:
    """The class, by student. `notes`: what a person should look at. `hidden`: measures that students don't see."""

    students: Mapping[str, Settled]
    notes: tuple[str, ...] = ()
    hidden: frozenset[str] = field(default_factory=frozenset)

    def closed(self, work: Assignment) -> list[str]:
        """The problems with a hidden measure."""
        return [p.id for p in work.problems if any(m.id in self.hidden for m in p.measures)]


def points_of(entry: Entry, work: Assignment) -> dict[str, float | None]:
    """Points by problem, as they were measured; None where a problem could not be finished."""
    if entry.report is None:
        return {p.id: None for p in work.problems if not entry.keys or p.id in entry.keys}
    return {p["id"]: None if p["state"] in UNFINISHED else p["points"] for p in entry.report["problems"]}


def graded_problems(entries: Iterable[Entry], work: Assignment) -> list[str]:
    """The problems that anybody has a verdict on, in the assignment's order; all of them where nobody has any."""
    known = {p["id"] for e in entries if e.report for p in e.report["problems"]}
    return [p.id for p in work.problems if p.id in known or not known]
