"""Looks through a submission once: opens it where its deliverables lie, checks them, keeps what can be measured."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from grader.assignment import Assignment, ImagesSpec, load_assignment
from grader.checks import rules
from grader.checks.clashes import clash_findings
from grader.checks.foreign import foreign_findings
from grader.errors import SubmissionRefused
from grader.inspection import Checked, Inspection
from grader.references.data import VARIABLE, Data, find_data
from grader.results import Finding
from grader.submission import Submission, ZipSubmission
from grader.text import printable


@dataclass
class Seen:
    """What looking through the submission gave: findings, and what can be measured, by problem and deliverable."""

    findings: list[Finding]
    notes: list[str]
    checked: dict[tuple[str, str], Checked]
    empty: bool = False
    looked: bool = True


def load(assignment: str | Path | Assignment, problems: Iterable[str]) -> tuple[Assignment, Assignment]:
    """The whole assignment, and what of it is wanted."""
    loaded = assignment if isinstance(assignment, Assignment) else load_assignment(assignment)
    return loaded, loaded.only([problems] if isinstance(problems, str) else problems)


def places(whole: Assignment) -> tuple[set[str], set[str]]:
    """Paths of all deliverables, and the folders at the top that they lie in."""
    places = {d.path for p in whole.problems for d in p.deliverables}
    return places, {path.partition("/")[0] for path in places}


def unwrap(view: Submission, whole: Assignment) -> list[str]:
    """A zip with one folder around everything is taken from inside that folder; returns the note that says so."""
    name = view.wrapper(places(whole)[1]) if isinstance(view, ZipSubmission) else ""
    if not name:
        return []
    view.enter(name)
    return [f"Everything in the zip lies in {printable(name)}/, which was taken as the top of the submission."]


def find_course_data(submission: str | Path, data: str | Path | None, work: Assignment) -> tuple[Data, list[str]]:
    """The course's data. What merely lies inside the submission is the student's: not used, and a note says so."""
    where = find_data(data, work.data_folder)
    if data is not None or where.home is None or os.environ.get(VARIABLE):
        return where, []
    if not where.home.resolve().is_relative_to(Path(submission).resolve()):
        return where, []
    told = f"{where.home}/ lies inside the submission and was not used: what a student hands in can't be the reference."
    return Data(None, work.data_folder), [f"{told} If it is the course's own, pass --data {where.home}."]


def inspect(
    view: Submission,
    work: Assignment,
    whole: Assignment,
    data: Data,
    *,
    keep: bool,
    answers: dict[str, Mapping[str, int]] | None = None,
) -> Seen:
    """Checks every deliverable of the problems at hand. Fills `answers` with the labels that are there."""
    if _is_empty(view):
        return Seen([_empty(work)], [], {}, empty=True)
    around = places(whole)[0]
    inspection = Inspection(view, data, around | {work.data_folder}, keep, {} if answers is None else answers)
    for problem in work.problems:
        inspection.look_at(problem)
    inspection.compare()
    foreign = foreign_findings(view, whole.id, "" if _is_used(view, data, whole) else whole.data_folder)
    findings = [*inspection.findings, *clash_findings(view, _owners(work, whole)), *foreign]
    return Seen(findings, inspection.notes(), inspection.checked)


def _owners(work: Assignment, whole: Assignment) -> dict[str, tuple[str, str]]:
    """Problem and deliverable by the path of each deliverable; empty texts for those of problems that aren't wanted."""
    graded = {d.path: (p.id, d.id) for p in work.problems for d in p.deliverables}
    return dict.fromkeys(places(whole)[0], ("", "")) | graded


def _is_used(view: Submission, data: Data, whole: Assignment) -> bool:
    """True if the data that are used are those in the submission, because somebody named them."""
    return data.home is not None and data.home.resolve() == (Path(view.name) / whole.data_folder).resolve()


def _is_empty(view: Submission) -> bool:
    """True if there is no file at the top and nothing in any folder there."""
    top = (view.folder(".") or {}).values()
    if any(e.kind != "folder" for e in top):
        return False
    for entry in top:
        try:
            if view.folder(entry.name):
                return False
        except SubmissionRefused:  # too full to be empty
            return False
    return True


def _empty(work: Assignment) -> Finding:
    deliverables = [d for p in work.problems for d in p.deliverables if d.required] or work.problems[0].deliverables
    folders = [d.path.partition("/")[0] for d in deliverables if "/" in d.path or isinstance(d, ImagesSpec)]
    names = [f"{folder}/" for folder in dict.fromkeys(folders)] or [d.path for d in deliverables]
    return rules.EMPTY_SUBMISSION.finding(
        path=".",
        message="There is nothing in the submission.",
        expected=f"{'the folders ' if folders else ''}{', '.join(names)}",
        actual="no file at all",
        help="Run your scripts so that they write into these folders, and check again.",
    )


def refused(error: SubmissionRefused) -> Seen:
    finding = rules.BAD_ARCHIVE.finding(
        path=".", message=str(error), expected=error.expected, actual=error.actual, help=error.help
    )
    return Seen([finding], [], {}, looked=False)
