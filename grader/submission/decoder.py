"""Decoding, the one step in which C code reads a student's bytes, takes place in a worker under limits of its own.

A picture that takes too long or too much memory ends the worker and is told as a fault; the next one gets a new worker.
"""

from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from pathlib import Path

from grader.errors import GraderError
from grader.submission.decoding_worker import ANSWER, REQUEST

SECONDS = 10.0  # that one picture may take: many times what the largest allowed one needs
_WORKER = Path(__file__).with_name("decoding_worker.py")
_PART = 1 << 20


class Undecodable(Exception):
    """A picture that can't be decoded; `str()` says why in a few words."""


class CannotDecode(GraderError):
    """The worker can't be started: a fault of the machine."""


class Decoder:
    """One worker for one submission, started when it is first needed. Not for several threads at once.

    `ask` and `answer` take turns, so that the caller can do other things between them.
    """

    def __init__(self, seconds: float = SECONDS) -> None:
        self.seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._samples = 0
        self._deadline = 0.0
        self._sent = False
        self._read = bytearray()  # of the worker's answers, beyond what was taken

    def decode(self, content: bytes, format: str, size: tuple[int, int], mode: str) -> tuple[tuple[int, int], bytes]:
        """`ask` and `answer` at once."""
        self.ask(content, format, size, mode)
        return self.answer()

    def ask(self, content: bytes, format: str, size: tuple[int, int], mode: str) -> None:
        """Begins with a picture that declares this format (PNG, JPEG) and size, wanted in `mode` (RGB or L).

        mode `figure`: RGB, turned as its EXIF data say, on white where it is transparent.
        """
        request = REQUEST.pack(format.encode(), mode.encode(), *size, len(content))
        self._samples = 1 if mode == "L" else 3
        self._deadline = time.monotonic() + self.seconds
        process = self.start()
        assert process.stdin is not None
        try:
            # The worker reads all of it before it answers, so that writing can't wait for reading.
            process.stdin.write(request + content)
            process.stdin.flush()
            self._sent = True
        except OSError:  # told by `answer`
            self._sent = False

    def answer(self) -> tuple[tuple[int, int], bytes]:
        """Width and height, and the pixels row by row, of the picture that was asked for. Raises Undecodable."""
        whole = False
        try:
            if not self._sent:
                raise EOFError
            width, height, length = ANSWER.unpack(self._receive(ANSWER.size))
            if not width:
                whole = not self._read
                raise Undecodable("too large for the memory that a picture may take" if length else "damaged")
            if length != width * height * self._samples:  # a worker that does as it likes
                raise EOFError
            pixels = self._receive(length)
            if self._read:  # it says more than it was asked: what follows would be taken for another picture
                raise EOFError
            whole = True
            return (width, height), pixels
        except TimeoutError:
            raise Undecodable(f"not decoded within {self.seconds:g} seconds") from None
        except (OSError, EOFError):
            raise Undecodable("it ended the decoder") from None
        finally:
            self._sent = False
            if not whole:  # also when interrupted: half an answer may be on its way
                self.close()

    def _receive(self, count: int) -> bytes:
        assert self._process is not None and self._process.stdout is not None
        pipe = self._process.stdout.fileno()
        while len(self._read) < count:
            left = max(0.0, self._deadline - time.monotonic())
            # Windows can't wait for a pipe: there, nothing ends a picture that takes too long.
            if os.name == "posix" and not select.select([pipe], [], [], left)[0]:
                raise TimeoutError
            part = os.read(pipe, _PART)  # most often a whole answer
            if not part:
                raise EOFError
            self._read += part
        found = bytes(memoryview(self._read)[:count])
        del self._read[:count]
        return found

    def start(self) -> subprocess.Popen[bytes]:
        """The worker, started if it doesn't run. Raises CannotDecode."""
        if self._process is not None and self._process.poll() is None:
            return self._process
        self.close()
        try:
            # -P: nothing of the current folder, which may be the student's, gets into its imports.
            self._process = subprocess.Popen(
                [sys.executable, "-P", str(_WORKER)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError as e:
            raise CannotDecode(f"The process that decodes pictures can't be started: {e.strerror}.") from None
        return self._process

    def close(self) -> None:
        """Ends the worker."""
        process, self._process = self._process, None
        self._read.clear()
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:  # what was not written any more
                    continue
        process.wait()
