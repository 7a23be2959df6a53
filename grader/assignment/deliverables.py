"""Reads the deliverables of a problem: image folders, tables, figures."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal, cast

from grader.assignment.model import Deliverable, FigureSpec, ImagesSpec, TableSpec
from grader.assignment.names import NameField, NameFormat, placeholders
from grader.assignment.toml import Section

MOST_IMAGES = 20_000
_WIDEST = 9
_RANGE = "first and last value, the first not above the last"
_MOST_CLASSES = 1000
_WIDEST_IMAGE = 4096
_MOST_TILES = 20  # in a row or a column of a figure
_FIGURES = (".jpg", ".jpeg", ".png")


def read_deliverables(sections: Sequence[Section]) -> tuple[Deliverable, ...]:
    """The deliverables in the order of the file. A table may speak of images that stand above it."""
    found: list[Deliverable] = []
    for section in sections:
        above = {d.id: d for d in found if isinstance(d, ImagesSpec)}
        kind = section.choice("kind", ["images", "table", "figure"])
        if kind == "table":
            found.append(_table(section, above))
        else:
            found.append(_figure(section) if kind == "figure" else _images(section))
        section.done()
    return tuple(found)


def _head(section: Section) -> tuple[str, str, bool]:
    return section.text("id"), section.path("path"), section.flag("required", True)


def _table(section: Section, above: Mapping[str, ImagesSpec]) -> TableSpec:
    name, path, required = _head(section)
    columns = section.texts("columns", ("image_name", "label"))
    if len(columns) != 2:
        section.fail("expected two column names, the image's and the label's", "columns")
    both = (columns[0], columns[1])
    if "images" not in section.values:
        answers, count = section.path("answers"), section.count("answers_count", 0)
        return TableSpec(name, path, both, _labels(section), answers, count, required)
    images = above.get(section.text("images"))
    if images is None or images.names is None:
        named = ", ".join(d.id for d in above.values() if d.names) or "there is none"
        section.fail(f"expected the id of an image folder with 'names' that stands above this one: {named}", "images")
    fields = {f.name: f for f in images.names.fields}
    field = fields[section.choice("field", fields)]
    return TableSpec(name, path, both, (field.low, field.high), "", 0, required, images.id, field.name)


def _images(section: Section) -> ImagesSpec:
    name, path, required = _head(section)
    names, label = _names(section)
    count = section.count("count", len(names) if names else None)
    if not 0 < count <= MOST_IMAGES or (names and len(names) != count):
        found = f"the names in 'names' are {len(names)}" if names else f"found {count}"
        section.fail(f"expected the number of images, 1 to {MOST_IMAGES}; {found}", "count")
    one_for_each = section.path("one_for_each", "")
    if one_for_each and (names is None or len(names.fields) != 1 or names.fields[0].least is not None):
        expected = "names with one number, whose range holds all pictures of that folder, such as '{number:05}.png'"
        section.fail(f"expected {expected}", "one_for_each")
    mode = cast(Literal["RGB", "L"], section.choice("mode", ["RGB", "L"], "RGB"))
    format_ = cast(Literal["PNG"], section.choice("format", ["PNG"], "PNG"))
    size = _size(section, "size")
    copies, alike = section.paths("copies_of"), section.flag("alike", False)
    repeats = section.choice("repeats", ["", *(f.name for f in names.fields)] if names else [""], "")
    return ImagesSpec(
        name, path, count, size, mode, format_, names, label, required, copies, one_for_each, alike, repeats
    )


def _figure(section: Section) -> FigureSpec:
    name, path, required = _head(section)
    if not path.lower().endswith(_FIGURES):
        section.fail(f"expected a name that ends in {', '.join(_FIGURES)}", "path")
    if "grid" not in section.values:
        if "tile" in section.values:
            section.fail("is the size of the images of a grid: needs 'grid', columns and rows", "tile")
        return FigureSpec(name, path, None, (0, 0), required)
    grid = section.pair("grid", "columns and rows of images", ordered=False)
    if not all(1 <= n <= _MOST_TILES for n in grid) or grid == (1, 1):
        section.fail(f"expected columns and rows from 1 to {_MOST_TILES}, and more than one image", "grid")
    return FigureSpec(name, path, grid, _size(section, "tile"), required, section.flag("alike", False))


def _size(section: Section, key: str) -> tuple[int, int]:
    width, height = section.pair(key, "width and height in pixels", ordered=False)
    if not (0 < width <= _WIDEST_IMAGE and 0 < height <= _WIDEST_IMAGE):
        section.fail(f"expected 1 to {_WIDEST_IMAGE} pixels, found {width}x{height}", key)
    return width, height


def _labels(section: Section) -> tuple[int, int]:
    low, high = section.pair("labels", "the lowest and the highest label", (0, 9))
    if high - low >= _MOST_CLASSES:
        section.fail(f"expected at most {_MOST_CLASSES} classes, found {high - low + 1}", "labels")
    return low, high


def _names(section: Section) -> tuple[NameFormat | None, str]:
    """The optional table `names`: a template and, for each placeholder, its range."""
    if "names" not in section.values:
        if "label" in section.values:
            section.fail("a label is a part of the names: needs a table [problem.deliverable.names]", "label")
        return None, ""
    table = section.table("names")
    template = table.text("template")
    found = placeholders(template)
    leftover = re.sub(r"\{[^{}]*\}", "", template)
    if not found or len({f for f, _ in found}) != len(found) or len(found) != template.count("{"):
        table.fail("expected placeholders with different names, such as '{digit}_{number:03}.png'", "template")
    if "/" in template or "{" in leftover or "}" in leftover or not template.endswith(".png"):
        table.fail("expected one file name that ends in .png, such as '{digit}_{number:03}.png'", "template")
    if "}{" in template or any(width > _WIDEST for _, width in found):
        table.fail(f"expected something between two numbers, and numbers of {_WIDEST} digits at most", "template")
    if reserved := {"least", "template"} & {f for f, _ in found}:
        table.fail(f"{reserved.pop()!r} is a key of this table: call the number something else", "template")
    names = NameFormat(template, tuple(NameField(f, *table.pair(f, _RANGE), width) for f, width in found))
    if len(names) > MOST_IMAGES:
        table.fail(f"expected at most {MOST_IMAGES} names, found {len(names)}", "template")
    names = _with_least(names, table.table("least"))
    table.done()
    return names, _label(section, names) if "label" in section.values else ""


def _with_least(names: NameFormat, table: Section) -> NameFormat:
    """The optional table `names.least`: where a number's range may end at the earliest."""
    fields = []
    for f in names.fields:
        least = table.count(f.name) if f.name in table.values else None
        if least is not None and not f.low <= least <= f.high:
            table.fail(f"expected a number of its range, {f.low} to {f.high}; found {least}", f.name)
        fields.append(replace(f, least=least))
    table.known |= {f.name for f in names.fields}
    table.done()
    return NameFormat(names.template, tuple(fields))


def _label(section: Section, names: NameFormat) -> str:
    label = section.choice("label", [f.name for f in names.fields])
    if next(f for f in names.fields if f.name == label).least is not None:
        section.fail("a class is always there: its range can't end anywhere, as 'least' says", "label")
    return label
