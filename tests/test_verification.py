"""`grader verify`: a true report holds, and each thing that is changed in one is named."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

import grader
from grader.cli import grader as command
from grader.documents import DEEPEST, read_json
from grader.errors import UsageError
from grader.results import ScoreReport
from grader.verification import compare, read_claim
from tests.conftest import GOOD, ROOT

Lie = Callable[[dict[str, Any]], None]


@pytest.fixture(scope="module")
def true(course: Path) -> ScoreReport:
    return grader.score(GOOD, problems=["dann"], data=course)


def _claim(tmp_path: Path, report: ScoreReport, lie: Lie = lambda _: None) -> Path:
    values = json.loads(report.to_json())
    lie(values)
    (tmp_path / "score.json").write_text(json.dumps(values))
    return tmp_path / "score.json"


def _differences(path: Path, report: ScoreReport) -> list[tuple[str, str, str, str]]:
    found = compare(read_claim(path), report)
    jsonschema.validate(json.loads(found.to_json()), json.loads((ROOT / "docs/schemas/verify-1.json").read_text()))
    return [(d.where, d.what, d.claimed, d.found) for d in found.differences]


def test_a_true_report_holds(true: ScoreReport, tmp_path: Path) -> None:
    found = compare(read_claim(_claim(tmp_path, true)), true)
    assert (found.state, found.differences, found.untaken, found.notes) == ("pass", (), (), ())
    assert found.compared == len(true.problems[0].measures) == 6


def _first(values: dict[str, Any]) -> dict[str, Any]:
    measure: dict[str, Any] = values["problems"][0]["measures"][0]
    return measure


def _value(values: dict[str, Any]) -> None:
    _first(values)["value"] += 0.001


def _points(values: dict[str, Any]) -> None:
    values["problems"][0]["points"] = values["points"] = 100


def _earned(values: dict[str, Any]) -> None:
    _first(values)["baselines"][0]["earned"] = 50


def _errors(values: dict[str, Any]) -> None:
    values["problems"][0]["findings"].append({"rule": "csv-bom", "severity": "error"})


def _another_submission(values: dict[str, Any]) -> None:
    values["submission_digest"] = "0" * 64


def _another_judge(values: dict[str, Any]) -> None:
    _first(values)["provenance"]["judge_sha256"] = "f" * 64


def _a_measure_less(values: dict[str, Any]) -> None:
    del values["problems"][0]["measures"][0]


def _passed(values: dict[str, Any]) -> None:
    values["problems"][0]["state"] = values["state"] = "fail"


def _would_earn(values: dict[str, Any]) -> None:
    values["problems"][0]["would_earn"] = 99


def _interval(values: dict[str, Any]) -> None:
    _first(values)["interval"] = [0.5, 0.6]


def _lower_demand(values: dict[str, Any]) -> None:
    _first(values)["baselines"][0]["value"] = 0.1


def _a_baseline_twice(values: dict[str, Any]) -> None:
    _first(values)["baselines"].insert(0, _first(values)["baselines"][0] | {"earned": 500})


def _no_warnings(values: dict[str, Any]) -> None:
    values["problems"][0]["findings"] = values["findings"] = []


def _by_hand(values: dict[str, Any]) -> None:
    values["manual_points"] = 1000


def _easier_by_hand(values: dict[str, Any]) -> None:
    values["manual"][0]["points"] += 5


def _another_title(values: dict[str, Any]) -> None:
    values["problems"][0]["title"] = "Passed with distinction"


def _better_than_all(values: dict[str, Any]) -> None:
    _first(values)["standing"] = {"better_than": 1000, "of": 1000}


def _nothing(values: dict[str, Any]) -> None:
    values["empty"] = True


LIES: dict[str, tuple[Lie, set[tuple[str, str]]]] = {
    "value": (_value, {("dann {first}", "value")}),
    "points": (_points, {("dann", "points"), ("", "points")}),
    "earned": (_earned, {("dann {first}", "baselines"), ("dann", "points")}),
    "errors": (_errors, {("dann", "errors")}),
    "would earn": (_would_earn, {("dann", "would earn")}),
    "interval": (_interval, {("dann {first}", f"{end} end of the interval") for end in ("lower", "upper")}),
    "lower demand": (_lower_demand, {("dann {first}", "baselines")}),
    "a baseline twice": (_a_baseline_twice, {("dann {first}", "baselines"), ("dann", "points")}),
    "no warnings": (_no_warnings, {("dann", "warnings")}),
    "points by hand": (_by_hand, {("", "manual points")}),
    "points of one row by hand": (_easier_by_hand, {("", "manual")}),
    "title": (_another_title, {("dann", "title")}),
    "standing": (_better_than_all, {("dann {first}", "standing")}),
    "empty": (_nothing, {("", "empty")}),
    "submission": (_another_submission, {("", "submission digest")}),
    "judge": (_another_judge, {("dann {first}", "judge sha256")}),
    "measures": (_a_measure_less, {("dann", "measures"), ("dann", "points")}),
    "state": (_passed, {("dann", "state"), ("", "state")}),
}


@pytest.mark.parametrize("name", LIES)
def test_each_lie_is_named(name: str, true: ScoreReport, tmp_path: Path) -> None:
    lie, wanted = LIES[name]
    first = true.problems[0].measures[0].id
    found = _differences(_claim(tmp_path, true, lie), true)
    assert {(where, what) for where, what, _, _ in found} == {(a.format(first=first), b) for a, b in wanted}


def test_rounding_of_another_machine_is_no_lie(true: ScoreReport, tmp_path: Path) -> None:
    def rounding(values: dict[str, Any]) -> None:
        _first(values)["value"] *= 1 + 5e-5

    assert _differences(_claim(tmp_path, true, rounding), true) == []


def test_what_could_not_be_measured_again_leaves_it_open(
    true: ScoreReport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    without = grader.score(GOOD, problems=["dann"])  # no labels
    found = compare(read_claim(_claim(tmp_path, true)), without)
    assert found.state == "skipped" and found.compared == 0 and len(found.untaken) == 6


def test_sums_that_are_not_those_of_their_parts_are_false_whatever_can_be_measured(
    true: ScoreReport, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    without = grader.score(GOOD, problems=["dann"])
    found = _differences(_claim(tmp_path, true, _points), without)
    assert found == [("dann", "points", "100", "9")]
    total = _differences(_claim(tmp_path, true, lambda values: values.update(points=9999)), without)
    assert total == [("", "points", "9999", "9")]


def test_notes_of_one_side_are_told(true: ScoreReport, tmp_path: Path) -> None:
    """They are no difference: most of them say what a machine lacks."""
    path = _claim(tmp_path, true, lambda values: values.update(notes=["A person gave full points.\x1b[31m"]))
    ours = replace(true, notes=("Copies of x were not looked for.",))
    found = compare(read_claim(path), ours)
    assert found.state == "pass" and found.notes == (
        "The claim says, and this run doesn't: A person gave full points.\\x1b[31m",
        "The claim doesn't say: Copies of x were not looked for.",
    )


def test_another_version_is_noted(true: ScoreReport, tmp_path: Path) -> None:
    path = _claim(tmp_path, true, lambda values: values.update(grader="9\x1b[31m"))
    assert compare(read_claim(path), true).notes == (
        f"The claim was made by version 9\\x1b[31m of the grader, this is {grader.__version__}.",
    )


def test_the_command(true: ScoreReport, course: Path, tmp_path: Path) -> None:
    shutil.copytree(GOOD / "dann", tmp_path / "s" / "dann")
    arguments = [str(tmp_path / "s"), "--data", str(course)]
    holds = CliRunner().invoke(command, ["verify", str(_claim(tmp_path, true)), *arguments])
    assert holds.exit_code == 0 and holds.output.startswith("HOLDS  9 points, as claimed; 6 values measured again")
    table = tmp_path / "s" / "dann" / "mnistm-usps.csv"
    lines = table.read_text().splitlines()
    table.write_text("\n".join(lines[:1] + [f"{line.partition(',')[0]},0" for line in lines[1:]]) + "\n")
    fails = CliRunner().invoke(command, ["verify", str(tmp_path / "score.json"), *arguments])
    assert fails.exit_code == 1 and fails.output.startswith("DOES NOT HOLD")
    for said in ("submission digest", "target_accuracy", "measured now"):
        assert said in fails.output
    told = CliRunner().invoke(command, ["verify", str(tmp_path / "score.json"), *arguments, "--format", "json"])
    assert json.loads(told.output)["state"] == "fail"


def test_an_assignment_or_problem_that_nobody_knows(true: ScoreReport, tmp_path: Path) -> None:
    for name in ("../../etc/x", "no-such-homework", "", "a" * 300):
        path = _claim(tmp_path, true, lambda values, name=name: values.update(assignment=name))  # type: ignore[misc]
        with pytest.raises(UsageError):
            read_claim(path).of(None)
    path = _claim(tmp_path, true, lambda values: values["problems"][0].update(id="dan"))
    with pytest.raises(UsageError, match=r"no problem dan\. Did you mean 'dann'"):
        read_claim(path).of(None)


def test_a_report_of_no_problem(true: ScoreReport, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no problem"):
        read_claim(_claim(tmp_path, true, lambda values: values.update(problems=[])))


WRONG = {
    "{": "Expecting",
    "[]": "expected the schema",
    '{"schema": "grader/check/1"}': "expected the schema",
    '{"schema": "grader/score/1"}': "assignment should be a text, found None",
    '{"a": NaN}': "NaN is no number",
    '{"a": 1, "a": 2}': "names something twice",
    "9" * 5000: "is not a score report",
    "[" * (DEEPEST + 2) + "]" * (DEEPEST + 2): "levels deep",
    "[" * 100_000: "levels deep",
    "\ud800": "is not a score report",
}


@pytest.mark.parametrize("text", WRONG, ids=lambda text: text[:20].encode("ascii", "replace").decode())
def test_what_is_no_score_report(text: str, tmp_path: Path) -> None:
    (tmp_path / "score.json").write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(UsageError, match=WRONG[text]):
        read_claim(tmp_path / "score.json")


@given(data=st.data())
def test_whatever_a_value_is_replaced_by(data: st.DataObject, true: ScoreReport, tmp_path_factory: Any) -> None:
    values = json.loads(true.to_json())
    place: Any = values
    while isinstance(place, (dict, list)) and place:
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if not isinstance(place[key], (dict, list)) or data.draw(st.booleans()):
            place[key] = data.draw(st.sampled_from([None, True, -1, 1e300, "", "x\u202e", [], {}, [[]], 10**400]))
            break
        place = place[key]
    path = tmp_path_factory.getbasetemp() / "changed.json"
    path.write_text(json.dumps(values))
    try:
        claim = read_claim(path)
        claim.of(None)
    except UsageError as e:
        assert str(e).isprintable()
        return
    if [p["id"] for p in claim.values["problems"]] == ["dann"]:
        compare(claim, true).to_json()


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Is a directory"):
        read_json(tmp_path, "a report")
    with open(tmp_path / "large", "wb") as f:
        os.truncate(f.fileno(), (64 << 20) + 1)
    with pytest.raises(UsageError, match="more than 64 MiB"):
        read_json(tmp_path / "large", "a report")
    with pytest.raises(UsageError, match="more than 8 MiB"):
        read_claim(tmp_path / "large")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="not a regular file"):
        read_json(tmp_path / "pipe", "a report")


def test_values_are_counted_before_they_are_made(tmp_path: Path) -> None:
    (tmp_path / "many").write_bytes(b"[" + b"{}," * (1 << 20) + b"{}]")
    with pytest.raises(UsageError, match="more than 524288 values"):
        read_claim(tmp_path / "many")
