"""The join: everything that a class gets, from the entries of one or several runs and the course's policy.

Nothing in it depends on when, where, by which engine or in which order the entries were made.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from grader.assignment import Assignment
from grader.batch.assigned import of_other_grounds
from grader.batch.books import maxima, write_books
from grader.batch.classbook import changes_between, class_report
from grader.batch.entries import Entry
from grader.batch.files import Joined, write_pages, write_scores
from grader.batch.papers import Papers, read_papers, remember
from grader.batch.policy import counted, settle
from grader.batch.seen import present
from grader.batch.suspects import pairs_of_students
from grader.documents import read_json, write_whole
from grader.errors import UsageError
from grader.text import listing, printable

COPIES = "copies.json"
CLASS, CHANGES = "class.json", "changes.json"
_PREVIOUS = "class-previous.json"


def join(
    folders: Sequence[Path], out: Path, work: Assignment, papers: Papers | None = None, *, names: bool = False
) -> dict[str, Any]:
    """Writes `class.json`, `scores/`, grade books and pages into `out`, and returns what `class.json` holds.

    names: the leaderboard shows students' names and not pseudonyms. Raises UsageError for entries or papers that can't
    be used.
    """
    papers = papers or Papers()
    contents = read_papers(papers, work)
    entries, notes = gather(folders)
    notes += of_other_grounds(entries, work)
    settlement = settle(entries, work, contents)
    pairs = pairs_of_students(_copies(out), entries, contents.table)
    entries = counted(entries, work, contents)
    out.mkdir(parents=True, exist_ok=True)
    earlier = _earlier(out)
    write_scores(entries, out, earlier)
    notes += [*settlement.notes, *write_books(entries, settlement, work, contents, out)]
    found = class_report(entries, settlement, work, contents, pairs, notes)
    changes = _changes(found, out)
    joined = Joined(entries, settlement, found, maxima(entries, work, contents), contents.given is not None)
    write_pages(joined, changes, work, out, earlier, names=names)
    remember(out, papers)
    return found


def gather(folders: Sequence[Path]) -> tuple[list[Entry], list[str]]:
    """The entries of several results folders as one, and notes on those that are left out.

    Raises UsageError where two folders don't agree on a student.
    """
    graded, notes = present(folders)
    found: dict[str, tuple[Entry, Path]] = {}
    for entry, folder in graded:
        before, place = found.setdefault(entry.student, (entry, folder))
        if (before.digest, dict(before.keys), before.report) != (entry.digest, dict(entry.keys), entry.report):
            raise UsageError(
                f"{printable(entry.student)} stands in {place} and in {folder}, graded on other ground. Leave one "
                "of the folders out, or grade the class again into one."
            )
    return [found[name][0] for name in sorted(found)], notes


def _earlier(out: Path) -> set[str]:
    """The students of the last two joins: an interrupted one may have left files of those that the first had."""
    found: set[str] = set()
    for path in (out / CLASS, out / _PREVIOUS):
        if path.exists():
            # One of another version, or none at all: its files stay.
            with suppress(UsageError, KeyError, TypeError):
                found |= {str(s["student"]) for s in read_json(path, "an earlier class.json")["students"]}
    return found


def _copies(out: Path) -> list[Mapping[str, Any]]:
    """The pairs that `grader copies` found, if it was there."""
    path = out / COPIES
    if not path.exists():
        return []
    document = read_json(path, "what `grader copies` wrote")
    try:
        if document["schema"] != "grader/copies/1":
            raise ValueError(document["schema"])
        pairs = list(document["pairs"])
        for pair in pairs:
            one, other = pair["students"]
            texts = one, other, *(pair[key] for key in ("problem", "deliverable", "kind", "strength", "page"))
            if not all(isinstance(t, str) for t in texts) or {type(pair[k]) for k in ("count", "of")} != {int}:
                raise ValueError("a pair")
        return pairs
    except (KeyError, TypeError, ValueError):
        raise UsageError(f"{path} is not what `grader copies` writes. Take it away, or run that again.") from None


def _changes(found: Mapping[str, Any], out: Path) -> dict[str, Any] | None:
    """What changed since the last join that changed anything of it; None before there is such a one."""
    path, previous = out / CLASS, out / _PREVIOUS
    before = path.read_text(encoding="utf-8") if path.exists() else None
    last = _between(path, found)
    if before is not None and last is not None and (last["new"] or last["gone"] or last["changed"]):
        write_whole(previous, before)  # another note, or copies that were looked for, push nothing out
    write_whole(path, json.dumps(found, indent=1, allow_nan=False) + "\n")
    changes = _between(previous, found)
    if changes is not None:
        write_whole(out / CHANGES, json.dumps(changes, indent=1, allow_nan=False) + "\n")
    return changes


def _between(path: Path, found: Mapping[str, Any]) -> dict[str, Any] | None:
    """The changes since an earlier class.json; None without one that can be compared with."""
    if not path.exists():
        return None
    try:
        return changes_between(read_json(path, "an earlier class.json"), found)
    except (AttributeError, KeyError, TypeError, UsageError):  # of another version
        return None


def told(found: Mapping[str, Any]) -> list[str]:
    """What a person should look at, in lines for a terminal."""
    lines = [
        f"{s['student']}: could not be finished: {s['reason']}" for s in found["students"] if s["state"] == "error"
    ]
    pairs = {tuple(sorted((s["student"], c["with"]))) for s in found["students"] for c in s["copies"]}
    lines += [f"{a} and {b}: much alike" for a, b in sorted(pairs)]
    noted = [s["student"] for s in found["students"] if s["notes"]]
    lines += [f"There are notes on {listing(noted)}."] if noted else []
    return lines + list(found["notes"])
