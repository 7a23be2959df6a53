"""Scores submissions of one assignment: what was checked is measured and compared with the baselines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from grader.assignment import DEFAULT, Assignment, TableSpec
from grader.checks import rules
from grader.errors import SubmissionRefused, UsageError
from grader.inspection import Checked
from grader.judges import check_judges
from grader.looking import Seen, find_course_data, inspect, load, refused, unwrap
from grader.measuring.context import Context, Progress, Shared, silent
from grader.references.data import Data, find_data
from grader.results import Finding, MeasureResult, ScoreReport, Verdict
from grader.submission import open_submission
from grader.verdicts import judge_problem

if TYPE_CHECKING:
    from grader.references.statistics import ReferenceFile

Look = Callable[[Mapping[tuple[str, str], Checked], Context], None]


class Scorer:
    """Scores many submissions of one assignment: networks are loaded and the course's data read once, by the first.

    Arguments and errors as for `score`. Data and files of weights must stay as they are meanwhile.
    """

    def __init__(
        self,
        assignment: str | Path | Assignment = DEFAULT,
        *,
        data: str | Path | None = None,
        judges: Mapping[str, str | Path] | None = None,
        references: Iterable[str | Path] = (),
        device: str = "auto",
        cache: bool = True,
    ) -> None:
        self.assignment = load(assignment, ())[0]
        self._data = data
        find_data(data, self.assignment.data_folder)  # a wrong one is told at once
        self._judges = check_judges(judges or {})
        self._references = _read_references(references, self.assignment)
        self._device = device
        self._cache = cache
        self._shared = Shared()
        self._answers: dict[str, Mapping[str, int]] = {}

    def score(
        self,
        submission: str | Path,
        *,
        problems: Iterable[str] = (),
        progress: Progress = silent,
        look: Look | None = None,
    ) -> ScoreReport:
        """As `grader.score`. look: called in the end with what was measured, by problem and deliverable, and how."""
        _, work = load(self.assignment, problems)
        where, unused = find_course_data(submission, self._data, work)
        context = Context(where, self._judges, self._device, progress, self._references, self._cache)
        context.shared = self._shared
        context.answers |= self._answers
        try:
            with open_submission(submission) as view:
                notes = [*unused, *unwrap(view, self.assignment)]
                seen = inspect(view, work, self.assignment, where, keep=True, answers=context.answers)
                seen = replace(seen, notes=[*notes, *seen.notes])
                digest = view.digest
        except SubmissionRefused as e:
            seen, digest = replace(refused(e), notes=unused), ""
        of_data = {d.answers for p in work.problems for d in p.deliverables if isinstance(d, TableSpec)}
        self._answers |= {k: labels for k, labels in context.answers.items() if k in of_data}
        return _judge(work, seen, digest, context, look)

    def refuse(self, error: SubmissionRefused, problems: Iterable[str] = ()) -> ScoreReport:
        """The report on what can't be opened."""
        _, work = load(self.assignment, problems)
        return _judge(work, refused(error), "", Context(Data(None, work.data_folder), self._judges, self._device))


def _judge(work: Assignment, seen: Seen, digest: str, context: Context, look: Look | None = None) -> ScoreReport:
    verdicts = tuple(judge_problem(p, seen.findings, seen.checked, context, work) for p in work.problems)
    if look is not None:
        look(seen.checked, context)
    verdicts, shared = _once(verdicts)
    general = (*(f for f in seen.findings if not f.problem), *shared)
    notes = tuple(dict.fromkeys([*seen.notes, *context.notes, *_unknown_judges(verdicts)]))
    return ScoreReport(work.id, work.digest, digest, verdicts, work.manual, general, notes, seen.empty)


def _once(verdicts: tuple[Verdict, ...]) -> tuple[tuple[Verdict, ...], list[Finding]]:
    """Takes out of the verdicts what is said of one reference in several problems; it is about no problem then."""
    told = Counter((f.rule, f.message) for v in verdicts for f in v.findings if f.rule == rules.REFERENCE_COUNT.id)
    several = {key for key, times in told.items() if times > 1}
    shared = {(f.rule, f.message): f for v in verdicts for f in v.findings if (f.rule, f.message) in several}
    rest = [replace(v, findings=tuple(f for f in v.findings if (f.rule, f.message) not in several)) for v in verdicts]
    return tuple(rest), [replace(f, problem="", deliverable="") for f in shared.values()]


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
