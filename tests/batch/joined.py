"""Folders of results for the tests of the join, made without grading anything."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from grader.assignment import Assignment, load_assignment
from grader.batch.entries import FOLDER, Entry, write_entry
from grader.batch.seen import Seen, write_seen
from grader.results import BaselineResult, MeasureResult, ScoreReport, Verdict
from tests.batch.small import ASSIGNMENT

WORK = load_assignment(ASSIGNMENT)
HIDDEN = "target_accuracy.usps-svhn"


def graded(student: str, problems: Iterable[str] = ("dann",), missed: Iterable[str] = ()) -> Entry:
    """An entry with all points of these problems but those of the measures missed; each value is another one."""
    verdicts = []
    for problem in WORK.only(problems).problems:
        measures = []
        for nth, spec in enumerate(m for m in problem.measures if m.baselines):
            reached = spec.id not in missed
            value = 0.9 + nth / 1000 if reached else 0.1
            baselines = tuple(
                BaselineResult(b.name, b.value, b.op, b.points, reached, b.points if reached else 0.0, False)
                for b in spec.baselines
            )
            state: Any = "pass" if reached else "fail"
            of = (spec.id, spec.metric, spec.deliverable)
            measures.append(MeasureResult(*of, state, "", value, None, 100, None, baselines, {}, {}))
        of_all = [b for m in measures for b in m.baselines]
        earned, most = sum(b.earned for b in of_all), sum(b.points for b in of_all)
        state = "pass" if earned == most else "fail"
        verdicts.append(Verdict(problem.id, problem.title, state, earned, earned, most, tuple(measures), ()))
    manual = tuple(m for m in WORK.manual if m.problem in problems)
    report = ScoreReport(WORK.id, WORK.digest, "ab" * 32, tuple(verdicts), manual)
    plain = json.loads(report.to_json())
    return Entry(student, student, "ab" * 32, dict.fromkeys(problems, "k"), report.state, report=plain)


def folder(place: Path, entries: Iterable[Entry], seen: Iterable[str] | None = None) -> Path:
    """A results folder with these entries. seen: the submissions that the last batch found, if it left word."""
    (place / FOLDER).mkdir(parents=True, exist_ok=True)
    for entry in entries:
        write_entry(place, entry)
    if seen is not None:
        write_seen(place, Seen(WORK.id, WORK.id, tuple(seen)))
    return place


def hiding(*measures: str) -> Assignment:
    """The assignment with these measures hidden."""
    return replace(WORK, policy=replace(WORK.policy, hidden=measures))


def book(place: Path, form: str = "moodle") -> dict[str, dict[str, str]]:
    """A grade book's rows by student."""
    with open(place / f"gradebook-{form}.csv", newline="", encoding="utf-8") as f:
        return {row["ID number" if form == "moodle" else "SIS Login ID"]: row for row in csv.DictReader(f)}
