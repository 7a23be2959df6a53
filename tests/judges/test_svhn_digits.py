"""The judge of house numbers: a second judge of digits, which a measure names by its protocol."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from fixtures.digits import mnistm, svhn
from grader.assignment import load_assignment
from grader.errors import GraderError
from grader.judges import JUDGES
from grader.judges.features import Extractor
from grader.judges.needed import judge_of
from grader.judges.networks import build_network
from grader.judges.states import fill
from grader.judges.svhn_digits import HouseNumberClassifier
from grader.judges.weights import find_weights

OWN = """schema = "grader/assignment/1"
id = "small"
title = "Two judges of digits"
[[problem]]
id = "digits"
title = "Digits"
[[problem.deliverable]]
id = "d"
kind = "images"
path = "d"
count = 20
size = [28, 28]
label = "digit"
names = { template = "{digit}_{number}.png", digit = [0, 9], number = [1, 2] }
[[problem.measure]]
id = "digit_accuracy.plain"
deliverable = "d"
[[problem.measure]]
id = "digit_accuracy.house"
deliverable = "d"
protocol = "PROTOCOL"
"""


def test_a_measure_names_its_judge_by_the_protocol(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(OWN.replace("PROTOCOL", "svhn-classifier"))
    plain, house = load_assignment(tmp_path / "a.toml").problems[0].measures
    judges = [judge_of(m) for m in (plain, house)]
    assert [j.name for j in judges if j] == ["digit_classifier", "svhn_digits"]


def test_a_protocol_that_reads_no_digits_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(OWN.replace("PROTOCOL", "pytorch-fid"))
    with pytest.raises(GraderError, match=r"course-classifier.*svhn-classifier"):
        load_assignment(tmp_path / "a.toml")


def test_drawn_house_numbers_are_read() -> None:
    images = np.stack([np.asarray(svhn(i % 10, f"judge {i}")) for i in range(100)])
    found = Extractor({}, "cpu", None).run("svhn-classifier", images, lambda *_: None)
    assert found.weights.known and (found.outputs["logits"].argmax(1) == np.arange(100) % 10).mean() >= 0.9


def test_the_folded_network_is_the_same_function() -> None:
    weights = find_weights("svhn_digits", {})
    plain = HouseNumberClassifier()
    fill(plain, weights)
    x = torch.from_numpy(np.stack([np.asarray(mnistm(i, f"fold {i}")) for i in range(10)])).permute(0, 3, 1, 2)
    x = x.float() / 127.5 - 1
    with torch.inference_mode():
        assert torch.allclose(plain.eval()(x), build_network("svhn_digits", weights)(x)["logits"], atol=1e-4)


def test_light_and_contrast_say_nothing() -> None:
    torch.manual_seed(0)
    network = HouseNumberClassifier().eval()
    x = torch.rand(4, 3, 28, 28) - 0.5
    with torch.inference_mode():
        assert torch.allclose(network(x), network(0.7 * x + 0.2), atol=0.05)
        assert torch.isfinite(network(torch.zeros(1, 3, 28, 28))).all()  # a picture of one colour


def test_the_card_names_the_weights() -> None:
    shipped = JUDGES["svhn_digits"].shipped
    assert shipped is not None and shipped.stat().st_size <= 1_000_000
    card = shipped.with_suffix(".md").read_text()
    assert next(iter(JUDGES["svhn_digits"].known)) in card
