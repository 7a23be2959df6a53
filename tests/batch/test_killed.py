"""kill -9 at any moment, the same command again: nothing is lost, doubled or graded twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from pathlib import Path

import pytest

from grader.batch.entries import FOLDER, read_entry
from tests.batch.small import batch, command, compared, make_class, wanted_state

COUNT, MOMENTS = 60, 50


def _state(results: Path) -> dict[str, tuple[int, int]]:
    """Each entry's inode and time: both change when it is written again."""
    found = {}
    for path in (results / FOLDER).glob("[!.]*.json"):
        status = path.stat()
        found[path.name] = status.st_ino, status.st_mtime_ns
        assert read_entry(path).state in ("pass", "fail")  # whole, at every moment
    return found


def test_killed_at_fifty_moments(course: Path, tmp_path: Path) -> None:
    submissions, results = make_class(tmp_path / "class", COUNT), tmp_path / "results"
    began = time.monotonic()
    batch(submissions, tmp_path / "whole", course, "--workers", "1")
    longest = time.monotonic() - began
    generator = random.Random(7)
    results.mkdir()
    (results / FOLDER).mkdir()
    before: dict[str, tuple[int, int]] = {}
    finished = 0
    for _ in range(MOMENTS):
        words = command(submissions, results, course, "--workers", "1")
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            process.wait(generator.uniform(0.2, longest))
        except subprocess.TimeoutExpired:
            # Half of the times the workers live on for a moment, as when the system ends one process alone.
            if generator.random() < 0.5:
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
            process.wait()
        finished += process.returncode == 0
        after = _state(results)
        assert before.items() <= after.items(), "what was finished was lost, or graded again"
        before = after
        if len(after) == COUNT and finished:  # begin anew: there is nothing left to interrupt
            for path in (results / FOLDER).iterdir():
                path.unlink()
            before, finished = {}, 0
    done = batch(submissions, results, course, "--workers", "2")
    assert done.returncode == 0
    assert before.items() <= _state(results).items()
    assert compared(results) == compared(tmp_path / "whole")
    assert [e["state"] for e in compared(results).values()] == [wanted_state(i) for i in range(COUNT)]


@pytest.mark.parametrize("content", [b"", b'{"schema": "grader/entry/1"', b"[]", b'{"schema": "grader/entry/0"}'])
def test_an_entry_that_is_damaged_is_made_again(content: bytes, course: Path, tmp_path: Path) -> None:
    submissions, results = make_class(tmp_path / "class", 2), tmp_path / "results"
    batch(submissions, results, course)
    before = compared(results)
    (results / FOLDER / "s001.json").write_bytes(content)
    assert "1 submission had not changed" in batch(submissions, results, course).stdout
    assert compared(results) == before
