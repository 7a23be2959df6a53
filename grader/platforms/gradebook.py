"""A class's grades as a csv for Canvas or Moodle, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable

from grader.platforms.grades import Class, Grade, Student
from grader.text import number

_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")
_ESCAPED = re.compile(r"'+[=+\-@\t\r\n]")


def safe_cell(text: str) -> str:
    """A text that no spreadsheet takes for a formula: a leading `'` before `= + - @`, tab and ends of lines.

    >>> safe_cell("=cmd()"), safe_cell("Ada"), safe_cell("'=x")
    ("'=cmd()", 'Ada', "''=x")
    """
    return f"'{text}" if _FORMULA.match(text) else text


def plain_cell(text: str) -> str:
    """Undoes `safe_cell`."""
    return text[1:] if _ESCAPED.match(text) else text


def render(found: Class, form: str, title: str = "") -> str:
    """The csv, for `canvas` or `moodle`: a column of points for each problem and one for the sum, named `title`.

    Points that aren't known, and those of students without a report, are empty: an import leaves such a grade alone.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    for row in _FORMS[form](found, title or found.assignment):
        writer.writerow([safe_cell(cell) if isinstance(cell, str) else number(cell) for cell in row])
    return out.getvalue()


_Row = list[str | float]


def _canvas(found: Class, title: str) -> list[_Row]:
    rows: list[_Row] = [["Student", "ID", "SIS Login ID", "Section", *_titles(found, title)]]
    rows.append(["    Points Possible", "", "", "", *found.most.values(), sum(found.most.values())])
    return rows + [[s.name or s.id, s.number, s.id, s.section, *_points(found, s)] for s in found.students]


def _moodle(found: Class, title: str) -> list[_Row]:
    rows: list[_Row] = [["ID number", "Full name", "Email address", *_titles(found, title), f"{title} feedback"]]
    for s in found.students:
        comments = found.grades.get(s.id, Grade()).comments
        rows.append([s.id, s.name, s.email, *_points(found, s), "\n".join(comments)])
    return rows


_FORMS: dict[str, Callable[[Class, str], list[_Row]]] = {"canvas": _canvas, "moodle": _moodle}


def _titles(found: Class, title: str) -> _Row:
    # `Homework (1234)` is a column that Canvas has; its number goes with the sum alone.
    bare = re.sub(r" \([0-9]+\)$", "", title)
    return [*(f"{bare} {problem}" for problem in found.most), title]


def _points(found: Class, student: Student) -> _Row:
    grade = found.grades.get(student.id)
    if grade is None:
        return [""] * (len(found.most) + 1)
    points = [*(grade.points[problem] for problem in found.most), grade.total]
    return ["" if p is None else p for p in points]
