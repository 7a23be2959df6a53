"""The guarded door: a student's folder or zip as a read-only view."""

from grader.submission.archive import ZipSubmission
from grader.submission.decoder import CannotDecode, Decoder, Undecodable
from grader.submission.decoding_worker import FIGURE
from grader.submission.door import Entry, EntryKind, Submission, Unreadable, open_submission
from grader.submission.limits import LIMITS, Limits

__all__ = [
    "FIGURE",
    "LIMITS",
    "CannotDecode",
    "Decoder",
    "Entry",
    "EntryKind",
    "Limits",
    "Submission",
    "Undecodable",
    "Unreadable",
    "ZipSubmission",
    "open_submission",
]
