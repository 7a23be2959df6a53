"""Measures of enumerated codes, with a judge that reads attributes from pixels."""

from __future__ import annotations

import numpy as np
import pytest

from grader.assignment import MeasureSpec, TableSpec
from grader.checks.tables import CheckedTable
from grader.measuring import measure
from tests.measuring.faces import CODES, context, person, pictures, with_attribute

NMI = MeasureSpec("code_nmi", "code_nmi", "codes", "face-attributes", "", 0, ())
RECOVERY = MeasureSpec("code_recovery", "code_recovery", "answers", "all-images", "", 0, ())
TABLE = TableSpec("answers", "infogan/codes.csv", ("image_name", "label"), (0, 9), "", 0, False, images="codes")


def _draw(values: tuple[int, ...]) -> np.ndarray:
    """Code 0: value 3 brings bangs. Code 1 turns Male up. Code 2 changes nothing."""
    code, value, row = values
    base = person(row)
    if code == 0:
        return with_attribute(base, "Bangs", value == 3)
    if code == 1:
        found = with_attribute(base, "Male", False)
        found.reshape(-1)[7] = 60 * value + row % 3
        return found
    return base


def test_what_codes_change_is_told() -> None:
    taken = measure(NMI, pictures(CODES, _draw), context())
    first, second, third = (taken.details["per_code"][c] for c in "012")
    assert first["attribute"] == "Bangs" and first["nmi"] == pytest.approx(1) and first["spearman"] is None
    assert second["attribute"] == "Male" and second["nmi"] == pytest.approx(1) and second["spearman"] > 0.95
    assert third["nmi"] == pytest.approx(0, abs=1e-9)
    assert taken.value == pytest.approx((first["nmi"] + second["nmi"] + third["nmi"]) / 3) and taken.n == 150
    assert taken.details["above_chance"] == ["0", "1"] and first["n"] == 50 and 0 < first["chance"] < 0.6
    assert taken.details["remark"].startswith("2 of 3 codes change an attribute: 0 Bangs, 1 Male; chance reaches ")
    assert taken.provenance["protocol"] == "face-attributes"
    assert measure(NMI, pictures(CODES, _draw), context()) == taken


def test_a_code_without_images_tells_nothing() -> None:
    whole = pictures(CODES, _draw)
    gone = tuple(name for name in whole.names if name.startswith("c1_"))
    taken = measure(NMI, pictures(CODES, _draw, without=gone), context())
    assert taken.value == pytest.approx(1 / 3) and taken.n == 100 and taken.provenance["judged"] == 100


def test_codes_that_change_nothing() -> None:
    taken = measure(NMI, pictures(CODES, lambda v: person(v[2])), context())
    assert taken.value == pytest.approx(0, abs=1e-9) and taken.details["above_chance"] == []
    assert taken.details["remark"].startswith("0 of 3 codes change an attribute; chance")


def _table(predictions: dict[str, int], present: bool = True) -> CheckedTable:
    return CheckedTable(TABLE, predictions, (), present)


ANSWERS = {CODES.format(values): values[1] for values in CODES.all_values()}


def test_recovered_values_are_counted() -> None:
    shared = context()
    shared.answers["images:infogan/codes"] = ANSWERS
    wrong = {name: (label + 1) % 5 for name, label in ANSWERS.items() if name.startswith("c2_")}
    answered = {**ANSWERS, **wrong, "unknown.png": 3}
    del answered["c0_v0_r0.png"]
    taken = measure(RECOVERY, _table(answered), shared, "infogan")
    assert taken.value == 99 / 150 and taken.n == 150
    assert taken.details["remark"] == "20 % is chance; whether Q gave these answers can't be told here"
    assert taken.details["per_class"]["0"] == 19 / 30 and taken.details["per_class"]["9"] is None
    assert taken.provenance["judged"] == 149
    assert taken.interval is not None and taken.interval[0] < 0.66 < taken.interval[1]


def test_recovery_without_table_or_images() -> None:
    absent = measure(RECOVERY, _table({}, present=False), context(), "infogan")
    assert absent.state == "fail" and absent.reason == "infogan/codes.csv is not there"
    shared = context()
    shared.answers["images:another/codes"] = ANSWERS
    unknown = measure(RECOVERY, _table(dict(ANSWERS)), shared, "infogan")
    assert unknown.state == "fail" and "are not there" in unknown.reason
