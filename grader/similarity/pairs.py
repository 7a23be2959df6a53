"""The pairs of students of a class whose work has more in common than chance gives, with the evidence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from grader.similarity import images, scripts, tables
from grader.similarity.fingerprints import Fingerprint, Images, Table
from grader.similarity.people import NOBODY
from grader.text import listing, plural

T = TypeVar("T", Images, Table)
_FEW = 4  # students who may have the same before it counts as common to all
_SHARE = 20  # a twentieth of the class


@dataclass(frozen=True)
class Pair:
    """What two students have in common in one respect. strength: in words. examples: pairs of file names.

    count of `of`: images, predictions that are the same though wrong, or parts of scripts.
    """

    students: tuple[str, str]
    problem: str
    deliverable: str
    kind: str
    count: int
    of: int
    strength: str
    examples: tuple[tuple[str, str, float], ...] = ()
    numbers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Found:
    """All pairs, sorted; notes on what was left out; how many submissions were compared."""

    pairs: tuple[Pair, ...]
    notes: tuple[str, ...]
    students: int


def find_pairs(
    prints: Mapping[str, Fingerprint], without: Sequence[str] = (), people: Mapping[str, str] = NOBODY
) -> Found:
    """The pairs of a class, from its fingerprints by submission.

    without: submissions that have none; they become a note, and so do those whose fingerprint is empty, such as a zip
    that was refused. people: the student by submission, where one handed in several; these are not held against each
    other.
    """
    filled = {name: found for name, found in prints.items() if found.images or found.tables or found.scripts}
    without = sorted({*without, *(prints.keys() - filled.keys())})
    students = {people.get(name, name) for name in filled}
    common = max(_FEW, len(students) // _SHARE)
    notes: list[str] = []
    if without:
        could = f"{plural(len(without), 'submission')} could not be compared: {listing(without)}"
        notes.append(f"{could}. They hold nothing that can be read, or were graded by an earlier version.")
    if further := len(filled) - len(students):
        notes.append(
            f"{plural(further, 'submission')} beyond the first of a student: by the table of times several are of one "
            "student, and these were not compared with each other."
        )
    pairs = [
        *_images(_by_place(filled, "images"), common, people, notes),
        *_tables(_by_place(filled, "tables"), people),
        *_scripts(filled, common, people, notes),
    ]
    return Found(
        tuple(sorted(pairs, key=lambda p: (p.students, p.problem, p.deliverable, p.kind))), tuple(notes), len(filled)
    )


def _by_place(prints: Mapping[str, Fingerprint], what: str) -> dict[tuple[str, str], dict[str, Any]]:
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for student in sorted(prints):
        for part in getattr(prints[student], what):
            found.setdefault((part.problem, part.deliverable), {})[student] = part
    return found


def _images(
    by_place: Mapping[tuple[str, str], Mapping[str, Images]],
    common: int,
    people: Mapping[str, str],
    notes: list[str],
) -> Iterable[Pair]:
    for (problem, deliverable), parts in sorted(by_place.items()):
        found, many = images.alike_images(parts, common, people)
        if many:
            most = max(common, len({people.get(s, s) for s in parts}) // 2)
            notes.append(
                f"{problem}: {plural(many, 'image')} of {deliverable} stand in the work of more than {most} students "
                "each, and were taken for no evidence: a published model or the course may have given them."
            )
        for alike in found:
            yield Pair(
                alike.students,
                problem,
                deliverable,
                alike.kind,
                alike.count,
                alike.of,
                _of_images(alike),
                alike.examples,
            )


def _of_images(alike: images.Alike) -> str:
    if alike.kind == "identical-images":
        return f"{alike.count} of {plural(alike.of, 'image')} are the same, pixel by pixel"
    if alike.edit:
        return f"{alike.count} of {plural(alike.of, 'image')} that were looked for are the other's, {alike.edit}"
    return f"{alike.count} of {plural(alike.of, 'image')} are nearly the same"


def _tables(by_place: Mapping[tuple[str, str], Mapping[str, Table]], people: Mapping[str, str]) -> Iterable[Pair]:
    for (problem, deliverable), parts in sorted(by_place.items()):
        for found in tables.agreements(parts, people):
            strength = (
                f"{found.same} of {found.wrong} wrong answers to the same pictures are the same; "
                f"{found.expected:.0f} would be by chance ({found.z:.0f} standard deviations)"
            )
            numbers = (
                ("right answers", f"{found.right[0]:.1%} and {found.right[1]:.1%}"),
                ("equal answers, right ones with them", f"{found.equal} of {found.of}"),
                ("both are wrong about", f"{found.wrong} pictures"),
                ("of these the same wrong answer", f"{found.same}"),
                ("expected by chance", f"{found.expected:.1f}"),
                ("beyond chance", f"{found.z:.1f} standard deviations"),
                ("share beyond chance", f"{found.excess:.0%}"),
            )
            yield Pair(
                found.students, problem, deliverable, "predictions", found.same, found.wrong, strength, (), numbers
            )


def _scripts(
    prints: Mapping[str, Fingerprint], common: int, people: Mapping[str, str], notes: list[str]
) -> Iterable[Pair]:
    found, many = scripts.shared_scripts({s: p.scripts for s, p in prints.items()}, common, people)
    if many:
        notes.append(f"Taken for handed out: {plural(many, 'script')} that more than {common} students have.")
    for shared in found:
        a, b = shared.names
        name = f"Both have {a}" if a == b else f"{a} and {b}"
        how = "the same but for comments and layout" if shared.same else "with most of the rarer parts in common"
        what = f"{name}: {how} ({shared.count} of {shared.of} parts)"
        yield Pair(
            shared.students,
            "",
            "",
            "scripts",
            shared.count,
            shared.of,
            what,
            ((a, b, 1.0 if shared.same else shared.count / shared.of),),
        )


@dataclass(frozen=True)
class Sources:
    """The files of fingerprints by submission, submissions without one, the student of each submission.

    notes: whose submissions were graded and are not there any more, or the other way round.
    """

    files: Mapping[str, Path]
    without: Sequence[str]
    people: Mapping[str, str]
    notes: Sequence[str] = ()


def find_fingerprints(folders: Sequence[Path], times: Path | None = None) -> Sources:
    """The fingerprints in results folders, of those who are in the class. Raises UsageError.

    times: the table that tells attempts apart. Who was renamed is not held against their own earlier name.
    """
    from grader.batch.attempts import students_of
    from grader.batch.entries import fingerprint_path
    from grader.batch.seen import present
    from grader.batch.times import read_times

    table = read_times(times) if times else {}
    there, notes = present(folders)
    people = students_of([entry for entry, _ in there], table)
    found: dict[str, Path] = {}
    for entry, folder in there:
        path = fingerprint_path(folder, entry.student)
        if entry.fingerprint and path.exists():
            found[entry.student] = path
    return Sources(found, sorted(people.keys() - found.keys()), people, notes)
