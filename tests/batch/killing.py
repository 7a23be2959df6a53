"""Kills runs of its own: `python -m tests.batch.killing SUBMISSIONS RESULTS DATA MOMENTS`.

A program of its own, with one thread and everything imported, so that a run costs a fork and not a start of Python.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
from concurrent.futures import Future
from pathlib import Path

from grader.batch.entries import FOLDER, read_entry
from grader.batch.running import run
from grader.batch.tasks import Task, find_tasks
from grader.batch.work import Job, Outcome, grade
from tests.batch.small import make_job


class _Here:
    """Grades in this process."""

    def __init__(self, job: Job) -> None:
        self.job = job

    def submit(self, task: Task, attempt: int) -> Future[Outcome]:
        future: Future[Outcome] = Future()
        future.set_result(grade(self.job, task, attempt))
        return future

    def explain(self, error: BaseException) -> str:
        return str(error)


def state_of(results: Path) -> dict[str, tuple[int, int]]:
    """Each entry's inode and time: both change when it is written again. All of them are whole."""
    found = {}
    for path in (results / FOLDER).glob("[!.]*.json"):
        status = path.stat()
        found[path.name] = status.st_ino, status.st_mtime_ns
        assert read_entry(path).state in ("pass", "fail")
    return found


def main() -> int:
    """0 if nothing was lost or graded twice."""
    submissions, results, data, moments = *map(Path, sys.argv[1:4]), int(sys.argv[4])
    job, tasks = make_job(results, data), find_tasks(submissions)[0]
    generator, before, interrupted, longest = random.Random(7), dict[str, tuple[int, int]](), 0, 0.2
    for _ in range(moments):
        child = os.fork()
        if child == 0:
            run(_Here(job), job, tasks, 3, lambda _: None)
            os._exit(0)
        time.sleep(generator.uniform(0, longest))
        os.kill(child, signal.SIGKILL)
        interrupted += os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0
        after = state_of(results)
        if not before.items() <= after.items():
            return 1
        before = after
        if len(after) == len(tasks):  # begin anew: there is nothing left to interrupt
            for path in (results / FOLDER).iterdir():
                path.unlink()
            before = {}
    print(f"{interrupted} interrupted")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
