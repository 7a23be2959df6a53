"""The two verbs: check a submission, and score it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from grader.assignment import DEFAULT, Assignment, DocumentSpec
from grader.checks.figures import CheckedFigure, Figures, as_images
from grader.checks.images import CheckedImages, Pictures
from grader.checks.repository import can_parse, check_document, check_script
from grader.errors import SubmissionRefused
from grader.inspection import Checked
from grader.looking import find_course_data, inspect, load, places, refused, unwrap
from grader.measuring.context import Context, Progress, silent
from grader.results import CheckReport, Finding, ScoreReport
from grader.scoring import Scorer
from grader.submission import Submission, open_submission


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
    whole, work = load(assignment, problems)
    where, unused = find_course_data(submission, data, work)
    try:
        with open_submission(submission) as view:
            notes = [*unused, *unwrap(view, whole)]
            around = _repository(view, work, whole, notes) if with_repository else []
            seen = inspect(view, work, whole, where, keep=False)
            seen = replace(seen, findings=[*seen.findings, *around], notes=[*notes, *seen.notes])
    except SubmissionRefused as e:
        seen = refused(e)
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
    scorer = Scorer(assignment, data=data, judges=judges, references=references, device=device, cache=cache)

    def look(checked: Mapping[tuple[str, str], Checked], _: Context) -> None:
        if pictures is not None:
            parts = {k: as_images(p) if isinstance(p, CheckedFigure) and p.tiles else p for k, p in checked.items()}
            pictures.update({key: part for key, part in parts.items() if isinstance(part, CheckedImages)})
        if figures is not None:
            figures.update({k: p for k, p in checked.items() if isinstance(p, CheckedFigure) and p.pixels})

    return scorer.score(submission, problems=problems, progress=progress, look=look)


def _repository(view: Submission, work: Assignment, whole: Assignment, notes: list[str]) -> list[Finding]:
    """Findings about scripts and report; then goes into `submission/` if the deliverables lie there."""
    found: list[Finding] = []
    for spec in work.repository:
        found += check_document(view, spec) if isinstance(spec, DocumentSpec) else check_script(view, spec, work.shell)
    if not can_parse():
        notes.append("bash is not on this machine: the scripts' syntax was not checked.")
    tops = places(whole)[1]
    if not tops & set(view.peek(".")) and tops & set(view.peek("submission")):
        view.enter("submission")
        notes.append("The deliverables are those in submission/.")
    return found
