"""From measured points to those that count: lateness, attempts, and what persons decided.

A function of entries, the assignment's [policy] and the course's papers: nothing of it depends on when, where or how
often the class was graded.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from grader.assignment import Assignment, Policy
from grader.batch.accounts import Account
from grader.batch.attempts import Counted, counted_entries, hand_of
from grader.batch.entries import Entry
from grader.batch.overrides import Override
from grader.batch.papers import Contents, hand_rows
from grader.batch.settlement import Adjustment, Settled, Settlement, graded_problems, points_of
from grader.batch.times import HandIn, by_submission, days_late
from grader.platforms.grades import NAMED, Given, rows_without
from grader.text import listing, nearest, plural


@dataclass(frozen=True)
class _Class:
    """Decisions and points by hand by student, the entries that count, and everybody whom the course knows."""

    papers: Contents
    decided: Mapping[str, Sequence[Override]]
    given: Mapping[str, Sequence[Given]]
    counted: Sequence[Counted]
    known: Collection[str]


def settle(entries: Sequence[Entry], work: Assignment, papers: Contents | None = None) -> Settlement:
    """The points of every student after the policy. papers: as docs/guides/policy.md tells.

    The order, whatever that of the file: points of measures that persons gave; lateness; points of a problem that
    persons gave, which nothing is taken off any more; points added and taken off. Between 0 and the problem's points,
    always.
    """
    found = _class(entries, work, papers or Contents())
    settled = {one.entry.student: _settled(one, found, work) for one in found.counted}
    notes = [*_notes(found, work.policy), *_of_hands(found, work)]
    return Settlement(settled, tuple(notes), frozenset(work.policy.hidden))


def counted(entries: Sequence[Entry], work: Assignment, papers: Contents | None = None) -> list[Entry]:
    """The entries that `settle` takes points from: one for each student, under the student's name, by name."""
    return [one.entry for one in _class(entries, work, papers or Contents()).counted]


def _class(entries: Sequence[Entry], work: Assignment, papers: Contents) -> _Class:
    policy, table = work.policy, papers.table
    hands = by_submission(table)
    known = {hand.student if (hand := hand_of(e, hands)) else e.student for e in entries}
    known |= table.keys() | {s.id for s in papers.roster or ()}
    decided: dict[str, list[Override]] = {}
    for override in papers.decided:
        decided.setdefault(override.student, []).append(override)
    given: dict[str, list[Given]] = {}
    for one in papers.given or ():
        given.setdefault(one.student, []).append(one)

    def worth(entry: Entry, hand: HandIn | None) -> float | None:
        points = points_of(entry, work).values()
        kept = 1 - _share_lost(_days(hand, policy, decided.get(entry.student, ())), policy)
        known = [p for p in points if p is not None]
        return kept * sum(known) if len(known) == len(points) else None

    return _Class(papers, decided, given, counted_entries(entries, policy, table, worth), known)


def _days(hand: HandIn | None, policy: Policy, decided: Iterable[Override]) -> int:
    """Begun days after the student's own deadline."""
    if hand is None or policy.deadline is None:
        return 0
    return days_late(hand.time, policy.deadline, sum(int(o.amount) for o in decided if o.kind == "extension_days"))


def _share_lost(days: int, policy: Policy) -> float:
    if policy.late_most is not None and days > policy.late_most:
        return 1.0
    return min(1.0, policy.late_penalty * max(0, days - policy.late_days))


def _settled(one: Counted, found: _Class, work: Assignment) -> Settled:
    policy, before, student = work.policy, points_of(one.entry, work), one.entry.student
    decided = found.decided.get(student, ())
    days = _days(one.hand, policy, decided)
    lost, why = _share_lost(days, policy), _why_late(days, policy) if days else ""
    notes = list(one.notes)
    steps = [o.step("", 0.0, plural(int(o.amount), "more day")) for o in decided if o.kind == "extension_days"]
    if days and not lost:
        steps.append(Adjustment("", 0.0, why, why))
    points: dict[str, float | None] = {}
    excused = set()
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
            excused |= {problem.id} if account.excused else set()
    notes += _of_decisions(decided, before, one.entry.digest)
    by_hand: dict[str, float] = {}
    for given in found.given.get(student, ()):
        by_hand[given.problem] = by_hand.get(given.problem, 0.0) + given.points
    return Settled(student, before, points, tuple(steps), tuple(notes), why, frozenset(excused), by_hand)


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
    graded, table = {one.entry.student for one in found.counted}, found.papers.table
    if missing := [name for name in table if name not in graded]:
        what = plural(len(missing), "student")
        yield f"The table of times has {what} without a submission: {listing(missing, NAMED)}."
    if untold := [one.entry.student for one in found.counted if table and one.hand is None]:
        yield f"The table of times doesn't have {listing(untold, NAMED)}, who count as in time."
    if policy.deadline and not table:
        yield "There is a deadline, but no table of times: everything counts as handed in in time."
    if table and not policy.deadline:
        yield "There is a table of times, but no deadline in the assignment's [policy]: nothing counts as late."
    yield from _waiting("Decisions", found.decided, graded, found.known)
    yield from _waiting("Points by hand", found.given, graded, found.known)
    if roster := found.papers.roster:
        listed = {s.id for s in roster}
        if absent := [s.id for s in roster if s.id not in graded]:
            what = plural(len(absent), "student")
            yield f"The roster has {what} without a submission: {listing(absent, NAMED)}."
        if strangers := sorted(graded - listed):
            yield f"The roster doesn't have {_unknown(strangers, listed - graded)}."


def _waiting(what: str, of: Iterable[str], graded: Collection[str], known: Collection[str]) -> Iterator[str]:
    """Notes on what stands in a paper about students who have no submission, and about those whom nobody knows."""
    names = sorted(set(of) - set(graded))
    if waiting := [name for name in names if name in known]:
        yield f"{what} wait for a submission of {listing(waiting, NAMED)}."
    if strangers := [name for name in names if name not in known]:
        yield f"{what} are about students who are not in the class: {_unknown(strangers, known)}."


def _unknown(names: Sequence[str], known: Collection[str]) -> str:
    """Names that a paper doesn't know, each with the one that was probably meant."""
    near = {name: nearest(name, known) for name in names[:NAMED]}
    return listing([f"{name} (did you mean {near[name]}?)" if near.get(name) else name for name in names], NAMED)


def _of_hands(found: _Class, work: Assignment) -> Iterator[str]:
    """What is missing of the points by hand, where there are any."""
    if found.papers.given is None:
        return
    problems = graded_problems([one.entry for one in found.counted], work)
    rows = [row for row in hand_rows(work) if row[0] in problems]
    yield from rows_without(found.papers.given, rows, [one.entry.student for one in found.counted])
    if waiting := sorted({g.problem for g in found.papers.given} - set(problems)):
        yield f"Points by hand of {', '.join(waiting)} wait: nobody's was graded yet."
