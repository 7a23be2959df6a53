"""What workers of the tests do in place of grading: hold Python's lock, hold memory, tell what they have loaded.

A module of its own: workers import it by its name.
"""

from __future__ import annotations

import os
import re
import sys
from collections import Counter
from dataclasses import replace
from typing import NoReturn

from grader.batch import engines, watching
from grader.batch.tasks import Task
from grader.batch.work import Outcome
from grader.judges.weights import Weights
from grader.scoring import Scorer

_loads: Counter[str] = Counter()


def hang() -> None:
    """Goes back and forth for years in one call that lets no other thread run."""
    re.match(r"(a+)+$", "a" * 60 + "b")


def hanging(task: Task, attempt: int) -> Outcome:
    """Like `engines._grade_here`: the first student's takes for ever, and has less time than the others."""
    watching._SLACK = 0.2
    if task.student != "s000":
        return _grade_here(task, attempt)
    with watching.Watch(1000, 0.005, lambda _: True):
        hang()
    raise AssertionError


def growing(task: Task, attempt: int) -> Outcome:
    """Like `engines._grade_here`: the first student's holds too much in one call that lets no other thread run."""
    if task.student != "s000":
        return _grade_here(task, attempt)
    held = b"x" * int(engines._job[0].memory * 2**30)
    hang()
    return Outcome(task.student, "pass", str(len(held)))


def swelling(task: Task, attempt: int) -> Outcome:
    """Like `engines._grade_here`: scoring the first student's takes more and more memory, as any code may."""

    def swell(*_: object, **__: object) -> NoReturn:
        held = [b""]
        while True:
            held.append(b"x" * 2**20)

    if task.student == "s000":
        Scorer.score = swell  # type: ignore[method-assign]  # in this worker alone, which is to be ended
    return _grade_here(task, attempt)


def telling(task: Task, attempt: int) -> Outcome:
    """Like `engines._grade_here`; the reason: process, networks that it has read, how often in all, threads."""
    from grader.judges import states

    if not _loads:
        load_state = states.load_state

        def counted(weights: Weights) -> states.State:
            _loads[weights.judge] += 1
            return load_state(weights)

        states.load_state = counted
    outcome = _grade_here(task, attempt)
    threads = sys.modules["torch"].get_num_threads()
    return replace(outcome, reason=f"{os.getpid()} {len(_loads)} {_loads.total()} {threads}")


_grade_here = engines._grade_here  # before a test puts one of these in its place
