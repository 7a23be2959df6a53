"""Reports for the tests of renderers: a fair one, and one whose every text is hostile."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from grader.reporting.outcomes import About, Report
from grader.results import (
    BaselineResult,
    CheckReport,
    Finding,
    ManualPoints,
    MeasureResult,
    ScoreReport,
    Standing,
    State,
    Verdict,
)

ABOUT = About("submission", 12.5, datetime(2026, 11, 22, 10, 30, 5, tzinfo=UTC))

_HOSTILE = (
    "<script>alert(1)</script>\n::error title=x::pwned\r\n##[error]x\n::set-output name=p::1 =cmd()|'/C calc'!A0 "
    "\u202eevil\u2066 \x1b[31m\x07\x00\ufffe\udc80 %0A::stop-commands::x ``` | **b** [x](https://e.example) &lt; ]]> "
    "{{7*7}} ${HOME} --> @everyone www.e.example \n- a\n1. b\n# c\n| a |\n|---|\n"
)
HOSTILE = _HOSTILE + "A" * 10_000_000
MANY = _HOSTILE + "A" * 10_000  # where there are many of them


def finding(text: str = "", **changes: Any) -> Finding:
    """A finding; with a text, every field that may quote a student holds it."""
    fields: dict[str, Any] = {
        "rule": "missing-images",
        "severity": "error",
        "problem": "acgan",
        "deliverable": "digits",
        "path": text or "acgan",
        "message": text or "3 of 1000 images are missing.",
        "expected": text or "1000 images",
        "actual": text or "997 images: not there 0_001.png",
        "help": text or "Generate the missing images.",
        "examples": (text,) if text else ("0_001.png",),
    }
    return Finding(**fields | changes)


def measure(
    id: str, state: State = "pass", value: float | None = 0.5, text: str = "", points: float = 5, earned: float = 5
) -> MeasureResult:
    """A measure with one baseline of so many points."""
    baseline = BaselineResult(text or "simple", 0.4, "ge", points, value is not None, earned, borderline=False)
    return MeasureResult(
        text or id,
        id.partition(".")[0],
        text or "digits",
        state,
        text or ("" if state in ("pass", "fail") else "no weights here"),
        value,
        None if value is None else (value - 0.1, value + 0.1),
        1000,
        Standing(3, 8),
        (baseline,) if points else (),
        {"remark": text} if text else {},
        {},
    )


def score(*verdicts: Verdict, text: str = "", **changes: Any) -> ScoreReport:
    """A score of these problems."""
    fields: dict[str, Any] = {
        "assignment": text or "hw2",
        "assignment_digest": "0" * 64,
        "submission_digest": "1" * 64,
        "problems": verdicts,
        "manual": (ManualPoints("gan", text or "from the report", 15),),
        "findings": (finding(text, problem=""),) if text else (),
        "notes": (text,) if text else (),
    }
    return ScoreReport(**fields | changes)


def verdict(
    id: str, state: State, *measures: MeasureResult, findings: tuple[Finding, ...] = (), **more: Any
) -> Verdict:
    """A problem's outcome, with the sums of its measures."""
    title = more.pop("title", f"Problem {id}")
    earned, most = sum(m.points for m in measures), sum(m.max_points for m in measures)
    return Verdict(id, title, state, earned, sum(m.would_earn for m in measures), most, measures, findings)


FAIR = score(
    verdict("gan", "skipped", measure("fid", "skipped", None, earned=0), measure("vendi_score", points=0, value=6.1)),
    verdict("acgan", "fail", measure("digit_accuracy", "fail", 0.912, earned=2.5), findings=(finding(),)),
    verdict(
        "dann", "pass", measure("target_accuracy.usps-svhn", value=0.6), measure("fd_efficientnet_lite0", value=200.0)
    ),
)


def quoting(text: str, many: str) -> ScoreReport:
    """A score whose every text is this one; `many` stands where there are many of them."""
    problem = verdict(
        text,
        "error",
        measure("fid", "error", None, text, earned=0),
        measure("digit_accuracy", "fail", 0.1, text, points=2.5, earned=0),
        findings=tuple(finding(many, severity=s, problem=text) for s in ("error", "warning") * 40),
        title=text,
    )
    return score(problem, text=text)


EVIL = quoting(HOSTILE, MANY)
CHECKED = CheckReport("hw2", ("gan", "acgan"), (finding(), finding(severity="warning", rule="near-duplicates")))
EVIL_CHECK = CheckReport(
    HOSTILE, (HOSTILE,), (finding(HOSTILE, problem=HOSTILE), finding(HOSTILE, problem="")), (HOSTILE,)
)
CLEAN = CheckReport("hw2", ("gan",), ())
NOTHING = CheckReport("hw2", (), (finding(problem="", path="."),), empty=True)
ALL: dict[str, Report] = {
    "fair": FAIR,
    "evil": EVIL,
    "checked": CHECKED,
    "evil check": EVIL_CHECK,
    "clean": CLEAN,
    "nothing": NOTHING,
}
