"""When each submission was handed in: a csv of the course's own, so that no regrade changes it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from grader.errors import UsageError
from grader.platforms.rows import fail_at, read_rows
from grader.text import printable

_DAY = timedelta(days=1)
_YEARS = range(2000, 2101)  # what is outside of them is a mistake, and far outside can't be computed with
_MOST_ATTEMPTS = 10_000


@dataclass(frozen=True)
class HandIn:
    """One hand-in. `attempt` counts a student's from 1. `submission`: the name of its folder, or zip without `.zip`."""

    student: str
    time: datetime
    attempt: int
    submission: str


def read_times(path: Path) -> dict[str, tuple[HandIn, ...]]:
    """The hand-ins of each student, the first attempt first: `student,time` and, if wanted, `attempt`, `submission`.

    Without `attempt` they are counted in the order of time. Without `submission` what was collected is the last one,
    under the student's name. Raises UsageError.
    """
    found: dict[str, list[HandIn]] = {}
    owners: dict[str, str] = {}
    numbered: set[str] = set()
    for line, row in read_rows(path, ("student", "time"), ("attempt", "submission")):
        student, time = row["student"], _time(path, line, row["time"])
        submission = row.get("submission") or student
        for name in (student, submission):
            if not name or not name.isprintable():
                fail_at(path, line, f"expected the name of a student and submission, found {printable(name)!r}")
        if owners.setdefault(submission, student) != student:
            fail_at(path, line, f"the submission {submission!r} stands at {owners[submission]!r} too")
        earlier = found.setdefault(student, [])
        if row.get("submission") and any(h.submission == submission for h in earlier):
            fail_at(path, line, f"the submission {submission!r} stands twice")
        attempt = _attempt(path, line, row.get("attempt", ""))
        if attempt in (h.attempt for h in earlier) if attempt else time in (h.time for h in earlier):
            fail_at(path, line, f"{student!r} has two hand-ins of this {'attempt' if attempt else 'time'}")
        if earlier and bool(attempt) != (student in numbered):
            fail_at(path, line, f"expected the attempt of all hand-ins of {student!r}, or of none")
        numbered |= {student} if attempt else set()
        earlier.append(HandIn(student, time, attempt, submission))
    if not found:
        raise UsageError(f"{path}: expected a row a hand-in, student,time; found none.")
    return {student: _counted(hands) for student, hands in sorted(found.items())}


def _counted(hands: list[HandIn]) -> tuple[HandIn, ...]:
    if hands[0].attempt:
        return tuple(sorted(hands, key=lambda h: h.attempt))
    in_time = sorted(hands, key=lambda h: h.time)
    return tuple(HandIn(h.student, h.time, i, h.submission) for i, h in enumerate(in_time, start=1))


def _time(path: Path, line: int, text: str) -> datetime:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        time = None
    if time is None or time.tzinfo is None or time.year not in _YEARS:
        wanted = "expected a time with its zone, such as 2026-11-05T23:59:00+08:00"
        fail_at(path, line, f"{wanted}; found {printable(text)!r}")
    return time


def _attempt(path: Path, line: int, text: str) -> int:
    """Its number; 0 where none is given."""
    if not text:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) < 9) or not 0 < int(text) <= _MOST_ATTEMPTS:
        fail_at(path, line, f"expected the number of the attempt, from 1, found {printable(text)!r}")
    return int(text)


def days_late(time: datetime, deadline: datetime, extension: int = 0) -> int:
    """Begun days after the deadline, which is moved by so many whole days; 0 for what came in time.

    >>> end = datetime.fromisoformat("2026-11-05T23:59:00+08:00")
    >>> days_late(end, end), days_late(end + timedelta(seconds=1), end), days_late(end + timedelta(days=2), end)
    (0, 1, 2)
    """
    return max(0, math.ceil((time - deadline - extension * _DAY) / _DAY))


def by_submission(table: Mapping[str, tuple[HandIn, ...]]) -> dict[str, HandIn]:
    """The hand-in of each submission; the last one, where several have one name."""
    return {hand.submission: hand for hands in table.values() for hand in hands}
