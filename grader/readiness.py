"""What of the course's data an assignment's measures need, known before anything is measured. No torch."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from grader.assignment import Assignment, ImagesSpec, MeasureSpec, TableSpec
from grader.assignment.model import Problem

# These compare with the reference's pictures where they are there, and are measured without them too.
_OPTIONAL = {"diversity", "vendi_score"}
_WITH_ORIGINALS = {"reconstruction_mse", "psnr", "ssim"}


@dataclass(frozen=True)
class Need:
    """One path under the data folder, for one measure. `required`: the measure is skipped without it."""

    problem: str
    measure: str
    path: str
    required: bool


def needs_of_data(assignment: Assignment, given: Collection[tuple[str, str]] = ()) -> list[Need]:
    """Everything that the measures read from the data folder, in the assignment's order.

    given: reference and protocol of each file of statistics, which stands in for the pictures.
    """
    return [
        Need(p.id, m.id, path, required)
        for p in assignment.problems
        for m in p.measures
        for path, required in _paths(p, m, given)
    ]


def _paths(problem: Problem, m: MeasureSpec, given: Collection[tuple[str, str]]) -> list[tuple[str, bool]]:
    spec = next(d for d in problem.deliverables if d.id == m.deliverable)
    if isinstance(spec, TableSpec):
        # An optional table may stay away, and then nothing is skipped.
        return [(spec.answers, spec.required)] if spec.answers else []
    if isinstance(spec, ImagesSpec) and m.metric in _WITH_ORIGINALS:
        return [(spec.one_for_each, spec.required)]
    if m.metric == "domain_accuracy":  # it learns from pictures, which no statistics stand in for
        return [(m.reference, spec.required), (m.against_reference, spec.required)]
    if m.tags:
        return [(m.tags, spec.required and not m.published_tags)]
    if not m.reference or (m.reference, m.protocol) in given:
        return []
    required = m.metric not in _OPTIONAL and m.reference_file is None
    return [(path, required) for path in (m.reference, m.reference_labels) if path]
