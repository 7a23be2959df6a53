"""Anime faces with their tags: parts that don't overlap, both ways to name the test part, wrong files."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from grader.errors import CannotMeasure
from grader.judges.anime_tags import EYES, HAIR
from grader.references.data import BadReference
from reference_models.core.anime import Part, load_anime, smaller, split_anime


def make(folder: Path, n: int = 40, listed: bool = True) -> Path:
    home = folder / "extra_data"
    (home / "images").mkdir(parents=True)
    for i in range(n):
        Image.new("L", (96, 96), 6 * i).save(home / "images" / f"{i}.jpg", quality=100)
    (home / "tags.csv").write_text("".join(f"{i},{HAIR[i % 12]} hair {EYES[i % 11]} eyes\n" for i in range(n)))
    if listed:
        (home / "test.txt").write_text("".join(f"{i}.jpg\n" for i in range(5)))
    return folder


@pytest.mark.parametrize("listed", [True, False])
def test_every_picture_is_in_one_part(tmp_path: Path, listed: bool) -> None:
    data = make(tmp_path, listed=listed)
    parts: tuple[Part, ...] = ("train", "validation", "test")
    found = [load_anime(data, part) for part in parts]
    orders = [[round(float(v) / 6) for v in part.images[:, 0].float().mean((1, 2))] for part in found]
    marks = [sorted(order) for order in orders]
    assert sorted(chain.from_iterable(marks)) == list(range(40))
    assert marks[2] == ([0, 1, 2, 3, 4] if listed else [0, 10, 20, 30])
    for part, order in zip(found, orders, strict=True):
        assert part.hair.tolist() == [i % 12 for i in order] and part.eyes.tolist() == [i % 11 for i in order]
        assert part.images.shape == (len(order), 3, 64, 64) and len(part) == len(order)
    train, held_out = split_anime(data)
    assert (len(train), len(held_out)) == (len(marks[0]), len(marks[1]))


def test_pictures_are_made_smaller_as_pillow_does() -> None:
    pictures = np.random.RandomState(0).randint(0, 256, (2, 96, 96, 3), np.uint8)
    made = smaller(pictures, 64)
    assert np.array_equal(made[1], np.asarray(Image.fromarray(pictures[1]).resize((64, 64), Image.Resampling.LANCZOS)))
    assert smaller(pictures, 96) is pictures


def test_wrong_data_are_told(tmp_path: Path) -> None:
    with pytest.raises(CannotMeasure, match="extra_data/images"):
        load_anime(tmp_path, "train")
    data = make(tmp_path)
    (data / "extra_data" / "tags.csv").write_text("0,blue hair blue eyes\n1,plaid hair blue eyes\n")
    with pytest.raises(BadReference, match="line 2: unknown colour of hair: 'plaid'"):
        load_anime(data, "train")
    (data / "extra_data" / "tags.csv").write_text("0,blue hair blue eyes\n")
    with pytest.raises(BadReference, match="expected two tagged pictures or more for train, found 0"):
        load_anime(data, "train")
