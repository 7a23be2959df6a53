"""A report for Codabench (`scores.json`) and PrairieLearn (`results.json`)."""

from __future__ import annotations

import json
from typing import Any

from grader.reporting.outcomes import About, Report, clean, headline, outcomes
from grader.results import ScoreReport


def render_codabench(report: Report, about: About) -> str:  # noqa: ARG001
    """JSON text: one flat object of numbers, each measure that has a value by its id, points, and 1 for a pass."""
    scores: dict[str, float] = {"passed": int(report.state == "pass")}
    if isinstance(report, ScoreReport):
        scores |= {"points": report.points, "max_points": report.max_points}
        for verdict in report.problems:
            scores[f"{clean(verdict.id)}.points"] = verdict.points
            scores |= {f"{clean(verdict.id)}.{clean(m.id)}": m.value for m in verdict.measures if m.value is not None}
    else:
        scores["errors"] = sum(f.severity == "error" for f in report.findings)
        scores["warnings"] = len(report.findings) - scores["errors"]
    return json.dumps(scores, indent=2, allow_nan=False) + "\n"


def render_prairielearn(report: Report, about: About) -> str:  # noqa: ARG001
    """JSON text. What the machine could not do is not gradable, which costs no attempt."""
    gradable = report.state in ("pass", "fail")
    share = float(report.state == "pass")
    if isinstance(report, ScoreReport) and report.max_points:
        share = report.points / report.max_points
    tests = [
        {
            "name": row.title,
            "description": row.state,
            "points": row.points,
            "max_points": row.max_points,
            "message": row.text.splitlines()[0],
            "output": row.text,
        }
        for row in outcomes(report)
    ]
    result: dict[str, Any] = {"gradable": gradable, "score": share if gradable else 0, "message": headline(report)}
    result |= {"output": "\n".join(clean(note) for note in report.notes[:50]), "images": [], "tests": tests}
    return json.dumps(result, indent=2, allow_nan=False) + "\n"
