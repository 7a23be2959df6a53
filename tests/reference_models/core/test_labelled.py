"""Pictures with labels: faces by attribute on made-up tables, losses in closed form, distances on known features."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from grader.references.data import BadReference
from reference_models.core import labelled
from reference_models.core.data import Digits
from reference_models.core.labelled import LabelledDistance, class_accuracy, class_loss, load
from tests.reference_models.core.test_faces import write_faces


def test_faces_by_attribute(tmp_path: Path) -> None:
    data = write_faces(tmp_path, ["1.0", "0.0", "-1", "1"] * 10)
    train, held_out = load("faces", "Smiling", data)
    assert train.images.shape == (36, 3, 64, 64) and train.labels.tolist() == [1, 0, 0, 1] * 9
    assert held_out.images[:, 0, 0, 0].tolist() == [36, 37, 38, 39] and held_out.labels.tolist() == [1, 0, 0, 1]
    with pytest.raises(BadReference, match=r"expected an attribute of Bangs, .*; found 'Hat'"):
        load("faces", "Hat", data)


def test_faces_of_another_size(tmp_path: Path) -> None:
    with pytest.raises(BadReference, match="faces of 64x64, found 32x32"):
        load("faces", "Smiling", write_faces(tmp_path, ["1"] * 20, side=32))


@pytest.mark.parametrize(("kind", "classes", "side"), [("digits", 10, 28), ("faces", 2, 64)])
def test_data_that_is_made_up(kind: str, classes: int, side: int) -> None:
    train, held_out = load(kind, "Smiling", None)
    assert train.images.shape == (4 * classes, 3, side, side) and len(held_out) == 4 * classes
    assert torch.bincount(train.labels).tolist() == [4] * classes


def test_class_losses_in_closed_form() -> None:
    logits, labels = torch.tensor([[2.0], [-1.0], [-3.0]]), torch.tensor([1, 0, 1])
    expected = sum(math.log1p(math.exp(x)) for x in (-2, -1, 3)) / 3
    assert float(class_loss(logits, labels)) == pytest.approx(expected, rel=1e-6)
    assert class_accuracy(logits, labels) == pytest.approx(2 / 3)
    # An attribute's logit is the difference of two classes' logits.
    two = torch.cat([torch.zeros_like(logits), logits], 1)
    assert float(class_loss(two, labels)) == pytest.approx(expected, rel=1e-6)
    assert class_accuracy(two, labels) == pytest.approx(2 / 3)


@pytest.fixture
def colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Features that are the first pixel's colour, in place of the network's."""

    def features(pictures: np.ndarray, _: torch.device) -> np.ndarray:
        return pictures[:, 0, 0].astype(np.float64)

    monkeypatch.setattr(labelled, "efficientnet_features", features)


def _pictures(n: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Pictures whose red tells the class, but for noise."""
    rng, labels = np.random.RandomState(0), np.arange(n) % classes
    pictures = rng.randint(0, 20, (n, 4, 4, 3)).astype(np.uint8)
    pictures[..., 0] += (50 * labels[:, None, None]).astype(np.uint8)
    return pictures, labels


@pytest.mark.usefixtures("colours")
def test_the_joint_distance_sees_wrong_labels() -> None:
    pictures, labels = _pictures(60, 3)
    real = Digits(torch.from_numpy(pictures).permute(0, 3, 1, 2), torch.from_numpy(labels))
    distance = LabelledDistance.to(real, 3, torch.device("cpu"))
    right, wrong = distance.of(pictures, labels), distance.of(pictures, (labels + 1) % 3)
    assert right["fd_validation"] == pytest.approx(0, abs=1e-4) == wrong["fd_validation"]
    assert right["fjd_validation"] == pytest.approx(0, abs=1e-4)
    assert wrong["fjd_validation"] > 100
    assert right["diversity_share"] == pytest.approx(1) and wrong["diversity_share"] == pytest.approx(1)


@pytest.mark.usefixtures("colours")
def test_a_collapsed_label_lowers_the_diversity() -> None:
    pictures, labels = _pictures(60, 3)
    real = Digits(torch.from_numpy(pictures).permute(0, 3, 1, 2), torch.from_numpy(labels))
    pictures = pictures.copy()
    pictures[labels == 0] = pictures[0]
    measured = LabelledDistance.to(real, 3, torch.device("cpu")).of(pictures, labels)
    assert measured["diversity_share"] == pytest.approx(2 / 3, abs=0.1)


@pytest.mark.usefixtures("colours")
def test_real_pictures_are_taken_in_equal_numbers() -> None:
    pictures, labels = _pictures(60, 3)
    kept = np.concatenate([np.flatnonzero(labels == 0), np.flatnonzero(labels == 1)[:5], np.flatnonzero(labels == 2)])
    images, labels_of = torch.from_numpy(pictures[kept]).permute(0, 3, 1, 2), torch.from_numpy(labels[kept])
    chosen = np.concatenate([np.flatnonzero(labels == c)[:5] for c in range(3)])
    measured = LabelledDistance.to(Digits(images, labels_of), 3, torch.device("cpu")).of(
        pictures[chosen], labels[chosen]
    )
    assert measured["fjd_validation"] == pytest.approx(0, abs=1e-4)
    with pytest.raises(BadReference, match="two pictures or more of each label"):
        LabelledDistance.to(Digits(images[:24], labels_of[:24]), 3, torch.device("cpu"))
