"""A report for GitHub classrooms: Classroom 50's `result/v1`, and the result of the retired GitHub Classroom."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any
from urllib.parse import quote

from grader.errors import UsageError
from grader.reporting.outcomes import About, Outcome, Report, outcomes
from grader.text import are

_FINEST = 100  # parts of a point that are told apart
# Field, the variable in which Classroom 50's runner names it.
_IDENTITY = {
    "classroom": "CLASSROOM",
    "assignment": "ASSIGNMENT",
    "assignment_type": "MODE",
    "owner": "OWNER",
    "submission": "SUBMISSION_TAG",
    "commit": "COMMIT_URL",
    "release": "RELEASE_URL",
    "review": "REVIEW_URL",
}


def render_classroom50(report: Report, about: About) -> str:
    """JSON text. Scores are whole numbers there, so that parts of a point are scaled up, in all rows by one factor.

    Raises UsageError where the runner's variables are missing.
    """
    whose = identity(about.environment)
    rows = outcomes(report)
    factor = whole_factor(rows)
    tests: list[dict[str, Any]] = [
        {
            "test-name": row.title,
            "passed": row.state == "pass",
            "score": _scaled(row.points, factor),
            "max-score": _scaled(row.max_points, factor),
            "output": row.text,
        }
        for row in rows
    ]
    when = about.when.strftime("%Y-%m-%dT%H:%M:%SZ")
    result: dict[str, Any] = {"schema": "classroom50/result/v1", **whose, "datetime": when, "graded_at": when}
    result |= {"score": sum(t["score"] for t in tests), "max-score": sum(t["max-score"] for t in tests)}
    return json.dumps(result | {"tests": tests}, indent=2) + "\n"


def identity(env: Mapping[str, str]) -> dict[str, str]:
    """Whose work it is: what Classroom 50's runner says, else GitHub Actions.

    Raises UsageError for what nobody says.
    """
    found = {name: env.get(variable, "") for name, variable in _IDENTITY.items()}
    home = f"{env.get('GITHUB_SERVER_URL', '')}/{env.get('GITHUB_REPOSITORY', '')}"
    if "GITHUB_SHA" in env:
        found["commit"] = found["commit"] or f"{home}/commit/{env['GITHUB_SHA']}"
        found["release"] = found["release"] or f"{home}/releases/tag/{quote(found['submission'], safe='')}"
    found["assignment_type"] = found["assignment_type"] or "individual"
    found["owner"] = found["owner"] or env.get("GITHUB_ACTOR", "")
    found["review"] = found["review"] or found["commit"]
    missing = [_IDENTITY[name] for name, value in found.items() if not value]
    if missing:
        raise UsageError(
            "a report for Classroom 50 names the submission by variables that its runner sets; "
            f"{', '.join(missing)} {are(len(missing))} not set."
        )
    if not found["submission"].startswith("submit/"):
        raise UsageError(f"SUBMISSION_TAG: expected submit/…, found {found['submission']!r}.")
    return found


def whole_factor(rows: Sequence[Outcome]) -> int:
    """The least factor that makes whole numbers of all points, to a hundredth of a point.

    >>> whole_factor([Outcome("gan", "fid", "pass", 2.5, 10, "")])
    2
    """
    parts = [
        Fraction(str(points)).limit_denominator(_FINEST) for row in rows for points in (row.points, row.max_points)
    ]
    factor = math.lcm(1, *(part.denominator for part in parts))
    return factor if factor <= _FINEST else _FINEST


def _scaled(points: float, factor: int) -> int:
    return round(Fraction(str(points)) * factor)


def render_legacy(report: Report, about: About) -> str:  # noqa: ARG001  # it names neither time nor place
    """Base64 of JSON, on one line: what a step's output `result` held."""
    rows = outcomes(report)
    status = {"pass": "pass", "fail": "fail"}
    tests = [
        {
            "name": row.title,
            "status": status.get(row.state, "error"),
            "message": row.text,
            "line_no": 0,
            "duration": 0,
            "score": row.points,
        }
        for row in rows
    ]
    result = {"version": 1, "status": status.get(report.state, "error"), "max_score": sum(r.max_points for r in rows)}
    return base64.b64encode(json.dumps(result | {"tests": tests}).encode()).decode() + "\n"
