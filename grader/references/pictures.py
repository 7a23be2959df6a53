"""Reads a folder of reference pictures, which is the course's own and trusted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from grader.assignment.names import looks_like_image
from grader.references.data import BadReference

_PNG_DEPTH = 24  # the offset of the bit depth in a PNG file


def list_pictures(folder: Path, least: int = 2) -> list[Path]:
    """The pictures of a folder in the order of their names, hidden files left out. Raises BadReference for too few."""
    try:
        paths = sorted(p for p in folder.iterdir() if looks_like_image(p.name) and p.name[0] != "." and p.is_file())
    except OSError as e:
        raise BadReference(f"{folder}: can't be read: {e.strerror}") from None
    if len(paths) < least:
        raise BadReference(f"{folder}: expected the reference pictures, found {len(paths)}")
    return paths


def read_picture(path: Path) -> NDArray[np.uint8]:
    """One picture, uint8 ``(h, w, 3)``, RGB; gray is repeated thrice, alpha is dropped where nothing is transparent.

    Raises BadReference for a file that is no picture, has more than 8 bits a channel, or has transparent parts: each
    program turns those into colours of its own, and the value would depend on which.
    """
    try:
        with open(path, "rb") as f:
            head = f.read(_PNG_DEPTH + 1)
            f.seek(0)
            with Image.open(f) as image:
                deep = image.format == "PNG" and head[_PNG_DEPTH] > 8
                if deep or image.mode.startswith(("I", "F")):
                    raise BadReference(f"{path}: more than 8 bits a channel; save it with 8")
                if image.has_transparency_data and np.asarray(image.convert("RGBA"))[..., 3].min() < 255:
                    raise BadReference(f"{path}: transparent parts; save it without an alpha channel")
                return np.asarray(image.convert("RGB"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as e:
        raise BadReference(f"{path}: can't be read: {e}") from None


def read_pictures(paths: list[Path]) -> NDArray[np.uint8]:
    """Pictures of one size: uint8 ``(n, h, w, 3)``, RGB. Raises BadReference if one can't be read, or sizes differ."""
    arrays = []
    for path in paths:
        arrays.append(read_picture(path))
        if arrays[-1].shape != arrays[0].shape:
            raise BadReference(f"{path}: another size than {paths[0].name}; a reference has one size")
    return np.stack(arrays)


def spaced(paths: list[Path], most: int) -> list[Path]:
    """At most so many of the paths, evenly spaced; all of them for 0.

    >>> [p.name for p in spaced([Path(str(i)) for i in range(9)], 3)]
    ['0', '4', '8']
    """
    if not 1 < most < len(paths):
        return paths
    return [paths[round(i * (len(paths) - 1) / (most - 1))] for i in range(most)]


def read_resized(paths: list[Path], size: tuple[int, int]) -> tuple[NDArray[np.uint8], bool]:
    """Pictures of any sizes brought to one (width, height) by Pillow's bicubic; whether one had another size.

    uint8 ``(n, h, w, 3)``, RGB. Raises BadReference for a picture that can't be read.
    """
    found, resized = np.zeros((len(paths), size[1], size[0], 3), np.uint8), False
    for i, path in enumerate(paths):
        picture = read_picture(path)
        if picture.shape[:2] != size[::-1]:
            resized = True
            picture = np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BICUBIC))
        found[i] = picture
    return found, resized
