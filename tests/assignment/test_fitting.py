"""Metrics of reconstructions, pairs and codes in assignment files: what their deliverables need."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from grader.assignment import ImagesSpec, NameField, NameFormat, TableSpec, load_assignment
from grader.assignment.fitting import check_fit
from grader.assignment.toml import Section, Source
from grader.errors import AssignmentError
from grader.metrics import METRICS

OWN = """schema = "grader/assignment/1"
id = "my-course"
title = "Mine"
[[problem]]
id = "acgan"
title = "Pairs"
[[problem.deliverable]]
id = "pairs"
kind = "images"
path = "acgan"
size = [64, 64]
label = "attribute"
[problem.deliverable.names]
template = "{attribute}_{number:03}.png"
attribute = [0, 1]
number = [1, 10]
[[problem.measure]]
id = "METRIC"
deliverable = "pairs"
"""


def _load(tmp_path: Path, metric: str, more: str = "", **changes: str) -> Any:
    text = OWN.replace("METRIC", metric) + more
    for old, new in changes.items():
        text = text.replace(f"{old} = ", f"{new} = ")
    (tmp_path / "own.toml").write_text(text)
    return load_assignment(tmp_path / "own.toml").problems[0].measures[0]


@pytest.mark.parametrize("metric", ["attribute_accuracy", "pair_flip"])
def test_attribute_and_its_value_are_read(metric: str, tmp_path: Path) -> None:
    found = _load(tmp_path, metric, 'attribute = "Smiling"\non = 0\n')
    assert (found.attribute, found.on, found.protocol) == ("Smiling", 0, "face-attributes")
    bare = _load(tmp_path, metric)
    assert (bare.attribute, bare.on) == ("", None)
    assert _load(tmp_path, metric, "on = 1\n").on == 1


@pytest.mark.parametrize(
    ("metric", "more", "told"),
    [
        ("pair_flip", 'attribute = "Smilling"\n', "attribute"),
        ("pair_flip", "on = 2\n", "0 or 1"),
        ("pair_flip", "on = true\n", "on"),
        ("pair_identity", 'attribute = "Smiling"\n', "attribute"),  # it judges none
        ("reconstruction_mse", "", "'one_for_each'"),
        ("psnr", "", "'one_for_each'"),
        ("ssim", "", "'one_for_each'"),
        ("code_nmi", "", "'code', 'value' and 'row'"),
        ("code_recovery", "", "measures a table"),
    ],
)
def test_wrong_measures(metric: str, more: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(AssignmentError, match=told):
        _load(tmp_path, metric, more)


@pytest.mark.parametrize("metric", ["attribute_accuracy", "pair_flip", "pair_identity"])
def test_labels_are_zero_and_one(metric: str, tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(OWN.replace("METRIC", metric).replace("[0, 1]", "[0, 2]"))
    with pytest.raises(AssignmentError, match="values 0 and 1"):
        load_assignment(tmp_path / "own.toml")
    (tmp_path / "own.toml").write_text(OWN.replace("METRIC", metric).replace('label = "attribute"\n', "count = 20\n"))
    with pytest.raises(AssignmentError, match="'label'"):
        load_assignment(tmp_path / "own.toml")


def test_a_label_alone_makes_no_pair(tmp_path: Path) -> None:
    text = OWN.replace("METRIC", "pair_flip").replace("_{number:03}", "").replace("number = [1, 10]\n", "")
    (tmp_path / "own.toml").write_text(text)
    with pytest.raises(AssignmentError, match="make a pair"):
        load_assignment(tmp_path / "own.toml")


def _section() -> Section:
    return Section(Source("own.toml", "", {}), (), {})


def _codes(*fields: str) -> ImagesSpec:
    form = NameFormat("_".join(f"{f[0]}{{{f}}}" for f in fields) + ".png", tuple(NameField(f, 0, 1) for f in fields))
    return ImagesSpec("codes", "infogan", len(form), (64, 64), "RGB", "PNG", form, "", False)


def test_codes_in_any_order() -> None:
    check_fit(_section(), METRICS["code_nmi"], _codes("row", "code", "value"))
    for fields in (("code", "value"), ("code", "value", "row", "other")):
        with pytest.raises(AssignmentError):
            check_fit(_section(), METRICS["code_nmi"], _codes(*fields))


def test_tables_of_answers_or_of_images() -> None:
    def table(answers: str, images: str) -> TableSpec:
        return TableSpec("t", "t.csv", ("image_name", "label"), (0, 9), answers, 0, True, images)

    check_fit(_section(), METRICS["code_recovery"], table("", "codes"))
    check_fit(_section(), METRICS["target_accuracy"], table("a.csv", ""))
    for metric, made in (("code_recovery", table("a.csv", "")), ("target_accuracy", table("", "codes"))):
        with pytest.raises(AssignmentError):
            check_fit(_section(), METRICS[metric], made)
