"""Answers that are no better than guessing: shuffled, shifted, or all of one class."""

from __future__ import annotations

from grader.assignment import MeasureSpec
from grader.checks import rules
from grader.checks.images import CheckedImages
from grader.checks.tables import CheckedTable
from grader.results import Finding, Measurement
from grader.text import listing

ACCURACIES = {"digit_accuracy", "target_accuracy", "attribute_accuracy"}
_MOSTLY = 0.5  # share of a class that must be read as one other class for its labels to be called swapped


def chance_findings(
    problem: str, spec: MeasureSpec, part: CheckedImages | CheckedTable, taken: Measurement
) -> list[Finding]:
    """A warning where the interval of an accuracy reaches down to what one and the same answer would score.

    None beside an error: where images or rows are missing, that is what keeps it low.
    """
    if any(f.severity == "error" for f in part.findings):
        return []
    sizes: list[int] = taken.details.get("class_sizes", [])
    if taken.value is None or taken.interval is None or not sizes or taken.interval[0] > max(sizes) / sum(sizes):
        return []
    images = isinstance(part, CheckedImages)
    # A table's answers are the course's, and which of them are swapped would be half of the solution.
    swapped = _swapped(taken) if images else []
    what, owner = ("images", "what their names promise") if images else ("rows", "the images they name")
    finding = rules.AT_CHANCE.finding(
        problem=problem,
        deliverable=spec.deliverable,
        path=part.spec.path,
        message=f"The {what} of {part.spec.path} agree with {owner} no more often than guesses would.",
        expected=f"clearly more than one of {len(sizes)} right, and than one answer for all would have",
        actual=f"{taken.value:.1%} right, 95 % interval {taken.interval[0]:.1%} to {taken.interval[1]:.1%}",
        help=f"Labels are swapped: {listing(swapped)}. Name the images by the label that they were made for."
        if swapped
        else f"See whether names and labels belong together: was one of them shuffled or sorted, do the {what} all "
        "say the same, are labels counted from 0?",
        count=max(1, len(swapped)),
        examples=swapped,
    )
    return [finding]


def _swapped(taken: Measurement) -> list[str]:
    """Classes of which most images are read as one other, each as a different one, in words."""
    names: list[str] = taken.details["classes"]
    told, seen = [], set()
    for name, row, size in zip(names, taken.details["confusion"], taken.details["class_sizes"], strict=True):
        most = max(range(len(row)), key=row.__getitem__)
        if row[most] <= _MOSTLY * size or most in seen:
            return []
        seen.add(most)
        if names[most] != name:
            told.append(f"{name} is read as {names[most]}")
    return told
