"""Tells whether a submission has changed since the last look, without reading it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from grader.batch.tasks import Task
from grader.submission.limits import LIMITS


def signatures(tasks: Iterable[Task]) -> dict[str, str]:
    """By student: changes when files come, go, are renamed, or are written to, which changes their time or size."""
    return {task.student: _signature(task.path) for task in tasks}


def _signature(path: Path) -> str:
    found = hashlib.sha256()
    try:
        for line in _lines(path):
            found.update(line)
    except OSError as e:  # it goes away while it is looked at
        found.update(str(e).encode())
    return found.hexdigest()


def _lines(top: Path) -> Iterator[bytes]:
    """Each file and folder with its time and size, at most as many as a submission may have in one folder."""
    yield _line(os.fsencode(top), top.lstat())
    left, level = LIMITS.entries, [] if top.is_symlink() or not top.is_dir() else [os.fsencode(top)]
    while level and left > 0:
        inner = []
        for folder in level:
            with os.scandir(folder) as entries:
                found = [e for e, _ in zip(entries, range(left), strict=False)]
            left -= len(found)
            for entry in sorted(found, key=lambda e: e.name):
                yield _line(entry.path, entry.stat(follow_symlinks=False))
            inner += sorted(e.path for e in found if e.is_dir(follow_symlinks=False))
        level = inner


def _line(path: bytes, status: os.stat_result) -> bytes:
    return b"%s %d %d %d\0" % (path, status.st_mtime_ns, status.st_size, status.st_ino)
