"""Rows of a csv that a person or a platform wrote: every mistake in it ends with file and line."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

from grader.errors import UsageError
from grader.text import plural, printable


def read_rows(path: Path, needed: Sequence[str], optional: Sequence[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows of a csv with a header, each with the line it ends on. Raises UsageError for any other shape."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as f:
            reader = csv.reader(f, strict=True)
            header = [name.strip().lower() for name in next(reader, [])]
            for name in header:
                if name not in (*needed, *optional) or header.count(name) > 1:
                    wanted = f"expected {','.join(needed)} and, if wanted, {','.join(optional)}"
                    fail_at(path, 1, f"the column {printable(name)!r} is unknown or there twice; {wanted}")
            if missing := [name for name in needed if name not in header]:
                fail_at(path, 1, f"expected the columns {','.join(needed)}; {missing[0]} is missing")
            for row in reader:
                if not row:
                    continue
                if len(row) != len(header):
                    fail_at(path, reader.line_num, f"expected {plural(len(header), 'field')}, found {len(row)}")
                yield reader.line_num, dict(zip(header, (cell.strip() for cell in row), strict=True))
    except OSError as e:
        raise UsageError(f"{path} can't be read: {e.strerror}.") from None
    except (UnicodeDecodeError, csv.Error) as e:
        raise UsageError(f"{path}: expected a csv in UTF-8: {e}.") from None


def fail_at(path: Path, line: int, message: str) -> NoReturn:
    """Raises UsageError: `file:line: message`."""
    raise UsageError(f"{path}:{line}: {message}")
