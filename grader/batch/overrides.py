"""What persons decided: points, extensions and excuses, each with who, when and why. One file, which regrades keep.

TOML, not csv: reasons are sentences with commas in them, each kind has keys of its own, and a spreadsheet changes
numbers and dates that it opens.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal

from grader.assignment import Assignment, Problem
from grader.assignment.toml import Section, Source, shown
from grader.batch.settlement import Adjustment
from grader.text import did_you_mean, number

Kind = Literal["points", "add", "extension_days", "excuse"]
_KINDS: tuple[Kind, ...] = ("points", "add", "extension_days", "excuse")
_LONGEST_EXTENSION = 365
_MOST_ADDED = 10_000.0
_SHORTEST_DIGEST = 8


@dataclass(frozen=True)
class Override:
    """One decision. `amount`: points, points more or less, or days. `problem` is empty where it is about all of them.

    `measure`: the points are of this measure alone. `digest`: the beginning of the sha256 of the submission that it was
    made for, if given. `told`: what the student reads; `why` may be private.
    """

    student: str
    kind: Kind
    amount: float
    problem: str
    measure: str
    why: str
    who: str
    when: str
    digest: str = ""
    told: str = ""

    def step(self, problem: str, points: float, what: str = "") -> Adjustment:
        """What this decision changed. what: in neutral words, such as `set to 12`."""
        told = ": ".join(part for part in (what, self.told) if part) or "a decision of the course"
        why = ": ".join(part for part in (what, self.why) if part)
        return Adjustment(problem, points, why, told, self.who, self.when)


def read_overrides(path: Path, work: Assignment) -> tuple[Override, ...]:
    """The decisions of a file, sorted, so that their order in it says nothing.

    Whether its students are in the class is asked later, when it is known who handed in. Raises UsageError with file
    and line for a problem or measure that isn't there, for a decision without who, when and why, and for two that
    contradict each other.
    """
    source = Source.read(path)
    top = Section(source, (), source.document)
    top.choice("schema", ["grader/overrides/1"])
    found: list[Override] = []
    for section in top.tables("override"):
        override = _override(section, work)
        for other in found:
            if other == override or (override.kind != "add" and _about(other) == _about(override)):
                section.fail(f"stands twice for {override.student!r}; keep the one that holds", override.kind)
        found.append(override)
    top.done()
    return tuple(sorted(found, key=_order))


def _about(override: Override) -> tuple[str, ...]:
    return override.student, override.kind, override.problem, override.measure


def _order(override: Override) -> tuple[str | float, ...]:
    who = (override.when, override.who, override.why, override.amount, override.digest, override.told)
    return (override.student, _KINDS.index(override.kind), override.problem, override.measure, *who)


def _override(section: Section, work: Assignment) -> Override:
    student = section.text("student")
    given = [kind for kind in _KINDS if kind in section.values]
    if len(given) != 1:
        section.fail(f"expected one of {', '.join(_KINDS)}; found {' and '.join(given) or 'none'}", *given[1:2])
    kind = given[0]
    problem, measure = _target(section, kind, work)
    override = Override(
        student,
        kind,
        _amount(section, kind, work, problem, measure),
        problem,
        measure,
        section.text("why"),
        section.text("who"),
        _when(section),
        _digest(section),
        section.text("told", ""),
    )
    section.done()
    return override


def _target(section: Section, kind: Kind, work: Assignment) -> tuple[str, str]:
    """The problem, and the measure, that it is about; both may be empty."""
    problems = [p.id for p in work.problems]
    measures = {m.id: p.id for p in work.problems for m in p.measures}
    for name, known in (("problem", list(problems)), ("measure", list(measures))):
        value = section.text(name) if name in section.values else ""
        if value and value not in known:
            hint = did_you_mean(value, known)
            section.fail(f"{work.id} has no {name} {value!r}; it has {', '.join(known)}.{hint}", name)
    problem, measure = section.text("problem", ""), section.text("measure", "")
    if measure and kind not in ("points", "add"):
        section.fail(f"has no use beside {kind!r}, which is about problems", "measure")
    if problem and kind == "extension_days":
        section.fail("has no use beside 'extension_days': a submission has one deadline", "problem")
    if problem and measure and measures[measure] != problem:
        section.fail(f"{measure!r} belongs to {measures[measure]!r}", "problem")
    if kind in ("points", "add") and not (problem or measure):
        section.fail("needs 'problem' or 'measure', which the points are of", kind)
    return problem or measures.get(measure, ""), measure


def _amount(section: Section, kind: Kind, work: Assignment, problem: str, measure: str) -> float:
    if kind == "excuse":
        if not section.flag("excuse", True):
            section.fail("expected true; without the entry nothing is excused", "excuse")
        return 0.0
    if kind == "extension_days":
        days = section.count("extension_days")
        if not 0 < days <= _LONGEST_EXTENSION:
            section.fail(f"expected 1 to {_LONGEST_EXTENSION} whole days, found {days}", "extension_days")
        return float(days)
    points = section.number(kind)
    if kind == "add":
        if not 0 < abs(points) <= _MOST_ADDED:
            section.fail(f"expected points to add, or to take off with '-'; found {number(points)}", "add")
        return points
    most = most_points(next(p for p in work.problems if p.id == problem), measure)
    if not 0 <= points <= most:
        section.fail(f"expected 0 to {number(most)} points, found {number(points)}", "points")
    return points


def most_points(problem: Problem, measure: str = "") -> float:
    """The points of all baselines of a problem, or of one of its measures."""
    return sum(b.points for m in problem.measures if measure in ("", m.id) for b in m.baselines)


def _when(section: Section) -> str:
    """A day, or a time, as ISO 8601."""
    value = section.values.get("when")
    if isinstance(value, date):  # a datetime is one, too
        section.known.add("when")
        return value.isoformat()
    text = section.text("when")
    try:
        date.fromisoformat(text[:10])
    except ValueError:
        section.fail(f"expected a day, such as 2026-11-20, found {shown(text)}", "when")
    return text


def _digest(section: Section) -> str:
    digest = section.text("digest", "").lower()
    if digest and (len(digest) < _SHORTEST_DIGEST or not set(digest) <= set("0123456789abcdef")):
        section.fail(f"expected the first {_SHORTEST_DIGEST} or more characters of the submission's sha256", "digest")
    return digest
