"""Pictures that stand in two image folders of a submission: what one asks for can't be what the other does."""

from __future__ import annotations

from collections.abc import Mapping

from grader.checks import rules
from grader.checks.images import CheckedImages
from grader.checks.rule import MOST_EQUAL, too_many
from grader.results import Finding
from grader.text import are, listing, plural

Key = tuple[str, str]  # problem and deliverable


def shared_findings(folders: Mapping[Key, CheckedImages]) -> list[Finding]:
    """A finding for each two folders with equal pixels, about the later one.

    Outputs of given inputs may leave an input as it is, which a measure of both says.
    """
    found = []
    items = list(folders.items())
    for i, (key, part) in enumerate(items):
        for other_key, other in items[:i]:
            bound = key[0] == other_key[0] and other.spec.id == part.spec.same_names
            both = (
                []
                if bound
                else sorted((part.digests[d], other.digests[d]) for d in part.digests.keys() & other.digests)
            )
            if both:
                found.append(_finding(key[0], part, other, both))
    return found


def _finding(problem: str, part: CheckedImages, other: CheckedImages, both: list[tuple[str, str]]) -> Finding:
    one = len(both) == 1
    pairs = [f"{name} = {other.spec.place}{theirs}" for name, theirs in both]
    return rules.DUPLICATE_IMAGES.finding(
        problem=problem,
        deliverable=part.spec.id,
        path=f"{part.spec.path}/{both[0][0]}" if one else part.spec.path,
        message=f"{plural(len(both), 'image')} in {part.spec.place} {are(len(both))} in {other.spec.place} as well.",
        expected="other images in each folder",
        actual=listing(pairs, 2),
        help=f"Hand in what was made for {part.spec.place}: was one folder saved, or copied, twice?",
        count=len(both),
        examples=pairs,
        images=[(name,) for name, _ in both],
        grave=too_many(len(both), len(part.digests), MOST_EQUAL),
    )
