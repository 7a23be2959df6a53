"""A zip as a submission: read in place, never unpacked."""

from __future__ import annotations

import errno
import os
import stat
import struct
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from grader.errors import SubmissionRefused, UsageError
from grader.submission.directory import TooManyEntries, examine_directory
from grader.submission.door import Entry, EntryKind, Submission, Unreadable, is_ignored
from grader.submission.limits import LIMITS, Limits
from grader.text import printable

_ENCRYPTED = 0x1
_BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, ValueError, OverflowError, RuntimeError)


class ZipSubmission(Submission):
    """The entries of a zip as a tree."""

    def __init__(self, path: Path, limits: Limits = LIMITS) -> None:
        super().__init__(str(path), limits)
        try:
            self._file = _opened(path)
        except OSError as e:
            raise UsageError(f"{path} can't be opened: {e.strerror}.") from None
        try:
            self._zip = self._listed_zip()
            self._infos: dict[str, zipfile.ZipInfo] = {}
            self._tree: dict[str, dict[str, EntryKind]] = {".": {}}
            self._build()
        except BaseException:
            self._file.close()
            raise

    def close(self) -> None:
        self._zip.close()
        self._file.close()

    def _listed_zip(self) -> zipfile.ZipFile:
        try:
            if os.fstat(self._file.fileno()).st_size > self.limits.zip_size:
                raise _refused("The zip is too large.", f"at most {self.limits.zip_size} bytes", "more")
            examine_directory(self._file, self.limits.entries)
            return zipfile.ZipFile(self._file)
        except TooManyEntries:
            raise self._too_many("The zip") from None
        except MemoryError:
            raise _refused("The zip can't be read.", "an undamaged zip", "names that no memory holds") from None
        except OSError as e:
            raise UsageError(f"{self.name} can't be read: {e.strerror}.") from None
        except _BROKEN as e:
            raise _refused("The zip can't be read.", "an undamaged zip", printable(str(e))) from None

    def _build(self) -> None:
        infos = self._zip.infolist()
        if len(infos) > self.limits.entries:
            raise self._too_many("The zip")
        for info in infos:
            parts = self._parts(info)
            if any(is_ignored(part) for part in parts) or not parts:
                continue
            self._add(parts, info)

    def _parts(self, info: zipfile.ZipInfo) -> tuple[str, ...]:
        name = info.filename
        parts = PurePosixPath(name).parts
        if "\\" in name:
            raise _refused("The zip has names with backslashes.", "names with /", printable(name))
        outside = name.startswith("/") or ".." in parts or "\0" in name or name[1:2] == ":"
        if outside:
            raise _refused("The zip has an entry that points outside of it.", "plain relative names", printable(name))
        if len(parts) > self.limits.depth or any(len(p) > self.limits.name_length for p in parts):
            raise _refused("The zip has an entry that is too deep or too long.", "short paths", printable(name))
        return parts

    def _add(self, parts: tuple[str, ...], info: zipfile.ZipInfo) -> None:
        parent = "."
        for name in parts[:-1]:
            if self._tree[parent].setdefault(name, "folder") != "folder":
                raise self._clash("/".join(parts))
            parent = name if parent == "." else f"{parent}/{name}"
            self._tree.setdefault(parent, {})
        path = "/".join(parts)
        kind = _kind_of(info)
        before = self._tree[parent].get(parts[-1])
        if before is not None and not (before == kind == "folder"):
            raise self._clash(path)
        self._tree[parent][parts[-1]] = kind
        if kind == "folder":
            self._tree.setdefault(path, {})
        else:
            self._infos[path] = info

    def _clash(self, path: str) -> SubmissionRefused:
        return _refused("The zip has one name twice.", "each name once", printable(path))

    def _list(self, path: str) -> list[Entry] | None:
        names = self._tree.get(path)
        return None if names is None else [Entry(name, kind) for name, kind in names.items()]

    def _read(self, path: str, limit: int) -> bytes:
        info = self._infos.get(path)
        if info is None or _kind_of(info) != "file":
            raise Unreadable("it is not a regular file")
        if info.flag_bits & _ENCRYPTED:
            raise Unreadable("it is encrypted")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Unreadable("it is compressed by an unusual method; use the ordinary one (deflate)")
        if info.file_size > limit:
            raise Unreadable(f"it has {info.file_size} bytes, more than {limit}")
        if info.file_size > self.limits.ratio * max(info.compress_size, 1024):
            raise Unreadable("it is compressed more than any honest file")
        try:
            with self._zip.open(info) as f:
                content = f.read(info.file_size + 1)
        except (*_BROKEN, OSError):
            # Without zipfile's reason, which names the file: equal faults are one line of a report.
            raise Unreadable("the zip is damaged there", taken=max(1, info.file_size)) from None
        return content


def _opened(path: Path) -> BinaryIO:
    """The file, opened once for all that follows; what is no regular file would make reading wait. Raises OSError."""
    fd = os.open(path, os.O_RDONLY | sum(getattr(os, name, 0) for name in ("O_NONBLOCK", "O_NOFOLLOW", "O_BINARY")))
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "it is not a regular file")
    return os.fdopen(fd, "rb")


def _kind_of(info: zipfile.ZipInfo) -> EntryKind:
    mode = info.external_attr >> 16
    if info.is_dir() or stat.S_ISDIR(mode):
        return "folder"
    if stat.S_ISLNK(mode):
        return "link"
    return "file" if stat.S_IFMT(mode) in (0, stat.S_IFREG) else "pipe or device"


def _refused(message: str, expected: str, actual: str) -> SubmissionRefused:
    return SubmissionRefused(
        message,
        expected=expected,
        actual=actual,
        help="Make the zip anew from the folder, with ordinary tools.",
    )
