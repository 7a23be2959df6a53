"""A rule, and the finding that it makes of what is wrong with a submission."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

from grader.results import Finding, Severity
from grader.text import LONGEST, printable, some

_LONGEST = 5 * LONGEST
IMAGES = 12  # images or pairs that a finding names
# Shares of a deliverable's images beyond which a warning is grave. No generator repeats pixels or hits those of a
# photo, while an honest one that collapsed, or learnt by heart, may come near to them with a part of its images.
MOST_EQUAL, MOST_NEAR, MOST_ALIKE = 0.05, 0.25, 0.5


@dataclass(frozen=True)
class Rule:
    """One rule. `meaning` and `example` are what `grader explain` prints."""

    id: str
    severity: Severity
    title: str
    meaning: str
    example: str

    def finding(
        self,
        *,
        problem: str = "",
        deliverable: str = "",
        path: str,
        message: str,
        expected: str,
        actual: str,
        help: str,
        count: int = 1,
        examples: tuple[str, ...] | list[str] = (),
        line: int | None = None,
        images: Iterable[tuple[str, ...]] = (),
        grave: bool = False,
    ) -> Finding:
        """A finding of this rule. Every text is escaped and capped here, since each may quote a student's names.

        grave: an error, whatever the rule's severity is: there is too much of it for points without a person's word.
        """
        if grave and self.severity == "warning":
            message += " That is too much to earn points before a person has looked at it."
        return Finding(
            rule=self.id,
            severity="error" if grave else self.severity,
            problem=problem,
            deliverable=deliverable,
            path=printable(path, 3 * LONGEST),
            message=printable(message, _LONGEST),
            expected=printable(expected, _LONGEST),
            actual=printable(actual, 3 * LONGEST),
            help=printable(help, _LONGEST),
            count=count,
            examples=some(examples),
            line=line,
            images=tuple(some(names) for names in itertools.islice(images, IMAGES)),
        )


def too_many(count: int, of: int, share: float) -> bool:
    """True if more than this share of a deliverable's images is concerned, and more than one of them.

    >>> too_many(1, 4, 0.05), too_many(2, 25, 0.05), too_many(50, 1000, 0.05)
    (False, True, False)
    """
    return count > max(1, share * of)


def error(id: str, title: str, meaning: str, example: str) -> Rule:
    """A rule whose findings cost the points."""
    return Rule(id, "error", title, meaning, example)


def warning(id: str, title: str, meaning: str, example: str) -> Rule:
    """A rule whose findings cost nothing."""
    return Rule(id, "warning", title, meaning, example)
