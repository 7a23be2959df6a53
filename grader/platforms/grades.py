"""What a class has reached: a folder of score reports, points given by a person, and who is in the class.

Three inputs of the course's own. Whatever is wrong with one is a UsageError that names file and line.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from grader.errors import UsageError
from grader.platforms.rows import fail_at, read_rows
from grader.text import did_you_mean, listing, number, plural, printable

_SCHEMA = "grader/score/1"
_LARGEST = 64 * 2**20
_MANUAL = ("student", "problem", "title", "points")
_UNFINISHED = ("error", "skipped")
NAMED = 10  # students that a note names before it counts the rest


@dataclass(frozen=True)
class Student:
    """One line of the roster; `id` is what the report is named after."""

    id: str
    name: str = ""
    section: str = ""
    email: str = ""
    number: str = ""


@dataclass(frozen=True)
class Given:
    """Points that a person gave: one row of a csv, and the line that it ends on."""

    student: str
    problem: str
    title: str
    points: float
    comment: str
    line: int


@dataclass
class Grade:
    """One student's points by problem, None where the machine could not finish; comments of those who graded.

    `excused`: problems that don't count.
    """

    points: dict[str, float | None] = field(default_factory=dict)
    comments: list[str] = field(default_factory=list)
    excused: frozenset[str] = frozenset()

    @property
    def total(self) -> float | None:
        """The sum of what counts; None where a part of it isn't known, or nothing counts."""
        points = [p for problem, p in self.points.items() if problem not in self.excused]
        known = [p for p in points if p is not None]
        return sum(known) if known and len(known) == len(points) else None


@dataclass
class Class:
    """The grades of a class. `most`: the points of each problem; `notes`: what a person should look at."""

    assignment: str
    most: dict[str, float]
    students: list[Student]
    grades: dict[str, Grade]
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Report:
    path: Path
    assignment: str
    digest: str
    problems: Mapping[str, tuple[float, float, str]]  # points, most points, state
    manual: Mapping[tuple[str, str], float]


def read_class(
    folder: Path,
    manual: Path | None = None,
    roster: Path | None = None,
    *,
    allow_skipped: bool = False,
) -> Class:
    """Reads a folder of `STUDENT.json` files that `grader score -o` wrote, a csv of points by hand, and a roster.

    allow_skipped: a problem with a measure that was skipped, or failed for the machine's sake, counts as it is.
    Raises UsageError.
    """
    reports = _reports(folder)
    first = next(iter(reports.values()))
    students = _everyone(roster, reports) if roster else [Student(name) for name in reports]
    most = {problem: values[1] for problem, values in first.problems.items()}
    found = Class(first.assignment, most, students, {})
    if len({r.digest for r in reports.values()}) > 1:
        found.notes.append("The reports were made with different versions of the assignment file.")
    for student in students:
        if student.id in reports:
            found.grades[student.id] = _grade(student.id, reports[student.id], found, allow_skipped)
    if without := [s.id for s in students if s.id not in reports]:
        found.notes.append(f"{listing(without, NAMED)}: no report.")
    if manual:
        _add_manual(manual, first, found)
    return found


def _reports(folder: Path) -> dict[str, _Report]:
    try:
        paths = sorted(p for p in folder.iterdir() if p.suffix == ".json" and not p.name.startswith("."))
    except OSError as e:
        raise UsageError(f"{folder} can't be read: {e.strerror}.") from None
    if not paths:
        raise UsageError(f"{folder}: expected a score report a student, STUDENT.json (grader score -o); found none.")
    found = {path.stem: _report(path) for path in paths}
    first = next(iter(found.values()))
    for report in found.values():
        if (report.assignment, set(report.problems)) != (first.assignment, set(first.problems)):
            raise UsageError(
                f"{report.path}: {_told(report)}, but {first.path}: {_told(first)}. A grade book takes one assignment, "
                "scored with the same problems."
            )
    return found


def _told(report: _Report) -> str:
    return f"{report.assignment} ({', '.join(report.problems)})"


def _report(path: Path) -> _Report:
    """A report's points. A file of another kind is refused, so that none is left out unseen."""
    if not path.stem.isprintable():
        raise UsageError(f"{printable(str(path))}: expected a file named after a student's id.")
    try:
        if path.stat().st_size > _LARGEST:
            raise ValueError("it is too large")
        document = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(document, dict) or document.get("schema") != _SCHEMA:
            raise ValueError(f"its schema is no {_SCHEMA}")
        return _Report(
            path,
            _text(document["assignment"]),
            str(document["assignment_digest"]),
            {
                _text(p["id"]): (_finite(p["points"]), _finite(p["max_points"]), p["state"])
                for p in document["problems"]
            },
            {(_text(m["problem"]), _text(m["title"])): _finite(m["points"]) for m in document["manual"]},
        )
    except OSError as e:
        raise UsageError(f"{path} can't be read: {e.strerror}.") from None
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as e:
        why = f"{e} is missing" if isinstance(e, KeyError) else e
        raise UsageError(f"{path}: expected a report of `grader score -o` ({why}).") from None


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.isprintable():
        raise ValueError(f"{printable(str(value), 40)!r} is no name")
    return value


def _finite(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{str(value)[:40]!r} is no number")
    return float(value)


def _grade(student: str, report: _Report, found: Class, allow_skipped: bool) -> Grade:
    grade = Grade()
    for problem, (points, most, state) in report.problems.items():
        unfinished = state in _UNFINISHED and not allow_skipped
        grade.points[problem] = None if unfinished else points
        if unfinished:
            told = "could not be finished" if state == "error" else "has measures that were skipped"
            found.notes.append(f"{student}: {problem} {told}; its points are left empty. Score it again.")
        if most != found.most[problem]:
            found.notes.append(f"{student}: {problem} has {number(most)} points, not {number(found.most[problem])}.")
    return grade


def read_roster(path: Path) -> list[Student]:
    """Everyone in the class, in the order of a csv: `student` and, if wanted, `name,section,email,id`.

    Raises UsageError.
    """
    students: dict[str, Student] = {}
    for line, row in read_rows(path, ("student",), ("name", "section", "email", "id")):
        name = row["student"]
        if not name or not name.isprintable():
            fail_at(path, line, f"expected a student's id, found {printable(name)!r}")
        if name in students:
            fail_at(path, line, f"{name!r} stands twice")
        more = [row.get(key, "") for key in ("name", "section", "email", "id")]
        students[name] = Student(name, *more)
    return list(students.values())


def _everyone(path: Path, reports: Mapping[str, _Report]) -> list[Student]:
    students = read_roster(path)
    known = [s.id for s in students]
    for name, report in reports.items():
        if name not in known:
            hint = did_you_mean(name, known)
            raise UsageError(f"{report.path}: {path} has no student {name!r}.{hint} Add a line, or move the report.")
    return students


def read_given(path: Path, rows: Mapping[tuple[str, str], float], problems: Collection[str]) -> list[Given]:
    """The points by hand in a csv: `student,problem,title,points` and, if wanted, `comment`.

    rows: by problem and title, the most points. Raises UsageError; whether the students are in the class isn't asked.
    """
    found: dict[tuple[str, str, str], Given] = {}
    for line, row in read_rows(path, _MANUAL, ("comment",)):
        student, problem, title = row["student"], row["problem"], row["title"]
        if problem not in problems:
            wanted = f"expected one of {', '.join(problems)}.{did_you_mean(problem, problems)}"
            fail_at(path, line, f"no problem {printable(problem)!r}; {wanted}")
        titles = [t for p, t in rows if p == problem]
        if title not in titles:
            hint = did_you_mean(title, titles) or f" It has: {'; '.join(titles) or 'none'}."
            fail_at(path, line, f"{problem} has no points by hand for {printable(title)!r}.{hint}")
        if (student, problem, title) in found:
            fail_at(path, line, f"{student}, {problem}, {title!r} stands twice")
        points = _points(path, line, row["points"], rows[problem, title])
        found[student, problem, title] = Given(student, problem, title, points, row.get("comment", ""), line)
    return list(found.values())


def rows_without(given: Iterable[Given], rows: Collection[tuple[str, str]], students: Iterable[str]) -> list[str]:
    """Notes on students without points by hand, those with the same number of rows together."""
    there = {(g.student, g.problem, g.title) for g in given}
    lacking: dict[int, list[str]] = {}
    for student in students:
        left = sum((student, problem, title) not in there for problem, title in rows)
        lacking.setdefault(left, []).append(student)
    return [
        f"{listing(names, NAMED)}: no points by hand for {plural(left, 'row')}, counted as 0."
        for left, names in sorted(lacking.items())
        if left
    ]


def _add_manual(path: Path, report: _Report, found: Class) -> None:
    """Adds the points of a csv of manual rows; every row of the assignment raises what its problem can give."""
    rows = {key: most for key, most in report.manual.items() if key[0] in found.most}
    given = read_given(path, rows, found.most)
    for one in given:
        if one.student not in found.grades:
            known = any(s.id == one.student for s in found.students)
            why = "has no report" if known else f"is not in the class.{did_you_mean(one.student, found.grades)}"
            fail_at(path, one.line, f"the student {printable(one.student)!r} {why}")
        grade = found.grades[one.student]
        before = grade.points[one.problem]
        grade.points[one.problem] = None if before is None else before + one.points
        if one.comment:
            grade.comments.append(comment_of(one))
    for (problem, _), most in rows.items():
        found.most[problem] += most
    found.notes += rows_without(given, rows, found.grades)


def comment_of(given: Given) -> str:
    """What stands in the feedback about points by hand."""
    return f"{given.problem}, {given.title}: {given.comment}"


def _points(path: Path, line: int, text: str, most: float) -> float:
    try:
        points = float(text)
    except ValueError:
        points = math.nan
    if not math.isfinite(points):
        fail_at(path, line, f"expected a number of points, found {printable(text)!r}")
    if not 0 <= points <= most:
        fail_at(path, line, f"expected 0 to {number(most)} points, found {number(points)}")
    return points
