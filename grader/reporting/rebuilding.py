"""A score report from its JSON form: what was kept, as the values that renderers take."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from grader.results import BaselineResult, Finding, ManualPoints, MeasureResult, ScoreReport, Standing, Verdict


def rebuilt(report: Mapping[str, Any]) -> ScoreReport:
    """The report that `ScoreReport.to_dict` gave. Raises KeyError or TypeError for a dictionary that is none."""
    return ScoreReport(
        report["assignment"],
        report["assignment_digest"],
        report["submission_digest"],
        tuple(_verdict(v) for v in report["problems"]),
        tuple(ManualPoints(**m) for m in report["manual"]),
        tuple(_finding(f) for f in report["findings"]),
        tuple(report["notes"]),
        report["empty"],
    )


def _verdict(v: Mapping[str, Any]) -> Verdict:
    measures, findings = tuple(_measure(m) for m in v["measures"]), tuple(_finding(f) for f in v["findings"])
    return Verdict(**{**v, "measures": measures, "findings": findings})


def _measure(m: Mapping[str, Any]) -> MeasureResult:
    interval = None if m["interval"] is None else (m["interval"][0], m["interval"][1])
    standing = None if m["standing"] is None else Standing(**m["standing"])
    baselines = tuple(BaselineResult(**b) for b in m["baselines"])
    return MeasureResult(**{**m, "interval": interval, "standing": standing, "baselines": baselines})


def _finding(f: Mapping[str, Any]) -> Finding:
    images = tuple(tuple(names) for names in f["images"])
    return Finding(**{**f, "examples": tuple(f["examples"]), "images": images})
