"""Reads JSON that somebody else may have written, capped and with finite numbers alone; writes files whole."""

from __future__ import annotations

import errno
import json
import os
import re
import stat
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from grader.errors import UsageError
from grader.text import printable

LARGEST = 64 * 2**20  # bytes
DEEPEST = 32  # levels of objects and arrays; a report has nine
_SPARSE = 16  # bytes of the largest file for each of its values: an empty object has two and takes a hundred
_BEGUN = re.compile(r"\..+\.[a-z0-9_]{8}")  # the names that `write_whole` gives to what it has begun
_STALE = 3600  # seconds


def read_json(path: Path, what: str, largest: int = LARGEST) -> Any:
    """The value in a file of JSON of at most `largest` bytes. what: names it in messages (`a score report`).

    Raises UsageError for a file that can't be read, is no regular one, is too large or too deep, holds too many values,
    names something twice in one object, or holds a number that is none.
    """
    try:
        content = _content(path, largest + 1)
    except OSError as e:
        raise UsageError(f"{path} can't be read: {e.strerror}. Give the path of {what}.") from None
    if len(content) > largest:
        raise UsageError(f"{path} has more than {largest >> 20} MiB: that is not {what}.")
    most = largest // _SPARSE
    if sum(content.count(mark) for mark in (b",", b"[", b"{")) > most:
        raise UsageError(f"{path} holds more than {most} values: that is not {what}.")
    try:
        found = json.loads(content.decode("utf-8-sig"), parse_constant=_no_number, object_pairs_hook=_once)
    except MemoryError:
        raise UsageError(f"{path} takes more memory than there is: that is not {what}.") from None
    except RecursionError:
        raise UsageError(f"{path} is nested more than {DEEPEST} levels deep: that is not {what}.") from None
    except ValueError as e:  # damaged text, wrong UTF-8, a whole number of thousands of digits
        raise UsageError(f"{path} is not {what}: {printable(str(e))}.") from None
    if _too_deep(found):
        raise UsageError(f"{path} is nested more than {DEEPEST} levels deep: that is not {what}.")
    return found


def _content(path: Path, most: int) -> bytes:
    """The beginning of a regular file: a pipe that nobody writes to would be waited for without end. Raises OSError."""
    fd = os.open(path, os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NONBLOCK", "O_BINARY", "O_CLOEXEC")))
    with os.fdopen(fd, "rb") as f:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
        return f.read(most)


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Readers differ in which of two they take, so that one could be shown and another one counted.
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object names something twice")
    return found


def _too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(DEEPEST):
        level = [
            inner
            for outer in level
            if isinstance(outer, (dict, list))
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, (dict, list))
        ]
        if not level:
            return False
    return True


def write_whole(path: Path, text: str | bytes, *, follow: bool = True) -> None:
    """Writes a text or bytes to a file beside it first, then renames: an interruption leaves the old file or none.

    What is no regular file (`/dev/stderr`, a pipe) is written into instead; a link keeps pointing where it does.
    follow: False for a place that a student may have prepared: whatever has that name there, the file replaces it.
    """
    content = text if isinstance(text, bytes) else text.encode()
    try:
        if follow and path.exists() and not path.is_file():
            _write_into(path, content)
            return
        target = path.resolve() if follow else path
        fd, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name[:100]}.")
        try:
            with os.fdopen(fd, "wb") as f:
                f.write(content)
            Path(name).chmod(0o666 & ~_umask())
            Path(name).replace(target)
        except BaseException:
            with suppress(OSError):
                Path(name).unlink()
            raise
    except OSError as e:
        raise UsageError(f"{path} can't be written: {e.strerror}.") from None


def clear_half_written(folder: Path) -> None:
    """Takes away what `write_whole` had begun in a folder when its process was killed, an hour ago or more."""
    for path in folder.iterdir():
        with suppress(OSError):
            if _BEGUN.fullmatch(path.name) and path.is_file() and time.time() - path.lstat().st_mtime > _STALE:
                path.unlink()


def _write_into(path: Path, content: bytes) -> None:
    """Writes to a device or to a pipe that somebody reads; one without a reader is an OSError and not waited for."""
    fd = os.open(path, os.O_WRONLY | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(fd, "wb") as f:
        os.set_blocking(fd, True)  # only opening must not wait
        f.write(content)


def _umask() -> int:
    # The mask can only be read by setting it.
    mask = os.umask(0)
    os.umask(mask)
    return mask
