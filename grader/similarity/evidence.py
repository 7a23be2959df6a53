"""The pictures of evidence, read again from the submissions through the guarded door."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup
from PIL import Image, ImageChops

from grader.checks.decoding import MOST_PIXELS, WIDEST, decode, format_of, size_of
from grader.checks.pictures import Damaged
from grader.errors import SubmissionRefused, UsageError
from grader.similarity.fingerprints import Fingerprint
from grader.similarity.pairs import Pair
from grader.submission import Submission, Unreadable, open_submission

SHOWN = 24  # pairs of pictures on a page
_SIDE = 128  # pixels of a picture on the page at most
_AMPLIFIED = 4
_LINES = 200  # of a script
_LONGEST_SCRIPT = 256 * 1024  # bytes


@dataclass(frozen=True)
class Exhibit:
    """Two pictures and where they differ, as data URIs; "" where one can't be read, or they have different sizes."""

    names: tuple[str, str]
    likeness: float
    pictures: tuple[Markup, Markup]
    difference: Markup


def exhibits(pair: Pair, prints: tuple[Fingerprint, Fingerprint], places: tuple[Path | None, ...]) -> list[Exhibit]:
    """The first examples of a pair of folders of images. places: the two submissions, None where they aren't given."""
    shown = pair.examples[:SHOWN]
    sides = []
    for i, (print_, place) in enumerate(zip(prints, places, strict=True)):
        folder = next(
            (x.path for x in print_.images if (x.problem, x.deliverable) == (pair.problem, pair.deliverable)), ""
        )
        names = [(one, other)[i] for one, other, _ in shown]
        sides.append(_read(place, print_.top, folder, names) if place and folder else [None] * len(names))
    return [
        Exhibit((a, b), likeness, (_uri(one), _uri(other)), _uri(_difference(one, other)))
        for (a, b, likeness), one, other in zip(shown, *sides, strict=True)
    ]


def sources(pair: Pair, prints: tuple[Fingerprint, Fingerprint], places: tuple[Path | None, ...]) -> list[list[str]]:
    """The first lines of a pair of scripts; none of one that can't be read."""
    found = []
    for name, print_, place in zip(pair.examples[0], prints, places, strict=False):
        lines: list[str] = []
        if place:
            with suppress(SubmissionRefused, UsageError, Unreadable), _opened(place, print_.top) as view:
                text = view.read(str(name), _LONGEST_SCRIPT).decode("utf-8", "replace")
                lines = [line.expandtabs(4) for line in text.splitlines()[:_LINES]]
        found.append(lines)
    return found


def _read(place: Path, top: str, folder: str, names: Iterable[str]) -> list[Image.Image | None]:
    try:
        with _opened(place, top) as view:
            return [_picture(view, f"{folder}/{name}") for name in names]
    except (SubmissionRefused, UsageError):  # changed since it was graded
        return [None for _ in names]


@contextmanager
def _opened(place: Path, top: str) -> Iterator[Submission]:
    with open_submission(place) as view:
        if top:
            view.enter(top)
        yield view


def _picture(view: Submission, path: str) -> Image.Image | None:
    try:
        content = view.read(path)
        if format_of(content) not in ("PNG", "JPEG"):
            return None
        width, height = size_of(content)
        if max(width, height) > WIDEST or width * height > MOST_PIXELS:
            return None
        found = decode(content, view.decoder)
    except (Unreadable, Damaged):
        return None
    found.thumbnail((_SIDE, _SIDE))
    return found


def _difference(one: Image.Image | None, other: Image.Image | None) -> Image.Image | None:
    if one is None or other is None or one.size != other.size:
        return None
    return ImageChops.difference(one, other).point(lambda level: min(255, _AMPLIFIED * level))


def _uri(picture: Image.Image | None) -> Markup:
    if picture is None:
        return Markup("")
    whole = io.BytesIO()
    picture.save(whole, "PNG")
    return Markup("data:image/png;base64," + base64.b64encode(whole.getvalue()).decode())
