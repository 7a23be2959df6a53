"""The course's pictures as the search for copies knows them: a hash of each, kept, and thumbnails of the candidates."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from grader.measuring.context import Context
from grader.metrics import copies
from grader.references.data import BadReference
from grader.references.pictures import list_pictures, read_picture
from grader.text import listing

LAYOUT = 1  # counts up when hashes or details change
_PART = 500  # pictures between two steps of the progress
_NOTHING = np.zeros((3, copies.SIDE, copies.SIDE), np.float32)


class Folder(NamedTuple):
    """Pictures of the course: where they are, what they are known by, and their hashes ``(n, BITS)``.

    thumbnails: those that were candidates, uint8 ``(32, 32, 3)`` by number and whether in gray; 3 kB each.
    """

    paths: Sequence[Path]
    digest: str
    hashes: NDArray[np.bool_]
    thumbnails: dict[tuple[int, bool], NDArray[np.uint8]]

    def thumbnail(self, number: int, gray: bool) -> NDArray[np.uint8]:
        """A picture's thumbnail, black where it can't be read."""
        key = number, gray
        if key not in self.thumbnails:
            found = np.zeros((copies.SIDE, copies.SIDE, 3), np.uint8)
            with suppress(BadReference):
                small = copies.thumbnail(Image.fromarray(picture_of(self.paths[number], gray)))
                found = small.transpose(1, 2, 0).astype(np.uint8)  # whole numbers: Pillow's own
            self.thumbnails[key] = found
        return self.thumbnails[key]


def read_folder(name: str, context: Context) -> Folder:
    """The pictures of a folder of the data, hashed. Raises CannotMeasure or BadReference."""
    paths = list_pictures(context.data.need(name), least=1)
    digest = _digest(paths)
    return Folder(paths, digest, _hashes(paths, digest, context), {})


def picture_of(path: Path, gray: bool) -> NDArray[np.uint8]:
    """A picture of the course, in gray if the images of the submission are."""
    pixels = read_picture(path)
    return np.repeat(np.asarray(Image.fromarray(pixels).convert("L"))[..., None], 3, axis=2) if gray else pixels


def _digest(paths: Sequence[Path]) -> str:
    """What a folder's pictures are known by without reading them: names, sizes and times."""
    digest = hashlib.sha256(f"hashes {LAYOUT} ".encode() + os.fsencode(paths[0].parent.resolve()))
    for path in paths:
        stat = path.stat()
        digest.update(os.fsencode(path.name) + f"\n{stat.st_size} {stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def _hashes(paths: Sequence[Path], digest: str, context: Context) -> NDArray[np.bool_]:
    """The hashes of a folder's pictures: read once, then kept."""
    show = context.show(f"pictures of {paths[0].parent.name}/ for copies")

    def compute() -> NDArray[np.float64]:
        packed = []
        with ThreadPoolExecutor() as pool:  # decoding releases Python's lock
            for start in range(0, len(paths), _PART):
                show(start, len(paths))
                part = list(pool.map(_thumbnail_of, paths[start : start + _PART]))
                stack = np.stack([_NOTHING if t is None else t for t in part])
                packed.append(np.packbits(copies.perceptual_hash(stack), axis=1))
        show(len(paths), len(paths))
        rows = np.concatenate(packed)
        padded: NDArray[np.uint8] = np.pad(rows, ((0, 0), (0, -rows.shape[1] % 8)))
        return padded.reshape(-1).view(np.float64)

    kept = context.recall(f"hashes {digest}", compute).view(np.uint8).reshape(len(paths), -1)
    hashes = np.unpackbits(kept, axis=1, count=copies.BITS).astype(np.bool_)
    # Said in every run, and not only in the one that read all of them: what has no hash is looked at again.
    blank: list[int] = np.nonzero((hashes == copies.perceptual_hash(_NOTHING[None])).all(1))[0].tolist()
    if unreadable := [paths[i].name for i in blank if _thumbnail_of(paths[i]) is None]:
        where = paths[0].parent
        context.notes.append(f"{listing(unreadable)} of {where} can't be read: copies of it are not found.")
    return hashes


def _thumbnail_of(path: Path) -> NDArray[np.float32] | None:
    try:
        return copies.thumbnail(Image.fromarray(read_picture(path)))
    except BadReference:
        return None
