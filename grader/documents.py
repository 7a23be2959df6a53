"""Reads JSON that somebody else may have written, capped and with finite numbers alone; writes files whole."""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from grader.errors import UsageError
from grader.text import printable

LARGEST = 64 * 2**20  # bytes
DEEPEST = 32  # levels of objects and arrays; a report has nine


def read_json(path: Path, what: str) -> Any:
    """The value in a file of JSON. what: names it in messages (`a score report`).

    Raises UsageError for a file that can't be read, is too large or too deep, names something twice in one object, or
    holds a number that is none.
    """
    try:
        with open(path, "rb") as f:
            content = f.read(LARGEST + 1)
    except OSError as e:
        raise UsageError(f"{path} can't be read: {e.strerror}. Give the path of {what}.") from None
    if len(content) > LARGEST:
        raise UsageError(f"{path} has more than {LARGEST >> 20} MiB: that is not {what}.")
    try:
        found = json.loads(content.decode("utf-8-sig"), parse_constant=_no_number, object_pairs_hook=_once)
    except RecursionError:
        raise UsageError(f"{path} is nested more than {DEEPEST} levels deep: that is not {what}.") from None
    except ValueError as e:  # damaged text, wrong UTF-8, a whole number of thousands of digits
        raise UsageError(f"{path} is not {what}: {printable(str(e))}.") from None
    if _too_deep(found):
        raise UsageError(f"{path} is nested more than {DEEPEST} levels deep: that is not {what}.")
    return found


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


def write_whole(path: Path, text: str | bytes) -> None:
    """Writes a text or bytes to a file beside it first, then renames: an interruption leaves the old file or none.

    What is no regular file (`/dev/stderr`, a pipe) is written into instead; a link keeps pointing where it does.
    """
    try:
        content = text if isinstance(text, bytes) else text.encode()
        if path.exists() and not path.is_file():
            path.write_bytes(content)
            return
        target = path.resolve()
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


def _umask() -> int:
    # The mask can only be read by setting it.
    mask = os.umask(0)
    os.umask(mask)
    return mask
