"""Pairs of submissions become pairs of students."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from grader.batch.suspects import pairs_of_students
from grader.batch.times import read_times
from tests.batch.students import entry

ENTRIES = [entry("ada_1"), entry("ada_2", source="ada_2.zip"), entry("bob_7", source="bob_7.ZIP"), entry("cy")]


def _pair(one: str, other: str, count: int = 5, kind: str = "identical-images") -> dict[str, Any]:
    pair = {"students": [one, other], "problem": "acgan", "deliverable": "digits", "kind": kind, "count": count}
    return pair | {"of": 50, "strength": f"{count} of 50", "page": f"copies/{one}--{other}.html"}


@pytest.fixture
def times(tmp_path: Path) -> Path:
    """Ada's two attempts, Bob's one; nobody noted Cy's."""
    path = tmp_path / "times.csv"
    rows = ["ada,2026-11-01T00:00:00Z,ada_1", "ada,2026-11-02T00:00:00Z,ada_2", "bob,2026-11-02T00:00:00Z,bob_7"]
    path.write_text("\n".join(["student,time,submission", *rows, ""]))
    return path


def test_pairs_stand_under_the_names_of_students(times: Path) -> None:
    pairs = [_pair("bob_7", "cy"), _pair("ada_1", "bob_7")]
    found = pairs_of_students(pairs, ENTRIES, read_times(times))
    assert [p["students"] for p in found] == [["bob", "cy"], ["ada", "bob"]]
    assert [p["page"] for p in found] == [p["page"] for p in pairs]  # the evidence is of the submissions


def test_one_student_is_no_pair(times: Path) -> None:
    assert pairs_of_students([_pair("ada_1", "ada_2")], ENTRIES, read_times(times)) == []
    assert pairs_of_students([_pair("ada_1", "ada_2")], ENTRIES, {})[0]["students"] == ["ada_1", "ada_2"]


def test_of_several_attempts_the_strongest_evidence_of_a_kind_stands(times: Path) -> None:
    pairs = [_pair("ada_1", "bob_7", 5), _pair("ada_2", "bob_7", 9), _pair("ada_1", "bob_7", 7, "predictions")]
    found = pairs_of_students(pairs, ENTRIES, read_times(times))
    assert [(p["kind"], p["count"], p["page"]) for p in found] == [
        ("identical-images", 9, "copies/ada_2--bob_7.html"),
        ("predictions", 7, "copies/ada_1--bob_7.html"),
    ]
    assert pairs[1]["students"] == ["ada_2", "bob_7"]  # nothing that was given has changed


def test_who_is_in_no_entry_keeps_the_name() -> None:
    assert pairs_of_students([_pair("gone", "cy")], ENTRIES, {})[0]["students"] == ["cy", "gone"]
