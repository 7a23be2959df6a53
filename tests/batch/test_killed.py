"""kill -9 at any moment, the same command again: nothing is lost, doubled or graded twice, and the output is whole."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from grader.batch.entries import FOLDER
from tests.batch.small import batch, compared, make_class
from tests.conftest import ROOT

COUNT, KILLS = 30, 50
_PROGRAM = "from tests.batch.killing import main; main()"


# The second costs a start of Python for each run more, and hits that as well.
@pytest.mark.parametrize("how", ["forked", pytest.param("started", marks=pytest.mark.slow)])
def test_killed_at_fifty_random_moments(how: str, course: Path, tmp_path: Path) -> None:
    """What each kill must leave is asserted in the program that kills; here, that the kills hit the work."""
    seed = os.environ.get("GRADER_TEST_SEED") or str(random.SystemRandom().randrange(2**32))
    print(f"The moments again: GRADER_TEST_SEED={seed}")
    submissions = make_class(tmp_path / "class", COUNT)
    words = [sys.executable, "-c", _PROGRAM, submissions, tmp_path, course, KILLS, seed, how]
    done = subprocess.run([str(w) for w in words], cwd=ROOT, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    entries, files = found["entries"], found["files"]
    print(f"Entries at each kill: {entries}; files of the join: {files}")
    assert len(entries) + len(files) == KILLS
    assert sum(0 < n < COUNT for n in entries) > len(entries) / 2 and len(set(entries)) > len(entries) / 4
    assert sum(0 < n < 3 * COUNT for n in files) > len(files) / 2


@pytest.mark.parametrize("content", [b"", b'{"schema": "grader/entry/1"', b"[]", b'{"schema": "grader/entry/0"}'])
def test_an_entry_that_is_damaged_is_made_again(content: bytes, course: Path, tmp_path: Path) -> None:
    submissions, results = make_class(tmp_path / "class", 2), tmp_path / "results"
    batch(submissions, results, course)
    before = compared(results)
    (results / FOLDER / "s001.json").write_bytes(content)
    assert "1 submission had not changed" in batch(submissions, results, course).stdout
    assert compared(results) == before
