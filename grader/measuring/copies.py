"""Copies: images that show what a training or test image, or another image of the submission, shows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from grader.checks import rules
from grader.checks.images import CheckedImages
from grader.errors import CannotMeasure
from grader.measuring.context import Context, needs_packages, pixel_array
from grader.metrics import copies
from grader.references.data import BadReference
from grader.references.pictures import list_pictures, read_picture
from grader.results import Finding
from grader.text import listing, plural

_LAYOUT = 1  # counts up when hashes change
_PART = 500  # pictures between two steps of the progress
_MOST_DECIDED = 200  # pairs that a network looks at


class _Copy(NamedTuple):
    """Image `ours` of the submission shows what picture `other` of a folder shows."""

    ours: int
    other: int
    similarity: float
    mirrored: bool
    exact: bool

    def __str__(self) -> str:
        how = "the same pixels" if self.exact else f"similarity {self.similarity:.2f}"
        return f"({how}{', mirrored' if self.mirrored else ''})"


def copy_findings(problem: str, images: CheckedImages, context: Context) -> list[Finding]:
    """Warnings about copies of the course's images, and about images of the submission that are nearly the same.

    What can't be looked for becomes a note of the context.
    """
    if not images.names:
        return []
    pixels = pixel_array(images)
    found: dict[int, tuple[_Copy, str]] = {}
    for folder in images.spec.copies_of:
        try:
            paths = list_pictures(context.data.need(folder))
            for copy in _copies_in(pixels, paths, context):
                if copy.ours not in found or copy.similarity > found[copy.ours][0].similarity:
                    found[copy.ours] = copy, f"{folder}/{paths[copy.other].name}"
        except (CannotMeasure, BadReference) as e:
            context.notes.append(f"Copies of {folder} were not looked for: {e}.")
    findings = [_copied(problem, images, [found[i] for i in sorted(found)])] if found else []
    pairs = _alike(pixels, context)
    return [*findings, _near_duplicates(problem, images, pairs)] if pairs else findings


def _copied(problem: str, images: CheckedImages, found: Sequence[tuple[_Copy, str]]) -> Finding:
    path = images.spec.path
    pairs = [f"{images.names[copy.ours]} = {other} {copy}" for copy, other in found]
    exact = sum(copy.exact for copy, _ in found)
    return rules.COPIED_IMAGES.finding(
        problem=problem,
        deliverable=images.spec.id,
        path=path,
        message=f"{plural(len(found), 'image')} of {path}/ show what an image of the course's data shows; "
        f"{exact} of them pixel by pixel.",
        expected="generated images",
        actual=listing(pairs, 2),
        help="Hand in what the generator makes. If it did make these, it has learnt its training images by heart.",
        count=len(found),
        examples=pairs,
    )


def _near_duplicates(problem: str, images: CheckedImages, pairs: Sequence[tuple[int, int, float]]) -> Finding:
    path = images.spec.path
    named = [f"{images.names[a]} = {images.names[b]} (similarity {s:.2f})" for a, b, s in pairs]
    count = len({i for a, b, _ in pairs for i in (a, b)})
    return rules.NEAR_DUPLICATES.finding(
        problem=problem,
        deliverable=images.spec.id,
        path=path,
        message=f"{plural(count, 'image')} of {path}/ are nearly the same as another of them.",
        expected="images that differ",
        actual=listing(named, 2),
        help="A generator that repeats itself has collapsed: look at these pairs, and at the diversity.",
        count=count,
        examples=named,
    )


def _copies_in(pixels: NDArray[np.uint8], paths: Sequence[Path], context: Context) -> list[_Copy]:
    """Copies of pictures of one folder, the most similar one for each image. Kept, like features."""
    digest = _digest(paths)
    hashes = _hashes(paths, digest, context)

    def compute() -> NDArray[np.float64]:
        found = [*_look(pixels, False, paths, hashes, context), *_look(pixels, True, paths, hashes, context)]
        best = {copy.ours: copy for copy in sorted(found, key=lambda copy: copy.similarity)}
        return np.array(list(best.values()), np.float64).reshape(-1)

    kept = context.recall(f"copies {digest} {_digest_of(pixels)}", compute).reshape(-1, 5)
    return [_Copy(int(ours), int(other), value, bool(m), bool(e)) for ours, other, value, m, e in kept]


def _look(
    pixels: NDArray[np.uint8], mirrored: bool, paths: Sequence[Path], hashes: NDArray[np.bool_], context: Context
) -> Iterator[_Copy]:
    ours = np.ascontiguousarray(pixels[:, :, ::-1]) if mirrored else pixels
    thumbnails = _thumbnails(ours)
    pairs = copies.candidates(copies.perceptual_hash(thumbnails), hashes)
    used = np.unique(pairs[:, 1])
    others = np.zeros((len(used), 3, copies.SIDE, copies.SIDE), np.float32)
    for i, other in enumerate(used):
        others[i] = _thumbnail_of(paths[other])
    found = copies.similarity(thumbnails[pairs[:, 0]], others[np.searchsorted(used, pairs[:, 1])])
    for row in _decided(found, pairs, ours, paths, context):
        i, other = (int(index) for index in pairs[row])
        exact = np.array_equal(ours[i], read_picture(paths[other]))
        yield _Copy(i, other, float(found[row]), mirrored, exact)


def _decided(
    similarity: NDArray[np.float64],
    pairs: NDArray[np.int64],
    ours: NDArray[np.uint8],
    paths: Sequence[Path],
    context: Context,
) -> list[int]:
    """The rows of pairs that show the same: by their pixels, and in a border band by a network's features as well."""
    sure = np.nonzero(similarity >= copies.SAME)[0].tolist()
    band = np.nonzero((similarity >= copies.LIKELY) & (similarity < copies.SAME))[0]
    band = band[np.argsort(-similarity[band])][:_MOST_DECIDED]
    try:
        with needs_packages():
            return [*sure, *(int(r) for r in band if _cosine(ours[pairs[r, 0]], paths[pairs[r, 1]], context))]
    except CannotMeasure:  # no network here: pixels alone decide
        return sure


def _cosine(ours: NDArray[np.uint8], path: Path, context: Context) -> bool:
    a, b = (_features(image, context) for image in (ours, read_picture(path)))
    return bool(a @ b >= copies.SAME_FEATURES * np.linalg.norm(a) * np.linalg.norm(b))


def _features(image: NDArray[np.uint8], context: Context) -> NDArray[np.float64]:
    found = context.extractor().run("efficientnet-lite0", image[None], lambda *_: None)
    features: NDArray[np.float32] = found.outputs["features"][0]
    return features.astype(np.float64)


def _alike(pixels: NDArray[np.uint8], context: Context) -> list[tuple[int, int, float]]:
    """Pairs of images of the submission that are nearly, but not exactly, the same."""

    def compute() -> NDArray[np.float64]:
        thumbnails = _thumbnails(pixels)
        hashes = copies.perceptual_hash(thumbnails)
        pairs = copies.candidates(hashes, hashes, nearest=copies.NEAREST + 1)  # each is nearest to itself
        pairs = pairs[pairs[:, 0] < pairs[:, 1]]
        found = copies.similarity(thumbnails[pairs[:, 0]], thumbnails[pairs[:, 1]])
        rows = [r for r in np.nonzero(found >= copies.SAME)[0] if not np.array_equal(*pixels[pairs[r]])]
        return np.column_stack([pairs[rows], found[rows]]).reshape(-1)

    kept = context.recall(f"alike {_LAYOUT} {_digest_of(pixels)}", compute).reshape(-1, 3)
    return [(int(a), int(b), value) for a, b, value in kept]


def _thumbnails(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.stack([copies.thumbnail(Image.fromarray(image)) for image in pixels])


def _digest(paths: Sequence[Path]) -> str:
    """What a folder's pictures are known by without reading them: names, sizes and times."""
    digest = hashlib.sha256(f"hashes {_LAYOUT} {paths[0].parent.resolve()}".encode())
    for path in paths:
        stat = path.stat()
        digest.update(f"\n{path.name} {stat.st_size} {stat.st_mtime_ns}".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def _digest_of(pixels: NDArray[np.uint8]) -> str:
    return hashlib.sha256(f"{pixels.shape}".encode() + pixels.tobytes()).hexdigest()


def _hashes(paths: Sequence[Path], digest: str, context: Context) -> NDArray[np.bool_]:
    """The hashes of a folder's pictures: read once, then kept."""
    show = context.show(f"pictures of {paths[0].parent.name}/ for copies")

    def compute() -> NDArray[np.float64]:
        packed = []
        with ThreadPoolExecutor() as pool:  # decoding releases Python's lock
            for start in range(0, len(paths), _PART):
                show(start, len(paths))
                part = list(pool.map(_thumbnail_of, paths[start : start + _PART]))
                packed.append(np.packbits(copies.perceptual_hash(np.stack(part)), axis=1))
        show(len(paths), len(paths))
        rows = np.concatenate(packed)
        padded: NDArray[np.uint8] = np.pad(rows, ((0, 0), (0, -rows.shape[1] % 8)))
        return padded.reshape(-1).view(np.float64)

    kept = context.recall(f"hashes {digest}", compute).view(np.uint8).reshape(len(paths), -1)
    return np.unpackbits(kept, axis=1, count=copies.BITS).astype(np.bool_)


def _thumbnail_of(path: Path) -> NDArray[np.float32]:
    return copies.thumbnail(Image.fromarray(read_picture(path)))
