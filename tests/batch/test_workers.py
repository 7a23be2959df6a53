"""What workers share the machine by: each reads a network once, and has its part of the cores."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fixtures.klass.course import assignment_text
from grader.assignment import load_assignment
from grader.batch import engines
from grader.batch.digests import find_ground
from grader.batch.running import run
from grader.batch.tasks import find_tasks
from grader.cli.batch import _workers
from grader.references.data import find_data
from tests.batch import stubborn
from tests.batch.small import make_job
from tests.conftest import GOOD

_SUBMISSIONS, _THREADS = 6, 1


# Where another test of this process left its resource tracker dead, a new one is started, with a warning.
@pytest.mark.filterwarnings("ignore:resource_tracker:UserWarning")
def test_a_worker_reads_each_network_once_and_computes_with_its_threads(
    course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "5")  # the job's number counts
    for i in range(_SUBMISSIONS):
        folder = tmp_path / "class" / f"s{i}" / "acgan"
        folder.mkdir(parents=True)
        for nth in range(20):  # two of each digit
            shutil.copy(GOOD / "acgan" / f"{nth // 2}_{nth % 2 + 1:03}.png", folder)
    (tmp_path / "small.toml").write_text(assignment_text(20, whole_data=False))
    work = load_assignment(tmp_path / "small.toml")
    ground = find_ground(work, find_data(course, work.data_folder), {})
    changes: dict[str, Any] = {
        "assignment": work,
        "ground": ground,
        "problems": ("acgan",),
        "threads": _THREADS,
        "cache": False,
    }
    job = make_job(tmp_path / "r", course)
    monkeypatch.setattr(engines, "_grade_here", stubborn.telling)
    with engines.local(replace(job, **changes), 2) as engine:
        tally = run(engine, job, find_tasks(tmp_path / "class")[0], 1, lambda _: None)
    assert not tally.states["error"], [outcome.reason for outcome in tally.outcomes]
    told = [tuple(map(int, outcome.reason.split())) for outcome in tally.outcomes]
    assert len(told) == _SUBMISSIONS > 2 >= len({process for process, *_ in told})
    assert all(networks == reads > 0 and threads == _THREADS for _, networks, reads, threads in told)
    assert os.environ["OMP_NUM_THREADS"] == "5"


def test_workers_and_threads_are_no_more_than_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    monkeypatch.setattr(os, "sysconf", {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": 64 * 2**18}.__getitem__)
    assert [_workers(3, threads, 300) for threads in (1, 2, 3, 8, 16)] == [8, 4, 2, 1, 1]
    assert _workers(30, 1, 300) == 1  # memory: 64 GiB, a tenth of it left alone
    assert _workers(3, 1, 5) == 5 and _workers(3, 1, 0) == 1
