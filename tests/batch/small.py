"""Small classes for the tests of `grader batch`: tables of predictions, which take no network."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from grader.assignment import load_assignment
from grader.batch.digests import find_ground
from grader.batch.entries import FINGERPRINTS, FOLDER, read_entries
from grader.batch.work import Job
from grader.references.data import find_data
from tests.conftest import GOOD

ASSIGNMENT = "dlcv-fall2021-hw2"
TABLES = ("mnistm-usps.csv", "svhn-mnistm.csv", "usps-svhn.csv")


def make_class(folder: Path, count: int) -> Path:
    """So many submissions of `dann`; every fifth one has its labels wrong, every seventh one lacks a table."""
    folder.mkdir(parents=True)
    for i in range(count):
        top = folder / f"s{i:03}" / "dann"
        top.mkdir(parents=True)
        for name in TABLES:
            rows = (GOOD / "dann" / name).read_text().splitlines()
            if i % 5 == 4:
                rows = rows[:1] + [row.rpartition(",")[0] + ",0" for row in rows[1:]]
            # Nobody's bytes are another one's.
            rows = rows[:1] + rows[1 + i % 90 :] + rows[1 : 1 + i % 90]
            if i % 7 != 6 or name != TABLES[0]:
                (top / name).write_text("\n".join(rows) + "\n")
    return folder


def wanted_state(index: int) -> str:
    """What a submission of `make_class` ends in."""
    return "fail" if index % 5 == 4 or index % 7 == 6 else "pass"


def make_job(results: Path, data: Path, **changes: Any) -> Job:
    """A job on `dann`, with its results folder made."""
    for folder in (results, results / FOLDER, results / FINGERPRINTS):
        folder.mkdir(exist_ok=True)
    work = load_assignment(ASSIGNMENT)
    ground = find_ground(work, find_data(data, work.data_folder), {})
    # Where it is worked off in this process, a limit would end the tests: they hold more than a worker does.
    return Job(work, data, {}, (), "cpu", results, ("dann",), ground, "run", **{"memory": 1000.0, **changes})


def command(submissions: Path, results: Path, data: Path, *more: str | Path) -> list[str]:
    """The command line of a run on `dann`."""
    words: list[str | Path] = [sys.executable, "-m", "grader", "batch", submissions, "-o", results, "--data", data]
    return [str(word) for word in (*words, "--problem", "dann", *more)]


def batch(submissions: Path, results: Path, data: Path, *more: str | Path) -> subprocess.CompletedProcess[str]:
    """Runs it to its end."""
    words = command(submissions, results, data, *more)
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, env=os.environ | {"COLUMNS": "100"})
    assert "Traceback" not in done.stderr, done.stderr
    return done


def compared(results: Path) -> dict[str, Any]:
    """The entries by student, without what differs from run to run."""
    found = {}
    for entry in read_entries(results):
        plain = json.loads(entry.to_json())
        del plain["times"], plain["attempts"]
        found[entry.student] = plain
    return found


def spoil(folder: Path, student: str) -> None:
    """Takes a student's submission away."""
    shutil.rmtree(folder / student)
