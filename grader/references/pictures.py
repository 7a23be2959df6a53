"""Reads a folder of reference pictures, which is the course's own and trusted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from grader.assignment.names import looks_like_image
from grader.references.data import BadReference


def list_pictures(folder: Path) -> list[Path]:
    """The pictures of a folder in the order of their names. Raises BadReference if there are fewer than 2."""
    try:
        paths = sorted(p for p in folder.iterdir() if looks_like_image(p.name) and p.is_file())
    except OSError as e:
        raise BadReference(f"{folder}: can't be read: {e.strerror}") from None
    if len(paths) < 2:
        raise BadReference(f"{folder}: expected the reference pictures, found {len(paths)}")
    return paths


def read_picture(path: Path) -> NDArray[np.uint8]:
    """One picture, uint8 ``(h, w, 3)``, RGB. Raises BadReference."""
    try:
        with Image.open(path) as image:
            return np.asarray(image.convert("RGB"))
    except (OSError, SyntaxError, ValueError) as e:
        raise BadReference(f"{path}: can't be read: {e}") from None


def read_pictures(paths: list[Path]) -> NDArray[np.uint8]:
    """Pictures of one size: uint8 ``(n, h, w, 3)``, RGB. Raises BadReference if one can't be read, or sizes differ."""
    arrays = []
    for path in paths:
        arrays.append(read_picture(path))
        if arrays[-1].shape != arrays[0].shape:
            raise BadReference(f"{path}: another size than {paths[0].name}; a reference has one size")
    return np.stack(arrays)
