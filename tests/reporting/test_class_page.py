"""The pages of a class: whole, escaped, the same values as class.json, and nothing of a student on the leaderboard."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any

import html5lib
import pytest

from grader.reporting.class_page import render_class, render_leaderboard

POINTS = {"state": "pass", "before": 15.0, "points": 13.5, "by_hand": None, "excused": False, "max_points": 15.0}
STRANGE = ["<script>alert(1)</script>", "a\u202eb", "x" * 250, "=cmd()", 'q"uote', "&amp;"]


def _class(names: list[str]) -> dict[str, Any]:
    """A class in which the nth has an accuracy of n per cent, and every fifth an error."""
    students = [_student(name, n) for n, name in enumerate(sorted(names))]
    values = [s["measures"]["acgan.digit_accuracy"]["value"] for s in students]
    return {
        "schema": "grader/class/1",
        "grader": "0",
        "assignment": "ours",
        "title": "Ours & theirs",
        "problems": [{"id": "acgan", "title": "Digits", "max_points": 15.0, "max_by_hand": 0.0}],
        "measures": [
            {
                "problem": "acgan",
                "id": "digit_accuracy",
                "metric": "digit_accuracy",
                "hidden": False,
                "op": "ge",
                "baselines": [{"name": "simple", "value": 0.025, "points": 15.0}],
                "count": len(values),
                "quartiles": [0.0, 0.01, 0.02, 0.03, 0.05] if values else None,
                "histogram": {"edges": [0.0, 0.5, 1.0], "counts": [len(values), 0]} if values else None,
            }
        ],
        "states": {"pass": len(students), "fail": 0, "skipped": 0, "error": 0},
        "students": students,
        "roster": None,
        "notes": ["The table of times doesn't have <b>."],
    }


def _student(name: str, n: int) -> dict[str, Any]:
    return {
        "student": name,
        "source": name,
        "state": "error" if n % 5 == 4 else "pass",
        "reason": "out of <memory>" if n % 5 == 4 else "",
        "digest": f"{n:02}" * 32,
        "problems": {"acgan": dict(POINTS)},
        "total": 13.5,
        "max_total": 15.0,
        "adjustments": [{"problem": "acgan", "points": -1.5, "why": "1 day late", "told": "", "who": "", "when": ""}],
        "notes": [],
        "measures": {"acgan.digit_accuracy": {"value": n / 100, "interval": None, "state": "pass"}},
        "findings": [{"rule": "copied-images", "severity": "error", "problem": "acgan", "count": 3}] if n == 3 else [],
        "copies": [],
        "score": "",
        "report": f"reports/{n}.html",
    }


def _parsed(page: str) -> Any:
    return html5lib.HTMLParser(strict=True, namespaceHTMLElements=False).parse(page)


def _text(element: Any) -> str:
    return " ".join("".join(element.itertext()).split())


def test_names_of_strangers_are_texts() -> None:
    found = _class(STRANGE)
    for page in (render_class(found, None), render_leaderboard(found, {name: name for name in STRANGE})):
        tree = _parsed(page)
        assert "alert(1)" in _text(tree) and "\u202e" not in page
        assert not [e for e in tree.iter("script") if "alert" in (e.text or "")]


def test_scripts_and_styles_are_those_that_the_policy_names() -> None:
    page = render_class(_class(["a"]), None)
    policy = next(m.get("content") for m in _parsed(page).iter("meta") if m.get("http-equiv"))
    for tag in ("script", "style"):
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        assert f"'sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}'" in policy
    assert "default-src 'none'" in policy and "http://" not in page and "https://" not in page
    board = render_leaderboard(_class(["a"]), {"a": "K7"})
    assert "<script" not in board and "script-src" not in board


def test_the_table_has_everybody_and_what_it_is_sorted_by() -> None:
    found = _class([f"s{i:02}" for i in range(12)])
    table = _parsed(render_class(found, None)).find(".//table")
    rows = table.findall("./tbody/tr")
    assert [_text(row.find("th")) for row in rows] == [s["student"] for s in found["students"]]
    heads = table.findall("./thead/tr/th")
    assert all(len(row) == len(heads) for row in rows)
    column = [_text(h).startswith("Digit accuracy") for h in heads].index(True)
    assert [float(row[column].get("data-order")) for row in rows] == [n / 100 for n in range(12)]
    assert _text(rows[11][column]) == "11.00 %" and _text(rows[0][2]) == "13.5 measured 15"
    assert rows[0].find("th/a").get("href") == "reports/0.html"


def test_what_to_look_at_and_what_changed() -> None:
    found = _class([f"s{i}" for i in range(6)])
    pair = {"with": "s1", "problem": "acgan", "deliverable": "digits", "kind": "identical-images", "count": 9, "of": 10}
    found["students"][0]["copies"] = [pair | {"strength": "9 of 10", "page": "copies/1.html"}]
    found["students"][1]["copies"] = [pair | {"with": "s0", "strength": "9 of 10", "page": "copies/1.html"}]
    what = [
        {"kind": "measure", "problem": "acgan", "measure": "digit_accuracy", "before": 0.5, "after": 0.02},
        {"kind": "points", "problem": "acgan", "measure": "", "before": None, "after": 13.5},
        {"kind": "state", "problem": "", "measure": "", "before": "fail", "after": "pass"},
    ]
    changed = {"new": ["s5"], "gone": ["s9"], "changed": [{"student": "s2", "what": what}]}
    text = _text(_parsed(render_class(found, changed)))
    assert "s4 could not be finished: out of <memory>" in text and "doesn't have <b>." in text
    assert text.count("identical images in digits (9 of 10)") == 1
    assert "New: s5" in text and "Gone: s9" in text
    assert "s2 acgan digit_accuracy: 50.00 % → 2.00 %; acgan: – → 13.5 points; fail → pass" in text
    assert "Since the last run" not in render_class(found, {"new": [], "gone": [], "changed": []})


def test_the_leaderboard_ranks_pseudonyms_and_nothing_else() -> None:
    found = _class([f"student{i}" for i in range(6)])
    names = {f"student{i}": f"P{9 - i}" for i in range(6)}
    page = render_leaderboard(found, names)
    lines = [_text(e) for e in _parsed(page).iter("li")]
    # The fourth one, with 3 %, has copied.
    assert lines == ["1 P4 5.00 %", "2 P5 4.00 %", "simple 2.5 %", "3 P7 2.00 %", "4 P8 1.00 %", "5 P9 0.00 %"]
    assert "student" not in page.replace("students", "") and "reports/" not in page
    found["measures"][0]["hidden"] = True
    assert "P4" not in render_leaderboard(found, names)


def test_equal_values_have_one_rank_and_a_low_one_can_be_the_best() -> None:
    found = _class(["a", "b", "c", "d"])
    for s, value in zip(found["students"], (30.0, 20.0, 20.0, 40.0), strict=True):
        s["measures"] = {"acgan.fid": {"value": value, "interval": None, "state": "pass"}}
        s["findings"] = []
    measure = found["measures"][0] | {"id": "fid", "metric": "fid", "op": "le"}
    found["measures"] = [measure | {"baselines": [{"name": "strong", "value": 20.0, "points": 1.0}]}]
    lines = [_text(e) for e in _parsed(render_leaderboard(found, {n: n.upper() for n in "abcd"})).iter("li")]
    assert [line.split()[:2] for line in lines] == [["1", "B"], ["1", "C"], ["strong", "20"], ["3", "A"], ["4", "D"]]


@pytest.mark.parametrize("names", [[], ["only"]])
def test_small_classes(names: list[str]) -> None:
    found = _class(names)
    for page in (render_class(found, None), render_leaderboard(found, {n: n for n in names})):
        _parsed(page)
    found["students"] = [s | {"problems": {}, "measures": {}, "total": None, "report": ""} for s in found["students"]]
    found["measures"][0] |= {"count": 0, "quartiles": None, "histogram": None}
    _parsed(render_class(found, None))


def _cells(found: dict[str, Any]) -> list[str]:
    row = _parsed(render_class(found, None)).find(".//table/tbody/tr")
    return [_text(cell) for cell in row]


@pytest.mark.parametrize(
    ("points", "total", "most", "shown"),
    [
        ({"before": 0.0, "points": 7.5}, 7.5, 15.0, ["7.5 measured 0", "7.5"]),
        ({"before": 13.5}, 13.5, 15.0, ["13.5", "13.5"]),
        ({"before": 13.5, "by_hand": 1.0}, 14.5, 15.0, ["14.5 by hand 1", "14.5"]),
        ({"before": 9.0, "points": None, "excused": True}, 3.0, 4.0, ["– excused, measured 9", "3 of 4"]),
        ({"before": None, "points": None}, None, 15.0, ["–", "–"]),
    ],
)
def test_points_beside_what_was_measured(
    points: dict[str, Any], total: float | None, most: float, shown: list[str]
) -> None:
    found = _class(["a"])
    found["students"][0] |= {"problems": {"acgan": POINTS | points}, "total": total, "max_total": most}
    cells = _cells(found)
    assert cells[2:4] == shown and cells[-1] == "00" * 6  # by which a decision names a submission


def test_decisions_stand_there_with_who_and_when() -> None:
    found = _class(["a", "b"])
    step = {"problem": "acgan", "points": -2.0, "why": "no <script>", "told": "", "who": "Lin", "when": "2026-11-20"}
    found["students"][1]["adjustments"].append(step)
    text = _text(_parsed(render_class(found, None)).find(".//main"))
    assert "b: acgan: -2 points, no <script> (Lin, 2026-11-20)" in text
    assert "Decisions of persons" not in render_class(_class(["a"]), None)


def test_only_grade_books_that_are_there_are_linked() -> None:
    found = _class(["a"])
    links = [a.get("href") for a in _parsed(render_class(found, None, ["canvas"])).iter("a")]
    assert "gradebook-canvas.csv" in links and "gradebook-moodle.csv" not in links
    assert "gradebook" not in render_class(found, None)
