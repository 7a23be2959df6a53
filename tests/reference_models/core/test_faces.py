"""Faces with their attributes, in both layouts of courses, and tables that are wrong."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from grader.errors import CannotMeasure
from grader.judges.attributes import ATTRIBUTES
from grader.references.data import BadReference
from reference_models.core.data import digest
from reference_models.core.faces import load_attributes, load_faces, load_test_faces, split_faces

HEADER = ",".join(("image_name", *ATTRIBUTES))


def write_faces(home: Path, smiling: list[str], header: str = HEADER, side: int = 64) -> Path:
    """A data folder with faces of one colour each, and a table in which nothing but Smiling differs."""
    (home / "face" / "train").mkdir(parents=True)
    for i in range(len(smiling)):
        Image.new("RGB", (side, side), (i, 0, 0)).save(home / "face" / "train" / f"{i:03d}.png")
    place = ATTRIBUTES.index("Smiling")
    rows = [f"{i:03d}.png{place * ',0'},{value}{(12 - place) * ',0'}" for i, value in enumerate(smiling)]
    (home / "face" / "train.csv").write_text("\n".join([header, *rows]) + "\n")
    return home


def test_faces_are_split_by_the_last_tenth(course: Path) -> None:
    train, held_out = load_faces(course), load_faces(course, held_out=True)
    assert train.shape == (180, 3, 64, 64) and held_out.shape == (20, 3, 64, 64) and train.dtype == torch.uint8
    last = np.asarray(Image.open(course / "face" / "train" / "00199.png").convert("RGB"))
    assert np.array_equal(held_out[-1].permute(1, 2, 0).numpy(), last)


def test_faces_are_split_by_a_list(tmp_path: Path) -> None:
    (tmp_path / "face" / "train").mkdir(parents=True)
    for i in range(6):
        Image.new("RGB", (64, 64), (i, 0, 0)).save(tmp_path / "face" / "train" / f"{i}.png")
    (tmp_path / "face" / "validation.txt").write_text("1.png\n4.png\n")
    assert load_faces(tmp_path, held_out=True)[:, 0, 0, 0].tolist() == [1, 4]
    assert load_faces(tmp_path)[:, 0, 0, 0].tolist() == [0, 2, 3, 5]
    (tmp_path / "face" / "validation.txt").write_text("other.png\n")
    with pytest.raises(BadReference, match="for validation"):
        load_faces(tmp_path, held_out=True)


def test_both_layouts_hold_the_same_faces(course: Path, tmp_path: Path) -> None:
    shutil.copytree(course / "face", tmp_path / "hw4_data")
    for data in (tmp_path, tmp_path / "hw4_data"):
        here, there = load_attributes(course), load_attributes(data)
        assert here.names == there.names and torch.equal(here.images, there.images)
        assert len(digest(data)) == 16 and digest(data) != digest(course / "face" / "test")


def test_attributes_are_those_of_the_table(course: Path) -> None:
    faces = load_test_faces(course)
    with open(course / "face" / "test.csv", newline="") as f:
        rows = {row["image_name"]: row for row in csv.DictReader(f)}
    assert len(faces) == 100 and faces.names[0] == "40000.png"
    for name in ATTRIBUTES:
        assert faces.of(name).tolist() == [float(rows[face][name]) for face in faces.names]
    picture = np.asarray(Image.open(course / "face" / "test" / faces.names[7]).convert("RGB"))
    assert np.array_equal(faces.images[7].permute(1, 2, 0).numpy(), picture)


def test_what_is_made_up_for_a_dry_run() -> None:
    faces, held_out = split_faces(None)
    assert faces.shape == held_out.shape == (8, 3, 64, 64) and faces.dtype == torch.uint8


def test_what_isnt_there(tmp_path: Path) -> None:
    with pytest.raises(CannotMeasure, match="face/train or train of the course's data"):
        load_faces(tmp_path)
    (tmp_path / "face" / "train").mkdir(parents=True)
    for i in range(20):
        Image.new("RGB", (64, 64)).save(tmp_path / "face" / "train" / f"{i}.png")
    with pytest.raises(CannotMeasure, match=r"face/train\.csv or train\.csv"):
        load_attributes(tmp_path)


@pytest.mark.parametrize(
    ("smiling", "header", "told"),
    [
        (["1"] * 20, HEADER.replace("Smiling", "Hat"), "found no Smiling"),
        (["yes"] * 20, HEADER, "a number for each attribute"),
        (["1"] * 2, HEADER, "for training and for validation"),
        ([""] * 20, HEADER, "a number for each attribute"),
    ],
)
def test_tables_that_are_wrong(tmp_path: Path, smiling: list[str], header: str, told: str) -> None:
    with pytest.raises(BadReference, match=told):
        load_attributes(write_faces(tmp_path, smiling, header))


def test_a_table_for_other_pictures(tmp_path: Path) -> None:
    data = write_faces(tmp_path, ["1"] * 20)
    (data / "face" / "train.csv").write_text(f"{HEADER}\nother.png{13 * ',1'}\n")
    with pytest.raises(BadReference, match="a row for each picture, found 0"):
        load_attributes(data)


def test_faces_of_another_size_are_no_training_data(tmp_path: Path) -> None:
    with pytest.raises(BadReference, match="expected faces of 64x64, found 32x32"):
        split_faces(write_faces(tmp_path, ["1"] * 20, side=32))
