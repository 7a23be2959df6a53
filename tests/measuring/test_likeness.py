"""Warnings about pairs and rows that are none, and about what was pasted into one image of each pair."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from grader.assignment import MeasureSpec, NameFormat, Problem, load_assignment
from grader.checks.images import CheckedImages
from grader.measuring import measure
from grader.metrics import METRICS
from grader.results import Finding
from grader.verdicts import judge_problem
from tests.measuring.faces import CODES, PAIRS, Pixels, context, person, pictures, with_attribute

Draw = Callable[[tuple[int, ...]], Pixels]


def _findings(images: CheckedImages, metric: str) -> tuple[Finding, ...]:
    spec = MeasureSpec(metric, metric, images.spec.id, METRICS[metric].protocols[0], "", 0, ())
    problem = Problem("p", "P", (images.spec,), (spec,))
    work = replace(load_assignment(), problems=(problem,))
    verdict = judge_problem(problem, [], {("p", images.spec.id): images}, context(), work)
    assert verdict.state == "pass" and verdict.measures[0].value is not None
    return tuple(f for f in verdict.findings if f.rule in ("unrelated-images", "pasted-patch"))


def _pairs(draw: Draw, names: NameFormat = PAIRS) -> CheckedImages:
    return pictures(names, draw, "attribute", alike=True)


def _smiling(values: tuple[int, ...]) -> Pixels:
    return with_attribute(person(values[1]), "Smiling", values[0] == 1)


def test_pairs_and_rows_as_they_should_be_raise_nothing() -> None:
    assert _findings(_pairs(_smiling), "pair_identity") == ()
    rows = pictures(CODES, lambda v: with_attribute(person(v[2]), "Bangs", v[1] == 3), alike=True)
    assert _findings(rows, "code_nmi") == ()


@pytest.mark.parametrize("number", [40, 10, 4])
def test_pairs_of_different_people(number: int) -> None:
    fields = (PAIRS.fields[0], replace(PAIRS.fields[1], high=number))
    names = NameFormat(PAIRS.template, fields)
    strangers = _pairs(lambda v: with_attribute(person(1000 * v[0] + v[1]), "Smiling", v[0] == 1), names)
    (found,) = _findings(strangers, "pair_identity")
    assert (found.rule, found.severity, found.deliverable) == ("unrelated-images", "warning", "faces")
    assert "one pair of acgan/" in found.message and found.count == 2 * number
    assert _findings(_pairs(_smiling, names), "pair_identity") == ()


def test_rows_in_which_everything_differs() -> None:
    def draw(values: tuple[int, ...]) -> Pixels:
        code, value, row = values
        return with_attribute(person(100 * code + 10 * value + row), "Bangs", value == 3)

    images = pictures(CODES, draw, alike=True)
    spec = MeasureSpec("code_nmi", "code_nmi", "faces", "face-attributes", "", 0, ())
    taken = measure(spec, images, context())
    assert taken.value is not None and taken.value > 0.9 and 0.4 < taken.details["row_identity"] < 0.6
    assert taken.details["rows"] == 10 and "50 % is chance" in taken.details["remark"]
    (found,) = _findings(images, "code_nmi")
    assert found.rule == "unrelated-images" and "one row of acgan/" in found.message


def test_a_value_that_all_images_have_in_common_is_no_row() -> None:
    """Each value has a look of its own, whoever it is: only images of the same values may be compared."""

    def draw(values: tuple[int, ...]) -> Pixels:
        code, value, row = values
        found = person(100 * code + 10 * value + row)
        found[4:] = person(7 * code)[4:]
        return found

    images = pictures(CODES, draw, alike=True)
    assert [f.rule for f in _findings(images, "code_nmi")] == ["unrelated-images"]


def test_codes_of_one_row_say_nothing() -> None:
    fields = (*CODES.fields[:2], replace(CODES.fields[2], high=0))
    images = pictures(NameFormat(CODES.template, fields), lambda v: person(v[2] + v[1]), alike=True)
    spec = MeasureSpec("code_nmi", "code_nmi", "faces", "face-attributes", "", 0, ())
    assert "row_identity" not in measure(spec, images, context()).details
    assert _findings(images, "code_nmi") == ()


@pytest.mark.parametrize("where", [0, 1])
def test_a_patch_in_all_images_of_one_value(where: int) -> None:
    def draw(values: tuple[int, ...]) -> Pixels:
        found = person(values[1])
        if values[0] == where:
            found[:2, :4] = 20  # over the attribute's own pixel
        return found

    (found,) = _findings(_pairs(draw), "pair_identity")
    assert (found.rule, found.severity) == ("pasted-patch", "warning") and found.message.startswith("12.5 % of the")


def test_what_is_the_same_in_all_images_is_no_patch() -> None:
    def draw(values: tuple[int, ...]) -> Pixels:
        found = _smiling(values)
        found[:, 6:] = np.uint8(3)  # a border, with the attribute and without
        return found

    assert _findings(_pairs(draw), "pair_identity") == ()
