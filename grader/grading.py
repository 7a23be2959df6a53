"""The two verbs: check a submission, and score it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from grader.assignment import DEFAULT, Assignment, DocumentSpec, ImagesSpec, load_assignment
from grader.checks import rules
from grader.checks.clashes import clash_findings
from grader.checks.figures import CheckedFigure, Figures, as_images
from grader.checks.foreign import foreign_findings
from grader.checks.images import CheckedImages, Pictures
from grader.checks.repository import can_parse, check_document, check_script
from grader.errors import SubmissionRefused, UsageError
from grader.inspection import Checked, Inspection
from grader.judges import check_judges
from grader.measuring.context import Context, Progress, silent
from grader.references.data import VARIABLE, Data, find_data
from grader.results import (
    CheckReport,
    Finding,
    MeasureResult,
    ScoreReport,
    Verdict,
)
from grader.submission import Submission, ZipSubmission, open_submission
from grader.text import printable
from grader.verdicts import judge_problem

if TYPE_CHECKING:
    from grader.references.statistics import ReferenceFile


def check(
    submission: str | Path,
    assignment: str | Path | Assignment = DEFAULT,
    *,
    problems: Iterable[str] = (),
    data: str | Path | None = None,
    with_repository: bool = False,
) -> CheckReport:
    """Checks a submission's folders, names and formats. Needs no torch.

    submission: a folder or a zip. assignment: an id, the path of a TOML file, or a loaded assignment.
    problems: ids to look at; all of them if empty. data: the course's data folder, for the names in the csv files.
    with_repository: also check the scripts and the report at the top of the submission.

    Raises UsageError for a wrong argument, AssignmentError for a wrong assignment file; whatever is wrong with the
    submission itself is a finding.
    """
    whole, work = _load(assignment, problems)
    where, unused = _find_data(submission, data, work)
    try:
        with open_submission(submission) as view:
            notes = [*unused, *_unwrap(view, whole)]
            around = _repository(view, work, whole, notes) if with_repository else []
            seen = _inspect(view, work, whole, where, keep=False)
            seen = replace(seen, findings=[*seen.findings, *around], notes=[*notes, *seen.notes])
    except SubmissionRefused as e:
        seen = _refused(e)
    names = tuple(p.id for p in work.problems if seen.looked)
    return CheckReport(work.id, names, tuple(seen.findings), tuple(seen.notes), seen.empty)


def score(
    submission: str | Path,
    assignment: str | Path | Assignment = DEFAULT,
    *,
    problems: Iterable[str] = (),
    data: str | Path | None = None,
    judges: Mapping[str, str | Path] | None = None,
    references: Iterable[str | Path] = (),
    device: str = "auto",
    cache: bool = True,
    progress: Progress = silent,
    pictures: Pictures | None = None,
    figures: Figures | None = None,
) -> ScoreReport:
    """Checks a submission, takes every measure and compares it with the baselines.

    Arguments as for `check`, and: judges: files of weights by judge name. references: files that
    `grader reference build` made, used instead of the pictures under `data`. device: auto, cpu, cuda or mps.
    cache: keep features for the next run. progress: called as progress(task, done, total). pictures: filled with the
    images that were judged, by problem and deliverable, for a report that shows them. figures: likewise filled with the
    whole figures that were measured.

    A measure that needs something which isn't on this machine is `skipped`, with the reason. Raises as `check` does.
    """
    whole, work = _load(assignment, problems)
    where, unused = _find_data(submission, data, work)
    context = Context(where, check_judges(judges or {}), device, progress, _read_references(references, whole), cache)
    try:
        with open_submission(submission) as view:
            notes = _unwrap(view, whole)
            seen = _inspect(view, work, whole, where, keep=True, answers=context.answers)
            seen = replace(seen, notes=[*notes, *seen.notes])
            digest = view.digest
    except SubmissionRefused as e:
        seen, digest = _refused(e), ""
    if pictures is not None:
        parts = {k: as_images(p) if isinstance(p, CheckedFigure) and p.tiles else p for k, p in seen.checked.items()}
        pictures |= {key: part for key, part in parts.items() if isinstance(part, CheckedImages)}
    if figures is not None:
        figures |= {k: p for k, p in seen.checked.items() if isinstance(p, CheckedFigure) and p.pixels}
    verdicts = tuple(judge_problem(p, seen.findings, seen.checked, context, work) for p in work.problems)
    verdicts, shared = _once(verdicts)
    general = (*(f for f in seen.findings if not f.problem), *shared)
    notes = [*unused, *seen.notes, *context.notes, *_unknown_judges(verdicts)]
    return ScoreReport(
        work.id, work.digest, digest, verdicts, work.manual, general, tuple(dict.fromkeys(notes)), seen.empty
    )


def _once(verdicts: tuple[Verdict, ...]) -> tuple[tuple[Verdict, ...], list[Finding]]:
    """Takes out of the verdicts what is said of one reference in several problems; it is about no problem then."""
    told = Counter((f.rule, f.message) for v in verdicts for f in v.findings if f.rule == rules.REFERENCE_COUNT.id)
    several = {key for key, times in told.items() if times > 1}
    shared = {(f.rule, f.message): f for v in verdicts for f in v.findings if (f.rule, f.message) in several}
    rest = [replace(v, findings=tuple(f for f in v.findings if (f.rule, f.message) not in several)) for v in verdicts]
    return tuple(rest), [replace(f, problem="", deliverable="") for f in shared.values()]


@dataclass
class _Seen:
    """What looking through the submission gave: findings, and what can be measured, by problem and deliverable."""

    findings: list[Finding]
    notes: list[str]
    checked: dict[tuple[str, str], Checked]
    empty: bool = False
    looked: bool = True


def _load(assignment: str | Path | Assignment, problems: Iterable[str]) -> tuple[Assignment, Assignment]:
    """The whole assignment, and what of it is wanted."""
    loaded = assignment if isinstance(assignment, Assignment) else load_assignment(assignment)
    return loaded, loaded.only([problems] if isinstance(problems, str) else problems)


def _places(whole: Assignment) -> tuple[set[str], set[str]]:
    """Paths of all deliverables, and the folders at the top that they lie in."""
    places = {d.path for p in whole.problems for d in p.deliverables}
    return places, {path.partition("/")[0] for path in places}


def _unwrap(view: Submission, whole: Assignment) -> list[str]:
    """A zip with one folder around everything is taken from inside that folder; returns the note that says so."""
    name = view.wrapper(_places(whole)[1]) if isinstance(view, ZipSubmission) else ""
    if not name:
        return []
    view.enter(name)
    return [f"Everything in the zip lies in {printable(name)}/, which was taken as the top of the submission."]


def _find_data(submission: str | Path, data: str | Path | None, work: Assignment) -> tuple[Data, list[str]]:
    """The course's data. What merely lies inside the submission is the student's: not used, and a note says so."""
    where = find_data(data, work.data_folder)
    if data is not None or where.home is None or os.environ.get(VARIABLE):
        return where, []
    if not where.home.resolve().is_relative_to(Path(submission).resolve()):
        return where, []
    told = f"{where.home}/ lies inside the submission and was not used: what a student hands in can't be the reference."
    return Data(None, work.data_folder), [f"{told} If it is the course's own, pass --data {where.home}."]


def _unknown_judges(verdicts: Iterable[Verdict]) -> list[str]:
    found = {m.provenance["judge"]: m.provenance["judge_sha256"] for v in verdicts for m in v.measures if _strange(m)}
    return [f"The judge {name} is a file that is not known (sha256 {sha[:12]}…)." for name, sha in found.items()]


def _strange(measure: MeasureResult) -> bool:
    return measure.provenance.get("judge_known") is False


def _read_references(paths: Iterable[str | Path], whole: Assignment) -> list[ReferenceFile]:
    """The reference files; UsageError for one that no measure of the assignment uses."""
    if not (given := [Path(path) for path in paths]):
        return []
    from grader.references.statistics import read_reference

    found = [read_reference(path) for path in given]
    used = {(m.reference, m.protocol) for p in whole.problems for m in p.measures if m.reference}
    for path, file in zip(given, found, strict=True):
        if (file.name, file.protocol) not in used:
            known = ", ".join(f"{name} by {protocol}" for name, protocol in sorted(used))
            raise UsageError(
                f"{path} is for {file.name} by the protocol {file.protocol}, which {whole.id} doesn't use; "
                f"its measures use {known}."
            )
    return found


def _inspect(
    view: Submission,
    work: Assignment,
    whole: Assignment,
    data: Data,
    *,
    keep: bool,
    answers: dict[str, Mapping[str, int]] | None = None,
) -> _Seen:
    """Checks every deliverable of the problems at hand. Fills `answers` with the labels that are there."""
    if _is_empty(view):
        return _Seen([_empty(work)], [], {}, empty=True)
    inspection = Inspection(
        view, data, _places(whole)[0] | {work.data_folder}, keep, {} if answers is None else answers
    )
    for problem in work.problems:
        inspection.look_at(problem)
    places = _places(whole)[0]
    foreign = foreign_findings(view, whole.id, "" if _is_used(view, data, whole) else whole.data_folder)
    findings = [*inspection.findings, *clash_findings(view, places), *foreign]
    return _Seen(findings, inspection.notes(), inspection.checked)


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


def _refused(error: SubmissionRefused) -> _Seen:
    finding = rules.BAD_ARCHIVE.finding(
        path=".", message=str(error), expected=error.expected, actual=error.actual, help=error.help
    )
    return _Seen([finding], [], {}, looked=False)


def _repository(view: Submission, work: Assignment, whole: Assignment, notes: list[str]) -> list[Finding]:
    """Findings about scripts and report; then goes into `submission/` if the deliverables lie there."""
    found: list[Finding] = []
    for spec in work.repository:
        found += check_document(view, spec) if isinstance(spec, DocumentSpec) else check_script(view, spec, work.shell)
    if not can_parse():
        notes.append("bash is not on this machine: the scripts' syntax was not checked.")
    tops = _places(whole)[1]
    if not tops & set(view.peek(".")) and tops & set(view.peek("submission")):
        view.enter("submission")
        notes.append("The deliverables are those in submission/.")
    return found
