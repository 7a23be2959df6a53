"""The course's pictures as the search for copies knows them: a hash of each, kept, and details of the candidates."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from grader.measuring.context import Context
from grader.metrics import copies
from grader.references.data import BadReference
from grader.references.pictures import list_pictures, read_picture
from grader.text import listing

LAYOUT = 2  # counts up when hashes or details change
_PART = 500  # pictures between two steps of the progress
_NOTHING = np.zeros((3, copies.SIDE, copies.SIDE), np.float32)


@dataclass
class Folder:
    """Pictures of the course: where they are, what they are known by, and their hashes ``(n, BITS)``.

    Details are kept of those that were candidates, 3 kB each.
    """

    paths: Sequence[Path]
    digest: str
    hashes: NDArray[np.bool_]
    _kept: dict[bool, tuple[NDArray[np.bool_], NDArray[np.int8]]] = field(default_factory=dict)

    def details(self, numbers: NDArray[np.int64], gray: bool) -> NDArray[np.int8]:
        """What is compared of pictures ``(k,)``, all different: ``(k, 3, 32, 32)``, 0 where one can't be read."""
        if gray not in self._kept:  # memory is taken for what is written alone
            n = len(self.paths)
            self._kept[gray] = np.zeros(n, np.bool_), np.zeros((n, *_NOTHING.shape), np.int8)
        known, kept = self._kept[gray]
        fresh = numbers[~known[numbers]]
        for start in range(0, len(fresh), _PART):
            part = fresh[start : start + _PART]
            small = [_thumbnail_of(self.paths[i], gray) for i in part.tolist()]
            kept[part] = copies.compressed(copies.details(np.stack([_NOTHING if t is None else t for t in small])))
            known[part] = True
        return kept[numbers]


def read_folder(name: str, context: Context) -> Folder:
    """The pictures of a folder of the data, hashed. Raises CannotMeasure or BadReference."""
    paths = list_pictures(context.data.need(name), least=1)
    digest = _digest(paths)
    return Folder(paths, digest, _hashes(paths, digest, context))


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


def _thumbnail_of(path: Path, gray: bool = False) -> NDArray[np.float32] | None:
    try:
        return copies.thumbnail(Image.fromarray(picture_of(path, gray)))
    except BadReference:
        return None
