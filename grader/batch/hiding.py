"""What a student may be shown of a report while measures are hidden."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from grader.results import State, worst

REASON = "hidden until the course shows it"
# Rules whose findings come from looking at files: what they say doesn't depend on any measure. A rule that isn't among
# them is left out beside a hidden measure, so that a new one gives nothing away.
OF_FILES = frozenset(
    {
        *("empty-submission", "bad-archive", "missing-deliverable", "too-many-files", "too-few-options", "same-files"),
        *("misplaced", "not-a-regular-file", "missing-images", "missing-counterparts", "extra-images", "misnamed"),
        *("zero-based-numbers", "unbalanced-classes", "wrong-format", "unreadable", "wrong-size", "wrong-mode"),
        *("wrong-depth", "animated", "extra-file", "foreign-file", "clashing-names", "duplicate-images"),
        *("copied-images", "near-duplicates", "constant-image", "blank-figure", "figure-size", "tile-count"),
        *("no-grid", "blank-tiles", "repeated-tiles", "csv-unreadable", "csv-delimiter", "csv-header", "csv-bom"),
        *("csv-row-shape", "csv-missing-rows", "csv-doubled-rows", "csv-unknown-rows", "csv-bad-label"),
        *("log-columns", "log-values", "log-order", "log-too-short", "log-not-finite", "reference-count"),
        *("missing-script", "missing-report", "not-a-pdf", "shell-syntax", "forbidden-command", "use-instead"),
        *("absolute-path", "run-failed", "run-not-started", "run-timed-out", "run-out-of-memory"),
        *("run-too-much-output", "run-too-many-processes", "run-output-refused"),
    }
)


def hide(report: Mapping[str, Any], hidden: Collection[str]) -> dict[str, Any]:
    """A copy of a report (`ScoreReport.to_dict`) without what tells the values of these measures.

    Their values, intervals, baselines, points and details, warnings that rest on them, and every sum in which their
    points stood; the sums are those of what is left. The report given isn't changed.
    """
    if not hidden:
        return dict(report)
    problems = [_verdict(p, hidden) for p in report["problems"]]
    findings = [f for f in report["findings"] if f["rule"] in OF_FILES]
    shown = dict(report) | {"problems": problems, "findings": findings}
    general = _states(findings)
    shown["state"] = worst([*general, *(p["state"] for p in problems)])
    for key in ("points", "max_points"):
        shown[key] = sum(p[key] for p in problems)
    return shown


def without_telling(found: Mapping[str, Any], closed: Collection[str]) -> dict[str, Any]:
    """A class (`class.json`) without the findings that a hidden measure may have led to: who has one has no rank."""
    students = [
        s | {"findings": [f for f in s["findings"] if f["problem"] not in closed or f["rule"] in OF_FILES]}
        for s in found["students"]
    ]
    return dict(found) | {"students": students}


def _verdict(verdict: Mapping[str, Any], hidden: Collection[str]) -> dict[str, Any]:
    secret = {m["deliverable"] for m in verdict["measures"] if m["id"] in hidden}
    if not secret:
        return dict(verdict)
    measures = [_without_value(m) if m["id"] in hidden else dict(m) for m in verdict["measures"]]
    secret.add("")
    findings = [f for f in verdict["findings"] if f["rule"] in OF_FILES or f["deliverable"] not in secret]
    states = _states(findings)
    states += [m["state"] for m in measures if m["baselines"] or m["state"] == "error" or m["id"] in hidden]
    left = [b for m in measures for b in m["baselines"]]
    return dict(verdict) | {
        "state": worst(states),
        "points": sum(b["earned"] for b in left),
        "would_earn": sum(b["points"] for b in left if b["passed"]),
        "max_points": sum(b["points"] for b in left),
        "measures": measures,
        "findings": findings,
    }


def _states(findings: Iterable[Mapping[str, Any]]) -> list[State]:
    return ["fail" if f["severity"] == "error" else "pass" for f in findings]


def _without_value(measure: Mapping[str, Any]) -> dict[str, Any]:
    left: dict[str, Any] = {name: measure[name] for name in ("id", "metric", "deliverable")}
    left |= {"state": "skipped", "reason": REASON, "value": None, "interval": None, "n": 0, "standing": None}
    return left | {"baselines": [], "details": {}, "provenance": {}}
