"""Keeps a worker within its memory and time; ends it with the run that it belongs to."""

from __future__ import annotations

import os
import resource
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from grader.text import number

_EVERY = 0.05  # seconds between two looks
_OVER = 75  # exit code of a worker that ended itself
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Watch:
    """While it is entered, a thread of its own ends this process once it holds too much or takes too long.

    memory: GiB. minutes: from entering on. told: called with the reason, before the process ends.
    """

    def __init__(self, memory: float, minutes: float, told: Callable[[str], object]) -> None:
        self._memory = memory
        self._minutes = minutes
        self._told = told
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        end = time.monotonic() + 60 * self._minutes
        while not self._over.wait(_EVERY):
            held = resident()
            if held > self._memory * 2**30:
                why = f"needed more than {number(self._memory)} GiB of memory (--memory)"
            elif time.monotonic() > end:
                why = f"took longer than {number(self._minutes)} minutes (--time)"
            else:
                continue
            try:
                self._told(why)
            finally:
                os._exit(_OVER)


def resident() -> int:
    """Bytes of memory that this process holds; where the system doesn't say, the most that it ever held."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE
    except OSError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024


def end_with_parent(parent: int) -> None:
    """From now on this process ends soon after the one that started it, also where that had no time to say so.

    parent: its number, told by itself: it may be gone by now.

    A worker that waits for its next task reads from a pipe whose other end it holds itself: it would wait for ever.
    """

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_EVERY)
        os._exit(_OVER)

    threading.Thread(target=watch, daemon=True).start()
