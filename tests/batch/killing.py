"""Kills runs of `grader batch` and `grader class` at random moments, and starts the same command again.

    python -c "from tests.batch.killing import main; main()" SUBMISSIONS TOP DATA KILLS SEED forked|started

`forked`: the command runs in a fork of this program, which has everything imported and one thread; its workers are
started as ever. `started`: the command is a program of its own, which costs a start of Python each. Moments are
random, but counted from what a run has done: after so many new entries or files, and a few milliseconds more. Time
from the start alone would hit little but imports.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from grader import cli
from grader.batch import seen
from grader.batch.entries import FINGERPRINTS, FOLDER, read_entry
from tests.batch.small import command, compared

_LONGEST = 60  # seconds that a run may take
_STEP = 0.004  # seconds between two looks
_STRIDE = 8  # new entries after which a run is killed, at most
_JOINS = 5  # of so many kills one is of `grader class`
_START, _BETWEEN = 0.5, 0.03  # seconds: of a start, and more than from one entry to the next


class _Forked:
    """A command in a fork of this program, in a session of its own."""

    def __init__(self, words: list[str], log: Path) -> None:
        self._process: BaseProcess = multiprocessing.get_context("fork").Process(target=self._run, args=(words, log))
        self._process.start()
        self.pid = self._process.pid or 0

    @staticmethod
    def _run(words: list[str], log: Path) -> None:
        os.setsid()
        with open(log, "ab") as f:
            os.dup2(f.fileno(), sys.stdout.fileno())
            os.dup2(f.fileno(), sys.stderr.fileno())
        sys.argv = words[2:]  # without `python -m`
        cli.main()

    def ended(self, seconds: float) -> bool:
        """True if it has ended, or does so within these seconds."""
        self._process.join(seconds)
        return self._process.exitcode is not None

    @property
    def code(self) -> int | None:
        """Its exit code."""
        return self._process.exitcode


class _Started:
    """A command as a program of its own, in a session of its own."""

    def __init__(self, words: list[str], log: Path) -> None:
        with open(log, "ab") as f:
            self._process = subprocess.Popen(words, stdout=f, stderr=f, start_new_session=True)
        self.pid = self._process.pid

    def ended(self, seconds: float) -> bool:
        """True if it has ended, or does so within these seconds."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    @property
    def code(self) -> int | None:
        """Its exit code."""
        return self._process.returncode


_Process = _Forked | _Started


def state_of(results: Path) -> dict[str, tuple[int, int]]:
    """Each entry's inode and time: both change when it is written again. All of them are whole."""
    found = {}
    for path in (results / FOLDER).glob("[!.]*.json"):
        status = path.stat()
        found[path.name] = status.st_ino, status.st_mtime_ns
        assert read_entry(path).state in ("pass", "fail")
    return found


def names_of(out: Path) -> list[str]:
    """All files in a folder but entries and what is hidden, such as a file that a killed run had half-written."""
    places = ((Path(top).relative_to(out), name) for top, _, names in os.walk(out) for name in names)
    return sorted(str(top / name) for top, name in places if not name.startswith(".") and top.name != FOLDER)


def files_of(out: Path) -> dict[str, bytes]:
    """What they hold."""
    return {name: (out / name).read_bytes() for name in names_of(out)}


def output_of(results: Path) -> dict[str, Any]:
    """All that a run makes, without what differs from run to run."""
    return {"entries": compared(results), **files_of(results)}


@dataclass
class Killer:
    """Kills what it starts. `entries`: at each kill of a batch, how many there were; `files`: of the join likewise.

    log: where the commands' output goes.
    """

    start: Callable[[list[str], Path], _Process]
    log: Path
    random: random.Random
    entries: list[int] = field(default_factory=list)
    files: list[int] = field(default_factory=list)

    def whole(self, words: list[str]) -> None:
        """Runs a command to its end."""
        process = self.start(words, self.log)
        assert process.ended(_LONGEST) and process.code == 0, self._told(process)

    def _told(self, process: _Process) -> str:
        return f"the run ended in {process.code}: {self.log.read_text()[-2000:]}"

    def killed(self, words: list[str], count: Callable[[], int], wanted: int, delay: float) -> bool:
        """Kills a command once there are so many of what it makes, and some time later; False if it ended before."""
        process, limit = self.start(words, self.log), time.monotonic() + _LONGEST
        while count() < wanted and not process.ended(_STEP):
            assert time.monotonic() < limit
        if process.ended(delay):
            assert process.code == 0, self._told(process)
            return False
        # Half of the times the workers live on for a moment, as when the system ends one process alone.
        (os.killpg if self.random.random() < 0.5 else os.kill)(process.pid, signal.SIGKILL)
        assert process.ended(_LONGEST)
        return True


def kill_batches(killer: Killer, kills: int, submissions: Path, top: Path, data: Path) -> None:
    """Kills runs over a class until it is whole, and begins anew, until there were so many kills."""
    undisturbed, results, total = top / "undisturbed", top / "killed", len(list(submissions.iterdir()))
    killer.whole(command(submissions, undisturbed, data, "--workers", "2"))
    wanted = output_of(undisturbed)
    before: dict[str, tuple[int, int]] = {}
    while len(killer.entries) < kills:
        if not results.exists():
            results.mkdir()
            shutil.copy(undisturbed / ".secret", results)  # the same pseudonyms
        words = command(submissions, results, data, "--workers", killer.random.choice("112"))
        n = killer.random.randint(0, _STRIDE)
        # Without a new entry to wait for it is killed as it starts; after the last one while it joins.
        delay = killer.random.uniform(0, _BETWEEN if n and len(before) + n < total else _START)
        ended = not killer.killed(words, lambda: len(_entries(results)), min(len(before) + n, total), delay)
        after = state_of(results)
        assert before.items() <= after.items(), "what was finished was lost, or graded again"
        before = after
        if not ended:
            killer.entries.append(len(after))
        if len(after) == total or len(killer.entries) == kills:
            killer.whole(command(submissions, results, data, "--workers", "2"))
            assert before.items() <= state_of(results).items(), "what was finished was lost, or graded again"
            assert output_of(results) == wanted, "the output is not that of an undisturbed run"
            shutil.rmtree(results)
            before = {}


def kill_joins(killer: Killer, kills: int, top: Path) -> None:
    """The same for the join alone, which is killed between its files."""
    source, out = top / "undisturbed", top / "joined"
    words = [sys.executable, "-m", "grader", "class", str(source), "-o", str(out)]
    wanted = {n: c for n, c in files_of(source).items() if not n.startswith((FINGERPRINTS, seen.FILE))}  # a batch's
    while len(killer.files) < kills:
        if not out.exists():
            out.mkdir()
            shutil.copy(source / ".secret", out)
        n = len(names_of(out)) + killer.random.randint(1, len(wanted) // 4)  # never among the last ones
        if killer.killed(words, lambda: len(names_of(out)), n, killer.random.uniform(0, _STEP)):
            killer.files.append(len(names_of(out)))
        if len(names_of(out)) > len(wanted) / 2 or len(killer.files) == kills:
            killer.whole(words)
            assert files_of(out) == wanted, "the class is not that of an undisturbed run"
            shutil.rmtree(out)


def _entries(results: Path) -> list[Path]:
    return list((results / FOLDER).glob("[!.]*.json"))


def main() -> None:
    """Prints how much there was at each kill, as JSON."""
    submissions, top, data, kills, seed, how = *map(Path, sys.argv[1:4]), int(sys.argv[4]), sys.argv[5], sys.argv[6]
    killer = Killer(_Forked if how == "forked" else _Started, top / "log", random.Random(seed))
    kill_batches(killer, kills - kills // _JOINS, submissions, top, data)
    kill_joins(killer, kills // _JOINS, top)
    print(json.dumps({"entries": killer.entries, "files": killer.files}))
