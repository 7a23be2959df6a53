"""The guarded door: a student's folder or zip as a read-only view."""

from grader.submission.archive import ZipSubmission
from grader.submission.door import Entry, EntryKind, Submission, Unreadable, open_submission
from grader.submission.limits import LIMITS, Limits

__all__ = [
    "LIMITS",
    "Entry",
    "EntryKind",
    "Limits",
    "Submission",
    "Unreadable",
    "ZipSubmission",
    "open_submission",
]
