"""Runs command lines of the grader one after the other, each in a process of its own with limits.

    python -m tests.hostile.running < orders

A process that has imported the grader makes a copy of itself for each order, a line of JSON with `folder`, `arguments`
and `environment`. The copy is what `python -m grader` would be, without the third of a second that starting Python and
importing takes. What it prints goes to `stdout` and `stderr` in the folder; the answer is a line with its exit code,
or with minus the signal that ended it.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import resource
import signal
import struct
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

SECONDS = 5  # of the processor
WAITED = 40  # seconds of the clock: for whatever waits for something that never comes
MEMORY = 2**30
_VERSION = 0x20080522  # of capset's arguments

_USUAL = ("grader.cli", "grader.grading", "grader.reporting.terminal", "grader.checks.parsing")
_WITH_TORCH = ("safetensors.torch", "grader.judges.digit_classifier", "grader.judges.engines", "grader.judges.states")


class Runner:
    """The process that runs the orders."""

    def __init__(self, environment: Mapping[str, str], *, torch: bool = False) -> None:
        command = [sys.executable, "-m", "tests.hostile.running", *(["torch"] if torch else [])]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=dict(environment), text=True
        )

    def __enter__(self) -> Runner:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()

    def run(self, folder: Path, arguments: Sequence[str]) -> tuple[int, bytes, bytes]:
        """The exit code, what was printed, and what was printed as errors."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(json.dumps({"folder": str(folder), "arguments": list(arguments)}) + "\n")
        self._process.stdin.flush()
        code = int(self._process.stdout.readline())
        return code, (folder / "stdout").read_bytes(), (folder / "stderr").read_bytes()


def main() -> None:
    with_torch = sys.argv[1:] == ["torch"]
    for module in (*_USUAL, *(_WITH_TORCH if with_torch else ())):  # here, so that no copy has to import it
        importlib.import_module(module)
    if with_torch:
        importlib.import_module("torch").set_num_threads(1)  # threads don't survive the copying
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _obey(json.loads(line))
        print(_code_of(child), flush=True)


def _obey(order: dict[str, Any]) -> None:
    """Becomes the command. Never returns."""
    os.setpgid(0, 0)
    os.chdir(order["folder"])
    for name, target in (("stdout", 1), ("stderr", 2)):
        fd = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(fd, target)
        os.close(fd)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    memory = MEMORY if "torch" not in sys.modules else MEMORY + _taken()  # its libraries alone take more
    for limit, value in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_CPU, SECONDS), (resource.RLIMIT_CORE, 0)):
        resource.setrlimit(limit, (value, value))
    if os.geteuid() == 0:  # root reads whatever it likes: that is taken from it, so that modes mean something
        ctypes.CDLL(None).capset(struct.pack("<Ii", _VERSION, 0), bytes(24))
    from grader.cli import main as command

    sys.argv = ["grader", *order["arguments"]]
    code: object = 70
    try:
        command()
    except SystemExit as e:
        code = e.code
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 70)


def _taken() -> int:
    """Bytes of addresses that this process has already."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def _code_of(child: int) -> int:
    """Waits for the process, and ends it with its children where it takes too long."""
    until = time.monotonic() + WAITED
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.005)
    os.killpg(child, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


if __name__ == "__main__":
    main()
