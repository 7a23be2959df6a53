"""Reads a folder of reference pictures, which is the course's own and trusted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from grader.assignment.names import looks_like_image
from grader.references.data import BadReference


def read_pictures(folder: Path) -> NDArray[np.uint8]:
    """Every picture of a folder in the order of the sorted names: uint8 ``(n, h, w, 3)``, RGB.

    Raises BadReference if there are fewer than 2, if one can't be read, or if sizes differ.
    """
    paths = sorted(p for p in folder.iterdir() if looks_like_image(p.name) and p.is_file())
    if len(paths) < 2:
        raise BadReference(f"{folder}: expected the reference pictures, found {len(paths)}")
    arrays = []
    for path in paths:
        try:
            with Image.open(path) as image:
                arrays.append(np.asarray(image.convert("RGB")))
        except (OSError, SyntaxError, ValueError) as e:
            raise BadReference(f"{path}: can't be read: {e}") from None
        if arrays[-1].shape != arrays[0].shape:
            raise BadReference(f"{path}: another size than {paths[0].name}; a reference has one size")
    return np.stack(arrays)
