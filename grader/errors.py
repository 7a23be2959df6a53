"""The errors that a caller of `grader` can meet.

GraderError             a sentence for a person: what was expected, what was found, what to do
├── UsageError          wrong arguments, or a path that isn't there (exit code 2)
│   └── AssignmentError an assignment file that can't be used: file, line and key
├── SubmissionRefused   a submission that can't even be listed: a damaged zip (becomes a finding)
└── CannotMeasure       a measure that can't be taken here: a package, weights or data are missing (skipped)
"""

from __future__ import annotations


class GraderError(Exception):
    """Base of every error that is meant to be read by a person; `str()` gives the whole message."""


class UsageError(GraderError):
    """The command, the Python call or the configuration is wrong: nothing was graded."""


class AssignmentError(UsageError):
    """An assignment or baselines file is wrong. The message starts with `file:line: key`."""


class SubmissionRefused(GraderError):
    """The submission as a whole can't be read. `expected`, `actual` and `help` become those of a finding."""

    def __init__(self, message: str, *, expected: str, actual: str, help: str) -> None:
        super().__init__(message)
        self.expected = expected
        self.actual = actual
        self.help = help


class CannotMeasure(GraderError):
    """A measure has to be skipped: what it needs is not on this machine."""
