"""Limits of a worker: memory and time end it, also where it doesn't let its own watch look; what is finished stays."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from grader.batch import engines, watching, work
from grader.batch.entries import read_entries
from grader.batch.running import run
from grader.batch.tasks import find_tasks
from grader.batch.work import grade
from tests.batch import stubborn
from tests.batch.small import batch, make_class, make_job
from tests.conftest import ROOT

_IN_PROC = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="the parent looks in /proc")
_HALF = "needed more than 0.5 GiB of memory (--memory)"


@pytest.mark.parametrize(
    ("option", "value", "why"),
    [
        ("--memory", "0.03", "needed more than 0.03 GiB of memory (--memory)"),
        ("--time", "0.00001", "took longer than 1e-05 minutes (--time)"),
    ],
)
def test_a_limit_of_the_command_is_that_of_its_workers(
    option: str, value: str, why: str, course: Path, tmp_path: Path
) -> None:
    """Each attempt ends a worker; the run goes on, says why, and the next run tries again."""
    folder = make_class(tmp_path / "class", 1)
    done = batch(folder, tmp_path / "r", course, option, value, "--tries", "2")
    assert done.returncode == 3 and f"s000: could not be finished: {why}" in done.stderr
    (entry,) = read_entries(tmp_path / "r")
    assert (entry.state, entry.report, entry.attempts, entry.reason) == ("error", None, 2, why)
    done = batch(folder, tmp_path / "r", course)
    assert done.returncode == 0 and "1 submission: 1 pass" in done.stdout


@pytest.mark.parametrize(
    ("does", "limits", "why", "by_itself"),
    [
        (stubborn.swelling, {"memory": 0.5}, _HALF, True),
        pytest.param(stubborn.growing, {"memory": 0.5}, _HALF, False, marks=_IN_PROC),
        (stubborn.hanging, {}, "took longer than 30 minutes (--time)", False),
    ],
)
def test_a_worker_over_its_limits_is_ended_alone(
    does: object,
    limits: dict[str, float],
    why: str,
    by_itself: bool,
    course: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whether it can say so or lets no other thread run. Two more pass under the same limits."""
    tasks = find_tasks(make_class(tmp_path / "class", 3))[0]
    job = make_job(tmp_path / "r", course, **limits)
    monkeypatch.setattr(engines, "_grade_here", does)
    with engines.local(job, 1) as engine:
        tally = run(engine, job, tasks, 2, lambda _: None)
    assert tally.states == {"error": 1, "pass": 2} and tally.retried == 1
    first = read_entries(job.results)[0]
    assert (first.state, first.reason, first.attempts) == ("error", why, 2)
    assert (first.times["process"] != os.getpid()) == by_itself


def test_the_system_ends_what_holds_up_its_own_watch() -> None:
    """In a cluster nobody but the system does: the timer stands there as well."""
    program = (
        "from grader.batch import watching\n"
        "from tests.batch.stubborn import hang\n"
        "watching._SLACK = 0.2\n"
        "with watching.Watch(1000, 0.001, print):\n"
        "    hang()\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, timeout=60)
    assert done.returncode == watching.OVER_TIME


def test_what_is_finished_is_not_overwritten(course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The watch sees that it was too much when the entry is there already: the worker and its result stay."""
    (task,) = find_tasks(make_class(tmp_path / "class", 1))[0]
    job = make_job(tmp_path / "r", course)
    told: list[bool] = []

    class Late(watching.Watch):
        def __exit__(self, *of: object) -> None:
            told.append(self._told("took longer"))
            super().__exit__(None, None, None)

    monkeypatch.setattr(work, "Watch", Late)
    assert grade(job, task, 1).state == "pass" and not grade(job, task, 1).reason
    assert told == [False, False]  # the second time nothing was to be done
    (entry,) = read_entries(job.results)
    assert (entry.state, entry.reason) == ("pass", "")


def test_a_watch_that_comes_too_late_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "_EVERY", 0.001)
    with watching.Watch(1e-9, 1, lambda _: False) as watch:
        watch._thread.join(60)
    assert not watch._thread.is_alive()
