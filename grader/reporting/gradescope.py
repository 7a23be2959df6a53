"""A report as Gradescope's `results/results.json`."""

from __future__ import annotations

import json
from typing import Any

from grader.metrics import METRICS
from grader.reporting.outcomes import About, Outcome, Report, clean, headline, outcomes
from grader.results import ScoreReport


def render(report: Report, about: About) -> str:
    """JSON text: a test for each row, a leaderboard of the measures that have a value."""
    result: dict[str, Any] = {
        "score": report.points if isinstance(report, ScoreReport) else 0,
        "execution_time": round(about.seconds),
        "output": "\n".join(
            [f"{report.state.upper()}  {headline(report)}", *(clean(note) for note in report.notes[:50])]
        ),
        "output_format": "text",
        "test_output_format": "text",
        "test_name_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": _tests(outcomes(report)),
        "extra_data": {"state": report.state, "assignment": clean(report.assignment)},
    }
    if isinstance(report, ScoreReport):
        result["leaderboard"] = _leaderboard(report)
        result["extra_data"]["submission_digest"] = report.submission_digest
    return json.dumps(result, indent=2, allow_nan=False) + "\n"


def _tests(rows: list[Outcome]) -> list[dict[str, Any]]:
    tests, numbers = [], {problem: i + 1 for i, problem in enumerate(dict.fromkeys(row.problem for row in rows))}
    counted = dict.fromkeys(numbers, 0)
    for row in rows:
        counted[row.problem] += 1
        test: dict[str, Any] = {
            "name": row.title,
            "number": f"{numbers[row.problem]}.{counted[row.problem]}",
            "score": row.points,
            "max_score": row.max_points,
            # Without it a row of 0 points counts as passed.
            "status": "passed" if row.state == "pass" else "failed",
            "output": row.text
            if row.state in ("pass", "fail")
            else f"This is not your submission's fault.\n{row.text}",
            "tags": [tag for tag in (row.problem, row.state) if tag],
            "visibility": "visible",
        }
        tests.append(test)
    return tests


def _leaderboard(report: ScoreReport) -> list[dict[str, Any]]:
    """Measures by their ids; what is better when smaller is ordered upwards."""
    board = []
    for verdict in report.problems:
        for m in verdict.measures:
            if m.value is not None:
                metric = METRICS[m.metric]
                shown = round(100 * m.value if metric.fraction else m.value, 4)
                row = {"name": f"{clean(m.id)}{' %' * metric.fraction}", "value": shown}
                board.append(row | ({"order": "asc"} if metric.op == "le" else {}))
    return board
