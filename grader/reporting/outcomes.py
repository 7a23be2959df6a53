"""A report as rows of a name, a state, points and a text: what course platforms and CI show.

Every text here is capped and free of control and bidi characters, whatever a student's names hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from grader.metrics import METRICS
from grader.results import CheckReport, Finding, MeasureResult, ScoreReport, State, Verdict
from grader.text import number, plural, points, printable

if TYPE_CHECKING:
    from grader.assignment import Assignment
    from grader.checks.figures import Figures
    from grader.checks.images import Pictures

Report = CheckReport | ScoreReport
LONGEST_FIELD = 1000  # characters of one text
_OF_THE_DATA = {"reference-count", "broken-tags"}  # rules whose paths don't lie in the submission
# Details that list images, and what is the matter with those.
_LISTED = {
    "without_face": "no face found in",
    "taken_for_source": "taken for the source domain",
    "unchanged": "their inputs unchanged",
}
MOST = 50  # findings that are spelled out; the rest is counted


@dataclass(frozen=True)
class Final:
    """What counts in place of what was measured. `points`: None while they aren't known. `by_hand`: with a person's."""

    points: float | None
    most: float
    by_hand: bool = False

    @property
    def told(self) -> str:
        """`16.5 of 24 points`, or that they are open."""
        return "points open" if self.points is None else f"{number(self.points)} of {number(self.most)} points"


@dataclass(frozen=True)
class About:
    """What a renderer may say beside the report.

    `place`: where the submission lies, as it was given, with `/` between names, or empty. `seconds`: how long the
    grading took. `when`: the present moment, UTC. `environment`: the process's variables, in which CI names the run.
    `assignment`: for its title and the reported results. `pictures`: the images that were judged; `figures`: whole
    figures that were searched. `dated`: say when. `final`: what counts after a course's policy.
    """

    place: str
    seconds: float
    when: datetime
    environment: Mapping[str, str] = field(default_factory=dict)
    assignment: Assignment | None = None
    pictures: Pictures = field(default_factory=dict)
    figures: Figures = field(default_factory=dict)
    dated: bool = True
    final: Final | None = None

    def path(self, finding: Finding) -> str:
        """A finding's file, as seen from the folder that the grader runs in; empty for one of the course's data."""
        if finding.rule in _OF_THE_DATA:
            return ""
        return f"{self.place}/{finding.path}" if self.place else finding.path


@dataclass(frozen=True)
class Outcome:
    """One row: the form of a problem's deliverables, or one measure. `text` has several lines, without markup."""

    problem: str
    name: str
    state: State
    points: float
    max_points: float
    text: str

    @property
    def title(self) -> str:
        """Problem and name."""
        return f"{self.problem}: {self.name}" if self.problem else self.name


def outcomes(report: Report) -> list[Outcome]:
    """All rows of a report: what belongs to no problem, if there is any; then each problem's form and measures."""
    general = [f for f in report.findings if not f.problem or not report.problems]
    rows = [_form("", general)] if general or not report.problems else []
    if isinstance(report, CheckReport):
        return rows + [_form(p, [f for f in report.findings if f.problem == p]) for p in report.problems]
    refused = any(f.severity == "error" for f in general)  # then nothing is known of a problem that has no finding
    for verdict in report.problems:
        if verdict.findings or not refused:
            rows.append(_form(verdict.id, verdict.findings))
        rows += [_measured(verdict, m) for m in verdict.measures]
    return rows


def findings_of(report: Report) -> list[Finding]:
    """Every finding of a report, errors first."""
    found = list(report.findings)
    if isinstance(report, ScoreReport):
        found += [f for verdict in report.problems for f in verdict.findings]
    return sorted(found, key=lambda f: f.severity)


def headline(report: Report) -> str:
    """The assignment, with the points of a score or what a check counted.

    >>> headline(CheckReport("hw", ("gan",), ()))
    'hw: everything is as it should be'
    """
    if isinstance(report, ScoreReport):
        told = points_of(report) + untaken(report.problems)
    else:
        errors = sum(f.severity == "error" for f in report.findings)
        warnings = len(report.findings) - errors
        counted = [plural(errors, "error")] * (errors > 0) + [plural(warnings, "warning")] * (warnings > 0)
        told = ", ".join(counted) or "everything is as it should be"
    return f"{clean(report.assignment)}: {told}"


def points_of(scored: ScoreReport | Verdict) -> str:
    """`24 of 44 points`, or that no measure gives any."""
    if not scored.max_points:
        return "no points by measures"
    return f"{number(scored.points)} of {points(scored.max_points)}"


def by_hand(report: ScoreReport) -> str:
    """The line above the rows that a person grades."""
    most = report.manual_points
    if not most:
        return "A person looks at these; how many points they give isn't known here:"
    return f"Up to {number(most)} more point{' is' if most == 1 else 's are'} given by a person:"


def row_points(value: float) -> str:
    """The points of such a row; a dash where none are stated."""
    return number(value) if value else "–"


def untaken(verdicts: Iterable[Verdict]) -> str:
    """What a headline adds where measures have no value: `; of 8 measures 2 skipped, 1 without a value`, or nothing.

    A problem that fails says why elsewhere, so that its measures count only where they were skipped or went wrong.
    """
    listed = [(m, verdict.state) for verdict in verdicts for m in verdict.measures]
    states = [m.state for m, state in listed if m.value is None and not m.state == state == "fail"]
    words: dict[State, str] = {"skipped": "skipped", "fail": "without a value", "error": "failed on this machine"}
    told = [f"{states.count(state)} {word}" for state, word in words.items() if state in states]
    return f"; of {plural(len(listed), 'measure')} {', '.join(told)}" if told else ""


def clean(text: str) -> str:
    """One text on one line, capped and made safe to show."""
    return printable(text[: LONGEST_FIELD + 1].replace("\n", " "), LONGEST_FIELD)


def value_of(m: MeasureResult) -> str:
    """Value and 95 % interval of a measure, or what stands in its place.

    Such as `91.20 % (95 % interval 89.20–92.80 %, n = 1000)`.
    """
    if m.value is None:
        return m.state
    metric = METRICS[m.metric]
    span = f"95 % interval {metric.span(m.interval)}, " if m.interval is not None else ""
    return f"{metric.show(m.value)} ({span}n = {m.n})"


@dataclass(frozen=True)
class Particulars:
    """What a measure says of single images, such as `wrong colours: row 1, column 2: aqua instead of blue`.

    `count`: how many images it is true of, of which `images` may be the first.
    """

    title: str
    images: tuple[tuple[str, str], ...]
    count: int

    @property
    def lines(self) -> list[str]:
        """An entry for each image, its name and what there is to say beyond the title; then how many are left out."""
        named = self.images[:MOST]
        told = [f"{clean(name)}: {clean(text)}" if text else clean(name) for name, text in named]
        left = self.count - len(named)
        return [*told, f"and {left} more"] if left > 0 else told


def particulars(m: MeasureResult) -> Particulars | None:
    """The images that a measure names as wrong, one by one; None where it names none."""
    details = m.details
    if m.value is None:
        return None
    if details.get("wrong_tags"):
        wrong = tuple((name, f"{read} instead of {asked}") for name, asked, read in details["wrong_tags"])
        return Particulars(f"wrong colours of {clean(str(details['part']))}", wrong, len(wrong))
    if "part" in details and details.get("misread"):  # where what was asked for is not to be seen
        read = tuple(details["misread"].items())
        return Particulars(f"wrong colours of {clean(str(details['part']))}", read, len(read))
    for key, title in _LISTED.items():
        if named := details.get(key):
            count = details.get(f"{key}_count", len(named))
            return Particulars(title, tuple((str(name), "") for name in named), count)
    return None


def baselines_of(m: MeasureResult) -> list[str]:
    """A line for each baseline: `simple ≥ 70 %: reached, 5 of 5 points`."""
    metric = METRICS[m.metric]
    lines = []
    for b in m.baselines:
        wanted = f"{number(100 * b.value if metric.fraction else b.value)}{metric.suffix}"
        reached = "not measured" if m.value is None else "reached" if b.passed else "not reached"
        near = ", borderline" if b.borderline else ""
        earned = f"{number(b.earned)} of {points(b.points)}" if b.points else "no points"
        lines.append(f"{clean(b.name)} {'≥' if b.op == 'ge' else '≤'} {wanted}: {reached}{near}, {earned}")
    return lines


def _form(problem: str, findings: Iterable[Finding]) -> Outcome:
    ordered = sorted(findings, key=lambda f: f.severity)
    lines = [line for f in ordered[:MOST] for line in told(f)]
    if len(ordered) > MOST:
        lines.append(f"and {len(ordered) - MOST} more")
    state: State = "fail" if any(f.severity == "error" for f in ordered) else "pass"
    name = "folders, names and formats" if problem else "submission"
    return Outcome(clean(problem), name, state, 0, 0, "\n".join(lines) or "as asked for")


def told(finding: Finding) -> list[str]:
    """A finding in plain lines: what it is, expected, found, what to do."""
    where = clean(finding.path) + (f":{finding.line}" if finding.line else "")
    lines = [f"{finding.severity} {finding.rule} {where}: {clean(finding.message)}"]
    if finding.severity == "error":
        lines += [f"  expected: {clean(finding.expected)}", f"  found: {clean(finding.actual)}"]
    return [*lines, f"  → {clean(finding.help)}"]


def _measured(verdict: Verdict, m: MeasureResult) -> Outcome:
    reason = [f"{m.state}: {clean(m.reason)}"] if m.reason else []
    # Why there is no value comes first; why a value earns nothing comes last.
    lines = [*([value_of(m)] if m.value is not None else reason or [m.state]), *baselines_of(m)]
    if m.standing is not None:
        lines.append(f"better than {m.standing.better_than} of {m.standing.of} reported results")
    if m.details.get("remark"):
        lines.append(clean(str(m.details["remark"])))
    if (named := particulars(m)) is not None:
        lines.append(f"{named.title}: {'; '.join(named.lines)}")
    if m.value is not None:
        lines += reason
    return Outcome(clean(verdict.id), clean(m.id), m.state, m.points, m.max_points, "\n".join(lines))
