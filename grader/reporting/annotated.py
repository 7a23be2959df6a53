"""Figures with a frame around each face that was found: for the HTML page, and as files to keep."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from markupsafe import Markup
from PIL import Image, ImageDraw

from grader.checks.figures import CheckedFigure
from grader.results import ScoreReport

MOST = 12  # that a page shows
_WIDEST = 720  # pixels of a side on a page
_QUALITY = 80
_FRAME = "#e0004d"


@dataclass(frozen=True)
class Annotated:
    """One figure with its faces framed. `uri` holds the picture itself, for a page."""

    uri: Markup
    width: int
    height: int
    faces: int


def for_page(report: ScoreReport, figures: Mapping[tuple[str, str], CheckedFigure]) -> dict[tuple[str, str], Annotated]:
    """The first few figures, small enough for a page."""
    found = {}
    for key, boxes in islice(_searched(report, figures).items(), MOST):
        picture = _framed(figures[key], boxes)
        picture.thumbnail((_WIDEST, _WIDEST))
        held = io.BytesIO()
        picture.save(held, "WEBP", quality=_QUALITY, method=4)
        uri = Markup("data:image/webp;base64," + base64.b64encode(held.getvalue()).decode())
        found[key] = Annotated(uri, picture.width, picture.height, len(boxes))
    return found


def as_files(report: ScoreReport, figures: Mapping[tuple[str, str], CheckedFigure]) -> Iterator[tuple[str, bytes]]:
    """Name and content, PNG, of each figure with its faces framed: `gan-samples.png`."""
    for key, boxes in _searched(report, figures).items():
        held = io.BytesIO()
        _framed(figures[key], boxes).save(held, "PNG")
        yield re.sub(r"[^a-z0-9_-]", "_", "-".join(key).lower()) + ".png", held.getvalue()


def _searched(
    report: ScoreReport, figures: Mapping[tuple[str, str], CheckedFigure]
) -> dict[tuple[str, str], Sequence[Sequence[int]]]:
    """The faces that were found in each figure, as left, top, right and bottom."""
    found = {}
    for verdict in report.problems:
        for m in verdict.measures:
            if m.value is not None and "boxes" in m.details and (verdict.id, m.deliverable) in figures:
                found[verdict.id, m.deliverable] = m.details["boxes"]
    return found


def _framed(figure: CheckedFigure, boxes: Sequence[Sequence[int]]) -> Image.Image:
    picture = Image.frombytes("RGB", figure.size, figure.pixels)
    pen = ImageDraw.Draw(picture)
    width = max(1, round(max(figure.size) / 240))
    for left, top, right, bottom in boxes:
        pen.rectangle((left, top, right - 1, bottom - 1), outline=_FRAME, width=width)
    return picture
