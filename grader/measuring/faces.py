"""Faces that a cascade finds: in a figure as a whole, with and without something, in each photo of a folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grader.assignment import MeasureSpec
from grader.checks import rules
from grader.checks.figures import KEPT_PIXELS, CheckedFigure, as_images
from grader.checks.images import CheckedImages
from grader.judges.protocols import CASCADES
from grader.measuring.context import Context, versions
from grader.results import Finding, Measurement
from grader.text import listing, plural

if TYPE_CHECKING:
    from grader.judges.cascades import Box, Cascade

_NAMED = 20  # images that are named
_CHANCE = 0.05
_SMALL = 50  # pixels a side: in smaller images the cascade misses faces that it finds at 64
_CROWDED = 0.2  # faces beyond one for each image, as a share of the images: detectors seldom err so often


def face_count(spec: MeasureSpec, figure: CheckedFigure, context: Context) -> Measurement:
    """How many faces are found in the picture as it was handed in, as the course's own program counts them."""
    from grader.metrics.accuracy import exact_interval

    if told := _unfit(figure):
        return Measurement(None, 0, told, "fail")
    cascade, asked = context.cascade(CASCADES[spec.protocol]), figure.spec.count
    boxes = _faces(figure, cascade)
    k = min(len(boxes), asked)
    low, high = exact_interval(k, asked)
    by_tile = _by_tile(figure, boxes)
    details: dict[str, Any] = {"boxes": boxes, "asked": asked} | by_tile
    remarks = []
    if by_tile:
        there = len(figure.boxes)
        remarks.append(f"in {there - len(by_tile['without_face'])} of {plural(there, 'image')}")
    if len(boxes) > asked:
        remarks.append(f"more faces than the {asked} images: the interval counts {asked}")
    side = min((min(x1 - x0, y1 - y0) for x0, y0, x1, y1 in figure.boxes), default=_SMALL)
    if side < _SMALL:
        remarks.append(f"images of {side} pixels a side: fewer faces are found in such than at 64, as 640x480 has them")
    if remarks:
        details["remark"] = "; ".join(remarks)
    provenance = _provenance(spec, cascade, asked)
    interval = (asked * low, asked * high)
    return Measurement(float(len(boxes)), asked, interval=interval, details=details, provenance=provenance)


def crowd_findings(problem: str, figure: CheckedFigure, taken: Measurement) -> list[Finding]:
    """A warning where many of the faces that were counted are not the only one of their image."""
    if not figure.boxes or taken.value is None:
        return []
    images = len(figure.boxes) - len(taken.details["without_face"])
    beyond = round(taken.value) - images
    if beyond < _CROWDED * figure.spec.count:
        return []
    several = taken.details["several_faces"]
    finding = rules.CROWDED.finding(
        problem=problem,
        deliverable=figure.spec.id,
        path=figure.spec.path,
        message=f"{plural(round(taken.value), 'face')} in {figure.spec.path}, in {plural(images, 'image')} of it.",
        expected="one face in each image",
        actual=f"several faces: {listing(several)}" if several else "faces between the images",
        help="Look at the picture with its frames: does each image show one face, as the generator made it?",
        count=beyond,
        examples=several,
    )
    return [finding]


def face_count_change(
    spec: MeasureSpec, figure: CheckedFigure, without: CheckedFigure | None, context: Context
) -> Measurement:
    """The share of a figure's images with a face less that of another figure; faces beyond the images don't count."""
    from grader.metrics.accuracy import chance_of_difference, difference_interval

    if told := _unfit(figure) or (_unfit(without) if without else f"{spec.against} is not there"):
        return Measurement(None, 0, told, "fail")
    assert without is not None
    cascade = context.cascade(CASCADES[spec.protocol])
    found = [(f, _faces(f, cascade), f.spec.count) for f in (figure, without)]
    (a, m), (b, n) = counts = [(min(len(boxes), asked), asked) for _, boxes, asked in found]
    p = chance_of_difference(*counts)
    chance = "the difference is within chance" if p >= _CHANCE else "more than chance explains"
    details: dict[str, Any] = {
        "with": {"faces": len(found[0][1]), "asked": m},
        "without": {"faces": len(found[1][1]), "asked": n},
        "fisher_p": p,
        "boxes": found[0][1],
        "remark": f"{a} of {m} with, {b} of {n} without: {chance} (Fisher's exact test, p = {p:.2g})",
    }
    interval = difference_interval(*counts)
    provenance = _provenance(spec, cascade, m + n)
    return Measurement(a / m - b / n, m + n, interval=interval, details=details, provenance=provenance)


def face_share(spec: MeasureSpec, images: CheckedImages, context: Context) -> Measurement:
    """The share of the images asked for in which a face is found; an absent image is one without."""
    from grader.metrics.accuracy import wilson_interval

    cascade, show = context.cascade(CASCADES[spec.protocol]), context.show("faces")
    without, asked = [], images.spec.count
    for i, (name, pixels) in enumerate(zip(images.names, images.array, strict=True)):
        if i % 50 == 0:
            show(i, len(images.names))
        if not cascade.faces(pixels):
            without.append(name)
    show(len(images.names), len(images.names))
    found = min(len(images.names) - len(without), asked)
    details = {"without_face": without[:_NAMED], "without_face_count": asked - found}
    provenance = _provenance(spec, cascade, asked) | {"judged": len(images.names)}
    return Measurement(
        found / asked, asked, interval=wilson_interval(found, asked), details=details, provenance=provenance
    )


def _unfit(figure: CheckedFigure) -> str:
    """Why faces can't be looked for in a figure; empty where they can."""
    if not figure.decoded:
        return f"{figure.spec.path} can't be judged"
    most = f"{KEPT_PIXELS:,} pixels"
    return "" if figure.pixels else f"{figure.spec.path} has more than {most}: save it with fewer dots per inch"


def _faces(figure: CheckedFigure, cascade: Cascade) -> list[Box]:
    import numpy as np

    width, height = figure.size
    return cascade.faces(np.frombuffer(figure.pixels, np.uint8).reshape(height, width, 3))


def _by_tile(figure: CheckedFigure, boxes: list[Box]) -> dict[str, list[str]]:
    """Which images of the grid hold no face, and which several: a face lies where its centre is."""
    if not figure.boxes:
        return {}
    held = [0] * len(figure.boxes)
    for left, top, right, bottom in boxes:
        x, y = (left + right) / 2, (top + bottom) / 2
        for i, (x0, y0, x1, y1) in enumerate(figure.boxes):
            held[i] += x0 <= x < x1 and y0 <= y < y1
    names = as_images(figure).names
    return {
        "without_face": [name for name, count in zip(names, held, strict=True) if count == 0],
        "several_faces": [name for name, count in zip(names, held, strict=True) if count > 1],
    }


def _provenance(spec: MeasureSpec, cascade: Cascade, n: int) -> dict[str, Any]:
    weights = cascade.weights
    return {
        "protocol": spec.protocol,
        "n": n,
        "judge": weights.judge,
        "judge_sha256": weights.sha256,
        "judge_known": weights.known,
        "versions": versions("numpy", "pillow") | {"opencv": cascade.version},
    }
