"""A run over many submissions: hands out tasks, tries again where the machine failed, tells how far it is."""

from __future__ import annotations

import fcntl
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from grader.batch.engines import Engine
from grader.batch.entries import FINGERPRINTS, FOLDER
from grader.batch.tasks import Shard, Task
from grader.batch.work import Job, Outcome, lost
from grader.documents import clear_half_written
from grader.errors import UsageError


@dataclass
class Tally:
    """How far a run is. `states` counts what has ended; `kept` how many of it had nothing to be done."""

    total: int
    states: Counter[str] = field(default_factory=Counter)
    kept: int = 0
    retried: int = 0
    began: float = field(default_factory=time.monotonic)
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def done(self) -> int:
        """Submissions that have ended."""
        return sum(self.states.values())

    @property
    def rate(self) -> float:
        """Graded submissions a second, those with nothing to do left out; 0 before the first."""
        seconds = time.monotonic() - self.began
        return (self.done - self.kept) / seconds if seconds > 0 else 0.0

    @property
    def left(self) -> float | None:
        """Seconds left at this rate; None where nothing is known."""
        return (self.total - self.done) / self.rate if self.rate > 0 else None

    def add(self, outcome: Outcome) -> None:
        """Counts a submission that has ended."""
        self.states[outcome.state] += 1
        self.kept += outcome.kept
        self.outcomes.append(outcome)


def run(engine: Engine, job: Job, tasks: Sequence[Task], tries: int, show: Callable[[Tally], None]) -> Tally:
    """Works off the tasks; each ends in a state, whatever happens to it. show: called after each."""
    tally = Tally(len(tasks))
    pending: dict[Future[Outcome], tuple[Task, int]] = {}

    def submit(task: Task, attempt: int) -> None:
        fresh = replace(task, turn=uuid.uuid4().hex)
        pending[engine.submit(fresh, attempt)] = fresh, attempt

    for task in tasks:
        submit(task, 1)
    show(tally)
    while pending:
        done, _ = wait(pending, return_when=FIRST_COMPLETED)
        for future in done:
            task, attempt = pending.pop(future)
            try:
                outcome = future.result()
            except Exception as e:  # the worker is gone
                outcome = lost(job, task, attempt, engine.explain(e))
            if not outcome.final and attempt < tries:
                tally.retried += 1
                submit(task, attempt + 1)
                continue
            tally.add(outcome)
            show(tally)
    return tally


@contextmanager
def opened(results: Path, shard: Shard | None) -> Iterator[None]:
    """Makes the results folder and holds it, or a shard's part of it, for this run alone. Raises UsageError."""
    name = f".lock-{shard.number}-of-{shard.of}" if shard else ".lock"
    try:
        for folder in (results, results / FOLDER, results / FINGERPRINTS):
            folder.mkdir(exist_ok=True)
            clear_half_written(folder)
        lock = open(results / name, "w")  # noqa: SIM115  (held until the run ends)
    except OSError as e:
        raise UsageError(f"-o {results}: can't be written: {e.strerror}. Give a folder for the results.") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise UsageError(f"-o {results}: another `grader batch` works on it. Wait for it, or end it.") from None
        yield
