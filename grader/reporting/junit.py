"""A report as JUnit XML, which most CI systems read: a suite for each problem, a case for each row."""

from __future__ import annotations

from itertools import groupby
from xml.etree import ElementTree

from grader.reporting.outcomes import About, Outcome, Report, outcomes
from grader.text import number


def render(report: Report, about: About) -> str:
    """XML text. Points are properties of a case, since JUnit has no field for a score."""
    rows = outcomes(report)
    # The time stands at the top alone: how long one row took isn't known.
    top = ElementTree.Element("testsuites", _counts(rows) | {"name": "grader", "time": f"{about.seconds:.3f}"})
    for problem, group in groupby(rows, key=lambda row: row.problem):
        cases = list(group)
        when = about.when.strftime("%Y-%m-%dT%H:%M:%S")
        name = problem or "submission"
        suite = ElementTree.SubElement(top, "testsuite", {"name": name, "timestamp": when} | _counts(cases))
        for row in cases:
            _case(suite, name, row)
    ElementTree.indent(top)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(top, encoding="unicode") + "\n"


def _counts(rows: list[Outcome]) -> dict[str, str]:
    states = [row.state for row in rows]
    counts = {"failures": states.count("fail"), "errors": states.count("error"), "skipped": states.count("skipped")}
    return {"tests": str(len(rows))} | {name: str(count) for name, count in counts.items()}


def _case(suite: ElementTree.Element, problem: str, row: Outcome) -> None:
    case = ElementTree.SubElement(suite, "testcase", {"classname": f"grader.{problem}", "name": row.name})
    if row.max_points:
        properties = ElementTree.SubElement(case, "properties")
        for name, points in (("points", row.points), ("max_points", row.max_points)):
            ElementTree.SubElement(properties, "property", {"name": name, "value": number(points)})
    tag = {"fail": "failure", "error": "error", "skipped": "skipped"}.get(row.state)
    if tag:
        found = ElementTree.SubElement(case, tag, {"message": row.text.splitlines()[0]})
        if tag != "skipped":
            found.set("type", row.state)
        found.text = row.text
    else:
        ElementTree.SubElement(case, "system-out").text = row.text
