"""Engines: whatever carries the tasks, each ends in a state, and the entries are the same."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from grader.batch import engines
from grader.batch.entries import FOLDER, read_entries
from grader.batch.running import Tally, run
from grader.batch.tasks import Shard, find_tasks
from grader.errors import UsageError
from tests.batch.small import batch, command, compared, make_class, make_job, wanted_state

COUNT = 24


@pytest.fixture(scope="module")
def submissions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_class(tmp_path_factory.mktemp("submissions") / "class", COUNT)


@pytest.fixture(scope="module")
def alone(submissions: Path, course: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What one worker makes of them."""
    results = tmp_path_factory.mktemp("alone") / "results"
    done = batch(submissions, results, course, "--workers", "1")
    assert done.returncode == 0 and f"{COUNT} submissions: " in done.stdout
    assert [e.state for e in read_entries(results)] == [wanted_state(i) for i in range(COUNT)]
    return results


def test_shards_make_the_same(submissions: Path, course: Path, alone: Path, tmp_path: Path) -> None:
    for number in (3, 1, 2):
        assert batch(submissions, tmp_path / "r", course, "--shard", f"{number}/3").returncode == 0
    assert compared(tmp_path / "r") == compared(alone)


def test_dask_makes_the_same_though_a_worker_is_killed(
    submissions: Path, course: Path, alone: Path, tmp_path: Path
) -> None:
    pytest.importorskip("distributed")
    job = make_job(tmp_path / "r", course)
    killed: list[int] = []

    def kill(tally: Tally) -> None:
        if tally.done >= 3 and not killed:
            killed.append(next(p for e in read_entries(job.results) if (p := e.times["process"]) != os.getpid()))
            os.kill(killed[0], signal.SIGKILL)

    with engines.dask(job, 2, "local") as engine:
        tally = run(engine, job, find_tasks(submissions)[0], 3, kill)
    assert killed and tally.done == COUNT and not tally.states["error"]
    assert len({e.times["process"] for e in read_entries(job.results)}) >= 2
    assert compared(job.results) == compared(alone)


def test_a_local_worker_that_is_killed_is_replaced(
    submissions: Path, course: Path, alone: Path, tmp_path: Path
) -> None:
    job = make_job(tmp_path / "r", course)
    killed: set[int] = set()

    def kill(tally: Tally) -> None:
        if tally.done in (3, 9):
            # What the run itself noted of a worker that was gone has the number of this process.
            pid = max({e.times["process"] for e in read_entries(job.results)} - {os.getpid()})
            if pid not in killed:
                killed.add(pid)
                os.kill(pid, signal.SIGKILL)

    with engines.local(job, 2) as engine:
        tally = run(engine, job, find_tasks(submissions)[0], 3, kill)
    assert killed and tally.done == COUNT and not tally.states["error"]
    assert compared(job.results) == compared(alone)


def test_no_scheduler_of_dask(course: Path, tmp_path: Path) -> None:
    pytest.importorskip("distributed")
    done = batch(make_class(tmp_path / "class", 1), tmp_path / "r", course, "--dask", "nonsense://")
    assert done.returncode == 2 and "no scheduler of Dask answers there" in done.stderr


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="looks for processes in /proc")
def test_no_worker_outlives_a_run_that_is_killed(submissions: Path, course: Path, tmp_path: Path) -> None:
    words = command(submissions, tmp_path / "r", course, "--watch", "--workers", "2")
    run_ = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True)
    assert run_.stderr is not None
    while "24 of 24" not in run_.stderr.readline():
        assert run_.poll() is None
    session = os.getsid(run_.pid)
    assert len(_of_session(session)) >= 3  # its two workers wait for more
    run_.kill()
    run_.communicate()
    limit = time.monotonic() + 30
    while _of_session(session) and time.monotonic() < limit:
        os.sched_yield()
    assert not _of_session(session)


def _of_session(session: int) -> list[int]:
    """Processes of a session that are still there."""
    found = []
    for place in Path("/proc").iterdir():
        try:
            state, _, _, own = place.joinpath("stat").read_text().rpartition(") ")[2].split()[:4]
        except (OSError, ValueError):
            continue
        if place.name.isdecimal() and int(own) == session and state != "Z":
            found.append(int(place.name))
    return found


def test_an_interrupted_run_says_how_to_go_on(course: Path, tmp_path: Path) -> None:
    words = command(make_class(tmp_path / "class", 60), tmp_path / "r", course, "--workers", "1")
    run_ = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    assert run_.stderr is not None and " of 60" in run_.stderr.readline()
    run_.send_signal(signal.SIGINT)
    _, told = run_.communicate(timeout=60)
    assert run_.returncode == 130 and "Traceback" not in told
    assert told.split("\n")[-4:] == ["Ended. The same command goes on from here.", "", "Interrupted.", ""]
    assert batch(tmp_path / "class", tmp_path / "r", course).returncode == 0


@pytest.mark.parametrize("text", ["0/3", "4/3", "1", "a/b", "1/0", "-1/3", "1/3/5", "1/99999999"])
def test_no_shard(text: str) -> None:
    with pytest.raises(UsageError, match=r"expected I/N"):
        Shard.parse(text)


def test_two_runs_on_one_folder(submissions: Path, course: Path, alone: Path, tmp_path: Path) -> None:
    words = command(submissions, tmp_path / "r", course, "--watch", "--workers", "1")
    first = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert first.stdout is not None and first.stderr is not None
        while "24 of 24" not in first.stderr.readline():
            assert first.poll() is None
        done = batch(submissions, tmp_path / "r", course)
        assert done.returncode == 2 and "another `grader batch` works on it" in done.stderr
        make_class(tmp_path / "late", 1)
        (tmp_path / "late" / "s000").rename(submissions / "late")
        limit = time.monotonic() + 60
        while not (tmp_path / "r" / FOLDER / "late.json").exists() and time.monotonic() < limit:
            os.sched_yield()
        first.send_signal(signal.SIGINT)
        _, told = first.communicate(timeout=60)
    finally:
        first.kill()
        first.communicate()
    assert first.returncode == 0 and "The same command goes on from here" in told
    assert "late" in compared(tmp_path / "r") and "Traceback" not in told
    assert compared(tmp_path / "r") == compared(alone) | {"late": compared(tmp_path / "r")["late"]}
