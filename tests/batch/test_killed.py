"""kill -9 at any moment, the same command again: nothing is lost, doubled or graded twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from grader.batch.entries import FOLDER
from tests.batch.killing import state_of
from tests.batch.small import batch, command, compared, make_class, wanted_state
from tests.conftest import ROOT

COUNT, OF_GRADING, OF_COMMANDS = 60, 40, 10


@pytest.fixture(scope="module")
def submissions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_class(tmp_path_factory.mktemp("submissions") / "class", COUNT)


@pytest.fixture(scope="module")
def whole(submissions: Path, course: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a run makes that nobody interrupts."""
    results = tmp_path_factory.mktemp("whole") / "results"
    batch(submissions, results, course, "--workers", "1")
    found = compared(results)
    assert [e["state"] for e in found.values()] == [wanted_state(i) for i in range(COUNT)]
    return found


def test_grading_killed_at_forty_moments(
    submissions: Path, course: Path, whole: dict[str, Any], tmp_path: Path
) -> None:
    words = [sys.executable, "-m", "tests.batch.killing", submissions, tmp_path / "r", course, OF_GRADING]
    done = subprocess.run([str(w) for w in words], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, "what was finished was lost, or graded again" + done.stderr
    assert int(done.stdout.split()[0]) > OF_GRADING / 2
    before = state_of(tmp_path / "r")
    assert batch(submissions, tmp_path / "r", course).returncode == 0
    assert before.items() <= state_of(tmp_path / "r").items() and compared(tmp_path / "r") == whole


def test_the_command_killed_at_ten_moments(
    submissions: Path, course: Path, whole: dict[str, Any], tmp_path: Path
) -> None:
    results = tmp_path / "r"
    (results / FOLDER).mkdir(parents=True)
    generator, before = random.Random(7), dict[str, tuple[int, int]]()
    for _ in range(OF_COMMANDS):
        words = command(submissions, results, course, "--workers", "1")
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            process.wait(generator.uniform(0.3, 1.2))
        except subprocess.TimeoutExpired:
            # Half of the times the workers live on for a moment, as when the system ends one process alone.
            if generator.random() < 0.5:
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
            process.wait()
        after = state_of(results)
        assert before.items() <= after.items(), "what was finished was lost, or graded again"
        before = after
        if len(after) == COUNT:
            for path in (results / FOLDER).iterdir():
                path.unlink()
            before = {}
    assert batch(submissions, results, course, "--workers", "2").returncode == 0
    assert before.items() <= state_of(results).items() and compared(results) == whole


@pytest.mark.parametrize("content", [b"", b'{"schema": "grader/entry/1"', b"[]", b'{"schema": "grader/entry/0"}'])
def test_an_entry_that_is_damaged_is_made_again(content: bytes, course: Path, tmp_path: Path) -> None:
    submissions, results = make_class(tmp_path / "class", 2), tmp_path / "results"
    batch(submissions, results, course)
    before = compared(results)
    (results / FOLDER / "s001.json").write_bytes(content)
    assert "1 submission had not changed" in batch(submissions, results, course).stdout
    assert compared(results) == before
