"""One figure: where it lies, what it is inside, whether it shows anything, what its grid shows."""

from __future__ import annotations

import io
import os
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from fixtures.faces import face
from fixtures.hw4 import grid, plot
from grader.assignment import FigureSpec
from grader.checks.figures import CheckedFigure, check_figure
from grader.submission import open_submission

PLOT = FigureSpec("fig1_2", "fig1_2.jpg", None, (0, 0), True)
GRID = FigureSpec("fig1_4", "fig1_4.jpg", (8, 4), (64, 64), True)
OPTIONAL = FigureSpec("fig4_1", "fig4_1.png", None, (0, 0), False)
FACES = [face(f"figure {i}") for i in range(32)]


def _check(top: Path, spec: FigureSpec = PLOT, elsewhere: set[str] | None = None) -> CheckedFigure:
    with open_submission(top) as view:
        return check_figure(view, spec, "vae", elsewhere={spec.path, "vae/random", *(elsewhere or ())})


def _found(top: Path, spec: FigureSpec = PLOT, elsewhere: set[str] | None = None) -> list[tuple[str, str]]:
    return [(f.rule, f.actual) for f in _check(top, spec, elsewhere).findings]


def test_a_good_plot(tmp_path: Path) -> None:
    plot().save(tmp_path / "fig1_2.jpg")
    checked = _check(tmp_path)
    assert checked == CheckedFigure(PLOT, (), decoded=True, size=(640, 480))


def test_a_grid_comes_as_tiles(tmp_path: Path) -> None:
    spec = FigureSpec("fig", "fig.png", (8, 4), (64, 64), True)
    grid(FACES, 8).save(tmp_path / "fig.png")
    checked = _check(tmp_path, spec)
    assert (checked.columns, checked.rows, checked.findings) == (8, 4, ())
    assert list(checked.tiles) == [image.tobytes() for image in FACES]


@pytest.mark.parametrize(
    ("place", "rule", "advice"),
    [
        ("Fig1_2.JPG", "misnamed", "rename it to fig1_2.jpg"),
        ("fig1-2.jpg", "misnamed", "rename it"),
        ("figure1_2.jpeg", "misnamed", "rename it"),
        ("fig1_2.png", "misnamed", "save it as a JPEG at fig1_2.jpg; renaming does not convert"),
        ("figures/fig1_2.jpg", "misplaced", "move it to fig1_2.jpg"),
        ("out/figures/fig1_2.jpg", "misplaced", "move it"),
        ("vae/fig1_2.jpg", "misplaced", "move it"),
        ("vae/random/fig1_2.jpg", "misplaced", "move it"),
        ("out/fig1_2.gif", "misplaced", "save it as a JPEG"),
    ],
)
def test_a_figure_of_a_similar_name_is_pointed_at(place: str, rule: str, advice: str, tmp_path: Path) -> None:
    (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
    plot().save(tmp_path / place)
    (finding,) = _check(tmp_path).findings
    assert (finding.rule, finding.path, finding.actual) == (rule, place, place)
    assert finding.help.startswith(f"If it is this figure, {advice}")


def test_another_figure_is_not_taken_for_it(tmp_path: Path) -> None:
    plot().save(tmp_path / "fig1-2.jpg")
    plot().save(tmp_path / "fig1_3.jpg")
    assert _found(tmp_path, elsewhere={"fig1-2.jpg"}) == [
        ("missing-deliverable", "pictures there: fig1-2.jpg, fig1_3.jpg")
    ]
    assert _found(tmp_path, OPTIONAL) == []


@pytest.mark.parametrize(
    ("write", "found"),
    [
        (lambda p: plot().save(p, "PNG"), [("wrong-format", "PNG")]),
        (lambda p: plot().save(p, "GIF"), [("wrong-format", "GIF")]),
        (lambda p: p.write_text("no picture"), [("wrong-format", "no image")]),
        (lambda p: p.write_bytes(b""), [("unreadable", "an empty file")]),
        (lambda p: plot().resize((20, 20)).save(p), [("figure-size", "20x20 pixels")]),
        (lambda p: Image.new("1", (8001, 80)).save(p), [("figure-size", "8001x80 pixels")]),
        (lambda p: Image.new("RGB", (640, 480), (250, 250, 251)).save(p), [("blank-figure", "one colour all over")]),
        (lambda p: p.mkdir(), [("not-a-regular-file", "a folder")]),
        (lambda p: p.symlink_to("/etc/passwd"), [("not-a-regular-file", "a link")]),
        (lambda p: os.mkfifo(p), [("not-a-regular-file", "a pipe or device")]),
    ],
)
def test_what_is_wrong_with_a_file(write: Callable[[Path], None], found: list[tuple[str, str]], tmp_path: Path) -> None:
    write(tmp_path / "fig1_2.jpg")
    assert _found(tmp_path) == found


def test_a_bomb_is_refused_by_its_header(tmp_path: Path) -> None:
    held = io.BytesIO()
    plot().save(held, "JPEG")
    content = held.getvalue()
    at = content.index(b"\xff\xc0") + 5
    (tmp_path / "fig1_2.jpg").write_bytes(content[:at] + struct.pack(">HH", 65000, 65000) + content[at + 4 :])
    assert _found(tmp_path) == [("figure-size", "65000x65000 pixels")]


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    with open(tmp_path / "fig1_2.jpg", "wb") as f:
        f.truncate(17 * 2**20)
    (found,) = _found(tmp_path)
    assert found[0] == "unreadable" and "more than" in found[1]


def test_a_png_under_a_jpg_name_is_taken_apart_none_the_less(tmp_path: Path) -> None:
    grid(FACES, 8).save(tmp_path / "fig1_4.jpg", "PNG")
    checked = _check(tmp_path, GRID)
    assert [f.rule for f in checked.findings] == ["wrong-format"] and len(checked.tiles) == 32


def test_too_few_blank_and_repeated_tiles(tmp_path: Path) -> None:
    grid(FACES[:24], 8).save(tmp_path / "fig1_4.jpg")
    assert _found(tmp_path, GRID) == [("tile-count", "8 in each of 3 rows")]
    empty = Image.new("RGB", (64, 64))
    grid([*FACES[:29], FACES[4], FACES[4], empty], 8).save(tmp_path / "fig1_4.jpg")
    found = _check(tmp_path, GRID).findings
    assert [(f.rule, f.severity, f.count) for f in found] == [
        ("blank-tiles", "warning", 1),
        ("repeated-tiles", "warning", 2),
    ]
    assert found[0].actual == "row 4, column 8"
    assert found[1].examples == ("row 4, column 6 = row 1, column 5", "row 4, column 7 = row 1, column 5")


def test_images_that_are_meant_to_be_alike_may_repeat(tmp_path: Path) -> None:
    grid([*FACES[:16], *FACES[:16]], 8).save(tmp_path / "fig1_4.jpg")
    assert [rule for rule, _ in _found(tmp_path, GRID)] == ["repeated-tiles"]
    assert _found(tmp_path, FigureSpec("fig1_4", "fig1_4.jpg", (8, 4), (64, 64), True, alike=True)) == []


def test_names_of_a_student_are_made_safe(tmp_path: Path) -> None:
    (tmp_path / "a\u202eb\x1b[31m").mkdir()
    plot().save(tmp_path / "a\u202eb\x1b[31m" / "fig1_2.jpg")
    (finding,) = _check(tmp_path).findings
    assert finding.rule == "misplaced" and (finding.path + finding.message + finding.actual).isprintable()


def test_a_file_that_is_far_too_large_is_told_how_large_it_may_be(tmp_path: Path) -> None:
    (tmp_path / "fig1_2.jpg").write_bytes(b"\xff\xd8\xff" + bytes(17 * 2**20))
    (found,) = _check(tmp_path).findings
    assert found.rule == "unreadable" and "with at most 16 MiB" in found.help
