"""Keeps a worker within its memory and time; ends it with the run that it belongs to.

A thread of the worker watches and says why it ends. Code that doesn't give Python's lock back (a regular expression,
one call of a library) holds that thread up as well; behind it stand the system's timer here, and for memory the parent
in engines.py.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from grader.text import number

_EVERY = 0.05  # seconds between two looks
_OVER = 75  # exit code of a worker that ended itself
_SLACK = 5.0  # seconds after the end of the time in which the worker may say so
OVER_TIME = -signal.SIGALRM  # exit code, as Python gives it, of a worker that the system ended
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Watch:
    """While it is entered, a thread of its own ends this process once it holds too much or takes too long.

    memory: GiB. minutes: from entering on. told: called with the reason, before the process ends; returns False if the
    work was finished by then, and the process lives on.
    """

    def __init__(self, memory: float, minutes: float, told: Callable[[str], bool]) -> None:
        self._memory = memory
        self._minutes = minutes
        self._told = told
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Watch:
        # The signal's default action is the system's own and ends the process whatever it does. There is one timer for
        # a process: one worker, one submission at a time.
        signal.setitimer(signal.ITIMER_REAL, 60 * self._minutes + _SLACK)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        signal.setitimer(signal.ITIMER_REAL, 0)

    def _watch(self) -> None:
        end = time.monotonic() + 60 * self._minutes
        while True:  # looks at once: a short submission may be over before the second look
            if resident() > self._memory * 2**30:
                why = too_much(self._memory)
            elif time.monotonic() >= end:
                why = too_long(self._minutes)
            elif self._over.wait(min(_EVERY, max(0.0, end - time.monotonic()))):
                return
            else:
                continue
            ends = True
            try:
                ends = self._told(why)
            finally:
                if ends:
                    os._exit(_OVER)
            return


def too_much(memory: float) -> str:
    """Why a worker was ended that held more than so many GiB."""
    return f"needed more than {number(memory)} GiB of memory (--memory)"


def too_long(minutes: float) -> str:
    """Why a worker was ended that took longer than so many minutes."""
    return f"took longer than {number(minutes)} minutes (--time)"


def resident(process: int | None = None) -> int:
    """Bytes of memory that a process holds, by default this one.

    Where the system doesn't say, the most that this one ever held, and 0 for another one.
    """
    try:
        return int(Path(f"/proc/{process or 'self'}/statm").read_text().split()[1]) * _PAGE
    except OSError:
        if process:
            return 0
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
