"""The data's list of tags: the course's, so that what is wrong with it is a warning, and nobody's points rest on it."""

from __future__ import annotations

from grader.assignment import FigureSpec, ImagesSpec, Problem
from grader.checks import rules
from grader.errors import CannotMeasure
from grader.references.data import Data
from grader.references.tags import BrokenTags, asked_tags
from grader.results import Finding
from grader.text import listing


def tag_findings(problem: Problem, data: Data) -> list[Finding]:
    """A warning about each list of tags that a measure of the problem names and that can't be used."""
    by_id = {d.id: d for d in problem.deliverables}
    found: dict[str, Finding] = {}
    for spec in problem.measures:
        part = by_id[spec.deliverable]
        if not spec.tags or spec.tags in found or not isinstance(part, FigureSpec | ImagesSpec):
            continue
        count = part.count
        try:
            asked_tags(data, spec.tags, spec.published_tags, count)
        except CannotMeasure:  # the measure says so
            continue
        except BrokenTags as e:
            found[spec.tags] = rules.BROKEN_TAGS.finding(
                problem=problem.id,
                deliverable=spec.deliverable,
                path=spec.tags,
                message=f"The tags of the data ({spec.tags}) can't be used; no points rest on them.",
                expected=f"{count} lines such as 1,blue hair red eyes, with the ids 1 to {count} in this order",
                actual=listing(e.faults, 2),
                help="This is the course's list, not the submission's: mend it, or leave it out for the published one.",
                count=len(e.faults),
                examples=e.faults,
            )
    return list(found.values())
