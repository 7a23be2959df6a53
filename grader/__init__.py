"""Checks and scores homework on generative models and domain adaptation in vision.

    import grader

    report = grader.check("submission", data="hw2_data")
    for finding in report.findings:
        print(finding.path, finding.message, finding.help)

    report = grader.score("submission", problems=["acgan"], data="hw2_data")
    print(report.state, report.points, report.max_points)

What is listed in `__all__` is the public interface; everything else may change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grader._version import __version__

if TYPE_CHECKING:
    from grader.errors import AssignmentError, GraderError, UsageError
    from grader.grading import check, score
    from grader.results import (
        BaselineResult,
        CheckReport,
        Finding,
        ManualPoints,
        MeasureResult,
        ScoreReport,
        Standing,
        Verdict,
    )

__all__ = [
    "AssignmentError",
    "BaselineResult",
    "CheckReport",
    "Finding",
    "GraderError",
    "ManualPoints",
    "MeasureResult",
    "ScoreReport",
    "Standing",
    "UsageError",
    "Verdict",
    "__version__",
    "check",
    "score",
]

_ERRORS = {"AssignmentError", "GraderError", "UsageError"}


def __getattr__(name: str) -> Any:
    # Loaded on first use, so that `grader --help` stays quick.
    import importlib

    if name not in __all__:
        raise AttributeError(f"module 'grader' has no attribute {name!r}")
    home = "grading" if name in ("check", "score") else "errors" if name in _ERRORS else "results"
    return getattr(importlib.import_module(f"grader.{home}"), name)


def __dir__() -> list[str]:
    return __all__
