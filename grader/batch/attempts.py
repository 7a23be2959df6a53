"""Which of a student's hand-ins counts: the last or the best of those that the course allows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from grader.assignment import Policy
from grader.batch.entries import Entry
from grader.batch.times import HandIn, by_submission
from grader.text import plural

_ZIP = ".zip"


@dataclass(frozen=True)
class Counted:
    """A student's entry that counts, under the student's name; `hand`: when it was handed in, None if nobody told.

    beyond: all that was graded of this student came after the last attempt that counts.
    """

    entry: Entry
    hand: HandIn | None
    notes: tuple[str, ...] = ()
    beyond: bool = False


Worth = Callable[[Entry, HandIn | None], float | None]


def counted_entries(
    entries: Iterable[Entry], policy: Policy, table: Mapping[str, tuple[HandIn, ...]], worth: Worth
) -> list[Counted]:
    """One entry for each student, by name. worth: the points of one, None where it could not be finished.

    Entries belong to a student by the table's `submission`, or else by their own name. Doing it again with what came
    out changes nothing.
    """
    hands = by_submission(table)
    groups: dict[str, list[tuple[Entry, HandIn | None]]] = {}
    for entry in entries:
        hand = hand_of(entry, hands)
        student = hand.student if hand else entry.student
        groups.setdefault(student, []).append((replace(entry, student=student), hand))
    return [_of_student(groups[name], policy, worth) for name in sorted(groups)]


def hand_of(entry: Entry, hands: Mapping[str, HandIn]) -> HandIn | None:
    """When an entry was handed in, by the name of its submission; None if nobody told. hands: by submission."""
    name = entry.source[: -len(_ZIP)] if entry.source.lower().endswith(_ZIP) else entry.source
    return hands.get(name) or hands.get(entry.student)


def students_of(entries: Iterable[Entry], table: Mapping[str, tuple[HandIn, ...]]) -> dict[str, str]:
    """The student by the name of each submission, by the table of times; without a row it is that name itself."""
    hands = by_submission(table)
    return {e.student: hand.student if (hand := hand_of(e, hands)) else e.student for e in entries}


def _of_student(graded: Sequence[tuple[Entry, HandIn | None]], policy: Policy, worth: Worth) -> Counted:
    in_order = sorted(graded, key=lambda g: (g[1].attempt if g[1] else 0, g[0].source))
    allowed = [g for g in in_order if policy.attempts is None or g[1] is None or g[1].attempt <= policy.attempts]
    if not allowed:
        entry, hand = in_order[-1]
        assert hand is not None and policy.attempts is not None
        told = f"attempt {hand.attempt} was graded, but the course counts {plural(policy.attempts, 'attempt')}"
        return Counted(entry, hand, (f"{told}; grade attempt {policy.attempts} instead",), True)
    notes = []
    entry, hand = allowed[-1]
    if policy.attempt == "best" and len(allowed) > 1:
        worths = [worth(*g) for g in allowed]
        if None in worths:
            notes.append("an attempt could not be finished, so that it isn't known which is the best")
        entry, hand = max(zip(allowed, worths, strict=True), key=lambda one: -1.0 if one[1] is None else one[1])[0]
    if len(in_order) > 1 and hand is not None:
        notes.append(f"attempt {hand.attempt} of {len(in_order)} graded ones counts")
    return Counted(entry, hand, tuple(notes))
