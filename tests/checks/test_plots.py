"""Grids that matplotlib draws are taken apart, however the figure was saved; other plots are left whole."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image, ImageChops, ImageStat

from fixtures.faces import face
from grader.checks.plots import take_plot_apart
from grader.checks.tiles import Grid, blank

mpl.use("Agg")
FACES = [face(f"plot {i}") for i in range(25)]
GRID, TILE = (5, 5), (64, 64)


def _saved(figure: Figure, **options: Any) -> Image.Image:
    held = io.BytesIO()
    figure.savefig(held, **options)
    plt.close(figure)
    return Image.open(io.BytesIO(held.getvalue())).convert("RGB")


def _drawn(
    images: Sequence[Image.Image] = FACES,
    *,
    shape: tuple[int, int] = GRID,
    adjust: Mapping[str, float] | None = None,
    each: Callable[[Any], object] = lambda axes: axes.axis("off"),
    shown: dict[str, Any] | None = None,
    saved: dict[str, Any] | None = None,
    title: str = "",
    **figure: Any,
) -> Image.Image:
    drawing, places = plt.subplots(*shape, **figure)
    for place, image in zip(places.flat, images, strict=False):
        place.imshow(np.asarray(image), **(shown or {}))
    for place in places.flat:
        each(place)
    if adjust is not None:
        drawing.subplots_adjust(**adjust)
    if title:
        drawing.suptitle(title)
    return _saved(drawing, **({"dpi": "figure"} | (saved or {})))


def _taken(picture: Image.Image) -> Grid:
    found = take_plot_apart(picture, GRID, TILE)
    assert found is not None and (found.columns, found.rows) == GRID
    assert all(tile.size == TILE for tile in found.tiles) and len(found.boxes) == 25
    return found


def _difference(found: Grid, images: Sequence[Image.Image] = FACES) -> float:
    """The largest mean difference, in levels, of a tile from the image that was drawn."""
    pairs = zip(found.tiles, images, strict=False)
    return max(max(ImageStat.Stat(ImageChops.difference(a, b)).mean) for a, b in pairs)


@pytest.mark.parametrize(
    ("options", "size"),
    [
        ({}, (640, 480)),
        ({"figsize": (6, 4), "dpi": 72}, (432, 288)),
        ({"figsize": (6, 4), "dpi": 72, "adjust": {"bottom": 0.125}}, (432, 288)),  # as notebooks draw
        ({"figsize": (5.09, 5.1), "saved": {"bbox_inches": "tight"}}, (414, 412)),
        ({"saved": {"bbox_inches": "tight"}}, (494, 389)),
        ({"saved": {"bbox_inches": "tight", "pad_inches": 0}}, (474, 369)),
        ({"dpi": 200}, (1280, 960)),
        ({"dpi": 72}, (460, 345)),
        ({"figsize": (5, 5), "adjust": {"wspace": 0.05, "hspace": 0.05}}, (500, 500)),
        ({"facecolor": "black"}, (640, 480)),
        ({"facecolor": "#ccc"}, (640, 480)),
        ({"shown": {"aspect": "auto"}}, (640, 480)),
        ({"shown": {"interpolation": "bilinear"}}, (640, 480)),
        ({"title": "Faces after 100 epochs, drawn by the generator"}, (640, 480)),
        ({"saved": {"transparent": True, "facecolor": "white"}}, (640, 480)),
    ],
)
def test_however_it_is_saved(options: dict[str, Any], size: tuple[int, int]) -> None:
    picture = _drawn(**options)
    assert picture.size == size
    assert _difference(_taken(picture)) < 6


def test_tiles_are_exact_where_a_place_has_their_size() -> None:
    """64 pixels for each image, at whole pixels: nothing is resampled, by matplotlib or here."""
    figure = plt.figure(figsize=(4, 4), dpi=100)
    for i, image in enumerate(FACES):
        x, y = 10 + i % 5 * 74, 10 + i // 5 * 74
        axes = figure.add_axes((x / 400, 1 - (y + 64) / 400, 0.16, 0.16))
        axes.imshow(np.asarray(image))
        axes.axis("off")
    assert [t.tobytes() for t in _taken(_saved(figure)).tiles] == [f.tobytes() for f in FACES]


@pytest.mark.parametrize("across", [640, 500])
def test_images_that_touch(across: int) -> None:
    """At 640 pixels rows touch and columns don't, at 500 both do but for a pixel here and there."""
    picture = _drawn(figsize=(across / 100, 4.8 if across == 640 else 5), adjust={"wspace": 0, "hspace": 0})
    assert _difference(_taken(picture)) < 10


def test_images_that_fill_the_figure() -> None:
    edges = {"left": 0, "bottom": 0, "right": 1, "top": 1, "wspace": 0, "hspace": 0}
    assert _difference(_taken(_drawn(figsize=(5, 5), adjust=edges))) < 6


@pytest.mark.parametrize("border", [2, 6])
@pytest.mark.parametrize("colour", ["white", "black"])
def test_images_with_borders_like_the_ground(border: int, colour: str) -> None:
    """Where images end doesn't show then; matplotlib's usual margins tell."""
    framed = []
    for image in FACES:
        paper = Image.new("RGB", TILE, colour)
        paper.paste(image.crop((border, border, 64 - border, 64 - border)), (border, border))
        framed.append(paper)
    assert _difference(_taken(_drawn(framed)), framed) < 6
    assert _difference(_taken(_drawn(framed, facecolor=colour)), framed) < 6


def test_gray_images_are_shown_as_they_are() -> None:
    gray = [image.convert("L") for image in FACES]
    found = _taken(_drawn(gray, shown={"cmap": "gray", "vmin": 0, "vmax": 255}))
    assert _difference(found, [image.convert("RGB") for image in gray]) < 6


def test_titles_and_ticks_are_no_part_of_the_images() -> None:
    titled = _drawn(figsize=(8, 8), each=lambda a: (a.axis("off"), a.set_title("blue hair")))
    assert _difference(_taken(titled)) < 8
    low = _drawn(each=lambda a: (a.axis("off"), a.set_title("blue hair")))  # these reach into the images above
    assert low.size == (640, 480) and _difference(_taken(low)) < 12
    assert _difference(_taken(_drawn(figsize=(10, 10), each=lambda axes: axes))) < 8


def test_places_left_empty_are_blank_tiles() -> None:
    found = _taken(_drawn(FACES[:23]))
    assert blank(found.tiles) == [23, 24] and _difference(Grid(5, 5, found.tiles[:23])) < 6


def test_another_number_of_images_is_told() -> None:
    found = take_plot_apart(_drawn(shape=(4, 4)), GRID, TILE)
    assert found is not None and (found.columns, found.rows) == (4, 4)
    wide = _drawn(shape=(2, 10), figsize=(12, 3))
    for grid in ((10, 2), (2, 10)):
        found = take_plot_apart(wide, grid, TILE)
        assert found is not None and (found.columns, found.rows) == (10, 2)


def _curves(axes: Any) -> None:
    x = np.linspace(0, 10, 100)
    axes.plot(x, np.exp(-x))
    axes.axis("off")


@pytest.mark.parametrize(
    "picture",
    [
        lambda: _drawn([], shape=(1, 2), each=lambda a: a.plot([0, 1], [2, 1])),
        lambda: _drawn([], shape=(2, 2), figsize=(8, 8), each=lambda a: a.plot([0, 1], [2, 1])),
        lambda: _drawn([], figsize=(8, 8), each=_curves),
        lambda: FACES[0].resize((640, 480)),
        lambda: FACES[1].resize((320, 320)),
        lambda: Image.fromarray(np.random.RandomState(0).randint(0, 256, (320, 320, 3), np.uint8)),
        lambda: Image.new("RGB", (640, 480), "white"),
    ],
)
def test_other_pictures_stay_whole(picture: Callable[[], Image.Image]) -> None:
    assert take_plot_apart(picture(), GRID, TILE) is None


def test_a_single_image_in_a_plot_is_no_grid() -> None:
    for image in FACES[:5]:
        figure, axes = plt.subplots()
        axes.imshow(np.asarray(image))
        axes.axis("off")
        assert take_plot_apart(_saved(figure), GRID, TILE) is None
