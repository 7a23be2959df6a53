"""Which assignment a results folder belongs to, and whether that is still as it was when the class was graded."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from grader.assignment import Assignment, load_assignment
from grader.assignment.reading import DEFAULT
from grader.batch.entries import Entry, read_entries
from grader.batch.seen import Seen, read_seen
from grader.errors import UsageError
from grader.platforms.grades import NAMED
from grader.text import listing, plural, printable


def assignment_of(folders: Iterable[Path], given: str | None) -> tuple[Assignment, str]:
    """The assignment that results folders were graded for, or the one given, which has to be of the same id.

    Returns how it can be named from any other folder, too: its id, or the absolute path of its file. Raises UsageError.
    """
    ways: dict[str, Path] = {}
    ids: dict[str, Path] = {}
    for folder in folders:
        seen = read_seen(folder) or _of_entries(folder)
        if seen is not None:
            ways.setdefault(seen.given, folder)
            ids.setdefault(seen.assignment, folder)
    if len(ids) > 1:
        told = ", ".join(f"{folder}: {name}" for name, folder in ids.items())
        raise UsageError(f"The folders are of several assignments ({told}). Join those of one.")
    if not given and len(ways) > 1:
        raise UsageError(
            f"{next(iter(ids))} stands in several files ({', '.join(ways)}). Choose one: --assignment FILE."
        )
    way = given or next(iter(ways), DEFAULT)
    if not given and way.endswith(".toml") and not Path(way).is_file():
        raise UsageError(f"{way}, the assignment of {ways[way]}, is gone. Give it: --assignment FILE.")
    work = load_assignment(way)
    for name, folder in ids.items():
        if name != work.id:
            raise UsageError(
                f"{folder} was graded for {name}, not for {work.id}. Leave --assignment out, or give another folder."
            )
    return work, str(Path(way).absolute()) if way.endswith(".toml") else way


def _of_entries(folder: Path) -> Seen | None:
    """What the entries of a folder say, where no batch has left word."""
    try:
        reports = [e.report for e in read_entries(folder) if e.report]
    except UsageError:  # nothing was graded there yet, or the join will say what is wrong
        return None
    ids = [str(report["assignment"]) for report in reports]
    return Seen(ids[0], ids[0], ()) if ids else None


def of_other_grounds(entries: Iterable[Entry], work: Assignment) -> list[str]:
    """Notes on those who were graded against other baselines than the assignment has now.

    Raises UsageError where an entry is of another assignment.
    """
    specs = {
        (p.id, m.id): [(b.name, b.value, b.points) for b in m.baselines] for p in work.problems for m in p.measures
    }
    changed: dict[str, list[str]] = {}
    for entry in entries:
        if entry.report is None:
            continue
        if entry.report["assignment"] != work.id:
            raise UsageError(
                f"{printable(entry.student)} was graded for {printable(entry.report['assignment'])}, not for "
                f"{work.id}. Give its own --assignment, or leave the folder out."
            )
        for problem in entry.report["problems"]:
            for measure in problem["measures"]:
                taken = [(b["name"], b["value"], b["points"]) for b in measure["baselines"]]
                there = specs.get((problem["id"], measure["id"]))
                if there is None or (taken and taken != there):
                    changed.setdefault(problem["id"], []).append(entry.student)
                    break
    return [
        f"The baselines of {problem} have changed since {plural(len(names), 'student')} were graded: "
        f"{listing(names, NAMED)}. Run `grader batch` again."
        for problem, names in changed.items()
    ]
