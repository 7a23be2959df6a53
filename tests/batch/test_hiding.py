"""What a student is shown while a measure is hidden: nothing that tells its value."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema

from grader.batch.hiding import OF_FILES, REASON, hide, without_telling
from grader.checks.rules import RULES
from tests.reporting.reports import finding, measure, score, verdict

ROOT = Path(__file__).parent.parent.parent
# Those that rest on what was measured, or on a network's word. A new rule belongs here or to OF_FILES.
OF_MEASURES = {
    *("low-diversity", "at-chance", "faces-beyond-images", "broken-tags", "not-reproducible"),
    *("unrelated-images", "pasted-patch", "wrong-pixel-range", "wrong-channels", "wrong-orientation"),
    "wrong-image-order",
}

TELLING = finding("tells", rule="at-chance", severity="warning", deliverable="digits")
REPORT = score(
    verdict(
        "acgan",
        "pass",
        measure("digit_accuracy", value=0.8125, points=15, earned=15),
        measure("vendi_score", value=6.1, points=2, earned=2),
        findings=(TELLING, finding(severity="warning")),
    ),
    verdict("dann", "fail", measure("target_accuracy.usps-svhn", "fail", 0.2, points=3, earned=0)),
).to_dict()


def _numbers(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for inner in value:
            yield from _numbers(inner)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield float(value)


def test_every_rule_is_one_of_files_or_of_measures() -> None:
    assert set(RULES) == OF_FILES | OF_MEASURES and not OF_FILES & OF_MEASURES


def test_value_points_and_what_tells_them_are_left_out() -> None:
    before = copy.deepcopy(REPORT)
    shown = hide(REPORT, {"digit_accuracy"})
    assert before == REPORT  # the report given stays as it is
    acgan = shown["problems"][0]
    hidden = acgan["measures"][0]
    assert (hidden["state"], hidden["reason"], hidden["value"], hidden["baselines"]) == ("skipped", REASON, None, [])
    assert not {0.8125, 0.7125, 0.9125, 15.0, 17.0, 20.0} & set(_numbers([acgan, shown["points"], shown["max_points"]]))
    assert (acgan["points"], acgan["would_earn"], acgan["max_points"], acgan["state"]) == (2, 2, 2, "skipped")
    assert [f["rule"] for f in acgan["findings"]] == ["missing-images"] and "tells" not in json.dumps(shown)
    assert shown["problems"][1] == REPORT["problems"][1]
    assert (shown["points"], shown["max_points"], shown["state"]) == (2, 5, "fail")


def test_two_values_on_either_side_of_a_baseline_look_alike() -> None:
    def shown(value: float, earned: float) -> dict[str, Any]:
        state = "pass" if earned else "fail"
        one = measure("digit_accuracy", state, value, points=15, earned=earned)  # type: ignore[arg-type]
        return hide(score(verdict("acgan", state, one)).to_dict(), {"digit_accuracy"})  # type: ignore[arg-type]

    assert shown(0.9, 15) == shown(0.1, 0)


def test_it_is_a_report_still_and_nothing_hidden_changes_nothing() -> None:
    schema = json.loads((ROOT / "docs" / "schemas" / "score-1.json").read_text())
    shown = json.loads(json.dumps(hide(REPORT, {"digit_accuracy", "target_accuracy.usps-svhn"})))
    jsonschema.Draft202012Validator(schema).validate(shown)
    assert hide(REPORT, ()) == REPORT and shown["points"] == 2 and shown["state"] == "skipped"


def test_a_rank_tells_nothing_of_a_hidden_measure() -> None:
    told = {"rule": "wrong-orientation", "severity": "error", "problem": "dann", "count": 1}
    of_files = told | {"rule": "csv-bad-label"}
    elsewhere = told | {"problem": "acgan"}
    found = {"students": [{"student": "ada", "findings": [told, of_files, elsewhere]}], "notes": []}
    assert without_telling(found, ["dann"])["students"] == [{"student": "ada", "findings": [of_files, elsewhere]}]
    assert without_telling(found, []) == found
