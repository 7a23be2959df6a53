"""A rule, and the finding that it makes of what is wrong with a submission."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass

from grader.results import Finding, Severity
from grader.text import LONGEST, printable, some

_LONGEST = 5 * LONGEST
IMAGES = 12  # images or pairs that a finding names


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
    ) -> Finding:
        """A finding of this rule. Every text is escaped and capped here, since each may quote a student's names."""
        return Finding(
            rule=self.id,
            severity=self.severity,
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


def error(id: str, title: str, meaning: str, example: str) -> Rule:
    """A rule whose findings cost the points."""
    return Rule(id, "error", title, meaning, example)


def warning(id: str, title: str, meaning: str, example: str) -> Rule:
    """A rule whose findings cost nothing."""
    return Rule(id, "warning", title, meaning, example)
