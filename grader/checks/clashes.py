"""Names that macOS and Windows take for one, where the assignment's deliverables are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from grader.checks import rules
from grader.results import Finding
from grader.submission import Submission
from grader.text import are, listing, plural

Owner = tuple[str, str]  # problem and deliverable
_NOBODY: Owner = ("", "")


def clash_findings(submission: Submission, places: Mapping[str, Owner]) -> list[Finding]:
    """Findings for each folder with such names: one for each deliverable that one of the two names leads to.

    places: the paths of all deliverables, with whose they are, `("", "")` for what isn't graded now.
    """
    around = {place.rpartition("/")[0] or "." for place in places}
    ways = {place[:end] for place in places for end in range(1, len(place) + 1) if place[end : end + 1] in ("", "/")}
    found = []
    for folder, several in sorted(submission.clashes().items()):
        prefix = "" if folder == "." else f"{folder}/"
        if folder not in places:  # it may hold deliverables beside things that are nobody's business
            several = [names for names in several if any(prefix + name in ways for name in names)]
            if folder not in around | ways | {"."} or not several:
                continue
        meant = {prefix + name for names in several for name in names} if folder not in places else {folder}
        found += [_finding(folder, several, owner) for owner in _owners(submission, meant, places)]
    return found


def _owners(submission: Submission, meant: set[str], places: Mapping[str, Owner]) -> list[Owner]:
    """Whose points rest on a name that could be another one: what is there, at such a path or below it."""
    below = [place for place in places if any(place == path or place.startswith(f"{path}/") for path in meant)]
    there = [place for place in below if submission.entry(place) is not None] or below[:1]
    owners = dict.fromkeys(places[place] for place in there)
    return [owner for owner in owners if owner != _NOBODY] or [_NOBODY]


def _finding(folder: str, several: Sequence[tuple[str, ...]], owner: Owner) -> Finding:
    told = [" = ".join(names) for names in several]
    where = "the top of the submission" if folder == "." else f"{folder}/"
    return rules.CLASHING_NAMES.finding(
        problem=owner[0],
        deliverable=owner[1],
        path=folder,
        message=f"{plural(len(several), 'name')} of {where} {are(len(several))} there in several spellings.",
        expected="names that differ in more than capital letters and the form of accents",
        actual=listing(told, 2),
        help="Other systems take these for one file and keep one of them: leave one of each.",
        count=len(several),
        examples=told,
    )
