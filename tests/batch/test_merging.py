"""One problem graded anew beside verdicts that stay."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import grader
from grader.batch.merging import merged, spoilt, summed
from tests.conftest import GOOD, ROOT


@pytest.fixture(scope="module")
def dann(course: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(grader.score(GOOD, problems=["dann"], data=course).to_json())
    return found


def _of(report: dict[str, Any], *names: str) -> dict[str, Any]:
    """The report on one problem as one on several that ended alike."""
    (verdict,) = report["problems"]
    manual = [{"problem": name, "title": "report", "points": 2} for name in names]
    problems = [verdict | {"id": name} for name in names]
    most = {"points": 9 * len(names), "max_points": 9 * len(names), "manual_points": 2 * len(names)}
    return report | {"problems": problems, "manual": manual, "notes": [*names], "findings": []} | most


def test_two_parts_make_the_whole(dann: dict[str, Any]) -> None:
    assert dann["points"] == 9
    whole = _of(dann, "a", "b", "c")
    joined = merged(_of(dann, "a", "c"), _of(dann, "b"), ["a", "c"])
    joined["problems"].sort(key=lambda p: p["id"])
    joined["manual"].sort(key=lambda m: m["problem"])
    joined["notes"].sort()
    assert joined == whole
    # The other way round nothing of the first is kept.
    assert merged(_of(dann, "a"), whole, []) == whole


def test_a_finding_of_both_parts_stands_once(dann: dict[str, Any]) -> None:
    finding = {"rule": "foreign-file", "severity": "error", "path": "score.json"}
    first, second = _of(dann, "a") | {"findings": [finding]}, _of(dann, "b") | {"findings": [finding]}
    joined = merged(first, second, ["a"])
    assert joined["findings"] == [finding] and joined["state"] == "fail" and joined["points"] == 18


def test_what_the_machine_could_not_finish_earns_nothing(dann: dict[str, Any]) -> None:
    whole = _of(dann, "a", "b")
    broken = spoilt(whole, ["b"])
    assert (broken["state"], broken["points"], broken["max_points"]) == ("error", 9, 18)
    assert broken["problems"][0] == whole["problems"][0]
    schema = json.loads((ROOT / "docs" / "schemas" / "score-1.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(broken)


def test_sums_are_those_of_a_report(dann: dict[str, Any]) -> None:
    assert summed(dann | {"points": 1000, "state": "pass"}) == dann
