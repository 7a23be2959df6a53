"""From measured points to those that count: lateness, attempts, and what persons decided.

A function of entries, the assignment's [policy] and two files of the course: nothing of it depends on when, where or
how often the class was graded.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.assignment import Assignment, Policy
from grader.batch.accounts import Account
from grader.batch.attempts import Counted, counted_entries, hand_of
from grader.batch.entries import Entry
from grader.batch.hiding import hide as hide
from grader.batch.overrides import Override, read_overrides
from grader.batch.settlement import Adjustment, Settled, Settlement, points_of
from grader.batch.times import HandIn, by_submission, days_late, read_times
from grader.text import listing, plural


@dataclass(frozen=True)
class _Class:
    """What was read: hand-ins and decisions by student, and the entries that count."""

    table: Mapping[str, tuple[HandIn, ...]]
    decided: Mapping[str, Sequence[Override]]
    counted: Sequence[Counted]


def settle(
    entries: Sequence[Entry], work: Assignment, times: Path | None = None, overrides: Path | None = None
) -> Settlement:
    """The points of every student after the policy. times, overrides: files as docs/guides/policy.md tells.

    The order, whatever that of the file: points of measures that persons gave; lateness; points of a problem that
    persons gave, which nothing is taken off any more; points added and taken off. Between 0 and the problem's points,
    always. Raises UsageError for a wrong file.
    """
    found = _read(entries, work, times, overrides)
    settled = {}
    for one in found.counted:
        name = one.entry.student
        settled[name] = _settled(one, found.decided.get(name, ()), work, told=bool(found.table))
    return Settlement(settled, tuple(_notes(found, work.policy)), frozenset(work.policy.hidden))


def counted(
    entries: Sequence[Entry], work: Assignment, times: Path | None = None, overrides: Path | None = None
) -> list[Entry]:
    """The entries that `settle` takes points from: one for each student, under the student's name, by name."""
    return [one.entry for one in _read(entries, work, times, overrides).counted]


def _read(entries: Sequence[Entry], work: Assignment, times: Path | None, overrides: Path | None) -> _Class:
    policy, table = work.policy, read_times(times) if times else {}
    hands = by_submission(table)
    students = {hand.student if (hand := hand_of(e, hands)) else e.student for e in entries}
    decided: dict[str, list[Override]] = {}
    for override in read_overrides(overrides, work, sorted(students | set(table))) if overrides else ():
        decided.setdefault(override.student, []).append(override)

    def worth(entry: Entry, hand: HandIn | None) -> float | None:
        points = points_of(entry, work).values()
        kept = 1 - _share_lost(_days(hand, policy, decided.get(entry.student, ())), policy)
        known = [p for p in points if p is not None]
        return kept * sum(known) if len(known) == len(points) else None

    return _Class(table, decided, counted_entries(entries, policy, table, worth))


def _days(hand: HandIn | None, policy: Policy, decided: Iterable[Override]) -> int:
    """Begun days after the student's own deadline."""
    if hand is None or policy.deadline is None:
        return 0
    return days_late(hand.time, policy.deadline, sum(int(o.amount) for o in decided if o.kind == "extension_days"))


def _share_lost(days: int, policy: Policy) -> float:
    if policy.late_most is not None and days > policy.late_most:
        return 1.0
    return min(1.0, policy.late_penalty * max(0, days - policy.late_days))


def _settled(one: Counted, decided: Sequence[Override], work: Assignment, *, told: bool) -> Settled:
    """told: there is a table of times, so that a student without a time is worth a note."""
    policy, before = work.policy, points_of(one.entry, work)
    days = _days(one.hand, policy, decided)
    lost, why = _share_lost(days, policy), _why_late(days, policy)
    notes = list(one.notes)
    if told and one.hand is None:
        notes.append("the table of times doesn't have it; it counts as handed in in time")
    if days and not lost:
        notes.append(why)
    steps = [
        Adjustment("", 0.0, f"{plural(int(o.amount), 'more day')}: {o.why}", o.who, o.when)
        for o in decided
        if o.kind == "extension_days"
    ]
    points: dict[str, float | None] = {}
    for problem in work.problems:
        if problem.id in before:
            own = [o for o in decided if o.problem == problem.id or (o.kind == "excuse" and not o.problem)]
            account = Account(problem, before[problem.id], _earned(one.entry, problem.id))
            if one.beyond:
                account.leave_open(one.notes[0])
            account.settle(own, lost, why)
            points[problem.id] = account.points
            steps += account.steps
            notes += account.notes
    notes += _of_decisions(decided, before, one.entry.digest)
    return Settled(one.entry.student, before, points, tuple(steps), tuple(notes))


def _of_decisions(decided: Sequence[Override], graded: Collection[str], digest: str) -> list[str]:
    """Notes on those that wait, and on those that were made for another submission."""
    left = sorted({o.problem for o in decided if o.problem and o.problem not in graded})
    notes = [f"{problem} was not graded here, so that decisions about it wait" for problem in left]
    earlier = [o for o in decided if o.digest and not digest.startswith(o.digest)]
    return notes + [f"{o.when}, {o.who}: made for an earlier hand-in ({o.digest[:12]}…): {o.why}" for o in earlier]


def _why_late(days: int, policy: Policy) -> str:
    if policy.late_most is not None and days > policy.late_most:
        return f"{plural(days, 'day')} late, and nothing counts after {policy.late_most}"
    free = f"; the first {policy.late_days} cost nothing" if policy.late_days > 1 else ""
    free = "; the first one costs nothing" if policy.late_days == 1 else free
    return f"{plural(days, 'day')} late{free}"


def _earned(entry: Entry, problem: str) -> dict[str, float]:
    """What each measure of a problem earned."""
    reports = entry.report["problems"] if entry.report else []
    measures = [m for p in reports if p["id"] == problem for m in p["measures"]]
    return {m["id"]: sum(b["earned"] for b in m["baselines"]) for m in measures}


def _notes(found: _Class, policy: Policy) -> Iterator[str]:
    """What a person should look at of the class as a whole."""
    graded = {one.entry.student for one in found.counted}
    if missing := [name for name in found.table if name not in graded]:
        yield f"The table of times has {plural(len(missing), 'student')} without a submission: {listing(missing)}."
    if untold := [one.entry.student for one in found.counted if found.table and one.hand is None]:
        yield f"The table of times doesn't have {listing(untold)}, who count as in time."
    if policy.deadline and not found.table:
        yield "There is a deadline, but no table of times: everything counts as handed in in time."
    if found.table and not policy.deadline:
        yield "There is a table of times, but no deadline in the assignment's [policy]: nothing counts as late."
    if waiting := [name for name in found.decided if name not in graded]:
        yield f"Decisions wait for a submission of {listing(waiting)}."
