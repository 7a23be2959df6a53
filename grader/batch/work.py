"""Grades one submission, in a worker of any engine: its keys decide what is to do, and its entry is written whole."""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import socket
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from grader.assignment import Assignment
from grader.batch.digests import Ground, submission_digest
from grader.batch.entries import Entry, entry_path, fingerprint_path, read_entry, write_entry
from grader.batch.merging import merged, spoilt
from grader.batch.tasks import Task
from grader.batch.watching import Watch
from grader.documents import write_whole
from grader.errors import SubmissionRefused, UsageError
from grader.inspection import Checked
from grader.measuring.context import Context
from grader.results import State
from grader.scoring import Scorer
from grader.text import printable


@dataclass(frozen=True)
class Job:
    """What all submissions of a run are graded with; goes to every worker.

    problems: those to grade; all if empty. memory: GiB that a worker may hold, minutes: that a submission may take.
    run: tells the runs apart.
    """

    assignment: Assignment
    data: Path | None
    judges: Mapping[str, Path]
    references: tuple[Path, ...]
    device: str
    results: Path
    problems: tuple[str, ...]
    ground: Ground
    run: str
    threads: int = 1
    memory: float = 3
    minutes: float = 30
    cache: bool = True


@dataclass(frozen=True)
class Outcome:
    """How a task ended. kept: nothing was to be done. final: another try would end the same way."""

    student: str
    state: State
    reason: str = ""
    kept: bool = False
    final: bool = True


_scorers: dict[str, Scorer] = {}


def grade(job: Job, task: Task, attempt: int) -> Outcome:
    """Grades a submission unless its entry says that nothing has changed. Raises nothing but what ends the process."""
    before = find_entry(job.results, task.student)
    done = _Attempt(job, task, attempt, before, time.time())
    try:
        with Watch(job.memory, job.minutes, done.give_up):
            return done.run()
    except Exception as e:  # ours or the machine's: the next submission must not suffer
        return done.failed(f"{type(e).__name__}: {printable(str(e), 300)}")


def find_entry(results: Path, student: str) -> Entry | None:
    """A student's entry; None where there is none that can be read."""
    path = entry_path(results, student)
    try:
        return read_entry(path) if path.exists() else None
    except UsageError:
        return None


@dataclass
class _Attempt:
    """One try at a task. It ends once: what the watch has to say comes too late where the work is finished."""

    job: Job
    task: Task
    attempt: int
    before: Entry | None
    started: float
    _ending: threading.Lock = field(default_factory=threading.Lock)
    _ended: bool = False

    def run(self) -> Outcome:
        if self.task.refusal:
            return replace(self.failed(self.task.refusal), final=True)
        digest, refusal = self._digest()
        wanted = self.job.problems or tuple(p.id for p in self.job.assignment.problems)
        keys = {p: key for p, key in self.job.ground.keys(digest).items() if p in wanted}
        if self.before is not None and self._holds(keys, self.before):
            self._end(None)
            return Outcome(self.task.student, self.before.state, self.before.reason, kept=True)
        return self._score(digest, keys, refusal)

    def _digest(self) -> tuple[str, SubmissionRefused | None]:
        path = self.task.path
        try:
            if not path.is_dir() and path.suffix.lower() != ".zip":
                ending = printable("".join(path.suffixes[-2:]) or path.name)
                raise SubmissionRefused(
                    f"{printable(path.name)} is neither a folder nor a zip.",
                    expected="a folder or a zip",
                    actual=ending,
                    help="Hand in a zip; other archives are not opened.",
                )
            return submission_digest(path, self.job.assignment), None
        except SubmissionRefused as e:
            return "", e

    def _holds(self, keys: Mapping[str, str], before: Entry) -> bool:
        """True if the entry is of the same submission, assignment, judges and references, and nothing went wrong."""
        if before.state == "error" or before.report is None:
            return False
        whole = not before.fingerprint or fingerprint_path(self.job.results, self.task.student).exists()
        return whole and all(before.keys.get(p) == key for p, key in keys.items())

    def _score(self, digest: str, keys: Mapping[str, str], refusal: SubmissionRefused | None) -> Outcome:
        job, before = self.job, self.before
        scorer = _scorer(job)
        made = self._kept_fingerprint(digest)

        def look(checked: Mapping[tuple[str, str], Checked], context: Context) -> None:
            nonlocal made
            if not job.problems or not made:  # of one problem alone it would lack the others' work
                made = self._fingerprint(checked, context)

        if refusal:
            scored = scorer.refuse(refusal, job.problems)
        else:
            scored = scorer.score(self.task.path, problems=job.problems, look=look)
        report: dict[str, Any] = json.loads(scored.to_json())  # with lists for tuples, as an earlier one is read
        if before is not None and before.report is not None:
            order = [p.id for p in job.assignment.problems]
            report = merged(before.report, report, [p for p in order if p not in keys])
        kept = {p: key for p, key in before.keys.items() if p not in keys} if before is not None else {}
        entry = Entry(
            self.task.student,
            self.task.path.name,
            digest,
            kept | dict(keys),
            report["state"],
            "",
            self.attempt,
            report,
            made,
            self._times(),
        )
        self._end(entry)
        why = _first_reason(report) if entry.state == "error" else ""
        return Outcome(self.task.student, entry.state, why, final=entry.state != "error")

    def _kept_fingerprint(self, digest: str) -> str:
        """That of the entry before, if it is of the same submission."""
        before = self.before
        there = before is not None and fingerprint_path(self.job.results, self.task.student).exists()
        return before.fingerprint if before is not None and there and before.digest == digest else ""

    def _fingerprint(self, checked: Mapping[tuple[str, str], Checked], context: Context) -> str:
        """Writes what copies across students are looked for with; returns its sha256."""
        from grader.similarity import fingerprint

        try:
            content = fingerprint(self.task.path, checked, context)
        except Exception as e:  # the verdict is there: to have no fingerprint must not cost it
            context.notes.append(f"Copies across students can't be looked for: {type(e).__name__}.")
            return ""
        write_whole(fingerprint_path(self.job.results, self.task.student), content)
        return hashlib.sha256(content).hexdigest()

    def _end(self, entry: Entry | None) -> bool:
        """Writes how it ended, unless it has ended before."""
        with self._ending:
            first = not self._ended
            if first and entry is not None:
                write_entry(self.job.results, entry)
            self._ended = True
        return first

    def failed(self, why: str) -> Outcome:
        """The outcome where the machine could not finish."""
        self.give_up(why)
        return Outcome(self.task.student, "error", why, final=False)

    def give_up(self, why: str) -> bool:
        """Notes that the machine could not finish; False if it had by then. Verdicts that still hold stay."""
        before, wanted = self.before, self.job.problems or tuple(p.id for p in self.job.assignment.problems)
        report = spoilt(before.report, wanted) if before is not None and before.report is not None else None
        keys = {p: k for p, k in before.keys.items() if p not in wanted} if before is not None else {}
        digest = before.digest if before is not None else ""
        name = self.task.path.name
        entry = Entry(self.task.student, name, digest, keys, "error", why, self.attempt, report, "", self._times())
        with suppress(UsageError):  # a full disk: the run says what could not be written
            return self._end(entry)
        return True

    def _times(self) -> dict[str, Any]:
        now = time.time()
        began = datetime.datetime.fromtimestamp(self.started, datetime.UTC).isoformat(timespec="seconds")
        about = {"turn": self.task.turn, "host": socket.gethostname(), "process": os.getpid()}
        return {"started": began, "seconds": round(now - self.started, 3), **about}


def lost(job: Job, task: Task, attempt: int, why: str) -> Outcome:
    """The outcome of a task whose worker ended: what the worker had still written, else `why`."""
    entry = find_entry(job.results, task.student)
    if entry is not None and entry.times.get("turn") == task.turn:
        return Outcome(task.student, entry.state, entry.reason, final=entry.state != "error")
    return _Attempt(job, task, attempt, entry, time.time()).failed(why)


def _scorer(job: Job) -> Scorer:
    """This process's scorer: it holds the networks and what was read of the course's data."""
    if job.run not in _scorers:
        _scorers.clear()
        _scorers[job.run] = Scorer(
            job.assignment,
            data=job.data,
            judges=job.judges,
            references=job.references,
            device=job.device,
            cache=job.cache,
        )
    return _scorers[job.run]


def _first_reason(report: Mapping[str, Any]) -> str:
    reasons = (m["reason"] for p in report["problems"] for m in p["measures"] if m["state"] == "error")
    return next(reasons, "")
