"""Grade books: what is written is read back, what a person gives is added, and wrong files are named by line."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.errors import UsageError
from grader.platforms.gradebook import plain_cell, render, safe_cell
from grader.platforms.grades import Class, Grade, Student, read_class
from grader.results import ManualPoints, ScoreReport
from tests.cli.test_cli import _run as run
from tests.reporting.reports import FAIR, measure, score, verdict

MANUAL = (
    ManualPoints("gan", "from the report", 15),
    ManualPoints("dann", "=discussion", 7),
    ManualPoints("dann", "plots", 9),
)


def _report(gan: float = 5, dann: float = 2.5, **changes: Any) -> ScoreReport:
    return score(
        verdict("gan", "pass", measure("fid", points=5, earned=gan)),
        verdict("dann", "fail", measure("target_accuracy.usps-svhn", "fail", points=5, earned=dann)),
        manual=MANUAL,
        **changes,
    )


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    folder = tmp_path / "reports"
    folder.mkdir()
    (folder / "ada.json").write_text(_report().to_json())
    (folder / "bob.json").write_text(_report(0, 0.1).to_json())
    (folder / "notes.txt").write_text("not a report")
    return folder


def _csv(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline="")))


def test_canvas(reports: Path) -> None:
    assert _csv(render(read_class(reports), "canvas")) == [
        ["Student", "ID", "SIS Login ID", "Section", "hw2 gan", "hw2 dann", "hw2"],
        ["    Points Possible", "", "", "", "5", "5", "10"],
        ["ada", "", "ada", "", "5", "2.5", "7.5"],
        ["bob", "", "bob", "", "0", "0.1", "0.1"],
    ]


def test_a_column_that_canvas_has(reports: Path) -> None:
    header, *_ = _csv(render(read_class(reports), "canvas", "HW 2 (99)"))
    assert header[4:] == ["HW 2 gan", "HW 2 dann", "HW 2 (99)"]


def test_roster_and_points_by_hand(reports: Path, tmp_path: Path) -> None:
    roster = tmp_path / "roster.csv"
    roster.write_text(
        "\ufeffstudent,name,section,email,id\r\n"
        'bob,"B, Bob",1,b@x.example,17\r\nada,=Ada(),-,a@x.example,16\r\ncleo,Cleo,1,,\r\n'
    )
    manual = tmp_path / "manual.csv"
    manual.write_text(
        "student,problem,title,points,comment\nada,gan,from the report,12.5,+ well told\n\n"
        "ada,dann,plots,9,\nada,dann,=discussion,0,\nbob,dann,=discussion,7,short\n"
    )
    found = read_class(reports, manual, roster)
    assert _csv(render(found, "moodle", "Homework 2")) == [
        [
            *("ID number", "Full name", "Email address"),
            *("Homework 2 gan", "Homework 2 dann", "Homework 2", "Homework 2 feedback"),
        ],
        ["bob", "B, Bob", "b@x.example", "0", "7.1", "7.1", "dann, =discussion: short"],
        ["ada", "'=Ada()", "a@x.example", "17.5", "11.5", "29", "gan, from the report: + well told"],
        ["cleo", "Cleo", "", "", "", "", ""],
    ]
    canvas = _csv(render(found, "canvas"))
    assert canvas[1][4:] == ["20", "21", "41"] and canvas[3] == ["'=Ada()", "16", "ada", "'-", "17.5", "11.5", "29"]
    assert found.notes == [
        "cleo: no report.",
        "bob: no points by hand for 2 rows, counted as 0.",
    ]


def test_what_the_machine_could_not_do_stays_empty(reports: Path) -> None:
    (reports / "cy.json").write_text(FAIR.to_json())
    with pytest.raises(UsageError, match=r"cy.json: hw2 \(gan, acgan, dann\), but .*ada.json: hw2 \(gan, dann\)"):
        read_class(reports)
    skipped = dataclasses.replace(_report(), problems=(FAIR.problems[0], _report().problems[1]))
    (reports / "cy.json").write_text(skipped.to_json())
    found = read_class(reports)
    assert found.grades["cy"].points == {"gan": None, "dann": 2.5} and found.grades["cy"].total is None
    assert found.notes == [
        "cy: gan has measures that were skipped; its points are left empty. Score it again.",
    ]
    assert _csv(render(found, "canvas"))[4][4:] == ["", "2.5", ""]
    assert read_class(reports, allow_skipped=True).grades["cy"].total == 2.5


def test_other_versions_of_an_assignment_are_noted(reports: Path) -> None:
    (reports / "cy.json").write_text(_report(assignment_digest="2" * 64).to_json())
    assert read_class(reports).notes == ["The reports were made with different versions of the assignment file."]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("student,problem,title\n", r":1: expected the columns student,problem,title,points; points is missing"),
        ("student,problem,title,points,grade\n", r":1: the column 'grade' is unknown"),
        ("student,student,problem,title,points\n", r":1: the column 'student' is unknown or there twice"),
        ("HEAD\nadda,gan,from the report,1\n", r":2: the student 'adda' is not in the class. Did you mean 'ada'\?"),
        ("HEAD\nada,gann,from the report,1\n", r":2: no problem 'gann'; expected one of gan, dann. Did you mean 'gan'"),
        ("HEAD\nada,gan,from the raport,1\n", r":2: gan has no points .* Did you mean 'from the report'\?"),
        ("HEAD\nada,gan,plots,1\n", r":2: gan has no points by hand for 'plots'. It has: from the report."),
        ("HEAD\nada,gan,from the report,15.5\n", r":2: expected 0 to 15 points, found 15.5"),
        ("HEAD\nada,gan,from the report,-1\n", r":2: expected 0 to 15 points, found -1"),
        ("HEAD\nada,gan,from the report,nan\n", r":2: expected a number of points, found 'nan'"),
        ("HEAD\nada,gan,from the report,inf\n", r":2: expected a number of points, found 'inf'"),
        ("HEAD\nada,gan,from the report,\n", r":2: expected a number of points, found ''"),
        ("HEAD\nada,gan,from the report,twelve\n", r":2: expected a number of points, found 'twelve'"),
        ("HEAD\nada,dann,plots,1\nbob,dann,plots,1\nada,dann,plots,1\n", r":4: ada, dann, 'plots' stands twice"),
        ("HEAD\nada,gan,from the report\n", r":2: expected 4 fields, found 3"),
        ('HEAD\nada,gan,"from the report,1\n', r"expected a csv in UTF-8"),
        ("HEAD\nada,gan,from the report,\udcff\n", r"expected a csv in UTF-8"),
        ("", r":1: expected the columns"),
    ],
)
def test_wrong_points_by_hand(text: str, said: str, reports: Path, tmp_path: Path) -> None:
    manual = tmp_path / "manual.csv"
    text = text.replace("HEAD", "student,problem,title,points")
    manual.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(UsageError, match=rf"manual\.csv(:\d+)?.*{said.removeprefix(':')}" if said else ""):
        read_class(reports, manual)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("student\nada\n", r"bob.json: .*roster.csv has no student 'bob'"),
        ("student\nada\nbob\nada\n", r"roster.csv:4: 'ada' stands twice"),
        ("student,name\n,Ada\n", r"roster.csv:2: expected a student's id, found ''"),
        ("name\nAda\n", r"roster.csv:1: .*student is missing"),
        ("student\nada\nbob\ncl\x07eo\n", r"roster.csv:4: expected a student's id"),
    ],
)
def test_wrong_rosters(text: str, said: str, reports: Path, tmp_path: Path) -> None:
    (tmp_path / "roster.csv").write_text(text)
    with pytest.raises(UsageError, match=said):
        read_class(reports, roster=tmp_path / "roster.csv")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "expected a report of `grader score -o`"),
        ("[]", "its schema is no grader/score/1"),
        ('{"schema": "grader/check/1"}', "its schema is no grader/score/1"),
        ('{"schema": "grader/score/1"}', "'assignment' is missing"),
        (_report().to_json().replace('"points": 2.5', '"points": NaN'), "'nan' is no number"),
        (_report().to_json().replace('"points": 2.5', '"points": "2.5"'), "'2.5' is no number"),
        ("[" * 100_000, "expected a report"),
        (_report().to_json().replace('"points": 2.5', f'"points": 1{"0" * 400}'), "too large"),
        (_report().to_json().replace('"assignment": "', '"assignment": "\\ud800'), "is no name"),
    ],
)
def test_wrong_reports(content: str, said: str, reports: Path) -> None:
    (reports / "cy.json").write_text(content)
    with pytest.raises(UsageError, match=f"cy.json: .*{said}"):
        read_class(reports)


def test_no_reports(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"expected a score report a student, STUDENT.json"):
        read_class(tmp_path)
    with pytest.raises(UsageError, match="can't be read"):
        read_class(tmp_path / "none")


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.builds(
    "{}{}".format, st.sampled_from(["=", "+", "-", "@", "\t", "\r", "'=", "''@", "\n"]), st.text("ab'=,\"\r\n")
)
POINTS = st.integers(0, 4000).map(lambda n: n / 40)


@given(TEXTS)
def test_no_cell_is_a_formula(text: str) -> None:
    assert plain_cell(safe_cell(text)) == text
    assert not safe_cell(text).startswith(("=", "+", "-", "@", "\t", "\r"))


@given(
    st.dictionaries(TEXTS, st.tuples(TEXTS, TEXTS, TEXTS, st.none() | POINTS, POINTS), min_size=1, max_size=5),
    TEXTS.filter(bool),
    st.sampled_from(["canvas", "moodle"]),
)
def test_what_is_written_is_read_back(
    people: dict[str, tuple[str, str, str, float | None, float]], title: str, form: str
) -> None:
    students = [Student(s, name, section, email) for s, (name, section, email, *_) in people.items()]
    grades = {s: Grade({"gan": gan, "dann": dann}) for s, (*_, gan, dann) in people.items()}
    written = render(Class("hw2", {"gan": 100, "dann": 100}, students, grades), form, title)
    header, *rows = [[plain_cell(cell) for cell in row] for row in _csv(written)]
    bare = re.sub(r" \([0-9]+\)$", "", title)
    named = [dict(zip(header, row, strict=True)) for row in (rows[1:] if form == "canvas" else rows)]
    key = "SIS Login ID" if form == "canvas" else "ID number"
    for (student, (name, *_, gan, dann)), row in zip(people.items(), named, strict=True):
        assert row[key] == student
        assert row["Student" if form == "canvas" else "Full name"] == (name or (student if form == "canvas" else ""))
        assert row[f"{bare} gan"] == ("" if gan is None else row[f"{bare} gan"])
        assert gan is None or float(row[f"{bare} gan"]) == gan
        assert float(row[f"{bare} dann"]) == dann
        assert (row[title] == "") if gan is None else float(row[title]) == pytest.approx(gan + dann, abs=1e-7)


def test_the_command(reports: Path, tmp_path: Path) -> None:
    done = run("gradebook", reports, "--format", "canvas", "-o", "grades.csv", cwd=tmp_path)
    assert done.returncode == 0 and done.stdout == "grades.csv: 2 students, 2 of them with all points.\n"
    assert (tmp_path / "grades.csv").read_bytes().count(b"\r\n") == 4
    (tmp_path / "m.csv").write_text("student,problem,title,points\nada,gan,from the report,99\n")
    wrong = run("gradebook", reports, "--format", "moodle", "-o", "x.csv", "--manual", "m.csv", cwd=tmp_path)
    assert wrong.returncode == 2 and wrong.stderr == "Error: m.csv:2: expected 0 to 15 points, found 99\n"
    assert not (tmp_path / "x.csv").exists()
    assert json.loads((reports / "ada.json").read_text())["manual"][0]["points"] == 15
