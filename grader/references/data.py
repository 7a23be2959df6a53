"""Finds the course's data folder and reads labels from it. These files are the course's: they are trusted."""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from pathlib import Path

from grader.assignment.names import looks_like_image
from grader.errors import CannotMeasure, GraderError, UsageError

VARIABLE = "GRADER_DATA"


class BadReference(GraderError):
    """A reference is there but wrong: the course's mistake, so the measure ends as an error."""


@dataclass(frozen=True)
class Data:
    """The data folder, or the knowledge that there is none; `inner` is its name in the course's layout."""

    home: Path | None
    inner: str

    def find(self, relative: str) -> Path | None:
        """The file or folder at this path under the data folder, or one level down in `inner`."""
        if self.home is None:
            return None
        places = (self.home / relative, self.home / self.inner / relative)
        return next((p for p in places if _exists(p)), None)

    def need(self, relative: str) -> Path:
        """Like `find`, but CannotMeasure says what to do where it is absent."""
        found = self.find(relative)
        if found is not None:
            return found
        if self.home is None:
            raise CannotMeasure(
                f"needs {relative} of the course's data: pass --data DIR, set {VARIABLE}, or run where {self.inner}/ is"
            )
        raise CannotMeasure(f"needs {relative}, which is not under {self.home}")


def find_data(given: str | Path | None, inner: str) -> Data:
    """The data folder: `given`, else the environment variable, else `./<inner>`.

    Raises UsageError if one was named that isn't there.
    """
    for source, named in (("--data", given), (VARIABLE, os.environ.get(VARIABLE))):
        if named:
            if not _exists(Path(named)) or not Path(named).is_dir():
                raise UsageError(f"{source}: no such folder: {named}. It should hold the course's data ({inner}).")
            return Data(Path(named), inner)
    return Data(Path(inner) if Path(inner).is_dir() else None, inner)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # forbidden, or no possible name
        return False


def picture_names(folder: Path) -> list[str]:
    """Names of the pictures in a folder, sorted, hidden ones left out. Raises BadReference where there is none."""
    try:
        names = sorted(p.name for p in folder.iterdir() if looks_like_image(p.name) and p.name[0] != ".")
    except OSError as e:
        raise BadReference(f"{folder}: can't be read: {e.strerror}") from None
    if not names:
        raise BadReference(f"{folder}: no pictures in it")
    return names


def read_labels(path: Path, columns: tuple[str, str], labels: tuple[int, int]) -> dict[str, int]:
    """True labels by image name, in the order of the file.

    Raises BadReference for anything but one row an image with a whole number in range.
    """
    found: dict[str, int] = {}
    try:
        with open(path, newline="", encoding="utf-8-sig") as f:
            rows = csv.reader(f)
            header = next(rows, [])
            if tuple(header) != columns:
                raise BadReference(f"{path}: expected the header {','.join(columns)}, found {','.join(header)[:80]!r}")
            for row in rows:
                if not row:
                    continue
                if len(row) != 2 or not row[1].isascii() or not row[1].isdigit() or len(row[1]) > 9 or row[0] in found:
                    raise BadReference(f"{path}:{rows.line_num}: expected a new name and a label, found {row[:3]!r}")
                found[row[0]] = int(row[1])
                if not labels[0] <= found[row[0]] <= labels[1]:
                    raise BadReference(f"{path}:{rows.line_num}: the label {row[1]} is outside of {labels}")
    except (OSError, UnicodeDecodeError, csv.Error) as e:
        raise BadReference(f"{path}: can't be read: {e}") from None
    if not found:
        raise BadReference(f"{path}: no labels in it")
    return found
