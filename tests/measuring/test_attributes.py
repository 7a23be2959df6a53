"""Attribute measures, with a judge that reads attributes from pixels."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from grader.assignment import MeasureSpec
from grader.checks.images import CheckedImages
from grader.judges.attributes import ATTRIBUTES
from grader.measuring import measure
from grader.metrics import METRICS
from tests.measuring.faces import PAIRS, context, person, pictures, with_attribute


def _spec(metric: str, attribute: str = "", on: int | None = None) -> MeasureSpec:
    return MeasureSpec(metric, metric, "pairs", METRICS[metric].protocols[0], "", 0, (), attribute=attribute, on=on)


def _smiling(
    on: int = 1, broken: tuple[int, ...] = (), without: tuple[str, ...] = (), attribute: str = "Smiling"
) -> CheckedImages:
    """Forty pairs in which the label means an attribute; the broken ones have it in both images."""

    def draw(values: tuple[int, ...]) -> np.ndarray:
        label, number = values
        return with_attribute(person(number), attribute, number in broken or label == on)

    return pictures(PAIRS, draw, "attribute", without=without)


@pytest.mark.parametrize("on", [0, 1])
def test_the_attribute_and_its_sign_are_found_and_said(on: int) -> None:
    taken = measure(_spec("attribute_accuracy"), _smiling(on, broken=(3, 4)), context())
    assert taken.value == 78 / 80 and taken.n == 80
    details = taken.details
    assert (details["attribute"], details["on"], details["found"]) == ("Smiling", on, True)
    assert 0.6 < details["chance"] < 0.75 < details["balanced_accuracy"]
    assert details["remark"].startswith(f"Smiling is {on}, found by the judge (97.5 % balanced accuracy; chance")
    assert details["misread"] == {f"{1 - on}_003.png": "Smiling", f"{1 - on}_004.png": "Smiling"}
    assert details["per_class"] == {str(on): 1.0, str(1 - on): 0.95}
    interval = binomtest(78, 80).proportion_ci(0.95, method="wilson")
    assert taken.interval == pytest.approx((interval.low, interval.high))
    assert taken.provenance["protocol"] == "face-attributes" and taken.provenance["n"] == 80


def test_what_the_assignment_says_is_not_looked_for() -> None:
    taken = measure(_spec("attribute_accuracy", "Male", 1), _smiling(), context())
    assert taken.value is not None and 0.3 < taken.value < 0.7
    assert taken.details["attribute"] == "Male" and taken.details["found"] is False
    assert "chance" not in taken.details and taken.details["remark"] == "Male is 1"
    turned = measure(_spec("attribute_accuracy", "Smiling", 0), _smiling(), context())
    assert turned.value == 0


def test_only_the_value_is_looked_for() -> None:
    taken = measure(_spec("pair_flip", "Smiling"), _smiling(0), context())
    assert taken.value == 1 and taken.details["on"] == 0 and taken.details["found"] is True
    other = measure(_spec("pair_flip", "Male"), _smiling(), context())
    assert other.value is None and other.state == "fail" and other.reason.startswith("Male does not follow the names: ")


@pytest.mark.parametrize("metric", ["attribute_accuracy", "pair_flip"])
def test_labels_without_meaning(metric: str) -> None:
    images = pictures(PAIRS, lambda v: person(100 * v[0] + v[1]), "attribute")
    taken = measure(_spec(metric), images, context())
    assert (taken.value, taken.state) == (None, "fail") and taken.details == {}
    assert taken.reason.startswith("no attribute follows the names; the best, ") and "chance reaches" in taken.reason


def test_pairs_that_do_not_flip_are_named() -> None:
    taken = measure(_spec("pair_flip"), _smiling(broken=(2, 7, 8), without=("1_040.png",)), context())
    assert taken.value == 36 / 40 and taken.n == 40  # the pair without its second image is one that does not flip
    assert taken.details["failing"] == [[f"0_{n:03}.png", f"1_{n:03}.png"] for n in (2, 7, 8)]
    assert (taken.details["failing_count"], taken.details["whole_pairs"], taken.details["pairs"]) == (4, 39, 40)
    assert taken.details["per_class"] == {"0": 36 / 40, "1": 39 / 40}
    assert taken.interval is not None and taken.interval[0] < 0.9 < taken.interval[1]
    many = measure(_spec("pair_flip", "Smiling", 1), _smiling(broken=tuple(range(1, 41))), context())
    assert many.value == 0 and len(many.details["failing"]) == 20 and many.details["failing_count"] == 40


def test_missing_images_are_wrong_ones() -> None:
    gone = tuple(f"1_{n:03}.png" for n in range(1, 11))
    taken = measure(_spec("attribute_accuracy"), _smiling(without=gone), context())
    assert taken.value == 70 / 80 and taken.details["unjudged"] == (0, 10) and taken.provenance["judged"] == 70


@pytest.mark.parametrize("metric", ["attribute_accuracy", "pair_flip", "pair_identity"])
def test_images_of_one_value_alone(metric: str) -> None:
    gone = tuple(f"1_{n:03}.png" for n in range(1, 41))
    taken = measure(_spec(metric), _smiling(without=gone), context())
    assert (taken.value, taken.state) == (None, "fail") and taken.reason


def test_people_are_recognised_within_pairs() -> None:
    taken = measure(_spec("pair_identity"), _smiling(), context())
    assert taken.value == 1 and taken.n == 40 and taken.details["equal_pairs"] == 0
    assert taken.details["cosine_within"] > 0.9 > 0.3 > abs(taken.details["cosine_across"])
    assert taken.details["remark"] == "50 % is chance" and taken.provenance["protocol"] == "efficientnet-lite0"
    strangers = pictures(PAIRS, lambda v: person(100 * v[0] + v[1]), "attribute")
    apart = measure(_spec("pair_identity"), strangers, context())
    assert apart.interval is not None and apart.interval[0] < 0.5 < apart.interval[1]


def test_the_same_picture_twice_is_no_pair() -> None:
    """It keeps the person, of course; but the attribute does not change, and it is said."""
    twice = pictures(PAIRS, lambda v: person(v[1]), "attribute")
    kept = measure(_spec("pair_identity"), twice, context())
    assert kept.value == 1 and kept.details["remark"] == "50 % is chance; 40 of 40 pairs are one picture twice"
    assert measure(_spec("pair_flip"), twice, context()).value is None
    assert measure(_spec("pair_flip", "Smiling", 1), twice, context()).value == 0


def test_everything_is_the_same_again() -> None:
    images = _smiling(broken=(5,))
    for metric in ("attribute_accuracy", "pair_flip", "pair_identity"):
        assert measure(_spec(metric), images, context()) == measure(_spec(metric), images, context())


@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_every_attribute_can_be_found(attribute: str) -> None:
    assert measure(_spec("pair_flip"), _smiling(attribute=attribute), context()).details["attribute"] == attribute
