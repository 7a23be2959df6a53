"""The course's folder as tensors, on the miniature course."""

from __future__ import annotations

import csv
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from grader.errors import CannotMeasure
from grader.references.data import BadReference
from reference_models.core.data import Batches, digest, load_digits, split, to_pixels, to_range


def test_digits_follow_the_csv(course: Path) -> None:
    digits = load_digits(course, "usps", "test")
    with open(course / "digits" / "usps" / "test.csv", newline="") as f:
        rows = list(csv.DictReader(f))
    assert digits.labels.tolist() == [int(row["label"]) for row in rows]
    assert digits.images.shape == (len(rows), 3, 28, 28)
    train, held_out = split(digits)
    assert len(train) == 90 and len(held_out) == 10
    assert torch.equal(held_out.images, digits.images[90:])


def test_what_isnt_there(course: Path) -> None:
    with pytest.raises(CannotMeasure, match=r"digits/kanji/train\.csv"):
        load_digits(course, "kanji", "train")


def test_digits_of_another_size(tmp_path: Path) -> None:
    (tmp_path / "digits" / "usps" / "train").mkdir(parents=True)
    (tmp_path / "digits" / "usps" / "train.csv").write_text("image_name,label\n0.png,3\n")
    Image.new("RGB", (16, 16)).save(tmp_path / "digits" / "usps" / "train" / "0.png")
    with pytest.raises(BadReference, match="28x28, found 16x16"):
        load_digits(tmp_path, "usps", "train")


def test_one_picture_can_not_be_split(course: Path) -> None:
    with pytest.raises(BadReference, match="two labelled pictures"):
        split(load_digits(course, "usps", "train").part(slice(1)))


def test_the_digest_knows_training_files_alone(course: Path, tmp_path: Path) -> None:
    shutil.copytree(course, tmp_path / "a")
    before = digest(tmp_path / "a")
    shutil.rmtree(tmp_path / "a" / "face" / "test")
    (tmp_path / "a" / "digits" / "usps" / "test.csv").unlink()
    assert digest(tmp_path / "a") == before
    (tmp_path / "a" / "face" / "train" / "00000.png").unlink()
    assert digest(tmp_path / "a") != before


def test_pixels_survive_the_range() -> None:
    levels = torch.arange(256, dtype=torch.uint8).repeat(1, 3, 1, 1)
    assert np.array_equal(to_pixels(to_range(levels)), levels.permute(0, 2, 3, 1).numpy())
    assert to_pixels(torch.tensor([-9.0, 9.0]).reshape(1, 1, 1, 2)).ravel().tolist() == [0, 255]


@given(n=st.integers(1, 40), batch=st.integers(1, 12), seed=st.integers(0, 9))
def test_an_epoch_shows_each_item_at_most_once(n: int, batch: int, seed: int) -> None:
    batches = Batches(n, batch, seed)
    steps = n // min(batch, n)
    for epoch in range(2):
        seen = Counter(i for step in range(steps) for i in batches(epoch * steps + step).tolist())
        assert len(seen) == steps * min(batch, n) and set(seen.values()) == {1}
