"""Takes a grid of images apart that a plotting library drew: images of one size on a ground of one colour.

`matplotlib.pyplot.subplots(5, 5)` puts them at places that follow from the figure's size, margins and resolution. All
of these vary, so that nothing of them is assumed: rows and columns of the picture that hold nothing but the ground
separate the images. Where images touch, their edges must show.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import median

from PIL import Image, ImageChops

from grader.checks.ground import SMALLEST, Span, content_of, grounds, mask_of
from grader.checks.tiles import Grid, Size, blank

_SLACK = 0.15  # share of its side by which an image may seem shorter: its own border has the ground's colour
_SQUARE = 0.06  # difference of the two scales at which images have their own proportions
_STRETCHED = 2.5
_FULL = 0.5  # share of an image that isn't ground, on average, where proportions don't tell
_SPARSE = 0.1  # the same, below which it is a drawing of lines
_EDGE = 1.6  # how much stronger an edge between touching images is than a usual one
_ROUNDING = 2  # pixels between images that are meant to touch
_SMEARED = 3  # pixels that JPEG smears an image outwards
_TITLED = 1.25  # how much longer a row may seem by titles that reach into it
_BORDER = 0.3  # share of an image that may have the ground's colour at its borders, where its place is known
# What matplotlib leaves around and between axes, as shares of the figure and of an image; notebooks have more below.
_LEFT, _RIGHT, _TOP, _SPACE = 0.125, 0.9, 0.88, 0.2
_BOTTOMS = (0.11, 0.125)
_MOST = 20


@dataclass(frozen=True)
class _Axis:
    """Where images lie along one direction. `sure`: ground separates them, and all seem equally long."""

    spans: tuple[Span, ...]
    touching: bool = False
    sure: bool = False

    @property
    def side(self) -> int:
        return max(end - start for start, end in self.spans)


def take_plot_apart(picture: Image.Image, grid: Size, tile: Size) -> Grid | None:
    """The images of a plotted grid (RGB), each resampled to the size of `tile`, else None.

    Another number of images than asked for is recognised where the ground separates all of them.
    """
    for ground in grounds(picture):
        found = _on_ground(picture, mask_of(picture, ground), grid, tile)
        if found is not None:
            return found
    return _on_ground(picture, Image.new("L", picture.size, 255), grid, tile)  # images without anything around them


def _on_ground(picture: Image.Image, mask: Image.Image, grid: Size, tile: Size) -> Grid | None:
    content = content_of(mask)
    if content is None:
        return None
    asked = dict.fromkeys((grid, grid[::-1]))
    for wanted in (*asked, (len(content[0]), len(content[1]))):
        layout = _layout(content, wanted, tile, picture.size)
        if layout is None:
            continue
        columns, rows = layout
        if len(columns.spans) * len(rows.spans) == 1 or (wanted not in asked and not (columns.sure and rows.sure)):
            continue
        boxes = [(left, top, right, bottom) for top, bottom in rows.spans for left, right in columns.spans]
        least = _SPARSE if wanted in asked else _FULL
        if _plausible(mask, columns, rows, boxes, tile, least) and _edges_show(picture, columns, rows):
            tiles = tuple(_resampled(picture.crop(box), tile) for box in boxes)
            if 2 * len(blank(tiles)) <= len(tiles):
                return Grid(len(columns.spans), len(rows.spans), tiles, tuple(boxes))
    return None


def _layout(content: tuple[list[Span], list[Span]], number: Size, tile: Size, size: Size) -> tuple[_Axis, _Axis] | None:
    """Where the images lie, if they are these many across and down."""
    if usual := _usual(content, number, tile, size):
        return usual
    columns, rows = _axis(content[0], number[0]), _axis(content[1], number[1])
    if columns is None or rows is None:
        return None
    if columns.sure and not rows.sure and not rows.touching:
        rows = _without_titles(rows, columns.side * tile[1] / tile[0])
    return columns, rows


def _usual(content: tuple[list[Span], list[Span]], number: Size, tile: Size, size: Size) -> tuple[_Axis, _Axis] | None:
    """The places that matplotlib's margins give, if all content is there: images may have borders like the ground."""
    if (len(content[0]), len(content[1])) != number:
        return None
    for bottom in _BOTTOMS:
        room = (_RIGHT - _LEFT) * size[0], (_TOP - bottom) * size[1]
        cell = [length / (n + _SPACE * (n - 1)) for length, n in zip(room, number, strict=True)]
        scale = min(cell[0] / tile[0], cell[1] / tile[1])
        axes = []
        for i, start in enumerate((_LEFT * size[0], (1 - _TOP) * size[1])):
            side = scale * tile[i]
            starts = [start + n * (1 + _SPACE) * cell[i] + (cell[i] - side) / 2 for n in range(number[i])]
            axes.append(_Axis(tuple((round(s), round(s + side)) for s in starts), sure=True))
        if _holds(axes[0].spans, content[0], 0) and _holds(axes[1].spans, content[1], _TITLED - 1):
            return _seen(axes[0], content[0]), _seen(axes[1], content[1])
    return None


def _seen(axis: _Axis, stretches: list[Span]) -> _Axis:
    """The axis, with what is seen where that differs by the rounding of a pixel."""
    pairs = zip(axis.spans, stretches, strict=True)
    same = all(abs(a[0] - b[0]) <= 1 and abs(a[1] - b[1]) <= 1 for a, b in pairs)
    return replace(axis, spans=tuple(stretches)) if same else axis


def _holds(spans: tuple[Span, ...], stretches: list[Span], beyond: float) -> bool:
    """True if each stretch lies in its span and is most of it, and they don't drift apart from one to the next.

    beyond: the share of an image by which a stretch may be longer, because a title reaches into it.
    """
    drift = []
    for i, ((low, high), (start, end)) in enumerate(zip(spans, stretches, strict=True)):
        side = high - low
        if start < low - _SMEARED or end > high + max(_SMEARED, beyond * side) or end - start < (1 - _BORDER) * side:
            return False
        drift.append((i, start + min(end, high) - low - high))
    return abs(_line(drift)[0]) <= 1  # twice the drift of their centres


def _axis(stretches: list[Span], number: int) -> _Axis | None:
    """Where `number` images lie in stretches: each in one of its own, or all of them side by side in a single one."""
    if not 1 <= number <= _MOST:
        return None
    if len(stretches) != number:
        stretches = _joined(stretches)
    if len(stretches) == number:
        return _apart(stretches)
    if len(stretches) > 1:
        return None
    start, end = stretches[0]
    cuts = [round(start + i * (end - start) / number) for i in range(number + 1)]
    return _Axis(tuple(pairwise(cuts)), touching=True) if cuts[1] - cuts[0] >= SMALLEST else None


def _joined(stretches: list[Span]) -> list[Span]:
    """Stretches with a pixel or two between them made one: places that touch but for rounding."""
    joined = [stretches[0]]
    for start, end in stretches[1:]:
        if start - joined[-1][1] <= _ROUNDING:
            joined[-1] = joined[-1][0], end
        else:
            joined.append((start, end))
    return joined


def _apart(stretches: list[Span]) -> _Axis | None:
    """Images with ground between them. One that seems shorter than the others has a border like the ground."""
    side = max(end - start for start, end in stretches)
    whole = [i for i, (start, end) in enumerate(stretches) if end - start >= side - 1]
    if len(whole) == len(stretches):
        pitch, first = _line([(i, start) for i, (start, _) in enumerate(stretches)])
        even = all(abs(start - first - i * pitch) <= 2 for i, (start, _) in enumerate(stretches))
        return _Axis(tuple(stretches), sure=True) if even else None
    points = [(i, stretches[i][0]) for i in whole] if len(whole) > 1 else _centred(stretches, side)
    pitch, first = _line(points)
    if any(abs(start - first - i * pitch) > max(2, _SLACK * side) for i, (start, _) in enumerate(stretches)):
        return None
    spans = (s if i in whole else _widened(s, side, round(first + i * pitch)) for i, s in enumerate(stretches))
    return _Axis(tuple(spans))


def _without_titles(rows: _Axis, side: float) -> _Axis:
    """Rows cut off below where the next row's titles reach into them: columns say how high images are."""
    if not all(side - 1 <= end - start <= _TITLED * side for start, end in rows.spans):
        return rows
    return _Axis(tuple((start, min(end, start + round(side))) for start, end in rows.spans), sure=True)


def _centred(stretches: list[Span], side: int) -> list[tuple[int, int]]:
    return [(i, (start + end - side) // 2) for i, (start, end) in enumerate(stretches)]


def _line(points: list[tuple[int, int]]) -> tuple[float, float]:
    """Slope and start of the straight line through points with at least two different first coordinates."""
    n = len(points)
    x, y = sum(p[0] for p in points) / n, sum(p[1] for p in points) / n
    spread = sum((p[0] - x) ** 2 for p in points)
    slope = sum((p[0] - x) * (p[1] - y) for p in points) / spread if spread else 0.0
    return slope, y - slope * x


def _widened(span: Span, side: int, start: int) -> Span:
    """A span of the full side that holds this one and starts as near to `start` as it can."""
    start = max(0, min(max(start, span[1] - side), span[0]))
    return start, start + side


def _plausible(
    mask: Image.Image,
    columns: _Axis,
    rows: _Axis,
    boxes: list[tuple[int, int, int, int]],
    tile: Size,
    least: float,
) -> bool:
    """Images have their own proportions, or fill their places where they are stretched; lines fill nothing."""
    scales = columns.side / tile[0], rows.side / tile[1]
    ratio = max(scales) / min(scales)
    area = sum((right - left) * (bottom - top) for left, top, right, bottom in boxes)
    filled = sum(mask.crop(box).histogram()[255] for box in boxes) / area
    if ratio <= 1 + max(_SQUARE, 2 / min(columns.side, rows.side)):
        return filled >= least
    return ratio <= _STRETCHED and filled >= _FULL and columns.sure and rows.sure


def _edges_show(picture: Image.Image, columns: _Axis, rows: _Axis) -> bool:
    """True unless images that touch have no edge between them: then it is one picture."""
    top, bottom = rows.spans[0][0], rows.spans[-1][1]
    left, right = columns.spans[0][0], columns.spans[-1][1]
    whole = picture.crop((left, top, right, bottom))
    return (not columns.touching or _edges(whole, [c[0] - left for c in columns.spans[1:]])) and (
        not rows.touching or _edges(whole.transpose(Image.Transpose.TRANSPOSE), [r[0] - top for r in rows.spans[1:]])
    )


def _edges(picture: Image.Image, places: list[int]) -> bool:
    """Whether the picture changes more at these columns than it usually does from one column to the next."""
    width, height = picture.size
    change = ImageChops.difference(picture.crop((1, 0, width, height)), picture.crop((0, 0, width - 1, height)))
    strength = change.convert("L").resize((width - 1, 1), Image.Resampling.BOX).tobytes()
    usual = median(strength) or 1.0
    found = [max(strength[max(0, x - 2) : x + 1], default=0.0) for x in places]
    return bool(found) and min(found) >= _EDGE * usual


def _resampled(image: Image.Image, tile: Size) -> Image.Image:
    """Unchanged where the size is the tile's, averaged where it is a multiple of it."""
    if image.size == tile:
        return image
    exact = image.width % tile[0] == 0 and image.height % tile[1] == 0
    return image.resize(tile, Image.Resampling.BOX if exact else Image.Resampling.BICUBIC)
