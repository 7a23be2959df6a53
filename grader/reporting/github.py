"""Annotations of GitHub Actions: workflow commands for a job's log, at most ten."""

from __future__ import annotations

from collections.abc import Iterator

from grader.reporting.outcomes import About, Report, clean, findings_of, headline, outcomes
from grader.results import Finding
from grader.text import plural

MOST_ANNOTATIONS = 10  # of a kind that GitHub shows for a step


def render(report: Report, about: About) -> str:
    """A line for each annotation: errors, measures that fall short, warnings. The tenth counts what is left."""
    lines = [*_of_findings(report, about, "error"), *_of_measures(report), *_of_findings(report, about, "warning")]
    if len(lines) > MOST_ANNOTATIONS:
        left = len(lines) - (MOST_ANNOTATIONS - 1)
        lines[MOST_ANNOTATIONS - 1 :] = [_command("warning", f"and {plural(left, 'more finding')}", "grader")]
    if not lines:
        lines = [_command("notice", headline(report), "grader")]
    return "".join(f"{line}\n" for line in lines)


def _of_findings(report: Report, about: About, severity: str) -> Iterator[str]:
    for f in findings_of(report):
        if f.severity == severity:
            yield _command(severity, _told(f), f.rule, about.path(f), f.line)


def _of_measures(report: Report) -> Iterator[str]:
    for row in outcomes(report):
        if row.max_points and row.state != "pass":
            yield _command("warning" if row.state == "skipped" else "error", row.text, row.title)


def _told(f: Finding) -> str:
    parts = [clean(f.message)]
    if f.severity == "error":
        parts += [f"expected: {clean(f.expected)}", f"found: {clean(f.actual)}"]
    return "\n".join([*parts, clean(f.help)])


def _command(kind: str, message: str, title: str, file: str = "", line: int | None = None) -> str:
    """One workflow command, escaped so that no text in it can begin another one."""
    properties = {"file": clean(file), "line": str(line or ""), "title": clean(title)}
    shown = ",".join(f"{name}={_property(value)}" for name, value in properties.items() if value)
    return f"::{kind} {shown}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
