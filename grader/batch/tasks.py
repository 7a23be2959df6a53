"""What there is to grade: each sub-folder or zip of a folder is one student's submission."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from grader.errors import UsageError
from grader.submission.door import is_ignored
from grader.text import listing, plural, printable

# What students send in place of a zip; any other file beside the submissions is the course's own.
_ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".gz", ".7z", ".rar")


@dataclass(frozen=True)
class Task:
    """One submission. `refusal`: why a person has to look at it before anything of it is read; empty for all others.

    `turn`: tells each time that it is handed to a worker from the others.
    """

    student: str
    path: Path
    refusal: str = ""
    turn: str = ""


@dataclass(frozen=True)
class Shard:
    """The part `number` (from 1) of `of` parts of a class; each submission belongs to one of them by its name."""

    number: int
    of: int

    def holds(self, student: str) -> bool:
        """True for the submissions of this part, whatever else lies beside them."""
        digest = hashlib.sha256(student.encode("utf-8", "surrogateescape")).digest()
        return int.from_bytes(digest[:8], "big") % self.of == self.number - 1

    @classmethod
    def parse(cls, text: str) -> Shard:
        """From `I/N`. Raises UsageError.

        >>> Shard.parse("2/8")
        Shard(number=2, of=8)
        """
        match = re.fullmatch(r"([0-9]{1,6})/([0-9]{1,6})", text)
        number, of = (int(match[1]), int(match[2])) if match else (0, 0)
        if not 1 <= number <= of:
            raise UsageError(f"--shard {printable(text)}: expected I/N with I from 1 to N, such as 2/8.")
        return cls(number, of)


def find_tasks(folder: Path, shard: Shard | None = None) -> tuple[list[Task], list[str]]:
    """The submissions in a folder by name, and notes on what is none. Raises UsageError for no folder."""
    try:
        with os.scandir(folder) as found:
            entries = sorted((e for e in found if not _is_hidden(e.name)), key=lambda e: os.fsencode(e.name))
    except OSError as e:
        raise UsageError(f"{folder}: {e.strerror}. Give the folder that holds the submissions.") from None
    named: dict[str, list[os.DirEntry[str]]] = {}
    strange = []
    for entry in entries:
        student = _student(entry)
        if student is None:
            strange.append(entry.name)
        elif shard is None or shard.holds(student):
            named.setdefault(student, []).append(entry)
    notes = []
    if strange:
        what = plural(len(strange), "file")
        notes.append(f"{what} beside the submissions: {listing(strange)}. A submission is a sub-folder or a zip.")
    return [_task(student, several) for student, several in named.items()], notes


def _is_hidden(name: str) -> bool:
    return name.startswith(".") or is_ignored(name)


def _student(entry: os.DirEntry[str]) -> str | None:
    """The student's id that an entry stands for; None for a file that is no submission."""
    if entry.is_dir():
        return entry.name
    endings: Iterable[str] = (ending for ending in (".zip", *_ARCHIVES) if entry.name.lower().endswith(ending))
    ending = max(endings, key=len, default="")
    return entry.name[: -len(ending)] if len(ending) < len(entry.name) and ending else None


def _task(student: str, several: list[os.DirEntry[str]]) -> Task:
    path = Path(several[0].path)
    if len(several) > 1:
        names = " and ".join(printable(e.name) for e in several)
        return Task(student, path, f"{names} are both there: keep the one that counts")
    if several[0].is_symlink():
        return Task(student, path, f"{printable(several[0].name)} is a link, and links are not followed")
    if not student.isprintable():
        return Task(student, path, "its name holds control or undecodable characters: rename it")
    return Task(student, path)
