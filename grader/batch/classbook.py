"""The class as plain values: `class.json`, and what changed between two of them."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from grader._version import __version__
from grader.assignment import Assignment, MeasureSpec
from grader.batch.books import maxima
from grader.batch.entries import Entry
from grader.batch.overrides import most_points
from grader.batch.papers import Contents
from grader.batch.settlement import Settled, Settlement
from grader.metrics import METRICS
from grader.platforms.grades import Student
from grader.results import STATES
from grader.text import safe_name

SCHEMA = "grader/class/1"
_BINS = 20


def class_report(
    entries: Sequence[Entry],
    settlement: Settlement,
    work: Assignment,
    papers: Contents,
    pairs: Sequence[Mapping[str, Any]] = (),
    notes: Iterable[str] = (),
) -> dict[str, Any]:
    """Everything of a class (`docs/schemas/class-1.json`), students by name. pairs: as `grader copies` writes them."""
    most = maxima(entries, work, papers)
    problems = [p for p in work.problems if p.id in most]
    states = Counter(e.state for e in entries)
    by_hand = papers.given is not None
    students = [_student(e, settlement.students[e.student], most, pairs, by_hand=by_hand) for e in entries]
    values: dict[str, list[float]] = {}
    for student in students:
        for name, measure in student["measures"].items():
            if measure["value"] is not None:
                values.setdefault(name, []).append(measure["value"])
    return {
        "schema": SCHEMA,
        "grader": __version__,
        "assignment": work.id,
        "title": work.title,
        "problems": [
            {"id": p.id, "title": p.title, "max_points": most_points(p), "max_by_hand": most[p.id] - most_points(p)}
            for p in problems
        ],
        "measures": [
            _measure(p.id, m, sorted(values.get(f"{p.id}.{m.id}", [])), m.id in settlement.hidden)
            for p in problems
            for m in p.measures
        ],
        "states": {state: states[state] for state in STATES},
        "students": students,
        "roster": None if papers.roster is None else [_listed(s) for s in papers.roster],
        "notes": list(notes),
    }


def _student(
    entry: Entry, settled: Settled, most: Mapping[str, float], pairs: Sequence[Mapping[str, Any]], *, by_hand: bool
) -> dict[str, Any]:
    """by_hand: the course gives points by hand."""
    verdicts = entry.report["problems"] if entry.report else []
    findings = Counter(
        (f["rule"], f["severity"], f["problem"])
        for of in ([entry.report["findings"]] if entry.report else []) + [v["findings"] for v in verdicts]
        for f in of
        for _ in range(f["count"])
    )
    name = safe_name(entry.student)
    return {
        "student": entry.student,
        "source": entry.source,
        "state": entry.state,
        "reason": entry.reason or _why(entry),
        "digest": entry.digest,
        "problems": {
            v["id"]: {
                "state": v["state"],
                "before": settled.before.get(v["id"]),
                "points": settled.points.get(v["id"]),
                "by_hand": settled.by_hand.get(v["id"], 0.0) if by_hand else None,
                "excused": v["id"] in settled.excused,
                "max_points": v["max_points"],
            }
            for v in verdicts
        },
        "total": settled.total(most),
        "max_total": settled.most(most),
        "adjustments": [asdict(a) for a in settled.adjustments],
        "notes": list(settled.notes),
        "measures": {
            f"{v['id']}.{m['id']}": {"value": m["value"], "interval": m["interval"], "state": m["state"]}
            for v in verdicts
            for m in v["measures"]
        },
        "findings": [
            {"rule": rule, "severity": severity, "problem": problem, "count": count}
            for (rule, severity, problem), count in findings.items()
        ],
        "copies": [_copy(entry.student, pair) for pair in pairs if entry.student in pair["students"]],
        "score": f"scores/{name}.json" if entry.report else "",
        "report": f"reports/{name}.html" if entry.report else "",
    }


def _listed(student: Student) -> dict[str, str]:
    """A line of the roster, with the names of its columns."""
    more = {"name": student.name, "section": student.section, "email": student.email, "id": student.number}
    return {"student": student.id} | more


def _why(entry: Entry) -> str:
    """Why a report ended as an error of ours."""
    verdicts = entry.report["problems"] if entry.report and entry.state == "error" else []
    return next((m["reason"] for v in verdicts for m in v["measures"] if m["state"] == "error"), "")


def _copy(student: str, pair: Mapping[str, Any]) -> dict[str, Any]:
    (other,) = [s for s in pair["students"] if s != student]
    kept = ("problem", "deliverable", "kind", "count", "of", "strength", "page")
    return {"with": other} | {key: pair[key] for key in kept}


def _measure(problem: str, spec: MeasureSpec, values: list[float], hidden: bool) -> dict[str, Any]:
    quartiles = None
    if values:
        inner = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else values * 3
        quartiles = [values[0], *inner, values[-1]]
    return {
        "problem": problem,
        "id": spec.id,
        "metric": spec.metric,
        "hidden": hidden,
        "op": METRICS[spec.metric].op,
        "baselines": [{"name": b.name, "value": b.value, "points": b.points} for b in spec.baselines],
        "count": len(values),
        "quartiles": quartiles,
        "histogram": _histogram(values) if values else None,
    }


def _histogram(values: Sequence[float]) -> dict[str, list[float]]:
    """Counts in equal parts between the least and the greatest value."""
    low, high = min(values), max(values)
    if low == high:
        return {"edges": [low, high], "counts": [len(values)]}
    counts = [0] * _BINS
    for value in values:
        counts[min(_BINS - 1, int((value - low) / (high - low) * _BINS))] += 1
    return {"edges": [low + (high - low) * i / _BINS for i in range(_BINS)] + [high], "counts": [*counts]}


def changes_between(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """What is new, gone or different (`docs/schemas/changes-1.json`): states, points, decisions, and measures whose
    intervals don't hold each other's value."""
    old, new = ({s["student"]: s for s in found["students"]} for found in (before, after))
    changed = [{"student": name, "what": _differences(old[name], new[name])} for name in new if name in old]
    return {
        "schema": "grader/changes/1",
        "new": [name for name in new if name not in old],
        "gone": [name for name in old if name not in new],
        "changed": [one for one in changed if one["what"]],
    }


def _differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = []

    def note(kind: str, problem: str, measure: str, before: Any, after: Any) -> None:
        found.append({"kind": kind, "problem": problem, "measure": measure, "before": before, "after": after})

    if old["state"] != new["state"]:
        note("state", "", "", old["state"], new["state"])
    for problem in dict.fromkeys([*old["problems"], *new["problems"]]):
        points = [_final(side["problems"].get(problem, {})) for side in (old, new)]
        if points[0] != points[1]:
            note("points", problem, "", points[0], points[1])
    for name in dict.fromkeys([*old["measures"], *new["measures"]]):
        before, after = (side["measures"].get(name, {"value": None, "interval": None}) for side in (old, new))
        if _differs(before, after):
            problem, _, measure = name.partition(".")
            note("measure", problem, measure, before["value"], after["value"])
    if old["adjustments"] != new["adjustments"]:
        note("adjustments", "", "", len(old["adjustments"]), len(new["adjustments"]))
    return found


def _final(problem: Mapping[str, Any]) -> float | None:
    points = problem.get("points")
    return None if points is None else points + (problem.get("by_hand") or 0.0)


def _differs(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    a, b = before["value"], after["value"]
    if a is None or b is None or before["interval"] is None or after["interval"] is None:
        return bool(a != b)
    within = before["interval"][0] <= b <= before["interval"][1] and after["interval"][0] <= a <= after["interval"][1]
    return not within
