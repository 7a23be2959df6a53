"""Public sets in the course's layout, from small files in the formats that are published."""

from __future__ import annotations

import bz2
import struct
from pathlib import Path

import numpy as np
import pytest
import scipy.io
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from torchvision import datasets

from grader.errors import UsageError
from reference_models.core.data import load_digits
from reference_models.core.faces import load_faces
from reference_models.core.prepare import blend, prepare


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of downloads; files made here can't have the published checksums, so those aren't compared."""
    for module in ("utils", "svhn"):
        name = f"torchvision.datasets.{module}.check_integrity"
        monkeypatch.setattr(name, lambda path, _=None: Path(path).is_file())
    monkeypatch.setattr(datasets.CelebA, "_check_integrity", lambda _: True)
    return tmp_path / "cache"


def put_mnist(cache: Path, images: NDArray[np.uint8], labels: list[int]) -> None:
    raw = cache / "mnist" / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for part in ("train", "t10k"):
        head = struct.pack(">IIII", 2051, len(images), 28, 28)
        (raw / f"{part}-images-idx3-ubyte").write_bytes(head + images.tobytes())
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(struct.pack(">II", 2049, len(labels)) + bytes(labels))


def test_mnistm_is_a_difference_of_photo_and_digit(cache: Path, tmp_path: Path) -> None:
    images = np.zeros((2, 28, 28), np.uint8)
    images[1, 5:20, 10:14] = 255
    put_mnist(cache, images, [7, 1])
    photos = tmp_path / "photos"
    photos.mkdir()
    Image.new("RGB", (40, 30), (10, 100, 250)).save(photos / "flat.png")
    assert prepare("mnistm", tmp_path / "out", cache, photos) == "mnistm: 2 for train, 2 for test"
    digits = load_digits(tmp_path / "out", "mnistm", "test")
    assert digits.labels.tolist() == [7, 1]
    assert digits.images[1, :, 0, 0].tolist() == [10, 100, 250]
    assert digits.images[1, :, 6, 11].tolist() == [245, 155, 5]
    assert (digits.images[0] == digits.images[0, :, :1, :1]).all()


@given(st.integers(0, 255), st.integers(0, 255), st.integers(0, 5))
def test_ink_is_taken_from_the_photo(ink: int, level: int, seed: int) -> None:
    photo = np.full((28, 28, 3), level, np.uint8)
    once = blend(np.full((28, 28), ink, np.uint8), photo, np.random.RandomState(seed))
    assert once.shape == (28, 28, 3) and int(once[0, 0, 0]) == abs(level - ink)


def test_usps_is_enlarged(cache: Path, tmp_path: Path) -> None:
    (cache / "usps").mkdir(parents=True)
    row = "4 " + " ".join(f"{i + 1}:{1.0 if i % 16 < 8 else -1.0}" for i in range(256))
    for name in ("usps.bz2", "usps.t.bz2"):
        (cache / "usps" / name).write_bytes(bz2.compress((row + "\n").encode()))
    assert prepare("usps", tmp_path / "out", cache, None) == "usps: 1 for train, 1 for test"
    digits = load_digits(tmp_path / "out", "usps", "train")
    assert digits.labels.tolist() == [3]  # the file counts from 1
    assert digits.images[0, 0, 14, [0, 27]].tolist() == [255, 0]


def test_svhn_writes_zero_for_ten(cache: Path, tmp_path: Path) -> None:
    (cache / "svhn").mkdir(parents=True)
    images = np.full((32, 32, 3, 2), 9, np.uint8)
    for part in ("train", "test"):
        scipy.io.savemat(cache / "svhn" / f"{part}_32x32.mat", {"X": images, "y": np.array([[10], [2]])})
    prepare("svhn", tmp_path / "out", cache, None)
    assert load_digits(tmp_path / "out", "svhn", "test").labels.tolist() == [0, 2]


def test_faces_are_cropped(cache: Path, tmp_path: Path) -> None:
    home = cache / "celeba"
    (home / "img_align_celeba").mkdir(parents=True)
    pixels = np.zeros((218, 178, 3), np.uint8)
    pixels[35:183, 15:163] = 200  # what the crop keeps
    names = [f"{i:06d}.jpg" for i in range(1, 7)]
    for name in names:
        Image.fromarray(pixels).save(home / "img_align_celeba" / name, quality=95)
    zeros = " ".join("0" * 1)
    (home / "list_eval_partition.txt").write_text("".join(f"{n} {0 if i < 3 else 2}\n" for i, n in enumerate(names)))
    for table in ("identity_CelebA", "list_bbox_celeba", "list_landmarks_align_celeba", "list_attr_celeba"):
        head = "" if table.startswith("identity") else "6\nvalue\n"
        (home / f"{table}.txt").write_text(head + "".join(f"{n} {zeros}\n" for n in names))
    assert prepare("face", tmp_path / "out", cache, None) == "face: 3 for train, 3 for test"
    assert sorted(p.name for p in (tmp_path / "out" / "face" / "test").iterdir())[0] == "000000.png"
    assert (tmp_path / "out" / "face" / "train.csv").read_text().splitlines()[:2] == [
        "image_name,value",
        "000000.png,0",
    ]
    faces = load_faces(tmp_path / "out", held_out=True)
    assert faces.shape == (2, 3, 64, 64) and faces.min() > 190


def test_what_cant_be_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def offline(*_: object, **__: object) -> None:
        raise OSError("no network\nand more")

    monkeypatch.setattr(datasets, "USPS", offline)
    with pytest.raises(UsageError, match=r"usps could not be downloaded to .*usps: no network\. Check the network"):
        prepare("usps", tmp_path, tmp_path / "cache", None)
    with pytest.raises(UsageError, match="pass --photos"):
        prepare("mnistm", tmp_path, tmp_path / "cache", None)
    with pytest.raises(UsageError, match="at least 28x28, found 20x40"):
        blend(np.zeros((28, 28), np.uint8), np.zeros((40, 20, 3), np.uint8), np.random.RandomState(0))
