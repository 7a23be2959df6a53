"""Figures with frames around faces: on the page, as files, and what single images are told of in every report."""

from __future__ import annotations

import base64
import io
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from grader.assignment import FigureSpec
from grader.checks.figures import CheckedFigure, as_images
from grader.reporting import render
from grader.reporting.annotated import MOST, as_files, for_page
from grader.reporting.hidden import hide
from grader.reporting.outcomes import outcomes, particulars
from grader.reporting.terminal import render_score
from grader.results import MeasureResult, ScoreReport
from tests.reporting.reports import ABOUT, HOSTILE, measure, score, verdict

BOXES = [[10, 12, 40, 44], [60, 8, 90, 38]]


def _figure(size: tuple[int, int] = (128, 64)) -> CheckedFigure:
    pixels = np.full((size[1], size[0], 3), 200, np.uint8).tobytes()
    tile = np.full((64, 64, 3), 200, np.uint8).tobytes()
    spec = FigureSpec("samples", "samples/gan.png", (2, 1), (64, 64), True)
    boxes = ((0, 0, 64, 64), (64, 0, 128, 64))
    return CheckedFigure(spec, (), 2, 1, (tile, tile), True, pixels, size, boxes)


def _told(id: str, value: float, **details: Any) -> MeasureResult:
    return replace(measure(id, value=value), deliverable="samples", details=details)


COUNTED = _told("face_count", 2.0, boxes=BOXES, asked=2, without_face=["row 1, column 2"])
TAGGED = [
    _told(
        "hair_accuracy",
        0.5,
        part="hair",
        misread={"row 1, column 1": "aqua hair"},
        wrong_tags=[["row 1, column 1", "blue", "aqua"]],
    ),
    _told(
        "eye_accuracy",
        0.0,
        part="eyes",
        misread={"row 1, column 1": "red eyes", "row 1, column 2": "red eyes"},
        wrong_tags=[["row 1, column 1", "blue", "red"], ["row 1, column 2", "green", "red"]],
    ),
]
REPORT = score(verdict("gan", "pass", COUNTED, *TAGGED))
FIGURES = {("gan", "samples"): _figure()}
ALL = replace(ABOUT, figures=FIGURES, pictures={key: as_images(figure) for key, figure in FIGURES.items()})


def test_a_frame_lies_around_each_face() -> None:
    ((name, content),) = as_files(REPORT, FIGURES)
    assert name == "gan-samples.png"
    picture = np.asarray(Image.open(io.BytesIO(content)))
    assert picture.shape == (64, 128, 3)
    other = (picture != 200).any(2)
    wanted = np.zeros((64, 128), bool)
    for left, top, right, bottom in BOXES:
        wanted[top:bottom, left:right] = True
        wanted[top + 1 : bottom - 1, left + 1 : right - 1] = False
    assert (other == wanted).all()


def test_no_face_and_no_figure() -> None:
    nothing = score(verdict("gan", "fail", _told("face_count", 0.0, boxes=[], asked=25)))
    ((_, content),) = as_files(nothing, FIGURES)
    assert (np.asarray(Image.open(io.BytesIO(content))) == 200).all()
    assert list(as_files(REPORT, {})) == []
    skipped = score(verdict("gan", "skipped", replace(COUNTED, value=None, state="skipped")))
    assert list(as_files(skipped, FIGURES)) == [] and for_page(skipped, FIGURES) == {}


def test_names_of_files_are_harmless() -> None:
    strange = replace(COUNTED, deliverable="../Sämples")
    report = score(verdict("gan", "pass", strange))
    ((name, _),) = as_files(report, {("gan", "../Sämples"): _figure()})
    assert name == "gan-___s_mples.png"


def test_a_page_shows_a_few_small_ones() -> None:
    many = score(*(verdict(f"p{i}", "pass", COUNTED) for i in range(MOST + 3)))
    figures = {(f"p{i}", "samples"): _figure((2000, 1000)) for i in range(MOST + 3)}
    shown = for_page(many, figures)
    assert len(shown) == MOST and {(a.width, a.height, a.faces) for a in shown.values()} == {(720, 360, 2)}
    held = base64.b64decode(shown["p0", "samples"].uri.partition(",")[2])
    assert Image.open(io.BytesIO(held)).size == (720, 360)


def test_the_page() -> None:
    page = render("html", REPORT, ALL)
    assert page.count('<img class="annotated" src="data:image/webp;base64,') == 1  # not for every measure of it
    assert 'alt="The figure with a frame around its 2 faces"' in page
    assert "<summary>No face found in<span" in page and "<summary>Wrong colours of eyes<span" in page
    assert "row 1, column 2<br>red instead of green" in page
    assert "Images of <code>samples/gan.png</code>" in page
    assert "row 1, column 1 read as aqua hair, red eyes" in page  # both judges' words on one wall
    assert "img-src data:" in page and "<script" not in page


def test_the_page_without_the_figure() -> None:
    page = render("html", REPORT, ABOUT)
    assert "<img" not in page


def _terminal(report: ScoreReport) -> str:
    console = Console(width=100, file=io.StringIO(), emoji=False, markup=False)
    render_score(report, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_terminal_tells_image_by_image() -> None:
    told = re.sub(r"\s+", " ", _terminal(REPORT))
    assert "face_count, no face found in: row 1, column 2 " in told
    assert "hair_accuracy, wrong colours of hair: row 1, column 1: aqua instead of blue " in told
    assert "row 1, column 1: red instead of blue; row 1, column 2: red instead of green" in told


def test_markdown_and_rows_tell_it_too() -> None:
    page = render("markdown", REPORT, ABOUT)
    assert "**eye\\_accuracy**, wrong colours of eyes: row 1, column 1\\: red instead of blue; row 1, column 2" in page
    (row,) = [row for row in outcomes(REPORT) if row.name == "hair_accuracy"]
    assert "wrong colours of hair: row 1, column 1: aqua instead of blue" in row.text


def test_hidden_says_what_was_read_and_not_what_was_asked_for() -> None:
    hidden = hide(REPORT)
    found = particulars(hidden.problems[0].measures[1])
    assert found is not None and found.lines == ["row 1, column 1: aqua hair"]
    for kind in ("json", "markdown", "html"):
        text = render(kind, hidden, ALL)
        assert "instead of" not in text and "wrong_tags" not in text
    assert len(for_page(hidden, FIGURES)) == 1


@pytest.mark.parametrize("kind", ["html", "markdown", "gradescope", "json"])
def test_hostile_names(kind: str) -> None:
    text = HOSTILE[:5000]
    told = _told("eye_accuracy", 0.0, part=text, misread={text: text}, wrong_tags=[[text, text, text]])
    page = render(kind, score(verdict("gan", "pass", told, replace(COUNTED, details={"without_face": [text]}))), ALL)
    assert "<script>alert" not in page or kind in ("json", "gradescope")
    assert "\u202e" not in page and "\x1b" not in page


def test_measures_that_name_nothing() -> None:
    assert particulars(measure("fid", value=2.0)) is None
    assert particulars(replace(TAGGED[0], value=None)) is None
    assert particulars(_told("hair_accuracy", 1.0, part="hair", misread={}, wrong_tags=[])) is None
    inputs = particulars(_told("content_similarity", 0.9, unchanged=["a.png"]))
    assert inputs is not None and (inputs.title, inputs.lines) == ("their inputs unchanged", ["a.png"])


@pytest.mark.parametrize(
    ("id", "key", "title"),
    [
        ("domain_accuracy", "taken_for_source", "taken for the source domain"),
        ("face_share", "without_face", "no face found in"),
        ("content_similarity", "unchanged", "their inputs unchanged"),
    ],
)
def test_a_list_that_was_cut_says_so(id: str, key: str, title: str) -> None:
    names = [f"{i:03}.png" for i in range(20)]
    cut = score(verdict("gan", "pass", _told(id, 0.5, **{key: names, f"{key}_count": 69})))
    assert "018.png; 019.png; and 49 more" in re.sub(r"\s+", " ", _terminal(cut))
    assert ".png; and 49 more\n" in render("markdown", cut, ABOUT)
    assert any(f"{title}: 000.png" in row.text and row.text.endswith("and 49 more") for row in outcomes(cut))
    whole = score(verdict("gan", "pass", _told(id, 0.5, **{key: names, f"{key}_count": 20})))
    assert "and 49 more" not in _terminal(whole) and "019.png" in _terminal(whole)


def test_the_pages_titles_say_how_many_there_are() -> None:
    named = _told("domain_accuracy", 0.5, taken_for_source=["row 1, column 1"], taken_for_source_count=3)
    assert "Taken for the source domain (1 of 3 shown)" in render("html", score(verdict("gan", "pass", named)), ALL)


def test_more_wrong_colours_than_are_spelled_out() -> None:
    wrong = [[f"row {i}, column 1", "blue", "red"] for i in range(60)]
    found = particulars(_told("hair_accuracy", 0.1, part="hair", wrong_tags=wrong))
    assert found is not None and len(found.lines) == 51 and found.lines[-1] == "and 10 more"
