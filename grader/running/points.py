"""What the way of a result into the world does to its points: a call that broke a limit, a run that doesn't repeat."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from grader.results import Finding, MeasureResult, ScoreReport, Verdict, worst


def with_runs(
    report: ScoreReport,
    findings: Collection[Finding],
    void: Collection[tuple[str, str]],
    discounts: Mapping[str, float],
) -> ScoreReport:
    """The report with findings of runs added, and points taken away.

    void: problem and deliverable of what was written by a call that broke a limit: it earns nothing. discounts: by
    problem the share of its points that is taken off, 0 to 1. `would_earn` stays what the values would be worth.
    """
    problems = tuple(_verdict(v, findings, void, discounts.get(v.id, 0)) for v in report.problems)
    known = {v.id for v in report.problems}
    general = tuple(f for f in findings if f.problem not in known)
    # A script was there to be called, so that nothing at all falls short.
    return replace(report, problems=problems, findings=(*general, *report.findings), empty=False)


def _verdict(
    verdict: Verdict, findings: Collection[Finding], void: Collection[tuple[str, str]], discount: float
) -> Verdict:
    own = tuple(f for f in findings if f.problem == verdict.id)
    measures = tuple(_measure(m, (verdict.id, m.deliverable) in void, discount) for m in verdict.measures)
    states = [verdict.state, *(m.state for m in measures if m.baselines)]
    states += ["fail" for f in own if f.severity == "error"]
    return replace(
        verdict,
        state=worst(states),
        measures=measures,
        points=sum(m.points for m in measures),
        findings=(*own, *verdict.findings),
    )


def _measure(measure: MeasureResult, void: bool, discount: float) -> MeasureResult:
    kept = 0.0 if void else 1 - discount
    baselines = tuple(replace(b, earned=b.earned * kept) for b in measure.baselines)
    if void and baselines and measure.state == "pass":
        reason = "the script that wrote it was ended at a limit"
        return replace(measure, baselines=baselines, state="fail", reason=reason)
    return replace(measure, baselines=baselines)
