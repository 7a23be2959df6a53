"""Copies: images that show what a training or test image, or another image of the submission, shows."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Collection, Iterator, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from grader.checks import rules
from grader.checks.images import CheckedImages
from grader.checks.rule import MOST_ALIKE, MOST_EQUAL, MOST_NEAR, too_many
from grader.errors import CannotMeasure
from grader.measuring.compared import ComparedImages, compared_images
from grader.measuring.context import Context
from grader.measuring.folders import LAYOUT, Folder, picture_of, read_folder
from grader.metrics import copies
from grader.references.data import BadReference
from grader.results import Finding
from grader.text import listing, plural

_JUDGE = "efficientnet_lite0"
# What an answer depends on beside the pictures.
_RULES = f"{LAYOUT} {copies.SAME} {copies.LIKELY} {copies.SAME_FEATURES} {copies.NEAREST} {copies.WITHIN}"


class _Copy(NamedTuple):
    """Image `ours` of the submission shows what picture `other` of a folder shows."""

    ours: int
    other: int
    similarity: float
    mirrored: bool
    exact: bool

    @property
    def rank(self) -> tuple[bool, float]:
        """Equal pixels first: rounding must not put a likeness before them."""
        return self.exact, self.similarity

    def __str__(self) -> str:
        how = "the same pixels" if self.exact else f"similarity {self.similarity:.2f}"
        return f"({how}{', mirrored' if self.mirrored else ''})"


def copy_findings(
    problem: str, images: CheckedImages, context: Context, *, free: Collection[str] = ()
) -> list[Finding]:
    """Findings about copies of the course's images, and about images of the submission that are nearly the same.

    free: fields of the names; images that differ in no other field are meant to be alike. What can't be looked for
    becomes a note of the context.
    """
    if not images.names:
        return []
    pictures = compared_images(problem, images, context)
    ours = _parts(pictures)
    found: dict[int, tuple[_Copy, str]] = {}
    for folder in images.spec.copies_of:
        try:
            known = context.once(("hashed", folder), partial(read_folder, folder, context))
            for copy in _copies(ours, known, context):
                if copy.ours not in found or copy.rank > found[copy.ours][0].rank:
                    found[copy.ours] = copy, f"{folder}/{known.paths[copy.other].name}"
        except (CannotMeasure, BadReference) as e:
            context.notes.append(f"Copies of {folder} were not looked for: {e}.")
    context.copied[problem, images.spec.id] = frozenset(images.names[i] for i in found)
    findings = [_copied(problem, images, [found[i] for i in sorted(found)])] if found else []
    if images.spec.alike and not free:
        return findings
    kin = [_without(images, name, free) for name in images.names]
    pairs = [(a, b, s) for a, b, s in _alike(pictures, context) if kin[a] != kin[b] or not free]
    return [*findings, _near_duplicates(problem, images, pairs)] if pairs else findings


def meant_to_differ_in(images: CheckedImages, metrics: Collection[str]) -> Collection[str]:
    """The fields of the names that are varied while everything else of a picture stays, by what is measured of it."""
    if {"pair_flip", "pair_identity"} & set(metrics):
        return (images.spec.label,)
    return ("code", "value") if "code_nmi" in metrics else ()


def _without(images: CheckedImages, name: str, free: Collection[str]) -> tuple[int, ...] | None:
    """The values of a name's other fields."""
    names = images.spec.names
    values = names.parse(name) if names else None
    if names is None or values is None:
        return None
    return tuple(v for field, v in zip(names.fields, values, strict=True) if field.name not in free)


def _copied(problem: str, images: CheckedImages, found: Sequence[tuple[_Copy, str]]) -> Finding:
    path = images.spec.path
    pairs = [f"{images.names[copy.ours]} = {other} {copy}" for copy, other in found]
    exact = sum(copy.exact for copy, _ in found)
    return rules.COPIED_IMAGES.finding(
        problem=problem,
        deliverable=images.spec.id,
        path=path,
        message=f"{plural(len(found), 'image')} of {images.spec.place} show what an image of the course's data shows; "
        f"{exact} of them pixel by pixel.",
        expected="generated images",
        actual=listing(pairs, 2),
        help="Hand in what the generator makes. If it did make these, it has learnt its training images by heart.",
        count=len(found),
        examples=pairs,
        images=[(images.names[copy.ours],) for copy, _ in found],
        grave=too_many(exact, len(images.names), MOST_EQUAL) or too_many(len(found), len(images.names), MOST_NEAR),
    )


def _near_duplicates(problem: str, images: CheckedImages, pairs: Sequence[tuple[int, int, float]]) -> Finding:
    path = images.spec.path
    named = [f"{images.names[a]} = {images.names[b]} (similarity {s:.2f})" for a, b, s in pairs]
    count = len({i for a, b, _ in pairs for i in (a, b)})
    return rules.NEAR_DUPLICATES.finding(
        problem=problem,
        deliverable=images.spec.id,
        path=path,
        message=f"{plural(count, 'image')} of {images.spec.place} are nearly the same as another of them.",
        expected="images that differ",
        actual=listing(named, 2),
        help="A generator that repeats itself has collapsed: look at these pairs, and at the diversity.",
        count=count,
        examples=named,
        images=[(images.names[a], images.names[b]) for a, b, _ in pairs],
        grave=too_many(count, len(images.names), MOST_ALIKE),
    )


class _Part:
    """Images that are all coloured, or all gray. rows: their numbers among all images."""

    def __init__(self, pictures: ComparedImages, rows: NDArray[np.int64], gray: bool) -> None:
        self._pictures, self.rows, self.gray = pictures, rows, gray
        self.pixels = pictures.pixels[rows]

    @cached_property
    def digest(self) -> str:
        return _digest_of(self.pixels)

    @cached_property
    def hashes(self) -> NDArray[np.bool_]:
        """Of the images as they are, then mirrored."""
        plain = self._pictures.thumbnails[self.rows]
        return copies.perceptual_hash(np.concatenate([plain, plain[..., ::-1]]))

    @cached_property
    def details(self) -> NDArray[np.float32]:
        """Likewise."""
        details = self._pictures.details[self.rows]
        return np.concatenate([details, details[..., ::-1]])


def _parts(pictures: ComparedImages) -> list[_Part]:
    """The coloured ones, and the gray ones, which are compared with the course's in gray."""
    gray = (pictures.pixels == pictures.pixels[..., :1]).all((1, 2, 3))
    parts = [_Part(pictures, np.nonzero(gray == kind)[0], kind) for kind in (False, True)]
    return [part for part in parts if len(part.rows)]


def _copies(parts: Sequence[_Part], known: Folder, context: Context) -> Iterator[_Copy]:
    for part in parts:
        for copy in _copies_in(part, known, context):
            yield copy._replace(ours=int(part.rows[copy.ours]))


def _copies_in(part: _Part, known: Folder, context: Context) -> list[_Copy]:
    """Copies of pictures of one folder, the most similar one for each image. Kept, like features."""

    def compute() -> NDArray[np.float64]:
        best = {copy.ours: copy for copy in sorted(_look(part, known, context), key=lambda copy: copy.rank)}
        return np.array(list(best.values()), np.float64).reshape(-1)

    key = f"copies {known.digest} {part.digest} {part.gray} {_RULES} {_network(context)}"
    kept = context.recall(key, compute).reshape(-1, 5)
    return [_Copy(int(ours), int(other), value, bool(m), bool(e)) for ours, other, value, m, e in kept]


def _look(part: _Part, known: Folder, context: Context) -> Iterator[_Copy]:
    """All pairs that show the same, the submission's images as they are and mirrored."""
    pixels, gray, n, paths = part.pixels, part.gray, len(part.pixels), known.paths
    pairs = copies.candidates(part.hashes, known.hashes)
    used, rows = np.unique(pairs[:, 1], return_inverse=True)
    found = copies.similarity(part.details, known.details(used, gray), np.column_stack([pairs[:, 0], rows]))
    both = [pixels, pixels[:, :, ::-1]]
    for row in _decided(found, pairs, both, paths, gray, context):
        i, other = (int(index) for index in pairs[row])
        mirrored, ours = divmod(i, n)
        exact = np.array_equal(both[mirrored][ours], picture_of(paths[other], gray))
        yield _Copy(ours, other, float(found[row]), bool(mirrored), exact)


def _decided(
    similarity: NDArray[np.float64],
    pairs: NDArray[np.int64],
    both: Sequence[NDArray[np.uint8]],
    paths: Sequence[Path],
    gray: bool,
    context: Context,
) -> list[int]:
    """The rows of pairs that show the same: by their pixels, and in a border band by a network's features as well.

    both: the submission's images and, counted on, the mirrored ones.
    """
    sure: list[int] = np.nonzero(similarity >= copies.SAME)[0].tolist()
    band: list[int] = np.nonzero((similarity >= copies.LIKELY) & (similarity < copies.SAME))[0].tolist()
    if not band or not _network(context):  # pixels alone decide
        return sure
    n = len(both[0])
    a = _features([both[i // n][i % n] for i in pairs[band, 0].tolist()], context)
    b = _features([picture_of(paths[pairs[row, 1]], gray) for row in band], context)
    cosine = (a * b).sum(1) / (np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1))
    return [*sure, *(row for row, value in zip(band, cosine, strict=True) if value >= copies.SAME_FEATURES)]


def _network(context: Context) -> str:
    """The sha256 of the network that decides in the border band; "" where there is none. Without importing torch."""
    try:
        return context.extractor().weights(_JUDGE).sha256 if importlib.util.find_spec("torch") else ""
    except CannotMeasure:
        return ""


def _features(images: Sequence[NDArray[np.uint8]], context: Context) -> NDArray[np.float64]:
    """Features ``(n, 1280)`` of pictures of any sizes: one pass for those of each size."""
    found = np.zeros((len(images), 1280))
    for shape in {image.shape for image in images}:
        rows = [i for i, image in enumerate(images) if image.shape == shape]
        pictures = np.stack([images[i] for i in rows])
        outputs = context.extractor().run("efficientnet-lite0", pictures, lambda *_: None).outputs
        found[rows] = outputs["features"]
    return found


def _alike(pictures: ComparedImages, context: Context) -> list[tuple[int, int, float]]:
    """Pairs of images of the submission that are nearly, but not exactly, the same."""
    pixels = pictures.pixels

    def compute() -> NDArray[np.float64]:
        first = {image.tobytes(): i for i, image in reversed(list(enumerate(pixels)))}
        distinct = np.array(sorted(first.values()))
        hashes = copies.perceptual_hash(pictures.thumbnails[distinct])
        pairs = copies.candidates(hashes, hashes, nearest=copies.NEAREST + 1)  # each is nearest to itself
        pairs = np.unique(np.sort(pairs, axis=1), axis=0)
        pairs = pairs[pairs[:, 0] < pairs[:, 1]]
        details = pictures.details[distinct]
        found = copies.similarity(details, details, pairs)
        rows = np.nonzero(found >= copies.SAME)[0]
        return np.column_stack([distinct[pairs[rows]], found[rows]]).reshape(-1)

    kept = context.recall(f"alike {_RULES} {_digest_of(pixels)}", compute).reshape(-1, 3)
    return [(int(a), int(b), value) for a, b, value in kept]


def _digest_of(pixels: NDArray[np.uint8]) -> str:
    return hashlib.sha256(f"{pixels.shape}".encode() + pixels.tobytes()).hexdigest()
