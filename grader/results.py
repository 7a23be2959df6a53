"""What a check and a score say: frozen dataclasses with one JSON form (schemas in docs/schemas/)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from grader._version import __version__

State = Literal["pass", "fail", "skipped", "error"]
STATES: tuple[State, ...] = ("pass", "fail", "skipped", "error")
Severity = Literal["error", "warning"]

_BADNESS: dict[State, int] = {"pass": 0, "skipped": 1, "fail": 2, "error": 3}


def worst(states: Iterable[State]) -> State:
    """The worst state, in the order error > fail > skipped > pass; `pass` where there is none.

    >>> worst(["pass", "skipped", "fail"])
    'fail'
    """
    return max(states, key=_BADNESS.__getitem__, default="pass")


@dataclass(frozen=True)
class Finding:
    """One thing wrong with a deliverable. What hits many files is one finding with a `count`.

    `path` is relative to the submission; texts that came from a student are already escaped and capped. `images` are
    names of the deliverable's images that the finding is about, those together that are alike; the first few only.
    """

    rule: str
    severity: Severity
    problem: str
    deliverable: str
    path: str
    message: str
    expected: str
    actual: str
    help: str
    count: int = 1
    examples: tuple[str, ...] = ()
    line: int | None = None
    images: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class CheckReport:
    """Everything that `check` found. `empty` means that there was nothing to check at all."""

    assignment: str
    problems: tuple[str, ...]
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()
    empty: bool = False

    @property
    def state(self) -> State:
        """`fail` with at least one error; warnings alone pass."""
        return "fail" if any(f.severity == "error" for f in self.findings) else "pass"

    def to_dict(self) -> dict[str, Any]:
        """The report as plain values, ready for JSON (`docs/schemas/check-1.json`)."""
        head = {"schema": "grader/check/1", "grader": __version__, "state": self.state}
        return head | asdict(self)

    def to_json(self) -> str:
        """The report as JSON text, ASCII only, two-space indent, one newline at the end."""
        return _dump(self.to_dict())


@dataclass(frozen=True)
class BaselineResult:
    """A measure held against one baseline.

    `passed` compares the value alone; `earned` are the points awarded, 0 if the deliverable has an error.
    `borderline` means that the baseline lies within the measure's 95 % interval.
    """

    name: str
    value: float
    op: Literal["ge", "le"]
    points: float
    passed: bool
    earned: float
    borderline: bool


@dataclass(frozen=True)
class Standing:
    """Where a value stands among the results reported for the assignment."""

    better_than: int
    of: int


@dataclass(frozen=True)
class Measurement:
    """One measured value before anything is compared: finite float64, or None with the `reason`.

    `n` counts the items that the value rests on (images, or rows of the labels). `details` holds what stands
    beside the value, such as the confusion matrix. `provenance` names protocol, judge, versions, device.
    """

    value: float | None
    n: int
    reason: str = ""
    state: State = "pass"
    interval: tuple[float, float] | None = None
    details: dict[str, Any] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class MeasureResult:
    """A measurement compared with its baselines and with the reported results."""

    id: str
    metric: str
    deliverable: str
    state: State
    reason: str
    value: float | None
    interval: tuple[float, float] | None
    n: int
    standing: Standing | None
    baselines: tuple[BaselineResult, ...]
    details: dict[str, Any]
    provenance: dict[str, Any]

    @property
    def points(self) -> float:
        """Points awarded for this measure."""
        return sum(b.earned for b in self.baselines)

    @property
    def would_earn(self) -> float:
        """Points that the value reaches, were there no finding against the deliverable."""
        return sum(b.points for b in self.baselines if b.passed)

    @property
    def max_points(self) -> float:
        """Points of all its baselines."""
        return sum(b.points for b in self.baselines)


@dataclass(frozen=True)
class ManualPoints:
    """Points that a person gives: listed and summed, never awarded by the grader."""

    problem: str
    title: str
    points: float


@dataclass(frozen=True)
class Verdict:
    """The outcome of one problem."""

    id: str
    title: str
    state: State
    points: float
    would_earn: float
    max_points: float
    measures: tuple[MeasureResult, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True)
class ScoreReport:
    """Everything that `score` measured, with the verdict of each requested problem."""

    assignment: str
    assignment_digest: str
    submission_digest: str
    problems: tuple[Verdict, ...]
    manual: tuple[ManualPoints, ...]
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()
    empty: bool = False

    @property
    def state(self) -> State:
        """The worst state of the problems, and `fail` for an error that belongs to no problem."""
        general: State = "fail" if any(f.severity == "error" for f in self.findings) else "pass"
        return worst([general, *(p.state for p in self.problems)])

    @property
    def points(self) -> float:
        """Points awarded automatically."""
        return sum(p.points for p in self.problems)

    @property
    def max_points(self) -> float:
        """The most that can be awarded automatically."""
        return sum(p.max_points for p in self.problems)

    @property
    def manual_points(self) -> float:
        """The most that a person can add."""
        return sum(m.points for m in self.manual)

    def to_dict(self) -> dict[str, Any]:
        """The report as plain values, ready for JSON (`docs/schemas/score-1.json`)."""
        head = {"schema": "grader/score/1", "grader": __version__, "state": self.state, "points": self.points}
        sums = {"max_points": self.max_points, "manual_points": self.manual_points}
        return head | sums | asdict(self)

    def to_json(self) -> str:
        """The report as JSON text, ASCII only, two-space indent, one newline at the end."""
        return _dump(self.to_dict())


def _dump(report: dict[str, Any]) -> str:
    # allow_nan=False: a value that slipped through as NaN must end as an error, never as a report.
    return json.dumps(report, indent=2, allow_nan=False) + "\n"
