"""Starts one call in the sandbox, watches it, and ends it with everything that it has started."""

from __future__ import annotations

import os
import selectors
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from grader.running.groups import Group, make_group
from grader.running.limits import RunLimits, RunState
from grader.running.log import Log
from grader.running.sandbox import OUT, PLACES, WORK, Call, Sandbox, command
from grader.running.seccomp import filter_program

_INTERVAL = 0.05  # seconds between two looks
_START_SECONDS = 120  # for the copy of the repository, before the time of the script begins
_CHUNK = 1 << 16
_PARTS_A_LOOK = 64  # so that a script which prints without end can't keep the watcher from looking


@dataclass
class Ended:
    """How a call ended. `code`: of the script, 128 and more for a signal; None where it was killed from here.

    `places`: descriptors of the sandbox's file systems by path, which stay readable until `close`. `reason`: why it
    could not start. `full`: which of the places were full at the end. `held_by`: what limited memory and processes.
    """

    state: RunState
    code: int | None
    seconds: float
    out: Log
    err: Log
    reason: str = ""
    full: tuple[str, ...] = ()
    held_by: str = ""
    seccomp: bool = False
    memory: int = 0
    places: dict[str, int] = field(default_factory=dict)

    def close(self) -> None:
        """Lets go of the file systems; what lies in them is gone then."""
        for fd in self.places.values():
            os.close(fd)
        self.places.clear()


def run_call(call: Call, sandbox: Sandbox, limits: RunLimits) -> Ended:
    """Runs one call to its end or to a limit. Nothing of it is left when this returns, or raises."""
    group = make_group(limits)
    try:
        with _started(call, sandbox, limits, group) as (process, channel):
            watch = _Watch(process, channel, limits, group)
            try:
                return watch.until_the_end()
            except BaseException:
                watch.ended.close()
                raise
            finally:
                watch.kill()
    finally:
        group.close()


@contextmanager
def _started(
    call: Call, sandbox: Sandbox, limits: RunLimits, group: Group
) -> Iterator[tuple[subprocess.Popen[bytes], socket.socket]]:
    ours, theirs = socket.socketpair()
    program = filter_program(counted=group.counts_all_memory)
    with ours, theirs, _file_of(program) as seccomp:
        inherited = [theirs.fileno(), *([seccomp.fileno()] if program else [])]
        words = command(call, sandbox, limits, channel=theirs.fileno(), seccomp=seccomp.fileno() if program else None)
        # No thread of ours runs here, so that code between fork and exec is safe.
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=inherited,
            env={"PATH": os.defpath},
            cwd="/",
            preexec_fn=lambda: _before(group),
        )
        theirs.close()
        with process:
            yield process, ours


@contextmanager
def _file_of(content: bytes) -> Iterator[IO[bytes]]:
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.flush()
        file.seek(0)
        yield file


def _before(group: Group) -> None:
    group.join()
    with suppress(OSError):  # where the machine itself runs out of memory, this goes first
        Path("/proc/self/oom_score_adj").write_text("1000")


class _Watch:
    def __init__(
        self, process: subprocess.Popen[bytes], channel: socket.socket, limits: RunLimits, group: Group
    ) -> None:
        self.process, self.channel, self.limits, self.group = process, channel, limits, group
        self.began = time.monotonic()
        self.ended = Ended("ok", None, 0, Log(limits.kept), Log(limits.kept), held_by=group.kind)
        self.ended.seccomp = bool(filter_program(counted=True))
        self.copied = 0  # names in the copy of the repository as the script begins
        self.running = False  # the script itself, not what prepares it

    def until_the_end(self) -> Ended:
        assert self.process.stdout and self.process.stderr
        with selectors.DefaultSelector() as ready:
            ready.register(self.channel, selectors.EVENT_READ)
            for stream, log in ((self.process.stdout, self.ended.out), (self.process.stderr, self.ended.err)):
                os.set_blocking(stream.fileno(), False)
                ready.register(stream, selectors.EVENT_READ, log)
            while (state := self._look()) is None:
                for key, _ in ready.select(_INTERVAL):
                    if key.data is None:
                        ready.unregister(self.channel)
                        self._receive()
                    elif not _drain(key.fd, key.data):
                        ready.unregister(key.fileobj)
            self.ended.seconds = time.monotonic() - self.began
            self.ended.full = tuple(path for path, fd in self.ended.places.items() if _is_full(fd))
            self.kill()
            for key in list(ready.get_map().values()):  # what lay in the pipes as it ended
                if key.data is not None:
                    _drain(key.fd, key.data)
        self.ended.state = state
        if state == "could-not-start" and not self.ended.reason:
            self.ended.reason = self.ended.err.last_line() or "it took too long to prepare"
        return self.ended

    def kill(self) -> None:
        """Ends bubblewrap and everything below it; harmless where all of it has ended."""
        if self.process.poll() is None:
            self.group.kill(self.process.pid)
            with suppress(ProcessLookupError):
                self.process.send_signal(signal.SIGKILL)
            self.process.wait()
        else:  # the namespace went with its first process; this is for those that are still going
            self.group.kill(self.process.pid)

    def _look(self) -> RunState | None:
        """The state that the call has ended in or is to be ended for; None while it may go on."""
        if self.process.poll() is not None:
            return self._after_its_end()
        in_files = sum(_used(fd) for fd in self.ended.places.values())
        self.ended.memory = max(self.ended.memory, in_files)
        if (hit := self.group.exceeded(self.process.pid, in_files)) is not None:
            return hit
        if self._too_much():
            return "too-much-output"
        passed = time.monotonic() - self.began
        if not self.running:
            return "could-not-start" if passed > _START_SECONDS else None
        return "timed-out" if passed > self.limits.seconds else None

    def _after_its_end(self) -> RunState:
        if not self.running:
            self._receive()
        code = self.process.returncode
        if not self.running:
            return "could-not-start"
        self.ended.code = code
        # A limit may have been run into between two looks, and be the reason for the end.
        hit = self.group.exceeded(self.process.pid, 0)
        if hit is not None or self._too_much():
            return hit or "too-much-output"
        return "ok" if code == 0 else "failed"

    def _too_much(self) -> bool:
        if self.ended.out.total + self.ended.err.total > self.limits.printed:
            return True
        out = self.ended.places.get(OUT)
        if out is not None and _is_full(out):
            return True
        places = self.ended.places.items()
        return any(_names(fd) > self.limits.files + (self.copied if path == WORK else 0) for path, fd in places)

    def _receive(self) -> None:
        """What the first program inside says: that it is ready, with the descriptors, or why it is not."""
        with suppress(OSError):
            self.channel.setblocking(False)
            said, fds, _, _ = socket.recv_fds(self.channel, 500, len(PLACES))
            if said == b"ready" and len(fds) == len(PLACES):
                self.ended.places = dict(zip(PLACES, fds, strict=True))
                self.copied = _names(self.ended.places[WORK])
                self.running, self.began = True, time.monotonic()
                return
            for fd in fds:
                os.close(fd)
            self.ended.reason = said.decode("utf-8", "replace") or self.ended.reason


def _drain(fd: int, log: Log) -> bool:
    """Takes what lies in a pipe, up to a bound; False at its end."""
    for _ in range(_PARTS_A_LOOK):
        try:
            part = os.read(fd, _CHUNK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        if not part:
            return False
        log.add(part)
    return True


def _used(fd: int) -> int:
    with suppress(OSError):
        status = os.fstatvfs(fd)
        return (status.f_blocks - status.f_bfree) * status.f_frsize
    return 0


def _is_full(fd: int) -> bool:
    return os.fstatvfs(fd).f_bavail == 0


def _names(fd: int) -> int:
    status = os.fstatvfs(fd)
    return status.f_files - status.f_ffree
