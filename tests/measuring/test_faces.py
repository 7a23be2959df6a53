"""Faces in figures and photos, with OpenCV's own cascade in the place of the one for drawn faces."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binomtest, fisher_exact

from fixtures.faces import face
from grader.assignment import FigureSpec, ImagesSpec, MeasureSpec
from grader.checks.figures import CheckedFigure
from grader.checks.images import CheckedImages
from grader.errors import CannotMeasure
from grader.measuring import measure
from grader.measuring.context import Context
from grader.measuring.faces import crowd_findings
from grader.metrics import METRICS
from grader.references.data import Data
from tests.judges.test_cascades import PHOTOS, wall

GAP = 8


def _context() -> Context:
    return Context(Data(None, "data"), {"anime_cascade": PHOTOS}, cache=False)


def _spec(metric: str, against: str = "") -> MeasureSpec:
    return MeasureSpec(metric, metric, "samples", METRICS[metric].protocols[0], "", 0, (), against=against)


def _figure(picture: NDArray[np.uint8], columns: int = 5, rows: int = 5, asked: int = 5) -> CheckedFigure:
    side = 64 + GAP
    boxes = tuple((x * side, y * side, x * side + 64, y * side + 64) for y in range(rows) for x in range(columns))
    tiles = tuple(picture[y0:y1, x0:x1].tobytes() for x0, y0, x1, y1 in boxes)
    spec = FigureSpec("samples", "samples/gan.png", (asked, asked), (64, 64), True)
    size = (picture.shape[1], picture.shape[0])
    return CheckedFigure(spec, (), columns, rows, tiles, True, picture.tobytes(), size, boxes)


def _found(picture: NDArray[np.uint8]) -> list[tuple[int, int, int, int]]:
    gray = cv2.equalizeHist(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY))
    boxes: Any = cv2.CascadeClassifier(str(PHOTOS)).detectMultiScale(gray, 1.1, 5, minSize=(24, 24))
    return [(x, y, x + w, y + h) for x, y, w, h in boxes.tolist()] if len(boxes) else []


def test_the_count_and_its_exact_interval() -> None:
    picture = wall()
    theirs = _found(picture)
    taken = measure(_spec("face_count"), _figure(picture), _context())
    assert taken.value == len(theirs) and 5 < len(theirs) < 25 and taken.n == 25
    exact = binomtest(len(theirs), 25).proportion_ci(0.95, method="exact")
    assert taken.interval == pytest.approx((25 * exact.low, 25 * exact.high))
    assert sorted(taken.details["boxes"]) == sorted(theirs) and taken.details["asked"] == 25
    assert taken.provenance["protocol"] == "opencv-cascade" and taken.provenance["judge"] == "anime_cascade"
    assert taken.provenance["judge_known"] is False and taken.provenance["versions"]["opencv"] == cv2.__version__


def test_images_without_a_face_are_named() -> None:
    picture = wall()
    side = 64 + GAP
    held = {(int((y0 + y1) / 2) // side, int((x0 + x1) / 2) // side) for x0, y0, x1, y1 in _found(picture)}
    wanted = [f"row {r + 1}, column {c + 1}" for r in range(5) for c in range(5) if (r, c) not in held]
    taken = measure(_spec("face_count"), _figure(picture), _context())
    assert taken.details["without_face"] == wanted and taken.details["several_faces"] == []
    assert taken.details["remark"] == f"in {len(held)} of 25 images"
    unknown = measure(_spec("face_count"), replace(_figure(picture), boxes=(), tiles=()), _context())
    assert unknown.value == taken.value and "without_face" not in unknown.details
    assert "remark" not in unknown.details


def test_more_faces_than_images_are_capped_for_the_interval() -> None:
    picture = wall()
    taken = measure(_spec("face_count"), _figure(picture, asked=2), _context())
    assert taken.value == len(_found(picture)) > 4 and taken.n == 4
    exact = binomtest(4, 4).proportion_ci(0.95, method="exact")
    assert taken.interval == pytest.approx((4 * exact.low, 4))
    assert taken.details["remark"].endswith("more faces than the 4 images: the interval counts 4")


def test_images_with_several_faces_are_warned_of() -> None:
    figure = _figure(wall())
    whole = replace(figure, columns=1, rows=1, tiles=figure.tiles[:1], boxes=((0, 0, *figure.size),))
    for shown, warned in ((figure, 0), (replace(figure, boxes=()), 0), (whole, 1)):
        taken = measure(_spec("face_count"), shown, _context())
        found = crowd_findings("gan", shown, taken)
        assert [(f.rule, f.severity) for f in found] == [("faces-beyond-images", "warning")] * warned
    k = len(_found(wall()))
    assert found[0].count == k - 1 >= 5 and found[0].message == f"{k} faces in samples/gan.png, in 1 image of it."
    assert found[0].examples == ("row 1, column 1",) == tuple(taken.details["several_faces"])


def test_images_too_small_for_the_cascade_are_remarked() -> None:
    figure = _figure(wall())
    shrunk = tuple((x0, y0, x0 + 38, y0 + 39) for x0, y0, _, _ in figure.boxes)
    taken = measure(_spec("face_count"), replace(figure, boxes=shrunk), _context())
    assert "images of 38 pixels a side: fewer faces are found" in taken.details["remark"]
    enough = tuple((x0, y0, x0 + 50, y0 + 50) for x0, y0, _, _ in figure.boxes)
    assert "pixels" not in measure(_spec("face_count"), replace(figure, boxes=enough), _context()).details["remark"]


def test_no_face_at_all() -> None:
    taken = measure(_spec("face_count"), _figure(np.full((360, 360, 3), 90, np.uint8)), _context())
    assert taken.value == 0 and taken.interval is not None and taken.interval[0] == 0
    assert taken.interval[1] == pytest.approx(25 * (1 - 0.025 ** (1 / 25)))


def test_a_figure_that_can_not_be_searched() -> None:
    spec = FigureSpec("samples", "samples/gan.png", (5, 5), (64, 64), True)
    gone = measure(_spec("face_count"), CheckedFigure(spec, ()), _context())
    assert (gone.value, gone.state, gone.reason) == (None, "fail", "samples/gan.png can't be judged")
    large = measure(_spec("face_count"), CheckedFigure(spec, (), decoded=True, size=(5000, 5000)), _context())
    assert large.state == "fail" and "more than 12,000,000 pixels" in large.reason


def test_without_the_cascade() -> None:
    with pytest.raises(CannotMeasure, match="no weights here for the judge anime_cascade"):
        measure(_spec("face_count"), _figure(wall()), Context(Data(None, "data"), {}, cache=False))


def test_a_change_against_chance() -> None:
    picture = wall()
    k = len(_found(picture))
    empty = np.full((360, 360, 3), 90, np.uint8)
    spec = _spec("face_count_change", "without")
    taken = measure(spec, _figure(picture), _context(), against=_figure(empty))
    assert taken.value == k / 25 and taken.n == 50
    p = fisher_exact([[k, 25 - k], [0, 25]]).pvalue
    assert taken.details["fisher_p"] == pytest.approx(p) and p < 0.001
    told = f"{k} of 25 with, 0 of 25 without: more than chance explains (Fisher's exact test, p = {p:.2g})"
    assert taken.details["remark"] == told
    # Newcombe's interval from the two score intervals, by hand.
    wilson = [binomtest(n, 25).proportion_ci(0.95, method="wilson") for n in (k, 0)]
    low = k / 25 - np.hypot(k / 25 - wilson[0].low, wilson[1].high)
    assert taken.interval == pytest.approx((low, k / 25 + wilson[0].high - k / 25))
    turned = measure(spec, _figure(empty), _context(), against=_figure(picture))
    assert turned.value == -k / 25
    same = measure(spec, _figure(picture), _context(), against=_figure(picture))
    assert same.value == 0 and same.details["fisher_p"] == pytest.approx(1)
    assert "the difference is within chance" in same.details["remark"]


def test_a_change_without_the_other_figure() -> None:
    spec = _spec("face_count_change", "lsgan_without")
    taken = measure(spec, _figure(wall()), _context(), against=None)
    assert (taken.value, taken.state, taken.reason) == (None, "fail", "lsgan_without is not there")


def test_the_share_of_photos_with_a_face() -> None:
    photos = [np.asarray(face(f"x{i // 5}{i % 5}").resize((96, 96))) for i in range(8)] + [
        np.zeros((96, 96, 3), np.uint8)
    ]
    with_face = [bool(_found(photo)) for photo in photos]
    names = tuple(f"{i}.png" for i in range(9))
    spec = ImagesSpec("photos", "gan", 12, (96, 96), "RGB", "PNG", None, "", True)
    images = CheckedImages(spec, names, tuple(p.tobytes() for p in photos), ())
    taken = measure(_spec("face_share"), images, Context(Data(None, "data"), {}, cache=False))
    assert 0 < sum(with_face) < 9 and taken.value == sum(with_face) / 12  # an absent image is one without
    wilson = binomtest(sum(with_face), 12).proportion_ci(0.95, method="wilson")
    assert taken.interval == pytest.approx((wilson.low, wilson.high))
    assert taken.details["without_face"] == [n for n, yes in zip(names, with_face, strict=True) if not yes]
    assert taken.details["without_face_count"] == 12 - sum(with_face)
    assert taken.provenance["judge"] == "face_cascade" and taken.provenance["judge_known"] is True


def test_everything_is_the_same_again() -> None:
    figure = _figure(wall())
    assert measure(_spec("face_count"), figure, _context()) == measure(_spec("face_count"), figure, _context())
