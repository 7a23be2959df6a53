"""Public sets in the course's layout, for who has no copy of the course's data: torchvision downloads, we convert.

MNIST-M is built from MNIST and a folder of photos by the recipe of Ganin et al. (JMLR 2016): where a digit has ink it
inverts the colours of a random crop of a photo, `|photo - digit|` in each channel.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from grader.errors import UsageError
from grader.judges import torchvision_shim  # noqa: F401  # before torchvision
from grader.references.pictures import list_pictures, read_picture

SIDE = 28
FACE_CROP = (15, 35, 163, 183)  # of CelebA's aligned 178x218 photos: the face, without most of the background
Pixels = NDArray[np.uint8]
Item = tuple[Image.Image, int]


def prepare(name: str, out: Path, cache: Path, photos: Path | None) -> str:
    """Writes `digits/<name>/{train,test}` with their csv, or `face/{train,test}` for `face`. Returns what was written.

    Raises UsageError if a set can't be had, or if MNIST-M lacks its photos.
    """
    if name == "face":
        counts = {part: _write_faces(_celeba(cache, part), out / "face" / part) for part in ("train", "test")}
    elif name == "mnistm" and photos is None:
        raise UsageError("mnistm is built from MNIST and photos: pass --photos with a folder, such as BSDS500's images")
    else:
        paths = list_pictures(photos, least=1) if photos and name == "mnistm" else []
        backgrounds = [read_picture(path) for path in paths]
        counts = {}
        for part in ("train", "test"):
            items: Iterator[Item] = _digits("mnist" if name == "mnistm" else name, cache, part)
            if name == "mnistm":
                items = _blended(items, backgrounds, part)
            counts[part] = _write_digits(items, out / "digits" / name / part)
    return f"{name}: " + ", ".join(f"{count} for {part}" for part, count in counts.items())


def blend(digit: Pixels, photo: Pixels, rng: np.random.RandomState) -> Pixels:
    """A digit uint8 ``(28, 28)`` over a random crop of a photo uint8 ``(h, w, 3)``: uint8 ``(28, 28, 3)``.

    Raises UsageError for a photo smaller than the digit.
    """
    height, width = photo.shape[:2]
    if height < SIDE or width < SIDE:
        raise UsageError(f"expected photos of at least {SIDE}x{SIDE}, found {width}x{height}")
    top, left = rng.randint(0, height - SIDE + 1), rng.randint(0, width - SIDE + 1)
    crop = photo[top : top + SIDE, left : left + SIDE].astype(np.int16)
    result: Pixels = np.abs(crop - digit.astype(np.int16)[:, :, None]).astype(np.uint8)
    return result


def _blended(items: Iterator[Item], photos: list[Pixels], part: str) -> Iterator[Item]:
    rng = np.random.RandomState(0 if part == "train" else 1)
    for image, label in items:
        yield Image.fromarray(blend(np.asarray(image.convert("L")), photos[rng.randint(len(photos))], rng)), label


def _digits(name: str, cache: Path, part: str) -> Iterator[Item]:
    from torchvision import datasets

    makers: dict[str, Callable[[], Any]] = {
        "mnist": lambda: datasets.MNIST(cache / "mnist", train=part == "train", download=True),
        "usps": lambda: datasets.USPS(cache / "usps", train=part == "train", download=True),
        "svhn": lambda: datasets.SVHN(cache / "svhn", split=part, download=True),
    }
    yield from _had(name, cache / name, makers[name])


def _celeba(cache: Path, part: str) -> Iterator[tuple[Image.Image, dict[str, int]]]:
    from torchvision import datasets

    found = _had("face", cache / "celeba", lambda: datasets.CelebA(cache, split=part, download=True))
    for image, attributes in found:
        face = image.crop(FACE_CROP).resize((64, 64), Image.Resampling.LANCZOS)
        yield face, dict(zip(found.attr_names, attributes.tolist(), strict=False))


def _had(name: str, cache: Path, make: Callable[[], Any]) -> Any:
    try:
        cache.mkdir(parents=True, exist_ok=True)
        return make()
    except (OSError, URLError, RuntimeError, ImportError) as e:
        why = (str(e).splitlines() or [type(e).__name__])[0].rstrip(".")
        raise UsageError(
            f"{name} could not be downloaded to {cache}: {why}. "
            "Check the network, or put the set's files there as torchvision names them."
        ) from None


def _write_digits(items: Iterator[Item], folder: Path) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for i, (image, label) in enumerate(items):
        if image.size != (SIDE, SIDE):
            image = image.resize((SIDE, SIDE), Image.Resampling.BILINEAR)
        image.save(folder / f"{i:05d}.png")
        rows.append((f"{i:05d}.png", int(label)))
    with open(folder.with_suffix(".csv"), "w", newline="") as f:
        table = csv.writer(f, lineterminator="\n")
        table.writerow(["image_name", "label"])
        table.writerows(rows)
    return len(rows)


def _write_faces(faces: Iterator[tuple[Image.Image, dict[str, int]]], folder: Path) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    with open(folder.with_suffix(".csv"), "w", newline="") as f:
        table = csv.writer(f, lineterminator="\n")
        for count, (face, attributes) in enumerate(faces, 1):
            name = f"{count - 1:06d}.png"
            if count == 1:
                table.writerow(["image_name", *attributes])
            face.save(folder / name)
            table.writerow([name, *attributes.values()])
    return count
