"""What decides whether a verdict still holds: digests of submission, assignment, judges and references."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any

from grader._version import __version__
from grader.assignment import Assignment, FigureSpec, ImagesSpec
from grader.assignment.model import Problem
from grader.errors import CannotMeasure, SubmissionRefused, UsageError
from grader.judges.needed import judge_of
from grader.judges.weights import find_weights
from grader.readiness import needs_of_data
from grader.references.data import Data
from grader.submission import Submission, Unreadable, open_submission

_PART = 1 << 20
_MOST = 200_000  # names that are looked at; a submission has a few thousand
_ALWAYS = "efficientnet_lite0"  # decides whether images are copies, in every problem


def submission_digest(path: Path, assignment: Assignment) -> str:
    """sha256 of everything that grading may look at: a zip's bytes; a folder's names, and its deliverables' contents.

    Raises SubmissionRefused where it can't be read at all.
    """
    if path.is_file():
        try:
            return _file(path)
        except OSError as e:
            raise _unreadable(path, e) from None
    digest = hashlib.sha256()
    places = tuple(sorted({d.path for p in assignment.problems for d in p.deliverables}))
    with open_submission(path) as view:
        for line in _lines(view, places):
            digest.update(line.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _lines(view: Submission, places: tuple[str, ...]) -> Iterator[str]:
    """A line for each name, with its content's sha256 below one of the places; ended by what no name holds."""
    seen, folders = 0, ["."]
    while folders:
        folder = folders.pop()
        depth = folder.count("/") + 1
        for name, entry in view.peek(folder).items():
            seen += 1
            if seen > _MOST:
                yield "and more\0"
                return
            path = name if folder == "." else f"{folder}/{name}"
            content = ""
            if entry.kind == "folder" and depth < view.limits.depth:
                folders.append(path)
            elif entry.kind == "file" and any(path == p or path.startswith(f"{p}/") for p in places):
                content = _content(view, path)
            yield f"{entry.kind} {content} {path}\0"


def _content(view: Submission, path: str) -> str:
    try:
        view.read(path)
    except Unreadable as e:
        return str(e)
    return view.digest_of(path)


def _unreadable(path: Path, error: OSError) -> SubmissionRefused:
    why = error.strerror or "it can't be opened"
    wanted = "a folder or a zip that can be read"
    return SubmissionRefused(
        f"{path.name} can't be read: {why}.", expected=wanted, actual=why, help="Hand it in again."
    )


def _file(path: Path) -> str:
    """sha256 of a regular file, read in parts; no link is followed. Raises OSError."""
    digest = hashlib.sha256()
    fd = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(fd, "rb") as f:
        while part := f.read(_PART):
            digest.update(part)
    return digest.hexdigest()


@dataclass(frozen=True)
class Ground:
    """What every submission is graded with: by problem, the sha256 of assignment, judges and references."""

    problems: Mapping[str, str]

    def keys(self, submission: str) -> dict[str, str]:
        """By problem, the sha256 of everything that a verdict on this submission depends on."""
        return {p: hashlib.sha256(f"{ground} {submission}".encode()).hexdigest() for p, ground in self.problems.items()}


def find_ground(
    assignment: Assignment, data: Data, judges: Mapping[str, Path], references: Iterable[Path] = ()
) -> Ground:
    """Reads whatever the verdicts depend on, once. Raises UsageError for what can't be read."""
    common = [__version__, assignment.data_folder, _text(assignment.reported)]
    common += sorted(_data(path) for path in references)
    seen: dict[str, str] = {}
    return Ground({p.id: _of_problem(p, assignment, data, judges, common, seen) for p in assignment.problems})


def _of_problem(
    problem: Problem,
    assignment: Assignment,
    data: Data,
    judges: Mapping[str, Path],
    common: Iterable[str],
    seen: dict[str, str],
) -> str:
    parts = [*common, _text(problem)]
    for name in sorted({_ALWAYS} | {j.name for m in problem.measures if (j := judge_of(m))}):
        if name not in seen:
            seen[name] = _judge(name, judges)
        parts.append(f"{name} {seen[name]}")
    needed = {n.path for n in needs_of_data(assignment.only([problem.id]))}
    needed |= {f for d in problem.deliverables if isinstance(d, ImagesSpec | FigureSpec) for f in d.copies_of}
    needed |= {d.one_for_each for d in problem.deliverables if isinstance(d, ImagesSpec) and d.one_for_each}
    for path in sorted(needed):
        if path not in seen:
            seen[path] = _data(data.find(path))
        parts.append(f"{path} {seen[path]}")
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _judge(name: str, given: Mapping[str, Path]) -> str:
    try:
        return find_weights(name, given).sha256
    except CannotMeasure:
        return "none"


def _data(path: Path | None) -> str:
    """sha256 of a file of the course, or of the names and contents of a folder's files; "none" where it is absent."""
    if path is None:
        return "none"
    digest = hashlib.sha256()
    try:
        if path.is_file():
            return _file(path.resolve())
        for child in sorted(os.scandir(path), key=lambda e: e.name):
            if child.is_file():
                with open(child.path, "rb") as f:
                    digest.update(os.fsencode(child.name) + b"\0" + hashlib.sha256(f.read()).digest())
    except OSError as e:
        raise UsageError(f"{path}, which the grades depend on, can't be read: {e.strerror}.") from None
    return digest.hexdigest()


def _text(value: Any) -> str:
    """A value of the assignment as text, the same on every machine: a file stands for its content."""
    if isinstance(value, Path):
        return _data(value)
    if is_dataclass(value) and not isinstance(value, type):
        return f"{type(value).__name__}({', '.join(_text(getattr(value, f.name)) for f in fields(value))})"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{_text(k)}: {_text(v)}' for k, v in value.items())}}}"
    if isinstance(value, tuple | list):
        return f"[{', '.join(_text(v) for v in value)}]"
    return repr(value)
