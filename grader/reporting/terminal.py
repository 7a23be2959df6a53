"""Reports for a terminal: first what is wrong and what to do, then the numbers."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console, Group
from rich.padding import Padding
from rich.text import Text

from grader.reporting.measures import show_confusion, show_measures
from grader.reporting.outcomes import by_hand, headline, particulars, points_of, row_points, untaken
from grader.results import CheckReport, Finding, ScoreReport, State, Verdict
from grader.text import number, plural

WIDEST = 100
_NAME = 8  # columns of a problem's name at least
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
        widest = max(_NAME, *map(len, report.problems), 0)
        for problem in report.problems:
            _print(console, _problem_line(problem, widest, [f for f in report.findings if f.problem == problem]))
    _findings(report.findings, console)
    _notes(report.notes, console)
    if report.findings:
        first = min(report.findings, key=lambda f: f.severity)
        _print(console, f"\n`grader explain {first.rule}` says more about a rule.", style="dim")


def render_score(report: ScoreReport, console: Console) -> None:
    """Prints a score: verdict and points, a line a problem, what is wrong; then measures, warnings, points by hand."""
    _print(console, _verdict_line(report.state, headline(report)))
    if not report.empty:
        widest = max(len(verdict.id) for verdict in report.problems)
        for verdict in report.problems:
            _print(console, _score_line(verdict, widest))
    errors = [f for f in (*report.findings, *(f for v in report.problems for f in v.findings)) if f.severity == "error"]
    _findings(errors, console)
    _findings([f for f in report.findings if f.severity == "warning"], console)
    if not report.empty:
        for verdict in report.problems:
            _problem(verdict, console)
    _notes(report.notes, console)
    if report.manual and not report.empty:
        _print(console, f"\n{by_hand(report)}")
        widest = max(_NAME, *(len(row.problem) for row in report.manual))
        for row in report.manual:
            _print(console, f"  {row.problem:{widest}} {row_points(row.points):>4}  {row.title}")


def _print(console: Console, what: str | Text, style: str = "") -> None:
    console.print(what if isinstance(what, Text) else Text(what), style=style or None, highlight=False)


def _indented(console: Console, *lines: Text) -> None:
    console.print(Padding(Group(*lines), (0, 0, 0, 2), expand=False), highlight=False)


def _verdict_line(state: State, text: str) -> Text:
    return Text.assemble((state.upper(), _STYLES[state]), "  ", (text, "bold"))


def _problem_line(problem: str, widest: int, findings: list[Finding]) -> Text:
    errors = sum(f.severity == "error" for f in findings)
    state: State = "fail" if errors else "pass"
    told = plural(errors, "error") if errors else ("with warnings" if findings else "as asked for")
    return Text.assemble("  ", (f"{state:5}", _STYLES[state]), f" {problem:{widest}} {told}")


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


def _score_line(verdict: Verdict, widest: int) -> Text:
    told = points_of(verdict) + untaken([verdict])
    errors = sum(f.severity == "error" for f in verdict.findings)
    told += _without(verdict, errors)
    return Text.assemble("  ", (f"{verdict.state:7}", _STYLES[verdict.state]), f" {verdict.id:{widest}}  {told}")


def _without(verdict: Verdict, errors: int) -> str:
    """What the values are worth, if it is more: `; 9 without its 2 errors`, `; 9 before the penalty`, or both."""
    if verdict.would_earn <= verdict.points:
        return ""
    why = [f"without its {plural(errors, 'error').removeprefix('1 ')}"] if errors else []
    # A penalty leaves a part of what was reached; an error leaves nothing of its deliverable.
    if any(0 < b.earned < b.points for m in verdict.measures for b in m.baselines) or not errors:
        why.append("before the penalty")
    return f"; {number(verdict.would_earn)} {' and '.join(why)}"


def _problem(verdict: Verdict, console: Console) -> None:
    warnings = [f for f in verdict.findings if f.severity == "warning"]
    if not verdict.measures and not warnings:
        return
    console.print()
    _print(console, Text(f"{verdict.id}: {verdict.title}", style="bold"))
    show_measures(verdict.measures, console)
    for m in verdict.measures:
        if m.reason:
            _indented(console, Text.assemble((m.state, _STYLES[m.state]), f" {m.id}: {m.reason}."))
        if (named := particulars(m)) is not None:
            console.print()
            _indented(console, Text.assemble((m.id, "bold"), f", {named.title}: {'; '.join(named.lines)}"))
        if m.metric == "digit_accuracy" and "confusion" in m.details:
            show_confusion(m, console)
    _findings(warnings, console)
