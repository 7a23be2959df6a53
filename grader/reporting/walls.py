"""Walls of the images of a submission: sprite sheets small enough for one page, and where each image lies on them."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from markupsafe import Markup
from PIL import Image

from grader.checks.images import CheckedImages
from grader.reporting.outcomes import clean
from grader.text import plural, printable

BUDGET = 2_400_000  # bytes of all pictures of a page; a third more as base64
_SHARE = 0.6  # of what is left that one wall may take, small ones first, unless it is the last
MOST = 1000  # images of a wall
_ACROSS = 10  # images in a row of a sheet
_SHEET = 100  # images of a sheet where no label divides them
_SIDE = 64  # pixels that an image has at most, once shrunk
# Tried from the left until a sheet fits: lossless where that costs little, then WebP of less and less quality.
_QUALITIES = (100, 92, 82, 60, 35, 15)


@dataclass(frozen=True)
class Cell:
    """One image of a sheet, at `x` and `y` pixels. `read`: what the judge took it for if that is wrong."""

    name: str
    x: int
    y: int
    read: str = ""

    @property
    def title(self) -> str:
        """Name, and what it was read as."""
        return f"{self.name} read as {self.read}" if self.read else self.name


@dataclass(frozen=True)
class Sheet:
    """Images in rows of ten, in one picture. `title` is their class, or from which to which they count.

    `cell`: width and height of an image, in pixels of the sheet.
    """

    id: str
    title: str
    caption: str
    width: int
    height: int
    cell: tuple[int, int]
    cells: tuple[Cell, ...]
    uri: str = ""

    @property
    def misread(self) -> list[Cell]:
        """The images that were taken for another class."""
        return [cell for cell in self.cells if cell.read]

    @property
    def veil(self) -> Markup:
        """The SVG path of all images that were read right."""
        return self._path((c.x, c.y) for c in self.cells if not c.read)

    @property
    def gaps(self) -> Markup:
        """The SVG path of the places without an image."""
        width, height = self.cell
        there = {(c.x, c.y) for c in self.cells}
        places = [(x, y) for y in range(0, self.height, height) for x in range(0, self.width, width)]
        return self._path(place for place in places if place not in there)

    def _path(self, places: Iterable[tuple[int, int]]) -> Markup:
        width, height = self.cell
        return Markup("".join(f"M{x} {y}h{width}v{height}h-{width}z" for x, y in places))


@dataclass(frozen=True)
class Wall:
    """The images of a deliverable; `left_out` of them are not shown. `judged`: a judge has read them."""

    problem: str
    deliverable: str
    path: str
    sheets: tuple[Sheet, ...]
    left_out: int
    judged: bool

    @cached_property
    def places(self) -> dict[str, tuple[Sheet, Cell]]:
        """Sheet and cell of each image by its name, as findings write it."""
        return {cell.name: (sheet, cell) for sheet in self.sheets for cell in sheet.cells}

    @property
    def misread(self) -> int:
        """How many images were taken for another class."""
        return sum(len(sheet.misread) for sheet in self.sheets)


def walls(
    pictures: Mapping[tuple[str, str], CheckedImages], misread: Mapping[tuple[str, str], Mapping[str, str]]
) -> list[Wall]:
    """A wall for each folder of images. misread: by problem and deliverable, what was read by file name."""
    there = [key for key, images in pictures.items() if images.names]
    found: dict[tuple[str, str], Wall] = {}
    left = BUDGET
    for key in sorted(there, key=lambda key: _area(pictures[key])):
        share = left if len(found) == len(there) - 1 else int(_SHARE * left)
        found[key] = _wall(f"wall{len(found) + 1}", key, pictures[key], share, misread.get(key))
        left -= sum(len(sheet.uri) * 3 // 4 for sheet in found[key].sheets)
    return [found[key] for key in pictures if key in found]


def _area(images: CheckedImages) -> int:
    width, height = _cell(images)
    return min(len(images.names), MOST) * width * height


def _cell(images: CheckedImages) -> tuple[int, int]:
    width, height = images.spec.size
    shrink = min(1.0, _SIDE / max(width, height))
    return max(1, round(width * shrink)), max(1, round(height * shrink))


def _wall(id: str, key: tuple[str, str], images: CheckedImages, budget: int, misread: Mapping[str, str] | None) -> Wall:
    groups = list(_groups(images))
    shown = sum(len(group.indices) for group in groups)
    sheets = [_sheet(f"{id}s{i}", images, g, misread or {}, misread is not None) for i, g in enumerate(groups)]
    encoded = _encoded([picture for _, picture in sheets], budget)
    done = tuple(replace(head, uri=_uri(content)) for (head, _), content in zip(sheets, encoded, strict=True))
    return Wall(*key, clean(images.spec.place), done, len(images.names) - shown, misread is not None)


@dataclass(frozen=True)
class _Group:
    """Images of one sheet: their indices, their places in it, how many there should be; `label` is their class."""

    title: str
    label: str
    indices: list[int]
    places: list[int]
    size: int


def _groups(images: CheckedImages) -> Iterator[_Group]:
    """One group a class, with a gap where an image is missing; a hundred images a group where there are no classes."""
    names, field = images.spec.names, images.spec.label_field
    if names is None or field is None:
        for start in range(0, min(len(images.names), MOST), _SHEET):
            indices = list(range(start, min(start + _SHEET, len(images.names), MOST)))
            yield _Group(f"{start + 1}–{indices[-1] + 1}", "", indices, list(range(len(indices))), len(indices))
        return
    label = names.fields[field]
    classes = label.high - label.low + 1
    size = len(names) // classes
    most = max(1, MOST // classes)
    order = {name: i for i, name in enumerate(images.names)}
    for value in range(label.low, label.high + 1):
        wanted = [names.format(values) for values in names.all_values() if values[field] == value][:most]
        there = [(order[name], place) for place, name in enumerate(wanted) if name in order]
        if there:
            yield _Group(str(value), str(value), [i for i, _ in there], [place for _, place in there], min(size, most))


def _sheet(
    id: str, images: CheckedImages, group: _Group, misread: Mapping[str, str], judged: bool
) -> tuple[Sheet, Image.Image]:
    """A sheet without its picture's text, and the picture."""
    (width, height), size = _cell(images), images.spec.size
    rows = -(-group.size // _ACROSS)
    mode = images.spec.mode
    picture = Image.new(mode, (_ACROSS * width, rows * height), "#888")
    cells = []
    for i, place in zip(group.indices, group.places, strict=True):
        x, y = place % _ACROSS * width, place // _ACROSS * height
        image = Image.frombytes(mode, size, images.pixels[i])
        picture.paste(image if size == (width, height) else image.resize((width, height)), (x, y))
        cells.append(Cell(printable(images.names[i]), x, y, misread.get(images.names[i], "")))
    wrong = sum(bool(cell.read) for cell in cells)
    if not group.label:
        caption = " to ".join(printable(cell.name, 24) for cell in (cells[0], cells[-1]))
    else:
        told = f"{wrong} misread" if judged else plural(len(cells), "image")
        missing = group.size - len(cells)
        caption = f"{group.label}: {told}" + (f", {missing} missing" if missing else "")
    sheet = Sheet(id, group.title, caption, picture.width, picture.height, (width, height), tuple(cells))
    return sheet, picture


def _encoded(pictures: Sequence[Image.Image], budget: int) -> list[bytes]:
    """All pictures of a wall in the best quality that fits; halved in size where even the worst doesn't."""
    while True:
        for quality in _QUALITIES:
            found: list[bytes] = []
            for picture in pictures:
                found.append(_webp(picture, quality))
                if sum(map(len, found)) > budget:
                    break
            else:
                return found
        pictures = [picture.resize((-(-picture.width // 2), -(-picture.height // 2))) for picture in pictures]


def _webp(picture: Image.Image, quality: int) -> bytes:
    held = io.BytesIO()
    if quality == 100:
        picture.save(held, "WEBP", lossless=True, quality=50, method=3)
    else:
        picture.save(held, "WEBP", quality=quality, method=4)
    return held.getvalue()


def _uri(content: bytes) -> Markup:
    return Markup("data:image/webp;base64," + base64.b64encode(content).decode())
