"""Takes a regular grid of images apart into its tiles, as `torchvision.utils.make_grid` puts them together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageDraw, ImageStat

_SCALES = (1, 2, 3, 4)  # a grid may be saved enlarged by a whole factor
_WIDEST_PADDING = 10  # pixels between two images, before any enlarging
_MOST = 20  # images in a row or a column
# Standard deviation of the lines between the images, in levels: JPEG smears the images into lines of two pixels.
_NOISE_ASKED = 40.0
_NOISE_OTHER = 25.0  # stricter where the number of images isn't the one asked for
_BLANK = 3.0  # standard deviation of an image of one colour, after JPEG
_COARSE = 4  # pixels that are taken together for that
_SAME = 8.0  # mean difference, in levels, of two images that are the same but for JPEG's noise

Size = tuple[int, int]


@dataclass(frozen=True)
class Grid:
    """A picture taken apart: `tiles` from left to right and from top to bottom, RGB, each of the size asked for.

    `boxes`: left, top, right and bottom of each in the picture.
    """

    columns: int
    rows: int
    tiles: tuple[Image.Image, ...]
    boxes: tuple[tuple[int, int, int, int], ...] = ()


@dataclass(frozen=True)
class _Layout:
    """Where the tiles of a grid lie. `padding`: pixels between them; `outer`: also around them."""

    columns: int
    rows: int
    scale: int
    padding: int
    outer: bool

    def boxes(self, tile: Size) -> Iterator[tuple[int, int, int, int]]:
        """Left, top, right and bottom of each tile, in the order of reading."""
        width, height = tile[0] * self.scale, tile[1] * self.scale
        margin = self.padding if self.outer else 0
        for row in range(self.rows):
            for column in range(self.columns):
                x, y = margin + column * (width + self.padding), margin + row * (height + self.padding)
                yield x, y, x + width, y + height


def take_apart(picture: Image.Image, grid: Size, tile: Size) -> Grid | None:
    """The tiles of a picture (RGB) that is a regular grid of tiles of this size, else None.

    A grid of another number of columns and rows is recognised too, where lines of one colour separate the tiles.
    """
    columns, rows = grid
    best: tuple[float, _Layout] | None = None
    for layout in _layouts(picture.size, tile):
        asked = (layout.columns, layout.rows) in ((columns, rows), (rows, columns))
        if not layout.padding:
            if asked:  # nothing but the size says so
                best = best or (_NOISE_ASKED, layout)
            continue
        noise = _noise_of_lines(picture, layout, tile)
        if noise <= (_NOISE_ASKED if asked else _NOISE_OTHER) and (best is None or noise < best[0]):
            best = noise, layout
    if best is None:
        return None
    layout = best[1]
    tiles = tuple(picture.crop(box).reduce(layout.scale) for box in layout.boxes(tile))
    sure = layout.padding and (layout.columns, layout.rows) in ((columns, rows), (rows, columns))
    if not sure and len(blank(tiles)) * 2 > len(tiles):
        return None  # a plot, with much of one colour in it
    return Grid(layout.columns, layout.rows, tiles, tuple(layout.boxes(tile)))


def blank(tiles: tuple[Image.Image, ...]) -> list[int]:
    """Indices of the tiles of a single colour, but for an edge that JPEG smears."""
    return [i for i, tile in enumerate(tiles) if max(ImageStat.Stat(_inner(tile)).stddev) < _BLANK]


def _inner(tile: Image.Image) -> Image.Image:
    edge = min(tile.size) // 8
    return tile.crop((edge, edge, tile.width - edge, tile.height - edge))


def repeated(tiles: tuple[Image.Image, ...]) -> list[tuple[int, int]]:
    """Each tile that shows what an earlier one shows, as its index and that of the first such one."""
    empty = set(blank(tiles))
    first: list[int] = []
    found = []
    for i, tile in enumerate(tiles):
        if i in empty:
            continue
        same = next((j for j in first if _difference(tile, tiles[j]) < _SAME), None)
        if same is None:
            first.append(i)
        else:
            found.append((i, same))
    return found


def _difference(a: Image.Image, b: Image.Image) -> float:
    # Means over a few pixels: JPEG's noise cancels out there, and what an image shows doesn't.
    return max(ImageStat.Stat(ImageChops.difference(a.reduce(_COARSE), b.reduce(_COARSE))).mean)


def _layouts(size: Size, tile: Size) -> Iterator[_Layout]:
    """Every layout of more than one tile that gives a picture of exactly this size."""
    for scale in _SCALES:
        across = list(_divisions(size[0], tile[0] * scale, scale))
        down = set(_divisions(size[1], tile[1] * scale, scale))
        for columns, padding, outer in across:
            for rows, other, around in down:
                # A single row or column has no line within, so that nothing is known of its inner padding.
                fits = padding == other or (not outer and 1 in (columns, rows))
                if outer == around and fits and columns * rows > 1:
                    yield _Layout(columns, rows, scale, max(padding, other), outer)


def _divisions(length: int, side: int, scale: int) -> Iterator[tuple[int, int, bool]]:
    """How a length is made up of tiles: their number, the padding, and whether it lies around them too."""
    for n in range(1, min(_MOST, length // side) + 1):
        left = length - n * side
        if left == 0:
            yield n, 0, False
        elif left % (n + 1) == 0 and left // (n + 1) <= _WIDEST_PADDING * scale:
            yield n, left // (n + 1), True
        elif n > 1 and left % (n - 1) == 0 and left // (n - 1) <= _WIDEST_PADDING * scale:
            yield n, left // (n - 1), False


def _noise_of_lines(picture: Image.Image, layout: _Layout, tile: Size) -> float:
    """How far the lines between and around the tiles are from one colour: a standard deviation in levels."""
    lines = Image.new("L", picture.size, 255)
    draw = ImageDraw.Draw(lines)
    for left, top, right, bottom in layout.boxes(tile):
        draw.rectangle((left, top, right - 1, bottom - 1), fill=0)
    return max(ImageStat.Stat(picture, lines).stddev)
