"""The pairs of `grader copies`, which tell of submissions, as pairs of the students who handed these in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from grader.batch.attempts import students_of
from grader.batch.entries import Entry
from grader.batch.times import HandIn


def pairs_of_students(
    pairs: Iterable[Mapping[str, Any]], entries: Iterable[Entry], table: Mapping[str, tuple[HandIn, ...]]
) -> list[Mapping[str, Any]]:
    """Pairs under the names of students. entries: all that were graded, under the names of submissions.

    What several attempts of two students have in common stands once, as the attempts that have most of it. Attempts of
    one student are no pair: they may be in a file that was written without the table of times.
    """
    of = students_of(entries, table)
    found: dict[tuple[Any, ...], Mapping[str, Any]] = {}
    for pair in pairs:
        one, other = sorted(of.get(name, name) for name in pair["students"])
        key = one, other, pair["problem"], pair["deliverable"], pair["kind"]
        if one != other and (key not in found or found[key]["count"] < pair["count"]):
            found[key] = {**pair, "students": [one, other]}
    return list(found.values())
