"""The join: everything that a class gets, from the entries of one or several runs and the course's policy.

Nothing in it depends on when, where, by which engine or in which order the entries were made.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.assignment import Assignment
from grader.batch.classbook import class_report
from grader.batch.entries import Entry, read_entries
from grader.batch.files import write_gradebooks, write_pages, write_scores
from grader.batch.policy import counted, settle
from grader.batch.suspects import pairs_of_students
from grader.documents import read_json, write_whole
from grader.errors import UsageError
from grader.text import listing, printable

COPIES = "copies.json"
CLASS, CHANGES = "class.json", "changes.json"
_PREVIOUS = "class-previous.json"


@dataclass(frozen=True)
class Papers:
    """The course's own files beside the entries: times, decisions, who is in the class, points given by hand."""

    times: Path | None = None
    overrides: Path | None = None
    roster: Path | None = None
    manual: Path | None = None


def join(
    folders: Sequence[Path], out: Path, work: Assignment, papers: Papers | None = None, *, names: bool = False
) -> dict[str, Any]:
    """Writes `class.json`, `scores/`, grade books and pages into `out`, and returns what `class.json` holds.

    names: the leaderboard shows students' names and not pseudonyms. Raises UsageError for entries or papers that can't
    be used.
    """
    papers = papers or Papers()
    entries = gather(folders)
    settlement = settle(entries, work, papers.times, papers.overrides)
    pairs = pairs_of_students(_copies(out), entries, papers.times)
    entries = counted(entries, work, papers.times, papers.overrides)
    out.mkdir(parents=True, exist_ok=True)
    earlier = _earlier(out)
    write_scores(entries, out, earlier)
    notes = write_gradebooks(entries, settlement, out, papers.roster, papers.manual)
    found = class_report(entries, settlement, work, pairs, [*settlement.notes, *notes])
    changes = _changes(found, out)
    write_pages(entries, settlement, found, changes, work, out, earlier, names=names)
    return found


def gather(folders: Iterable[Path]) -> list[Entry]:
    """The entries of several results folders as one. Raises UsageError where two don't agree on a student."""
    found: dict[str, tuple[Entry, Path]] = {}
    for folder in folders:
        for entry in read_entries(folder):
            before, place = found.setdefault(entry.student, (entry, folder))
            if (before.digest, dict(before.keys), before.report) != (entry.digest, dict(entry.keys), entry.report):
                raise UsageError(
                    f"{printable(entry.student)} stands in {place} and in {folder}, graded on other ground. Leave one "
                    "of the folders out, or grade the class again into one."
                )
    return [found[name][0] for name in sorted(found)]


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
        return list(document["pairs"])
    except (KeyError, TypeError, ValueError):
        raise UsageError(f"{path} is not what `grader copies` writes. Take it away, or run that again.") from None


def _changes(found: Mapping[str, Any], out: Path) -> dict[str, Any] | None:
    """What changed since the last run that changed anything; None before there is a second one."""
    path, text = out / CLASS, json.dumps(found, indent=1, allow_nan=False) + "\n"
    before = path.read_text(encoding="utf-8") if path.exists() else None
    if before is not None and before != text:
        write_whole(out / _PREVIOUS, before)
    write_whole(path, text)
    if not (out / _PREVIOUS).exists():
        return None
    from grader.batch.classbook import changes_between

    try:
        changes = changes_between(read_json(out / _PREVIOUS, "an earlier class.json"), found)
    except (KeyError, TypeError, UsageError):  # of another version: nothing to compare with
        return None
    write_whole(out / CHANGES, json.dumps(changes, indent=1, allow_nan=False) + "\n")
    return changes


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
