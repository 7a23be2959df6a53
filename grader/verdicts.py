"""From what was checked to points: takes each measure and compares it with its baselines."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace

from grader.assignment import Assignment, MeasureSpec, Problem
from grader.checks import rules
from grader.checks.figures import CheckedFigure, as_images
from grader.checks.images import CheckedImages
from grader.checks.tables import CheckedTable
from grader.errors import CannotMeasure, GraderError
from grader.inspection import Checked
from grader.measuring import measure
from grader.measuring.attributes import partners
from grader.measuring.chance import ACCURACIES, chance_findings
from grader.measuring.context import Context
from grader.measuring.diversity import collapse_findings
from grader.measuring.faces import crowd_findings
from grader.measuring.likeness import likeness_findings
from grader.measuring.reconstruction import mistake_findings, original_findings
from grader.metrics import METRICS
from grader.references.data import BadReference
from grader.results import (
    BaselineResult,
    Finding,
    Measurement,
    MeasureResult,
    Standing,
    State,
    Verdict,
    worst,
)
from grader.text import plural


def judge_problem(
    problem: Problem,
    found: Iterable[Finding],
    checked: Mapping[tuple[str, str], Checked],
    context: Context,
    work: Assignment,
) -> Verdict:
    """The verdict of one problem. `checked`: by problem and deliverable; empty if the submission can't be read."""
    findings = [f for f in found if f.problem == problem.id]
    findings += _copies(problem, checked, context)
    measures: list[MeasureResult] = []
    looked: set[str] = set()  # deliverables whose reconstructions were held against their originals
    for spec in problem.measures:
        part = checked.get((problem.id, spec.deliverable))
        optional = next(not d.required for d in problem.deliverables if d.id == spec.deliverable)
        if optional and (part is None or _absent(part)):
            continue
        if isinstance(part, CheckedFigure) and METRICS[spec.metric].deliverable == "images":
            part = as_images(part)
        against = checked.get((problem.id, spec.against))
        taken = _take(spec, part, context, problem.id, against)
        told = {f.message for f in findings}  # measures may share a reference
        findings += [f for f in _told_by(spec, part, taken, context, problem.id, looked) if f.message not in told]
        faulty = any(f.severity == "error" and f.deliverable == spec.deliverable for f in findings)
        measures.append(_compare(spec, taken, faulty or part is None, work))
    states: list[State] = ["fail" if f.severity == "error" else "pass" for f in findings]
    # Without baselines nothing can be missed, but what went wrong on our side must not look like a pass.
    states += [m.state for m in measures if m.baselines or m.state == "error"]
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


def _told_by(
    spec: MeasureSpec, part: Checked | None, taken: Measurement, context: Context, problem: str, looked: set[str]
) -> list[Finding]:
    """Warnings that a measurement gives rise to, of the images or of the data.

    looked: deliverables that were held against their originals; this one is added.
    """
    if taken.value is None:
        return []
    found = _reference_findings(problem, spec, part, taken)
    if spec.metric == "face_count" and isinstance(part, CheckedFigure):
        found += crowd_findings(problem, part, taken)
    if spec.metric in ACCURACIES and isinstance(part, CheckedImages | CheckedTable):
        found += chance_findings(problem, spec, part, taken)
    if not isinstance(part, CheckedImages):
        return found
    if spec.metric == "vendi_score":
        found += collapse_findings(problem, part, taken)
    if spec.metric in ("pair_identity", "code_nmi"):
        found += likeness_findings(problem, part, taken, partners(part) if spec.metric != "code_nmi" else ())
    if part.spec.one_for_each and spec.deliverable not in looked:
        looked.add(spec.deliverable)
        found += _mistakes(problem, part, context)
    return found


def _copies(problem: Problem, checked: Mapping[tuple[str, str], Checked], context: Context) -> list[Finding]:
    """Warnings about copied images; whatever goes wrong there costs no points and hides no measure."""
    from grader.measuring.copies import copy_findings, meant_to_differ_in  # brings numpy, which a check does without

    found: list[Finding] = []
    for (owner, name), part in checked.items():
        metrics = {m.metric for m in problem.measures if m.deliverable == name}
        if isinstance(part, CheckedFigure) and metrics:
            part = as_images(part)
        if owner != problem.id or not isinstance(part, CheckedImages):
            continue
        try:
            found += copy_findings(problem.id, part, context, free=meant_to_differ_in(part, metrics))
        except GraderError:
            raise
        except Exception as e:
            context.notes.append(f"Copies among {name} were not looked for: {type(e).__name__}: {e}.")
    return found


def _mistakes(problem: str, images: CheckedImages, context: Context) -> list[Finding]:
    """Warnings about copied originals and mistakes in saving; like those about copies, they hide no measure."""
    try:
        return [*original_findings(problem, images, context), *mistake_findings(problem, images, context)]
    except GraderError:
        raise
    except Exception as e:
        told = f"{type(e).__name__}: {e}"
        context.notes.append(f"Mistakes in saving {images.spec.id} were not looked for: {told}.")
        return []


def _absent(checked: Checked) -> bool:
    if isinstance(checked, CheckedTable):
        return not checked.present
    there = checked.decoded if isinstance(checked, CheckedFigure) else bool(checked.names)
    return not there and not checked.findings


def _reference_findings(problem: str, spec: MeasureSpec, checked: Checked | None, taken: Measurement) -> list[Finding]:
    """A warning where the data folder holds another number of reference items than the course published."""
    found = taken.provenance.get("reference_of", taken.provenance.get("reference_n", 0))
    what, source = str(taken.provenance.get("reference", "")), taken.provenance.get("reference_source", "data")
    published = checked.spec.answers_count if isinstance(checked, CheckedTable) else spec.reference_count
    if not published or found == published:
        return []
    finding = rules.REFERENCE_COUNT.finding(
        problem=problem,
        deliverable=spec.deliverable,
        path=what,
        message=f"{what} of the {source} has {plural(found, 'item')}; the course published {published}.",
        expected=f"{published} items",
        actual=f"{found} items",
        help="Values on another reference can't be compared with published ones; use the course's full data.",
    )
    return [finding]


def _take(
    spec: MeasureSpec, checked: Checked | None, context: Context, problem: str, against: Checked | None
) -> Measurement:
    """The measurement, whatever happens: what isn't here skips it, a broken reference is our error."""
    about = {"protocol": spec.protocol} | ({"reference": spec.reference} if spec.reference else {})
    if checked is None:
        return Measurement(None, 0, "the submission can't be read", "fail", provenance=about)
    try:
        taken = measure(spec, checked, context, problem, against)
    except CannotMeasure as e:
        return Measurement(None, 0, str(e), "skipped", provenance=about)
    except BadReference as e:
        return Measurement(None, 0, str(e), "error", provenance=about)
    except GraderError:
        raise
    except Exception as e:  # ours or the machine's (memory, driver): it must cost the student nothing
        return Measurement(None, 0, f"the grader failed: {type(e).__name__}: {e}", "error", provenance=about)
    if taken.value is not None and not math.isfinite(taken.value):
        return Measurement(None, taken.n, f"the value is not finite ({taken.value})", "error", provenance=about)
    return replace(taken, provenance=about | taken.provenance)


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
        binding = next((b for b in baselines if b.points), None)  # one without points is there for orientation
        if binding is not None and not binding.passed:
            state = "fail"
            does = "do" if metric.whole and value != 1 else "does"
            reason = f"{metric.show(value)} {does} not reach {binding.name}, {metric.show(binding.value)}"
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
