"""What the parsers are given beside the bytes: specs, a folder, a submission in memory, a decoder."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grader.assignment import Assignment, ImagesSpec
    from grader.submission import Decoder, Submission


@cache
def digits() -> ImagesSpec:
    """Pictures whose names carry two numbers."""
    from grader.assignment import ImagesSpec, NameFormat
    from grader.assignment.names import NameField

    fields = NameField("digit", 0, 2), NameField("number", 1, 3, 3)
    names = NameFormat("{digit}_{number:03}.png", fields)
    return ImagesSpec("d", "d", 9, (28, 28), "RGB", "PNG", names, "digit", True)


@cache
def any_names() -> ImagesSpec:
    """Three pictures of any name."""
    from grader.assignment import ImagesSpec

    return ImagesSpec("f", "f", 3, (28, 28), "RGB", "PNG", None, "", True)


@cache
def scratch() -> Path:
    """A folder for the parsers that take a path; gone with the process."""
    folder = tempfile.TemporaryDirectory(prefix="grader-fuzz-")
    _kept.append(folder)
    return Path(folder.name)


_kept: list[tempfile.TemporaryDirectory[str]] = []


def memory(files: Mapping[str, bytes]) -> Submission:
    """A submission of a few files that lie nowhere."""
    from grader.submission import LIMITS, Entry, Submission, Unreadable

    class Memory(Submission):
        def _list(self, path: str) -> list[Entry] | None:
            return [Entry(name, "file") for name in files] if path == "." else None

        def _read(self, path: str, limit: int) -> bytes:
            if len(files[path]) > limit:
                raise Unreadable("too large")
            return files[path]

    return Memory("memory", LIMITS)


@cache
def decoder() -> Decoder:
    """The decoder in this process, where a fuzzer sees it end: a worker's end would be told as a damaged picture."""
    from grader.submission import Decoder, Undecodable, decoding_worker

    class Here(Decoder):
        def ask(self, content: bytes, format: str, size: tuple[int, int], mode: str) -> None:
            self.asked = content, format, mode, size

        def answer(self) -> tuple[tuple[int, int], bytes]:
            whole = decoding_worker._answer(*self.asked)
            width, height, _ = decoding_worker.ANSWER.unpack_from(whole)
            if not width:
                raise Undecodable("damaged")
            return (width, height), whole[decoding_worker.ANSWER.size :]

    return Here()


@cache
def homework() -> Assignment:
    """A known assignment, read once."""
    from grader.assignment import load_assignment

    return load_assignment("dlcv-fall2021-hw2")
