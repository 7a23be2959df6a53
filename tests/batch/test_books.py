"""Grade books and what students read: fresh, whole, and nothing of hidden measures in them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from grader.batch.entries import Entry, entry_path
from grader.batch.joining import join
from grader.batch.papers import Papers
from tests.batch.joined import HIDDEN, WORK, book, folder, graded, hiding

TOTAL, DANN, ACGAN = WORK.id, f"{WORK.id} dann", f"{WORK.id} acgan"
SAID = 'who = "Lin"\nwhen = 2026-11-20\nwhy = "a doctor\'s note"\n'


def _decided(place: Path, *tables: str) -> Path:
    path = place / "decided.toml"
    path.write_text('schema = "grader/overrides/1"\n' + "".join(f"[[override]]\n{t}\n{SAID}" for t in tables))
    return path


def test_who_lacks_a_problem_is_in_the_book_with_an_empty_cell(tmp_path: Path) -> None:
    both = ("acgan", "dann")
    results = folder(tmp_path, [graded("ada", both), graded("bob", both)])
    join([results], results, WORK)
    assert book(results)["ada"][TOTAL] == "24"
    folder(results, [graded("new"), graded("bob", both, [HIDDEN])])
    found = join([results], results, WORK)
    rows = book(results)
    assert (rows["new"][ACGAN], rows["new"][DANN], rows["new"][TOTAL]) == ("", "9", "")
    assert (rows["bob"][DANN], rows["bob"][TOTAL]) == ("6", "21") and set(rows) == set(book(results, "canvas")) - {""}
    note = "acgan was not graded for new: it and the sum stay empty in the grade books."
    assert note in found["notes"] and note in (results / "index.html").read_text()


def test_old_books_go_where_there_is_none(tmp_path: Path) -> None:
    results = folder(tmp_path, [graded("ada")])
    join([results], results, WORK)
    assert "gradebook-canvas.csv" in (results / "index.html").read_text()
    folder(results, [Entry("ada", "ada", "", {}, "error", "took longer than 30 minutes")])
    found = join([results], results, WORK)
    assert found["notes"] == ["There is no grade book: no submission has a report."]
    assert not list(results.glob("gradebook-*")) and "gradebook-" not in (results / "index.html").read_text()


def test_class_json_has_what_the_grade_book_has(tmp_path: Path) -> None:
    results = folder(tmp_path, [graded("ada"), graded("bob", ("dann",), [HIDDEN])])
    title = next(m.title for m in WORK.manual if m.problem == "dann")
    (tmp_path / "manual.csv").write_text(f'student,problem,title,points,comment\nbob,dann,"{title}",1.5,well told\n')
    (tmp_path / "roster.csv").write_text("student,name\nbob,Bob\nada,Ada\ncy,Cy\n")
    found = join([results], results, WORK, Papers(None, None, tmp_path / "roster.csv", tmp_path / "manual.csv"))
    rows = book(results)
    assert {s["student"]: s["total"] for s in found["students"]} == {"ada": 9, "bob": 7.5}
    assert list(rows) == ["bob", "ada", "cy"] and [rows[n][TOTAL] for n in rows] == ["7.5", "9", ""]
    assert found["students"][1]["problems"]["dann"]["by_hand"] == 1.5
    assert [s["student"] for s in found["roster"]] == ["bob", "ada", "cy"]
    assert found["students"][0]["max_total"] == 9 + found["problems"][0]["max_by_hand"]
    assert rows["bob"][f"{TOTAL} feedback"] == f"dann, {title}: well told"
    assert "<strong>7.5</strong>" in (results / "feedback" / "bob.html").read_text()


def test_the_headline_is_what_counts(tmp_path: Path) -> None:
    results = folder(tmp_path, [graded("ada", ("acgan", "dann"))])
    papers = Papers(overrides=_decided(tmp_path, 'student = "ada"\nproblem = "acgan"\nadd = -7.5'))
    join([results], results, WORK, papers)
    for page in ("feedback", "reports"):
        text = (results / page / "ada.html").read_text()
        assert "<strong>16.5</strong> of 24 points" in text and "measured: 24 of 24" in text
        assert "<title>PASS dlcv-fall2021-hw2: 16.5 of 24 points</title>" in text and "acgan: -7.5 points" in text
    assert "(Lin, 2026-11-20)" in (results / "reports" / "ada.html").read_text()
    for path in (results / "feedback" / "ada.html", results / "gradebook-moodle.csv", results / "leaderboard.html"):
        assert not re.search("doctor|Lin|2026-11-20", path.read_text()), path


def test_what_is_excused_is_not_in_the_sum(tmp_path: Path) -> None:
    results = folder(tmp_path, [graded("ada", ("acgan", "dann"))])
    papers = Papers(overrides=_decided(tmp_path, 'student = "ada"\nproblem = "dann"\nexcuse = true'))
    found = join([results], results, WORK, papers)
    (row,) = book(results).values()
    assert (row[ACGAN], row[DANN], row[TOTAL]) == ("15", "", "15")
    assert "dann doesn't count: the sum is of 15 points" in row[f"{TOTAL} feedback"]
    assert (found["students"][0]["total"], found["students"][0]["max_total"]) == (15, 15)
    assert "<strong>15</strong> of 15 points" in (results / "feedback" / "ada.html").read_text()
    assert "Sums of ada are of fewer points, since something was excused." in found["notes"]


DECISIONS = (
    f'student = "ada"\nmeasure = "{HIDDEN}"\npoints = 1',
    'student = "ada"\nproblem = "dann"\nadd = 5',
    'student = "ada"\nproblem = "acgan"\nadd = -1',
    'student = "bob"\nproblem = "dann"\nexcuse = true',
)


def _shown(place: Path, missed: list[str]) -> dict[str, str]:
    """All that students may read, of a class whose hidden measures came out well, or badly."""
    both = ("acgan", "dann")
    results = folder(place / "r", [graded(name, both, missed) for name in ("ada", "bob", "cy")])
    (results / ".secret").write_text("00" * 32)
    join([results], results, hiding(HIDDEN), Papers(overrides=_decided(place, *DECISIONS)))
    files = [*(results / "feedback").iterdir(), *results.glob("gradebook-*"), results / "leaderboard.html"]
    return {path.name: path.read_text() for path in files}


def test_hidden_measures_show_in_nothing_for_students_whatever_was_decided(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    shown = _shown(tmp_path / "a", [])
    assert shown == _shown(tmp_path / "b", [HIDDEN])
    assert not [name for name, text in shown.items() if "set to" in text or "no more than" in text]
    rows = book(tmp_path / "a" / "r")
    assert [(rows[n][ACGAN], rows[n][DANN], rows[n][TOTAL]) for n in ("ada", "bob", "cy")] == [
        ("14", "", ""), ("15", "", "15"), ("15", "", "")
    ]  # fmt: skip
    assert "dann: its points are open while a measure of it is hidden" in rows["ada"][f"{TOTAL} feedback"]
    assert "dann: excused" in shown["bob.html"] and "points open" in shown["ada.html"]
    notes = json.loads((tmp_path / "a" / "r" / "class.json").read_text())["notes"]
    told = [note for note in notes if "stay empty in the grade books" in note]
    assert told and told[0] in (tmp_path / "a" / "r" / "index.html").read_text()
    # The teacher's own pages have all of it.
    assert f"{HIDDEN} set to 1: a doctor&#39;s note (Lin" in (tmp_path / "a" / "r" / "reports" / "ada.html").read_text()


@pytest.mark.parametrize("count", [1, 30])
def test_notes_on_many_are_one(count: int, tmp_path: Path) -> None:
    names = [f"s{n:02}" for n in range(count)]
    results = folder(tmp_path, [graded(name) for name in names])
    (tmp_path / "manual.csv").write_text("student,problem,title,points\n")
    (tmp_path / "times.csv").write_text("student,time\nzz,2026-11-05T21:14:09+08:00\n")
    found = join([results], results, WORK, Papers(times=tmp_path / "times.csv", manual=tmp_path / "manual.csv"))
    assert len(found["notes"]) == 4 and not any(s["notes"] for s in found["students"])
    assert not entry_path(results, "zz").exists()
