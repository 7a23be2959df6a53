"""Fetches a judge's weights by HTTP: goes on where it broke off, checks the sha256, puts the file in place in one step.

Until then the file is called `NAME.part`, and `NAME.lock` lets one process at a time write it.
"""

from __future__ import annotations

import hashlib
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse, InvalidURL
from pathlib import Path
from ssl import SSLCertVerificationError
from typing import NoReturn
from urllib import request
from urllib.error import HTTPError, URLError

from grader.errors import CannotMeasure, GraderError, UsageError
from grader.judges import Judge
from grader.judges.http import BrokenOffError, check_address, opener, read, why
from grader.judges.protocols import CASCADES
from grader.judges.weights import LARGEST, VARIABLE, Weights, weights_folder
from grader.text import plural, printable

_CHUNK = 1 << 16
_RANGE = re.compile(r"bytes ([0-9]{1,18})-[0-9]{1,18}/([0-9]{1,18}|\*)")


class CannotFetch(GraderError):
    """Weights could not be fetched: network, server, disk, or another file than expected. Nothing was put in place."""


def _silent(*_: object) -> None:
    """Progress and notes that nobody reads."""


def fetch(
    judge: Judge,
    *,
    url: str = "",
    folder: Path | None = None,
    force: bool = False,
    timeout: float = 30,
    tries: int = 5,
    wait: Callable[[float], None] = time.sleep,
    done: Callable[[int, int], None] = _silent,
    tell: Callable[[str], None] = _silent,
) -> Path:
    """Where the judge's weights are, after a download unless they are there already; `force` downloads them anyway.

    `url`: a mirror. `timeout`: seconds of silence that end a try. `done` gets bytes received and the size, 0 where it
    is unknown; `tell` gets notes for a person. Raises CannotFetch if the right file can't be had, UsageError for a
    judge that has no weights to fetch and for an address that is none.
    """
    url = url or judge.url
    if not judge.url:
        raise UsageError(f"The judge {judge.name} has no weights to fetch.")
    check_address(url)
    folder = folder or weights_folder()
    path = folder / judge.files[-1]
    download = _Download(judge, url, path.with_name(f"{path.name}.part"), timeout, tries, wait, done, tell)
    try:
        if path.is_dir():
            download.fail(f"{path} is a folder; move it away")
        if not force and _is_it(judge, path):
            return path
        folder.mkdir(parents=True, exist_ok=True)
        with _lock(path.with_name(f"{path.name}.lock"), wait, tell):
            if force or not _is_it(judge, path):  # another process may have been quicker
                download.run()
                download.part.replace(path)
    except OSError as e:  # of the disk: those of the network are dealt with where they arise
        download.fail(f"{e.filename or path} can't be used: {e.strerror or e}")
    return path


def check_layout(weights: Weights) -> bool:
    """Loads the file into the judge's network, which only the right layers fit, or reads it as the cascade that it is.

    False if the packages aren't here. Raises UsageError with the differences if it doesn't fit.
    """
    try:
        if weights.judge in CASCADES.values():
            from grader.judges.cascades import read_cascade

            read_cascade(weights)
        else:
            from grader.judges.networks import build_network

            build_network(weights.judge, weights)
    except CannotMeasure:  # no OpenCV here
        return False
    except ModuleNotFoundError as e:
        if e.name and e.name.startswith("grader"):
            raise
        return False
    except UsageError as e:
        raise UsageError(str(e).removeprefix(f"--judge {weights.judge}: ")) from None
    return True


@dataclass
class _Download:
    """Fills `part`. `leftover`: it holds bytes of an earlier run, which may be of another file."""

    judge: Judge
    url: str
    part: Path
    timeout: float
    tries: int
    wait: Callable[[float], None]
    done: Callable[[int, int], None]
    tell: Callable[[str], None]
    leftover: bool = False

    def run(self) -> None:
        """Leaves the right file, on the disk; otherwise CannotFetch."""
        self.leftover = self.part.is_file()
        self._get()
        if self.leftover and not _is_it(self.judge, self.part):
            self.tell(f"{self.part} began as another file. Starting over.")
            self.part.unlink()
            self._get()
        self._check()
        with open(self.part, "ab") as f:
            os.fsync(f.fileno())

    def _get(self) -> None:
        """Asks until the server has sent its file, or as many bytes as the right one has."""
        for attempt in range(self.tries):
            if _is_it(self.judge, self.part):
                break
            try:
                self._request()
                break
            except BrokenOffError as e:
                if attempt + 1 < self.tries:
                    pause = 2.0**attempt
                    self.tell(f"{self.url}: {e}. Trying again in {pause:.0f} s.")
                    self.wait(pause)
                elif not _is_it(self.judge, self.part):
                    got = self._received()
                    kept = f". {plural(got, 'byte')} arrived; the same command goes on from there" if got else ""
                    self.fail(f"{e}, {self.tries} times in all{kept}")

    def _request(self) -> None:
        limit = self.judge.size or LARGEST
        if self._received() >= limit:
            self.part.unlink()
        with self._open(self._received()) as response:
            have, total = self._span(response)
            whole = limit if total is None else min(limit, total)
            self.leftover = self.leftover and have > 0
            with open(self.part, "ab" if have else "wb") as f:
                self.done(have, self.judge.size or total or 0)
                while have < whole and (chunk := read(response, min(_CHUNK, whole - have))):
                    f.write(chunk)
                    have += len(chunk)
                    self.done(have, self.judge.size or total or 0)
            # Chunks have an end that can be seen; without them and without a length, only a known size tells.
            ended = total is None and (response.chunked or not self.judge.size)
        if have < whole and not ended and not self._is_page():
            raise BrokenOffError(f"the connection ended after {have} of {whole} bytes")

    def _open(self, have: int) -> HTTPResponse:
        asked = request.Request(self.url, headers={"Range": f"bytes={have}-"} if have else {})
        try:
            response: HTTPResponse = opener().open(asked, timeout=self.timeout)
            return response
        except HTTPError as e:
            e.close()
            told = f"the server answered {e.code} {printable(str(e.reason))}"
            if e.code == 416 and have:
                self.part.unlink()
            elif e.code < 500:
                self.fail(told)
            raise BrokenOffError(told) from None
        except URLError as e:
            if isinstance(e.reason, SSLCertVerificationError):  # will not get better
                self.fail(printable(str(e.reason)))
            raise BrokenOffError(why(e.reason)) from None
        except (InvalidURL, ValueError) as e:
            self.fail(f"that is no address ({printable(str(e))})")
        except (OSError, HTTPException) as e:
            raise BrokenOffError(why(e)) from None

    def _span(self, response: HTTPResponse) -> tuple[int, int | None]:
        """The offset of the answer's first byte in the file, and the whole file's size if the server tells it."""
        if response.status != 206:
            return 0, response.length
        told = response.headers.get("Content-Range", "")
        found = _RANGE.fullmatch(told)
        total = int(found[2]) if found and found[2] != "*" else None
        if not found or int(found[1]) != self._received() or (self.judge.size and total not in (None, self.judge.size)):
            self.part.unlink(missing_ok=True)
            raise BrokenOffError(f"the server sent another part than asked for (Content-Range: {printable(told)})")
        return int(found[1]), total

    def _received(self) -> int:
        return self.part.stat().st_size if self.part.exists() else 0

    def _is_page(self) -> bool:
        with open(self.part, "rb") as f:
            return f.read(_CHUNK).removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"<")

    def _check(self) -> None:
        """Deletes a wrong file and says what it is."""
        sha256 = _sha256(self.part)
        if sha256 in self.judge.known:
            return
        if not self.judge.knows(sha256):
            page = ", which look like a web page: perhaps this network wants a login" if self._is_page() else ""
            told = f"found {plural(self._received(), 'byte')} with the sha256 {sha256}{page}"
        else:  # only its first digits are published, and a file that has them is soon made
            try:
                if not check_layout(Weights(self.judge.name, self.part, sha256, True)):
                    self.tell(
                        f"Of the sha256 of {self.judge.name} only {self.judge.prefix}… is published, and whether the "
                        "file loads into the network could not be verified: "
                        "that takes `pip install 'vision-grader[score]'`."
                    )
                return
            except UsageError as e:
                told = f"its sha256 begins right, but {e}"
        self.part.unlink()
        self.fail(told)

    def fail(self, told: str) -> NoReturn:
        """Raises CannotFetch with what was found, what was expected, and what to do."""
        judge, file = self.judge, self.part.name.removesuffix(".part")
        size = plural(judge.size, "byte") if judge.size else "a file"
        sha256 = f"{judge.prefix}…" if judge.prefix else " or ".join(judge.known)
        raise CannotFetch(
            f"The weights of {judge.name} could not be fetched from {self.url}: {told.removesuffix('.')}.\n"
            f"Expected: {size} with the sha256 {sha256}.\n"
            f"What to do: download {judge.url} yourself, and pass `--judge {judge.name}=FILE` or put it as {file} into "
            f"the folder that ${VARIABLE} names."
        ) from None


def _is_it(judge: Judge, path: Path) -> bool:
    return path.is_file() and judge.knows(_sha256(path))


def _sha256(path: Path) -> str:
    with open(path, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


@contextmanager
def _lock(path: Path, wait: Callable[[float], None], tell: Callable[[str], None]) -> Iterator[None]:
    """Holds the file's lock; the system lets go of it however this process ends. The empty file stays."""
    with open(path, "ab") as f:
        told = False
        while not _try_lock(f.fileno()):
            if not told:
                tell(f"Waiting for another process that holds {path}.")
            told = True
            wait(1.0)
        yield


if sys.platform == "win32":  # pragma: no cover  (measured on Linux, where it can't run)
    import msvcrt

    def _try_lock(file: int) -> bool:
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True
else:
    import fcntl

    def _try_lock(file: int) -> bool:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
