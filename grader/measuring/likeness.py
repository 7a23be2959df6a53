"""Images that should differ in one thing alone: warnings where they are unrelated, or where something was pasted in."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from grader.checks import rules
from grader.checks.images import CheckedImages
from grader.results import Finding, Measurement

if TYPE_CHECKING:
    from collections.abc import Sequence

CHANCE = 0.5  # two images of different pairs or rows are as near as often
_SPREAD = 0.8  # twice the standard deviation of unrelated images' value, times the root of the number of pairs or rows
_LEAST = 4  # pairs or rows: fewer tell nothing
_PAIRS_LEAST = 10  # fewer images may agree in a place by chance


def likeness_findings(
    problem: str, images: CheckedImages, taken: Measurement, pairs: Sequence[tuple[int, int]] = ()
) -> list[Finding]:
    """Warnings beside `pair_identity` (pairs: the indices of partners) and beside `code_nmi`."""
    found: list[Finding] = []
    value, n = taken.value, taken.n
    what, advice = "pair", "Draw one noise vector for each pair, and change the attribute alone."
    if not pairs:
        value, n = taken.details.get("row_identity"), taken.details.get("rows", 0)
        what, advice = "row", "Draw one noise vector for each row, and change the code alone."
    if value is not None and n >= _LEAST and value <= CHANCE + _SPREAD / math.sqrt(n):
        found.append(_unrelated(problem, images, what, value, advice))
    if pairs and (share := _pasted(images, pairs)):
        found.append(_pasted_finding(problem, images, share))
    return found


def _unrelated(problem: str, images: CheckedImages, what: str, value: float, advice: str) -> Finding:
    path = images.spec.path
    return rules.UNRELATED_IMAGES.finding(
        problem=problem,
        deliverable=images.spec.id,
        path=path,
        message=f"The images of one {what} of {path}/ resemble each other no more than those of different {what}s: "
        f"nearer in {100 * value:.1f} % of the comparisons, and chance reaches 50 %.",
        expected=f"images of one {what} that differ in one thing alone",
        actual=f"{100 * value:.1f} % of the comparisons",
        help=f"{advice} What the other measures say of these images tells nothing of a {what}.",
        count=len(images.names),
    )


def _pasted_finding(problem: str, images: CheckedImages, share: float) -> Finding:
    path = images.spec.path
    return rules.PASTED_PATCH.finding(
        problem=problem,
        deliverable=images.spec.id,
        path=path,
        message=f"{100 * share:.1f} % of the picture is the same in all images of one value of {path}/, "
        "and not in those of the other.",
        expected="an attribute that looks different on every face",
        actual="the same pixels in all of them",
        help="A generator draws no two faces alike there: look at these images, and at how they were made.",
        count=len(images.names),
    )


def _pasted(images: CheckedImages, pairs: Sequence[tuple[int, int]]) -> float:
    from grader.metrics.attributes import pasted_share

    if len(pairs) < _PAIRS_LEAST:
        return 0.0
    pixels = images.array
    return pasted_share(*(pixels[[pair[v] for pair in pairs]] for v in (0, 1)))
