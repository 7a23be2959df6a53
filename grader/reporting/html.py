"""A report as one page: no script, nothing from elsewhere, every text escaped.

What the page shows is put together here; `templates/` says how. Every text that is not marked as markup is made
printable and capped on its way into the page, by `_finalize`.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from grader._version import __version__
from grader.metrics import METRICS
from grader.reporting.annotated import Annotated, for_page
from grader.reporting.matrices import Bars, Row, bars, confusion
from grader.reporting.outcomes import (
    MOST,
    About,
    Report,
    baselines_of,
    clean,
    findings_of,
    headline,
    particulars,
    row_points,
)
from grader.reporting.scales import Scale, reported_values, scale
from grader.reporting.walls import Cell, Sheet, Wall, walls
from grader.results import Finding, MeasureResult, ScoreReport, State, Verdict
from grader.text import number, plural, points

_MOST_SHEETS = 40  # that a wall can be filtered by
_FIRST_MISREAD = 10  # of a label that are shown enlarged before more are asked for


@dataclass(frozen=True)
class _Found:
    """A finding, and the images that it names, alike ones together."""

    finding: Finding
    examples: tuple[str, ...]
    groups: tuple[tuple[tuple[Sheet, Cell], ...], ...]


@dataclass(frozen=True)
class _Named:
    """Images that a measure names: those that are on a wall, alike ones together, each with a text."""

    title: str
    groups: tuple[tuple[tuple[tuple[Sheet, Cell], ...], str], ...]


@dataclass(frozen=True)
class _Measure:
    """One measure as the page shows it."""

    m: MeasureResult
    title: str
    value: str
    interval: str
    direction: str
    scale: Scale | None
    reported: int
    remark: str
    baselines: tuple[tuple[str, str], ...]
    confusion: tuple[Row, ...]
    bars: Bars | None
    named: tuple[_Named, ...]
    annotated: Annotated | None
    provenance: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class _Problem:
    """One problem as the page shows it; `verdict` is None in a check."""

    anchor: str
    id: str
    title: str
    state: State
    verdict: Verdict | None
    errors: int
    warnings: int
    measures: tuple[_Measure, ...]
    walls: tuple[Wall, ...]

    @property
    def rows(self) -> list[list[_Measure]]:
        """The measures in their order; two that follow each other and are two sides of one thing stand together."""
        rows: list[list[_Measure]] = []
        for x in self.measures:
            above = rows[-1][-1].m if rows else x.m
            if (METRICS[x.m.metric].beside, x.m.deliverable) == (above.metric, above.deliverable):
                rows[-1].append(x)
            else:
                rows.append([x])
        return rows

    @property
    def found(self) -> str:
        """How many findings there are, in words."""
        told = [plural(n, noun) for n, noun in ((self.errors, "error"), (self.warnings, "warning")) if n]
        return " and ".join(told)


def render(report: Report, about: About) -> str:
    """The page: verdict and points, findings, each problem with its measures and images, what was graded by what."""
    shown = walls(about.pictures, _misread(report)) if isinstance(report, ScoreReport) else []
    places = {(wall.problem, wall.deliverable): wall.places for wall in shown}
    found = findings_of(report)
    framed = for_page(report, about.figures) if isinstance(report, ScoreReport) else {}
    style = _style(max((len(wall.sheets) for wall in shown), default=0))
    return (
        environment()
        .get_template("page.html")
        .render(
            report=report,
            about=about,
            scored=isinstance(report, ScoreReport),
            headline=f"{clean(report.assignment)}: {about.final.told}" if about.final else headline(report),
            state=report.state,
            problems=_problems(report, about, shown, framed),
            findings=[_found(f, places.get((f.problem, f.deliverable), {})) for f in found[:MOST]],
            errors=sum(f.severity == "error" for f in found),
            total=len(found),
            notes=report.notes[:MOST],
            manual=report.manual[:MOST] if isinstance(report, ScoreReport) and not report.empty else (),
            walls=shown,
            first_misread=_FIRST_MISREAD,
            most_sheets=_MOST_SHEETS,
            style=Markup(style),
            style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
            version=__version__,
        )
    )


@cache
def environment() -> Environment:
    """The templates, with every text escaped, capped and printable."""
    environment = Environment(
        loader=PackageLoader("grader.reporting"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalize,
    )
    environment.filters |= {"number": number, "plural": plural, "points": points, "row_points": row_points}
    return environment


def _finalize(value: Any) -> Any:
    """Fails closed: a text that nobody marked as markup is capped and printable."""
    return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _style(sheets: int) -> str:
    """The style sheet, with the rules that filter a wall by so many sheets."""
    rules = [
        f".wall:has(.pick-{k}:checked) [data-sheet]:not([data-sheet='{k}']){{display:none}}"
        for k in range(min(sheets, _MOST_SHEETS))
    ]
    css = (files("grader.reporting") / "templates" / "page.css").read_text(encoding="utf-8")
    return "\n".join([css, *rules, ""])


def _misread(report: ScoreReport) -> dict[tuple[str, str], Mapping[str, str]]:
    """What the judges read, by problem and deliverable, where it was not what the file's name or the tags say."""
    found: dict[tuple[str, str], Mapping[str, str]] = {}
    for verdict in report.problems:
        for m in verdict.measures:
            if m.value is not None and "misread" in m.details:
                both = dict(found.get((verdict.id, m.deliverable), {}))
                for name, read in m.details["misread"].items():
                    both[name] = f"{both[name]}, {read}" if name in both else read
                found[verdict.id, m.deliverable] = both
    return found


def _problems(
    report: Report, about: About, shown: Iterable[Wall], framed: Mapping[tuple[str, str], Annotated]
) -> list[_Problem]:
    titles = {p.id: p.title for p in about.assignment.problems} if about.assignment else {}
    if report.empty:
        return []
    if not isinstance(report, ScoreReport):
        rows = [(id, titles.get(id, ""), [f for f in report.findings if f.problem == id]) for id in report.problems]
        return [_problem(i, id, title, found, None, (), ()) for i, (id, title, found) in enumerate(rows, 1)]
    return [
        _problem(
            i,
            v.id,
            v.title,
            v.findings,
            v,
            [
                _measure(m, about, _places(shown, v.id, m.deliverable), framed.get((v.id, m.deliverable)))
                for m in v.measures
            ],
            [wall for wall in shown if wall.problem == v.id],
        )
        for i, v in enumerate(report.problems, 1)
    ]


def _problem(
    i: int,
    id: str,
    title: str,
    found: Iterable[Finding],
    verdict: Verdict | None,
    measures: Iterable[_Measure],
    shown: Iterable[Wall],
) -> _Problem:
    severities = [f.severity for f in found]
    errors = severities.count("error")
    state: State = verdict.state if verdict else "fail" if errors else "pass"
    warnings = len(severities) - errors
    return _Problem(f"problem-{i}", id, title, state, verdict, errors, warnings, tuple(measures), tuple(shown))


def _places(shown: Iterable[Wall], problem: str, deliverable: str) -> dict[str, tuple[Sheet, Cell]]:
    """Where the images of a deliverable are to be seen."""
    return next((wall.places for wall in shown if (wall.problem, wall.deliverable) == (problem, deliverable)), {})


def _named(m: MeasureResult, places: Mapping[str, tuple[Sheet, Cell]]) -> Iterator[_Named]:
    """The worst and the best reconstructions, the pairs whose attribute does not change: only what was handed in."""
    show = METRICS[m.metric].show
    for key, title in (("worst", "The worst images"), ("best", "The best images")):
        if named := [((places[n],), show(v)) for n, v in m.details.get(key, {}).items() if n in places]:
            yield _Named(title, tuple(named))
    if told := particulars(m):
        shown = [((places[name],), text) for name, text in told.images if name in places]
        if shown:
            yield _Named(told.title[0].upper() + told.title[1:] + _of(len(shown), told.count), tuple(shown))
    failing = [tuple(places[n] for n in pair if n in places) for pair in m.details.get("failing", ())]
    if failing := [pair for pair in failing if pair]:
        left_out = _of(len(failing), m.details.get("failing_count", len(failing)))
        yield _Named(f"Pairs that do not change as their names say{left_out}", tuple((pair, "") for pair in failing))


def _of(shown: int, count: int) -> str:
    """What a title adds where not all are shown."""
    return f" ({shown} of {count} shown)" if shown < count else ""


def _measure(
    m: MeasureResult, about: About, places: Mapping[str, tuple[Sheet, Cell]], framed: Annotated | None
) -> _Measure:
    metric = METRICS[m.metric]
    interval = metric.span(m.interval) if m.interval else ""
    marks = ["unknown" if m.value is None else "reached" if b.passed else "missed" for b in m.baselines]
    return _Measure(
        m,
        metric.title[0].upper() + metric.title[1:],
        "" if m.value is None else metric.show(m.value),
        interval,
        "higher is better" if metric.op == "ge" else "lower is better",
        scale(m, about.assignment),
        len(reported_values(m, about.assignment)),
        str(m.details.get("remark", "")),
        tuple(zip(marks, baselines_of(m), strict=True)),
        confusion(m),
        bars(m),
        tuple(_named(m, places)),
        framed if "boxes" in m.details else None,
        tuple((key.replace("_", " "), _told(value)) for key, value in m.provenance.items()),
    )


def _told(value: Any) -> str:
    """A value of the provenance as one text."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_told(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_told(item) for item in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return number(value) if isinstance(value, float) else str(value)


def _found(finding: Finding, places: Mapping[str, tuple[Sheet, Cell]]) -> _Found:
    groups = [tuple(places[name] for name in names if name in places) for names in finding.images]
    told = [e for e in map(clean, finding.examples[:5]) if e not in clean(finding.actual)]
    return _Found(finding, tuple(told), tuple(group for group in groups if group))
