"""Reports of single problems joined into one, as plain values."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from grader.results import State, worst

Report = Mapping[str, Any]


def merged(before: Report, after: Report, kept: Collection[str]) -> dict[str, Any]:
    """The report `after`, with the verdicts of `before` on the problems in `kept`, in the order of either."""
    verdicts = {p["id"]: p for p in before["problems"] if p["id"] in kept} | {p["id"]: p for p in after["problems"]}
    if len(verdicts) == len(after["problems"]):
        return dict(after)
    order = list(dict.fromkeys([p["id"] for p in before["problems"]] + [p["id"] for p in after["problems"]]))
    manual = [m for m in before["manual"] if m["problem"] in kept] + list(after["manual"])
    findings = [*after["findings"], *(f for f in before["findings"] if f not in after["findings"])]
    notes = list(dict.fromkeys([*before["notes"], *after["notes"]]))
    joined = dict(after) | {"manual": manual, "findings": findings, "notes": notes}
    return summed(joined | {"problems": [verdicts[p] for p in order if p in verdicts]})


def spoilt(report: Report, problems: Collection[str]) -> dict[str, Any]:
    """The report with these problems' verdicts taken away, because the machine could not give new ones."""
    nothing = {"state": "error", "points": 0, "would_earn": 0, "measures": [], "findings": []}
    verdicts = [dict(p) | nothing if p["id"] in problems else p for p in report["problems"]]
    return summed(dict(report) | {"problems": verdicts})


def summed(report: Report) -> dict[str, Any]:
    """The report with state and points that follow from its problems, as `ScoreReport` computes them."""
    general: State = "fail" if any(f["severity"] == "error" for f in report["findings"]) else "pass"
    verdicts = report["problems"]
    return dict(report) | {
        "state": worst([general, *(p["state"] for p in verdicts)]),
        "points": sum(p["points"] for p in verdicts),
        "max_points": sum(p["max_points"] for p in verdicts),
        "manual_points": sum(m["points"] for m in report["manual"]),
    }
