"""What is handed in, written to a submission's folder."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def write_pictures(folder: Path, names: Iterable[str], pictures: NDArray[np.uint8]) -> None:
    """PNG files from uint8 ``(n, h, w, 3)``. Pictures of an earlier run are removed first; other files stay."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.png"):
        old.unlink()
    for name, picture in zip(names, pictures, strict=True):
        Image.fromarray(picture).save(folder / name, optimize=True)


def write_labels(path: Path, labels: Mapping[str, int]) -> None:
    """A csv of names and labels, in the order of the names."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="") as f:
        rows = csv.writer(f, lineterminator="\n")
        rows.writerow(["image_name", "label"])
        rows.writerows(sorted(labels.items()))
