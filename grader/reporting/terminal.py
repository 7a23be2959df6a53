"""Reports for a terminal: first what is wrong and what to do, then the numbers."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from grader.metrics import METRICS
from grader.reporting.outcomes import headline
from grader.results import CheckReport, Finding, MeasureResult, ScoreReport, State, Verdict
from grader.text import number, plural

WIDEST = 100
_STYLES: dict[State, str] = {
    "pass": "bold green",
    "fail": "bold red",
    "skipped": "bold yellow",
    "error": "bold magenta",
}


def render_check(report: CheckReport, console: Console) -> None:
    """Prints a check: the verdict, each problem in a line, the findings, the notes."""
    _print(console, _verdict_line(report.state, headline(report)))
    if not report.empty:
        for problem in report.problems:
            _print(console, _problem_line(problem, [f for f in report.findings if f.problem == problem]))
    _findings(report.findings, console)
    _notes(report.notes, console)
    if report.findings:
        first = min(report.findings, key=lambda f: f.severity)
        _print(console, f"\n`grader explain {first.rule}` says more about a rule.", style="dim")


def render_score(report: ScoreReport, console: Console) -> None:
    """Prints a score: the verdict and points, each problem with its measures, the findings, points given by hand."""
    _print(console, _verdict_line(report.state, headline(report)))
    _findings(report.findings, console)
    if not report.empty:
        for verdict in report.problems:
            _problem(verdict, console)
    _notes(report.notes, console)
    if report.manual and not report.empty:
        _print(console, f"\nUp to {number(report.manual_points)} more points are given by a person:")
        for row in report.manual:
            _print(console, f"  {row.problem:8} {number(row.points):>4}  {row.title}")


def _print(console: Console, what: str | Text, style: str = "") -> None:
    console.print(what if isinstance(what, Text) else Text(what), style=style or None, highlight=False)


def _indented(console: Console, *lines: Text) -> None:
    console.print(Padding(Group(*lines), (0, 0, 0, 2), expand=False), highlight=False)


def _verdict_line(state: State, text: str) -> Text:
    return Text.assemble((state.upper(), _STYLES[state]), "  ", (text, "bold"))


def _problem_line(problem: str, findings: list[Finding]) -> Text:
    errors = sum(f.severity == "error" for f in findings)
    state: State = "fail" if errors else "pass"
    told = plural(errors, "error") if errors else ("with warnings" if findings else "as asked for")
    return Text.assemble("  ", (f"{state:5}", _STYLES[state]), f" {problem:8} {told}")


def _findings(findings: Iterable[Finding], console: Console) -> None:
    for f in sorted(findings, key=lambda f: f.severity):
        style = "red" if f.severity == "error" else "yellow"
        where = f"{f.path}:{f.line}" if f.line else f.path
        console.print()
        _print(console, Text.assemble((f.severity, style), f" {f.rule} ", (where, "bold")))
        if f.severity == "warning":
            body = [f"{f.message} {f.help}"]
        else:
            body = [f.message, f"expected: {f.expected}", f"found: {f.actual}"]
        shown = [e for e in f.examples if f.severity == "warning" or e not in f.actual]
        if shown:
            body.append(f"for example: {' · '.join(shown)}")
        lines = [Text(line) for line in body]
        if f.severity == "error":
            lines.append(Text(f"→ {f.help}", style="bold"))
        _indented(console, *lines)


def _notes(notes: Iterable[str], console: Console) -> None:
    for note in notes:
        console.print()
        _print(console, f"Note: {note}", style="yellow")


def _problem(verdict: Verdict, console: Console) -> None:
    console.print()
    lost = verdict.would_earn - verdict.points
    told = f"{number(verdict.points)} of {number(verdict.max_points)} points"
    if lost:
        told += f" (would be {number(verdict.would_earn)} without the errors below)"
    head = (
        (verdict.state.upper(), _STYLES[verdict.state]),
        "  ",
        (f"{verdict.id}: {verdict.title}", "bold"),
        f"  {told}",
    )
    _print(console, Text.assemble(*head))
    if verdict.measures:
        console.print(Padding(_measures(verdict.measures), (0, 0, 0, 2), expand=False))
    for m in verdict.measures:
        if m.reason:
            _indented(console, Text.assemble((m.state, _STYLES[m.state]), f" {m.id}: {m.reason}."))
        if m.value is not None and m.metric == "digit_accuracy":
            console.print(_confusion(m))
    _findings(verdict.findings, console)


def _measures(measures: Iterable[MeasureResult]) -> Table:
    """One row a measure: value and interval, each baseline with the margin, points, standing."""
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="dim")
    for title in ("measure", "value", "95 % interval", "baselines (margin)", "points", "standing"):
        right = title in ("value", "95 % interval", "points")
        table.add_column(title, justify="right" if right else "left", overflow="fold", no_wrap=title == "value")
    for m in measures:
        metric = METRICS[m.metric]
        value = metric.show(m.value) if m.value is not None else "–"
        interval = f"{metric.show(m.interval[0]).removesuffix(' %')}–{metric.show(m.interval[1])}" if m.interval else ""
        points = f"{number(m.points)}/{number(m.max_points)}" if m.baselines else ""
        standing = f"beats {m.standing.better_than} of {m.standing.of}" if m.standing else ""
        standing = "\n".join(filter(None, (standing, m.details.get("remark", ""))))
        most, _, last = m.id.rpartition(".")
        name = f"{most}.\n{last}" if "." in most else m.id  # target_accuracy.improved.usps-svhn would crowd the rest
        row: list[RenderableType] = [name, value, interval, _baselines(m), points, standing]
        table.add_row(*row)
    return table


def _baselines(m: MeasureResult) -> Text:
    metric = METRICS[m.metric]
    text = Text()
    for i, b in enumerate(m.baselines):
        scale = 100 if metric.fraction else 1
        sign = "≥" if b.op == "ge" else "≤"
        text.append("\n" if i else "").append(f"{b.name} {sign} {number(scale * b.value)}{' %' * metric.fraction}")
        if m.value is not None:
            margin = scale * (m.value - b.value if b.op == "ge" else b.value - m.value)
            text.append(f" ({margin:+.2f})", "green" if b.passed else "red")
            if b.borderline:
                text.append(" borderline", "yellow")
    return text


def _confusion(m: MeasureResult) -> Padding:
    """Rows: the class asked for; columns: the class read."""
    classes = m.details["classes"]
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim", title_justify="left")
    table.add_column("asked for")
    for name in (*classes, "none", "accuracy"):
        table.add_column(f"{'read as ' if name == classes[0] else ''}{name}", justify="right")
    for name, row, left in zip(classes, m.details["confusion"], m.details["unjudged"], strict=True):
        right = m.details["per_class"][name]
        cells = [Text(str(v) if v else "·", "" if j == name else "red") for j, v in zip(classes, row, strict=True)]
        table.add_row(name, *cells, str(left or "·"), "–" if right is None else f"{100 * right:.1f} %")
    return Padding(table, (1, 0, 0, 2), expand=False)
