"""Names that macOS and Windows take for one, where the assignment's deliverables are."""

from __future__ import annotations

from collections.abc import Collection

from grader.checks import rules
from grader.results import Finding
from grader.submission import Submission
from grader.text import are, listing, plural


def clash_findings(submission: Submission, places: Collection[str]) -> list[Finding]:
    """A finding for each folder with such names. `places`: the paths of all deliverables; others don't matter."""
    around = {place.rpartition("/")[0] or "." for place in places}
    ways = {place[:end] for place in places for end in range(1, len(place) + 1) if place[end : end + 1] in ("", "/")}
    found = []
    for folder, several in sorted(submission.clashes().items()):
        if folder not in places:  # it may hold deliverables beside things that are nobody's business
            prefix = "" if folder == "." else f"{folder}/"
            several = [names for names in several if any(prefix + name in ways for name in names)]
            if folder not in around | ways | {"."} or not several:
                continue
        told = [" = ".join(names) for names in several]
        where = "the top of the submission" if folder == "." else f"{folder}/"
        found.append(
            rules.CLASHING_NAMES.finding(
                path=folder,
                message=f"{plural(len(several), 'name')} of {where} {are(len(several))} there in several spellings.",
                expected="names that differ in more than capital letters and the form of accents",
                actual=listing(told, 2),
                help="Other systems take these for one file and keep one of them: leave one of each.",
                count=len(several),
                examples=told,
            )
        )
    return found
