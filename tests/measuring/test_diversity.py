"""Diversity by class, beside the reference's, with EfficientNet features."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.distance import pdist

import grader
from fixtures.digits import mnistm
from grader.judges.features import Extractor
from grader.references.pictures import list_pictures, read_pictures
from grader.results import ScoreReport

OWN = """schema = "grader/assignment/1"
id = "small"
title = "Digits"
data_folder = "data"
[[problem]]
id = "acgan"
title = "Digits"
[[problem.deliverable]]
id = "digits"
kind = "images"
path = "acgan"
count = 24
size = [28, 28]
label = "digit"
[problem.deliverable.names]
template = "{digit}_{number:03}.png"
digit = [3, 4]
number = [1, 12]
[[problem.measure]]
id = "diversity"
deliverable = "digits"
reference = "test"
reference_labels = "test.csv"
[[problem.measure]]
id = "vendi_score"
deliverable = "digits"
reference = "test"
reference_labels = "test.csv"
"""


def _submission(top: Path, different_fours: int) -> None:
    (top / "s/acgan").mkdir(parents=True)
    for digit in (3, 4):
        for i in range(12):
            k = i % different_fours if digit == 4 else i
            mnistm(digit, f"diversity {digit} {k}").save(top / f"s/acgan/{digit}_{i + 1:03d}.png")
    (top / "data/test").mkdir(parents=True)
    rows = ["image_name,label"]
    for i in range(40):
        mnistm(i % 5, f"diversity test {i}").save(top / f"data/test/{i:03d}.png")
        rows.append(f"{i:03d}.png,{i % 5}")
    rows += [f"{i + 40:03d}.png,{9}" for i in range(3)]  # labels without a picture
    (top / "data/test.csv").write_text("\n".join(rows) + "\n")
    (top / "small.toml").write_text(OWN)


def _score(top: Path, data: bool = True) -> ScoreReport:
    return grader.score(top / "s", top / "small.toml", data=top / "data" if data else None)


def test_values_are_means_over_classes(tmp_path: Path) -> None:
    _submission(tmp_path, 12)
    report = _score(tmp_path)
    diversity, vendi = report.problems[0].measures
    pixels = read_pictures(list_pictures(tmp_path / "s/acgan"))
    features = Extractor({}, "cpu", None).run("efficientnet-lite0", pixels, lambda *_: None).outputs["features"]
    by_hand = [pdist(features[:12]).mean(), pdist(features[12:]).mean()]
    assert diversity.value == pytest.approx(np.mean(by_hand), rel=1e-5)
    assert diversity.details["per_class"] == pytest.approx({"3": by_hand[0], "4": by_hand[1]}, rel=1e-5)
    assert 1 < vendi.details["per_class"]["3"] <= 12
    # 8 reference images of each class are too few to compare 12 with.
    assert "share_of_reference" not in vendi.details and report.problems[0].findings == ()
    assert any("was not compared with that of test" in note for note in report.notes)


def test_a_collapsed_class_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grader.measuring.diversity._LEAST", 8)
    _submission(tmp_path, 1)
    report = _score(tmp_path)
    vendi = report.problems[0].measures[1]
    assert vendi.details["per_class"]["4"] == pytest.approx(1, abs=1e-6)
    assert vendi.details["share_of_reference"]["3"] > 0.5 > vendi.details["share_of_reference"]["4"]
    shares = vendi.details["share_of_reference"].values()
    assert vendi.details["mean_share_of_reference"] == pytest.approx(sum(shares) / 2)
    assert vendi.details["remark"].endswith(" % of real images'; 24 images tell it roughly only")
    assert vendi.provenance["reference"] == "test"
    found = {f.rule: f for f in report.problems[0].findings}["low-diversity"]
    assert found.count == 1 and found.examples[0].startswith("label 4: ") and found.severity == "warning"
    errors = [f.rule for f in report.problems[0].findings if f.severity == "error"]
    assert errors == ["duplicate-images"]  # half of all images are one to the pixel


def test_without_data_there_is_a_value_and_no_comparison(tmp_path: Path) -> None:
    _submission(tmp_path, 12)
    report = _score(tmp_path, data=False)
    assert all(m.value is not None and "share_of_reference" not in m.details for m in report.problems[0].measures)


def test_one_image_of_a_class_is_too_few(tmp_path: Path) -> None:
    _submission(tmp_path, 12)
    for i in range(2, 13):
        (tmp_path / f"s/acgan/4_{i:03d}.png").unlink()
    measure = _score(tmp_path).problems[0].measures[0]
    assert measure.state == "fail" and "4 has fewer" in measure.reason
