"""Takes what a script wrote out of the sandbox's file systems: regular files only, by descriptors, within limits."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

_DEEPEST = 12
_LONGEST_PATH = 1000  # characters
_CHUNK = 1 << 20
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


@dataclass
class Collected:
    """What was taken (`paths`), and what was refused: path and reason, the first few, and how many in all."""

    files: int = 0
    size: int = 0
    refused: list[tuple[str, str]] = field(default_factory=list)
    refused_count: int = 0
    paths: list[str] = field(default_factory=list)

    def refuse(self, path: str, reason: str) -> None:
        """Remembers one thing that was not taken."""
        self.refused_count += 1
        if len(self.refused) < 20:
            self.refused.append((path, reason))


@dataclass
class Collector:
    """Copies from a folder that is open as a descriptor into one of this machine's, which it may add to.

    most_files, most_bytes: of one call. wanted: says why a path (of a file) is not to be taken; empty if it is.
    whole: empty folders are made too, and what could be executed can be.
    """

    target: Path
    most_files: int
    most_bytes: int
    wanted: Callable[[str], str] = lambda _: ""
    whole: bool = False
    result: Collected = field(default_factory=Collected)

    def everything(self, source: int) -> None:
        """All files below this folder."""
        self._folder(source, "", 0)

    def only(self, source: int, paths: Collection[str]) -> None:
        """These files, where they are there; a link on the way is not followed."""
        for path in paths:
            opened: list[int] = []
            try:
                above = source
                for name in path.split("/")[:-1]:
                    opened.append(os.open(name, _FOLDER, dir_fd=above))
                    above = opened[-1]
                self._entry(above, path.rpartition("/")[2], path, 0)
            except FileNotFoundError:
                continue
            except OSError as e:
                self.result.refuse(path, f"can't be read: {e.strerror}")
            finally:
                for fd in opened:
                    os.close(fd)

    def _folder(self, source: int, inside: str, depth: int) -> None:
        try:
            names = sorted(os.listdir(source))
        except OSError as e:
            self.result.refuse(inside or ".", f"can't be listed: {e.strerror}")
            return
        for name in names:
            path = f"{inside}{name}"
            try:
                self._entry(source, name, path, depth)
            except OSError as e:
                self.result.refuse(path, f"can't be taken: {e.strerror}")

    def _entry(self, source: int, name: str, path: str, depth: int) -> None:
        status = os.stat(name, dir_fd=source, follow_symlinks=False)
        if stat.S_ISDIR(status.st_mode):
            if depth >= _DEEPEST:
                self.result.refuse(path, f"lies more than {_DEEPEST} folders deep")
                return
            fd = os.open(name, _FOLDER, dir_fd=source)
            try:
                if self.whole and len(path) <= _LONGEST_PATH:
                    (self.target / path).mkdir(parents=True, exist_ok=True)
                self._folder(fd, f"{path}/", depth + 1)
            finally:
                os.close(fd)
        elif not stat.S_ISREG(status.st_mode):
            self.result.refuse(path, _kind(status.st_mode))
        elif len(path) > _LONGEST_PATH:
            self.result.refuse(path, "a name too long")
        elif reason := self.wanted(path):
            self.result.refuse(path, reason)
        else:
            self._file(source, name, path)

    def _file(self, source: int, name: str, path: str) -> None:
        fd = os.open(name, _FILE, dir_fd=source)
        try:
            status = os.fstat(fd)
            if not stat.S_ISREG(status.st_mode):
                self.result.refuse(path, _kind(status.st_mode))
            elif self.result.files >= self.most_files:
                self.result.refuse(path, f"more than {self.most_files} files")
            elif self.result.size + status.st_size > self.most_bytes:  # a sparse file says more than it holds
                self.result.refuse(path, f"more than {self.most_bytes} bytes in all")
            else:
                self._copy(fd, path, status.st_size)
        finally:
            os.close(fd)

    def _copy(self, fd: int, path: str, size: int) -> None:
        # The target is ours alone: no name in it is a link, since nothing but this function makes one.
        place = self.target / path
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            with open(place, "xb") as f:
                left = size
                while left and (part := os.read(fd, min(_CHUNK, left))):
                    f.write(part)
                    left -= len(part)
        except FileExistsError:
            self.result.refuse(path, "another call has written it already")
            return
        except OSError:
            with suppress(OSError):
                place.unlink()
            raise
        if self.whole and os.fstat(fd).st_mode & 0o100:
            place.chmod(0o755)
        self.result.files += 1
        self.result.paths.append(path)
        self.result.size += size


def _kind(mode: int) -> str:
    if stat.S_ISLNK(mode):
        return "a link"
    return "a pipe or socket" if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) else "a device"
