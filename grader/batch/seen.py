"""What a batch found when it looked: which submissions there are, and which assignment they are graded for.

Entries of students who were renamed or took their work back stay in the journal; this says that they are none of the
class any more. All parts of a sharded run look at the whole folder, so that each writes the same.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.batch.entries import Entry, read_entries
from grader.documents import read_json, write_whole
from grader.errors import UsageError
from grader.platforms.grades import NAMED
from grader.text import listing, plural

FILE = "seen.json"
_SCHEMA = "grader/seen/1"


@dataclass(frozen=True)
class Seen:
    """`assignment`: its id. `given`: how it was named, by that or by the absolute path of its file.

    `submissions`: the students whose submissions were there.
    """

    assignment: str
    given: str
    submissions: tuple[str, ...]


def write_seen(results: Path, seen: Seen) -> None:
    """Keeps it in the results folder."""
    texts: dict[str, object] = {"schema": _SCHEMA, "assignment": seen.assignment, "given": seen.given}
    document = texts | {"submissions": sorted(seen.submissions)}
    write_whole(results / FILE, json.dumps(document, indent=1) + "\n")


def read_seen(results: Path) -> Seen | None:
    """What the last batch into this folder found; None where none says. Raises UsageError."""
    path = results / FILE
    if not path.exists():
        return None
    found = read_json(path, "what `grader batch` found")
    try:
        if found["schema"] != _SCHEMA:
            raise ValueError(found["schema"])
        seen = Seen(found["assignment"], found["given"], tuple(found["submissions"]))
        if not all(isinstance(text, str) for text in (seen.assignment, seen.given, *seen.submissions)):
            raise ValueError("texts")
        return seen
    except (KeyError, TypeError, ValueError):
        raise UsageError(f"{path} is not what `grader batch` writes. Take it away, and run that again.") from None


def present(folders: Sequence[Path]) -> tuple[list[tuple[Entry, Path]], list[str]]:
    """The entries of those who are in the class, each with its folder, and notes on those who aren't.

    A student is in it if the last batch of any of the folders saw a submission of that name; where no batch has left
    word of what it saw, everybody of that folder is.
    """
    graded = [(entry, folder) for folder in folders for entry in read_entries(folder)]
    there: set[str] = set()
    for folder in folders:
        seen = read_seen(folder)
        there |= set(seen.submissions) if seen else {e.student for e, place in graded if place == folder}
    notes = []
    if gone := sorted({e.student for e, _ in graded} - there):
        notes.append(
            f"{plural(len(gone), 'student')} graded earlier, without a submission when the class was last graded, and "
            f"left out: {listing(gone, NAMED)}. Renamed or taken back? The entries are kept."
        )
    if ungraded := sorted(there - {e.student for e, _ in graded}):
        notes.append(f"{plural(len(ungraded), 'submission')} not graded yet: {listing(ungraded, NAMED)}.")
    return [(entry, folder) for entry, folder in graded if entry.student in there], notes
