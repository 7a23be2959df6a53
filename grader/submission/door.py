"""The one guarded door: everything that is read from a submission is listed and opened here.

A submission is a folder or a zip; both give the same view. Only regular files are read, no link is followed,
and each file is read once, under a size limit, from the descriptor that was examined.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import unicodedata
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Literal

from grader.errors import SubmissionRefused, UsageError
from grader.submission.decoder import Decoder
from grader.submission.limits import LIMITS, Limits

EntryKind = Literal["file", "folder", "link", "pipe or device"]
_IGNORED = {".ds_store", "thumbs.db", "desktop.ini", "__macosx"}


@dataclass(frozen=True)
class Entry:
    """One name in a folder of the submission."""

    name: str
    kind: EntryKind


class Unreadable(Exception):
    """A file of the submission that can't be read; `str()` says why in words for a student.

    taken: bytes that were read or unpacked before that was known.
    """

    def __init__(self, why: str, *, taken: int = 0) -> None:
        super().__init__(why)
        self.taken = taken


def is_ignored(name: str) -> bool:
    """True for what file managers leave behind: `.DS_Store`, `Thumbs.db`, `desktop.ini`, `__MACOSX`, `._*`."""
    return name.lower() in _IGNORED or name.startswith("._")


def _folded(name: str) -> str:
    return name.lower() if name.isascii() else unicodedata.normalize("NFC", name).casefold()


class Submission(ABC):
    """A read-only view of a student's folder or zip. Paths are relative, with `/`; `.` is the top.

    `decoder`: decodes its pictures, in a process of its own that ends with the view.
    """

    def __init__(self, name: str, limits: Limits) -> None:
        self.name = name
        self.limits = limits
        self.decoder = Decoder()
        self._listed: dict[str, dict[str, Entry] | None] = {}
        self._digests: dict[str, str] = {}
        self._total = 0
        self._damaged = 0
        self._top = ""  # the folder that was taken as the top

    def __enter__(self) -> Submission:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.decoder.close()
        self.close()

    def folder(self, path: str) -> dict[str, Entry] | None:
        """The entries of a folder by name, without the ignored ones, in sorted order; None if it isn't a folder.

        Raises SubmissionRefused where it has more entries than the limit.
        """
        if path not in self._listed:
            self._listed[path] = self._sorted(path)
        return self._listed[path]

    def clashes(self) -> dict[str, list[tuple[str, ...]]]:
        """Names that other systems take for one, in each folder that was listed: they differ in case or form alone.

        macOS and Windows don't tell `A.png` from `a.png`, nor an é of one character (NFC) from one of two.
        """
        found = {}
        for path, entries in self._listed.items():
            alike: dict[str, list[str]] = {}
            for name in entries or ():
                alike.setdefault(_folded(name), []).append(name)
            if several := [tuple(names) for names in alike.values() if len(names) > 1]:
                found[path] = several
        return found

    def _sorted(self, path: str) -> dict[str, Entry] | None:
        # By its name in the listing, not by asking for it: a file system that ignores case would find GAN for gan.
        if path != "." and ((entry := self.entry(path)) is None or entry.kind != "folder"):
            return None
        found = self._list(self._inside(path))
        return None if found is None else {e.name: e for e in sorted(found, key=lambda e: e.name)}

    def _inside(self, path: str) -> str:
        if not self._top:
            return path
        return self._top if path == "." else f"{self._top}/{path}"

    def enter(self, name: str) -> None:
        """Takes a folder at the top as the top from now on."""
        self._top = self._inside(name)
        self._listed.clear()

    def wrapper(self, names: set[str]) -> str:
        """The only folder at the top, if it is none of `names` but holds one of them; else an empty string."""
        top = self.peek(".")
        if len(top) != 1 or set(top) & names:
            return ""
        (name,) = top
        return name if names & set(self.peek(name)) else ""

    def entry(self, path: str) -> Entry | None:
        """The entry at a path, or None. A folder on the way that is a link is not followed."""
        parent, _, name = path.rpartition("/")
        return self.peek(parent or ".").get(name)

    def peek(self, path: str) -> dict[str, Entry]:
        """Like `folder`, but empty where there is none or it has too many entries: for looking around."""
        try:
            return self.folder(path) or {}
        except SubmissionRefused:
            return {}

    def folders(self, path: str) -> list[str]:
        """Paths of the folders directly inside a folder, without hidden ones."""
        entries = self.peek(path)
        names = [e.name for e in entries.values() if e.kind == "folder" and not e.name.startswith(".")]
        return [name if path == "." else f"{path}/{name}" for name in names]

    def read(self, path: str, limit: int | None = None) -> bytes:
        """The content of a regular file of at most `limit` bytes; otherwise raises Unreadable."""
        if self._total > self.limits.total_size:
            raise Unreadable(f"the submission has more than {self.limits.total_size} bytes")
        if self._damaged >= self.limits.damaged:
            raise Unreadable(f"{self.limits.damaged} other files turned out to be damaged, and no more are read")
        try:
            content = self._read(self._inside(path), min(limit or self.limits.file_size, self.limits.file_size))
        except Unreadable as e:  # what was read for nothing counts like the rest: else nothing would end it
            self._total += e.taken
            self._damaged += e.taken > 0
            raise
        self._total += len(content)
        self._digests[path] = hashlib.sha256(content).hexdigest()
        return content

    def digest_of(self, path: str) -> str:
        """sha256 of a file that was read already; empty for any other."""
        return self._digests.get(path, "")

    @property
    def digest(self) -> str:
        """sha256 over the paths and contents of every file read so far, in sorted order."""
        # The one character that no name has ends each path: a line end in a name could stand for a second file.
        lines = (f"{digest} {path}\0" for path, digest in sorted(self._digests.items()))
        return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()

    def _too_many(self, path: str) -> SubmissionRefused:
        return SubmissionRefused(
            f"{path} has more than {self.limits.entries} entries.",
            expected=f"at most {self.limits.entries} files in a folder",
            actual="more than that",
            help="Hand in the folders that the assignment names, nothing else.",
        )

    def close(self) -> None:
        """Gives back what is held open."""
        return

    @abstractmethod
    def _list(self, path: str) -> list[Entry] | None: ...

    @abstractmethod
    def _read(self, path: str, limit: int) -> bytes: ...


_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)
_NOT_THERE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EACCES, errno.EPERM, errno.ENAMETOOLONG, errno.EMLINK}


class FolderSubmission(Submission):
    """A folder, walked by descriptors: each component is opened relative to its parent and never through a link."""

    def __init__(self, root: Path, limits: Limits = LIMITS) -> None:
        super().__init__(str(root), limits)
        self._root = os.open(root, _FOLDER | os.O_NOFOLLOW)
        self._last = ("", -1)  # the folder opened last: files are read folder by folder

    def close(self) -> None:
        self._forget()
        os.close(self._root)

    def _forget(self) -> None:
        if self._last[1] >= 0:
            os.close(self._last[1])
            self._last = ("", -1)

    def _fd(self, path: str) -> int | None:
        """A descriptor of the folder, which stays ours; None if it is absent, a link, no folder or forbidden."""
        if path == ".":
            return self._root
        if path != self._last[0]:
            self._forget()
            fd = self._root
            for name in path.split("/"):
                try:
                    inner = os.open(name, _FOLDER | os.O_NOFOLLOW, dir_fd=fd)
                except OSError as e:
                    if e.errno not in _NOT_THERE:
                        raise
                    return None
                finally:
                    if fd != self._root:
                        os.close(fd)
                fd = inner
            self._last = (path, fd)
        return self._last[1]

    def _list(self, path: str) -> list[Entry] | None:
        fd = self._fd(path)
        if fd is None:
            return None
        entries: list[Entry] = []
        with os.scandir(fd) as found:
            for item in found:
                if len(entries) >= self.limits.entries:
                    raise self._too_many(path)
                if not is_ignored(item.name):
                    entries.append(Entry(item.name, _kind_of(item)))
        return entries

    def _read(self, path: str, limit: int) -> bytes:
        parent, _, name = path.rpartition("/")
        above = self._fd(parent or ".")
        if above is None:
            raise Unreadable("its folder can't be opened")
        try:
            # O_NONBLOCK: opening a FIFO without it would wait for a writer for ever.
            fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=above)
        except OSError as e:
            raise Unreadable(e.strerror or "it can't be opened") from None
        try:
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode):
                raise Unreadable("it is not a regular file")
            if status.st_size > limit:
                raise Unreadable(f"it has {status.st_size} bytes, more than {limit}")
            with os.fdopen(fd, "rb", buffering=0, closefd=False) as f:
                content = f.read(status.st_size + 1)
        except OSError as e:
            raise Unreadable(e.strerror or "reading it failed") from None
        finally:
            os.close(fd)
        if len(content) != status.st_size:
            raise Unreadable("it changed while it was read", taken=len(content))
        return content


class PathSubmission(Submission):
    """The same for systems without directory descriptors (Windows): weaker against a folder that changes meanwhile."""

    def __init__(self, root: Path, limits: Limits = LIMITS) -> None:
        super().__init__(str(root), limits)
        self._root = root

    def _plain(self, path: str) -> Path | None:
        """The real path, if no component is a link."""
        place = self._root
        for name in path.split("/"):
            place = place / name
            if place.is_symlink():
                return None
        return place

    def _list(self, path: str) -> list[Entry] | None:
        place = self._plain(path)
        if place is None or not place.is_dir():
            return None
        entries: list[Entry] = []
        with os.scandir(place) as found:
            for item in found:
                if len(entries) >= self.limits.entries:
                    raise self._too_many(path)
                if not is_ignored(item.name):
                    entries.append(Entry(item.name, _kind_of(item)))
        return entries

    def _read(self, path: str, limit: int) -> bytes:
        place = self._plain(path)
        try:
            if place is None or not stat.S_ISREG(place.lstat().st_mode):
                raise Unreadable("it is not a regular file")
            with open(place, "rb") as f:
                content = f.read(limit + 1)
        except OSError as e:
            raise Unreadable(e.strerror or "it can't be opened") from None
        if len(content) > limit:
            raise Unreadable(f"it has more than {limit} bytes", taken=len(content))
        return content


def _kind_of(item: os.DirEntry[str]) -> EntryKind:
    if item.is_symlink():
        return "link"
    if item.is_dir(follow_symlinks=False):
        return "folder"
    return "file" if item.is_file(follow_symlinks=False) else "pipe or device"


def linked(place: Path) -> UsageError:
    """What is said of a submission that is a link: whoever made it, the work that it leads to may be another's."""
    return UsageError(
        f"{place} is a link or lies behind one; none is followed. Give the path of the real folder or zip."
    )


def open_submission(path: str | Path, limits: Limits = LIMITS) -> Submission:
    """Opens a folder or a zip.

    Raises UsageError if there is neither at the path, SubmissionRefused for a zip that can't be listed.
    """
    from grader.submission.archive import ZipSubmission

    place = Path(path)
    try:
        if place.is_symlink():
            raise linked(place)
        if place.is_dir():
            return (FolderSubmission if os.open in os.supports_dir_fd else PathSubmission)(place, limits)
        if place.suffix.lower() == ".zip" and place.is_file():
            return ZipSubmission(place, limits)
        there = place.exists()
    except (OSError, ValueError) as e:
        raise UsageError(f"{place} can't be opened: {getattr(e, 'strerror', None) or e}.") from None
    if not there:
        raise UsageError(f"No such folder or zip: {place}. Give the path of the submission.")
    raise UsageError(f"{place} is neither a folder nor a .zip; a submission is one of them.")
