"""A report as GitHub-flavoured Markdown: a job's summary, a comment."""

from __future__ import annotations

import re
from collections.abc import Iterable

from grader.reporting.outcomes import (
    MOST,
    About,
    Report,
    baselines_of,
    by_hand,
    clean,
    findings_of,
    headline,
    outcomes,
    particulars,
    row_points,
    value_of,
)
from grader.results import Finding, ScoreReport, State
from grader.text import number

LARGEST = 1 << 20  # bytes of a job's summary; GitHub refuses a larger one
_MARKS: dict[State, str] = {"pass": "✅", "fail": "❌", "skipped": "⚠️", "error": "🛠️"}
_SPECIAL = re.compile(r"[\\`*_\[\]<>|~#!:$&]|(?<=\bwww)\.|^(?:[-+=]|\d+(?=[.)]))")


def render(report: Report, about: About) -> str:
    """Verdict, a row for each problem's form and each measure, then the findings; at most `LARGEST` bytes."""
    lines = [f"## {_MARKS[report.state]} {report.state.upper()} {escape(headline(report))}", ""]
    if not report.empty:
        lines += [*_table(report), "", *_particulars(report)]
    found = findings_of(report)
    for finding in found[:MOST]:
        lines += _finding(finding, about)
    if len(found) > MOST:
        lines += [f"and {len(found) - MOST} more findings", ""]
    for note in report.notes[:MOST]:
        lines += [f"> {escape(clean(note))}", ""]
    if isinstance(report, ScoreReport) and report.manual and not report.empty:
        lines += [by_hand(report), ""]
        lines += [
            f"- {escape(m.problem)}, {row_points(m.points)}: {escape(clean(m.title))}" for m in report.manual[:MOST]
        ]
    return _cut("\n".join(lines).rstrip() + "\n")


def escape(text: str) -> str:
    """One line of text without any meaning in Markdown or HTML: neither link, emoji nor formula.

    >>> print(escape("1. a|b_c https://x"))
    &#49;. a\\|b\\_c https\\://x
    """
    return _SPECIAL.sub(lambda found: "".join(map(_literal, found[0])), text.strip())


def _literal(character: str) -> str:
    return f"\\{character}" if character in r"\`*_[]|~#!:$" else f"&#{ord(character)};"


def _table(report: Report) -> Iterable[str]:
    if not isinstance(report, ScoreReport):
        yield from ("| | Problem |", "|---|---|")
        for row in outcomes(report):
            yield f"| {_MARKS[row.state]} {row.state} | {escape(row.problem or row.name)} |"
        return
    yield from ("| | Problem | Measure | Value | Baselines | Points |", "|---|---|---|---|---|---|")
    for verdict in report.problems:
        points = f"**{number(verdict.points)}/{number(verdict.max_points)}**" if verdict.max_points else ""
        name, title = escape(clean(verdict.id)), escape(clean(verdict.title))
        yield f"| {_MARKS[verdict.state]} {verdict.state} | **{name}** | {title} | | | {points} |"
        for m in verdict.measures:
            reached = "<br>".join(escape(line) for line in baselines_of(m))
            points = f"{number(m.points)}/{number(m.max_points)}" if m.max_points else ""
            remark, id = str(m.details.get("remark", "")), escape(clean(m.id))
            value = (
                value_of(m) + (f": {clean(m.reason)}" if m.reason else "") + (f"; {clean(remark)}" if remark else "")
            )
            yield f"| {_MARKS[m.state]} {m.state} | {name} | {id} | {escape(value)} | {reached} | {points} |"


def _particulars(report: Report) -> Iterable[str]:
    for m in [m for v in report.problems for m in v.measures] if isinstance(report, ScoreReport) else []:
        if (named := particulars(m)) is not None:
            listed = "; ".join(escape(line) for line in named.lines)
            yield from (f"**{escape(clean(m.id))}**, {escape(named.title)}: {listed}", "")


def _finding(finding: Finding, about: About) -> list[str]:
    where = escape(clean(about.path(finding) or finding.path)) + (f"\\:{finding.line}" if finding.line else "")
    lines = [f"**{finding.severity}** {escape(finding.rule)} in **{where}**", "", escape(clean(finding.message)), ""]
    if finding.severity == "error":
        lines += [f"- expected: {escape(clean(finding.expected))}", f"- found: {escape(clean(finding.actual))}"]
    return [*lines, f"- → {escape(clean(finding.help))}", ""]


def _cut(text: str) -> str:
    """Fewer lines where there are too many bytes; it says so."""
    if len(text.encode()) <= LARGEST:
        return text
    note = "\n\nThe rest was cut: this page can hold no more.\n"
    kept = text.encode()[: LARGEST - len(note.encode())].decode(errors="ignore")
    return kept.rpartition("\n")[0] + note
