"""The two verbs: check a submission, and score it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from grader.assignment import DEFAULT, Assignment, DocumentSpec, ImagesSpec, MeasureSpec, Problem, load_assignment
from grader.checks import rules
from grader.checks.images import CheckedImages, check_images
from grader.checks.repository import can_parse, check_document, check_script
from grader.checks.tables import CheckedTable, check_table
from grader.errors import CannotMeasure, GraderError, SubmissionRefused
from grader.judges import check_judges
from grader.measuring import Context, Progress, measure, silent
from grader.metrics import METRICS
from grader.references.data import BadReference, Data, find_data, read_labels
from grader.results import (
    BaselineResult,
    CheckReport,
    Finding,
    Measurement,
    MeasureResult,
    ScoreReport,
    Standing,
    State,
    Verdict,
    worst,
)
from grader.submission import Submission, ZipSubmission, open_submission
from grader.text import plural

Checked = CheckedImages | CheckedTable


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
    work = _load(assignment, problems)
    where = find_data(data, work.data_folder)
    try:
        with open_submission(submission) as view:
            seen = _inspect(view, work, where, keep=False)
            if with_repository:
                seen = replace(seen, findings=[*seen.findings, *_repository(view, work)], notes=_bash_note(seen.notes))
    except SubmissionRefused as e:
        seen = _refused(e)
    names = tuple(p.id for p in work.problems)
    return CheckReport(work.id, names, tuple(seen.findings), tuple(seen.notes), seen.empty)


def score(
    submission: str | Path,
    assignment: str | Path | Assignment = DEFAULT,
    *,
    problems: Iterable[str] = (),
    data: str | Path | None = None,
    judges: Mapping[str, str | Path] | None = None,
    device: str = "auto",
    progress: Progress = silent,
) -> ScoreReport:
    """Checks a submission, takes every measure and compares it with the baselines.

    Arguments as for `check`, and: judges: files of weights by judge name. device: auto, cpu, cuda or mps.
    progress: called as progress(task, done, total).

    A measure that needs something which isn't on this machine is `skipped`, with the reason. Raises as `check` does.
    """
    work = _load(assignment, problems)
    where = find_data(data, work.data_folder)
    context = Context(where, check_judges(judges or {}), device, progress)
    try:
        with open_submission(submission) as view:
            seen = _inspect(view, work, where, keep=True, answers=context.answers)
            digest = view.digest
    except SubmissionRefused as e:
        seen, digest = _refused(e), ""
    verdicts = tuple(_verdict(p, seen, context, work) for p in work.problems)
    general = tuple(f for f in seen.findings if not f.problem)
    return ScoreReport(work.id, work.digest, digest, verdicts, work.manual, general, tuple(seen.notes), seen.empty)


@dataclass
class _Seen:
    """What looking through the submission gave: findings, and what can be measured, by problem and deliverable."""

    findings: list[Finding]
    notes: list[str]
    checked: dict[tuple[str, str], Checked]
    empty: bool = False


def _load(assignment: str | Path | Assignment, problems: Iterable[str]) -> Assignment:
    loaded = assignment if isinstance(assignment, Assignment) else load_assignment(assignment)
    return loaded.only(problems)


def _inspect(
    view: Submission,
    work: Assignment,
    data: Data,
    *,
    keep: bool,
    answers: dict[str, Mapping[str, int]] | None = None,
) -> _Seen:
    """Checks every deliverable of the problems at hand. Fills `answers` with the labels that are there."""
    known = {} if answers is None else answers
    specs = [(p, d) for p in work.problems for d in p.deliverables]
    places = {d.path for _, d in specs}
    tops = {path.partition("/")[0] for path in places}
    notes: list[str] = []
    if isinstance(view, ZipSubmission) and (top := view.unwrap(tops)):
        notes.append(f"Everything in the zip lies in {top}/, which was taken as the top of the submission.")
    if _is_empty(view):
        return _Seen([_empty(work)], notes, {}, empty=True)
    without: list[str] = []
    findings: list[Finding] = []
    checked: dict[tuple[str, str], Checked] = {}
    for problem, spec in specs:
        result: Checked
        if isinstance(spec, ImagesSpec):
            result = check_images(view, spec, problem.id, elsewhere=tops | {work.data_folder}, keep=keep)
        else:
            if spec.answers not in known:
                _read_answers(spec.answers, spec.columns, spec.labels, data, known, notes, without)
            result = check_table(view, spec, problem.id, known.get(spec.answers), elsewhere=places)
        findings += result.findings
        checked[problem.id, spec.id] = result
    if without:
        notes.append(
            f"Without the labels ({', '.join(without)}) missing and unknown rows can't be looked for; "
            f"pass --data DIR, the folder with the course's data."
        )
    return _Seen(findings, notes, checked)


def _read_answers(
    relative: str,
    columns: tuple[str, str],
    labels: tuple[int, int],
    data: Data,
    known: dict[str, Mapping[str, int]],
    notes: list[str],
    without: list[str],
) -> None:
    path = data.find(relative)
    if path is None:
        if relative not in without:
            without.append(relative)
        return
    try:
        known[relative] = read_labels(path, columns, labels)
    except BadReference as e:
        if (note := f"The labels can't be used: {e}.") not in notes:
            notes.append(note)


def _is_empty(view: Submission) -> bool:
    """True if there is no file at the top and nothing in any folder there."""
    top = (view.folder(".") or {}).values()
    return not any(e.kind != "folder" for e in top) and not any(view.folder(e.name) for e in top)


def _empty(work: Assignment) -> Finding:
    wanted = ", ".join(dict.fromkeys(d.path.partition("/")[0] + "/" for p in work.problems for d in p.deliverables))
    return rules.EMPTY_SUBMISSION.finding(
        path=".",
        message="There is nothing in the submission.",
        expected=f"the folders {wanted}",
        actual="no file at all",
        help="Run your scripts so that they write into these folders, and check again.",
    )


def _refused(error: SubmissionRefused) -> _Seen:
    finding = rules.BAD_ARCHIVE.finding(
        path=".", message=str(error), expected=error.expected, actual=error.actual, help=error.help
    )
    return _Seen([finding], [], {})


def _repository(view: Submission, work: Assignment) -> list[Finding]:
    found: list[Finding] = []
    for spec in work.repository:
        found += check_document(view, spec) if isinstance(spec, DocumentSpec) else check_script(view, spec, work.shell)
    return found


def _bash_note(notes: list[str]) -> list[str]:
    return notes if can_parse() else [*notes, "bash is not on this machine: the scripts' syntax was not checked."]


def _verdict(problem: Problem, seen: _Seen, context: Context, work: Assignment) -> Verdict:
    findings = [f for f in seen.findings if f.problem == problem.id]
    measures: list[MeasureResult] = []
    for spec in problem.measures:
        checked = seen.checked.get((problem.id, spec.deliverable))
        if isinstance(checked, (CheckedImages, CheckedTable)) and _absent(checked):
            continue  # optional, and not handed in
        taken = _take(spec, checked, context)
        if taken.value is not None:
            findings += _reference_findings(problem.id, spec, checked, context)
        faulty = any(f.severity == "error" and f.deliverable == spec.deliverable for f in findings)
        measures.append(_compare(spec, taken, faulty or checked is None, work))
    states: list[State] = ["fail" if f.severity == "error" else "pass" for f in findings]
    states += [m.state for m in measures if m.baselines]
    return Verdict(
        problem.id,
        problem.title,
        worst(states),
        sum(m.points for m in measures),
        sum(m.would_earn for m in measures),
        sum(m.max_points for m in measures),
        tuple(measures),
        tuple(findings),
    )


def _absent(checked: Checked) -> bool:
    there = checked.present if isinstance(checked, CheckedTable) else bool(checked.names or checked.findings)
    return not checked.spec.required and not there


def _reference_findings(problem: str, spec: MeasureSpec, checked: Checked | None, context: Context) -> list[Finding]:
    """A warning where the data folder holds another number of reference items than the course published."""
    from grader.references.pictures import count_pictures

    found, published, what = 0, 0, ""
    if isinstance(checked, CheckedTable):
        what, published = checked.spec.answers, checked.spec.answers_count
        found = len(context.answers.get(what, ()))
    elif spec.reference and (folder := context.data.find(spec.reference)):
        what, published = spec.reference, spec.reference_count
        found = count_pictures(folder)
    if not found or not published or found == published:
        return []
    finding = rules.REFERENCE_COUNT.finding(
        problem=problem,
        deliverable=spec.deliverable,
        path=what,
        message=f"{what} of the data has {plural(found, 'item')}; the course published {published}.",
        expected=f"{published} items",
        actual=f"{found} items",
        help="Values on another reference can't be compared with published ones; use the course's full data.",
    )
    return [finding]


def _take(spec: MeasureSpec, checked: Checked | None, context: Context) -> Measurement:
    """The measurement, whatever happens: what isn't here skips it, a broken reference is our error."""
    if checked is None:
        return Measurement(None, 0, "the submission can't be read", "fail")
    try:
        taken = measure(spec, checked, context)
    except CannotMeasure as e:
        return Measurement(None, 0, str(e), "skipped")
    except BadReference as e:
        return Measurement(None, 0, str(e), "error")
    except GraderError:
        raise
    except Exception as e:  # ours or the machine's (memory, driver): it must cost the student nothing
        return Measurement(None, 0, f"the grader failed: {type(e).__name__}: {e}", "error")
    if taken.value is not None and not math.isfinite(taken.value):
        return Measurement(None, taken.n, f"the value is not finite ({taken.value})", "error")
    return taken


def _compare(spec: MeasureSpec, taken: Measurement, faulty: bool, work: Assignment) -> MeasureResult:
    """Holds a measurement against its baselines; a deliverable with an error earns nothing."""
    value, state, reason = taken.value, taken.state, taken.reason
    baselines = []
    for b in spec.baselines:
        passed = value is not None and b.reached_by(value)
        low, high = taken.interval or (math.inf, -math.inf)
        earned = b.points if passed and not faulty else 0.0
        baselines.append(BaselineResult(b.name, b.value, b.op, b.points, passed, earned, low <= b.value <= high))
    if state == "pass" and value is not None and baselines:
        metric = METRICS[spec.metric]
        if not baselines[0].passed:
            state = "fail"
            reason = f"{metric.show(value)} does not reach {baselines[0].name}, {metric.show(baselines[0].value)}"
        elif faulty:
            state, reason = "fail", "the deliverable has errors, and a wrong format earns no points"
    return MeasureResult(
        spec.id,
        spec.metric,
        spec.deliverable,
        state,
        reason,
        value,
        taken.interval,
        taken.n,
        _standing(spec, value, work),
        tuple(baselines),
        taken.details,
        taken.provenance,
    )


def _standing(spec: MeasureSpec, value: float | None, work: Assignment) -> Standing | None:
    reported = [r.values[spec.id] for r in work.reported if spec.id in r.values]
    if value is None or not reported:
        return None
    better = sum(value > r if METRICS[spec.metric].op == "ge" else value < r for r in reported)
    return Standing(better, len(reported))
