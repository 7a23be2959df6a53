"""Reads the deliverables of a problem: image folders, tables, figures."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal, cast

from grader.assignment.names import NameField, NameFormat, placeholders
from grader.assignment.specs import ANY_SIZE, FIGURES, Deliverable, FigureSpec, ImagesSpec, LogSpec, TableSpec
from grader.assignment.toml import Section

MOST_IMAGES = 20_000
MOST_ROWS = 100_000
_WIDEST = 9
_RANGE = "first and last value, the first not above the last"
_MOST_CLASSES = 1000
_WIDEST_IMAGE = 4096
_MOST_TILES = 20  # in a row or a column of a figure
_KINDS = {"images", "table", "figure", "log"}


def read_deliverables(sections: Sequence[Section]) -> tuple[Deliverable, ...]:
    """The deliverables in the order of the file. A table or a folder may speak of images that stand above it."""
    found: list[Deliverable] = []
    for section in sections:
        above = {d.id: d for d in found if isinstance(d, ImagesSpec)}
        kind = section.choice("kind", _KINDS)
        if kind == "table":
            found.append(_table(section, above))
        elif kind == "images":
            found.append(_like(section, above) if "same_names" in section.values else _images(section))
        else:
            found.append(_figure(section) if kind == "figure" else _log(section))
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
    mode, format_, size = _form(section)
    copies, alike = section.paths("copies_of"), section.flag("alike", False)
    repeats = section.choice("repeats", ["", *(f.name for f in names.fields)] if names else [""], "")
    return ImagesSpec(
        name,
        path,
        count,
        size,
        mode,
        format_,
        names,
        label,
        required,
        copies,
        one_for_each,
        alike,
        repeats,
        _at_least(section, names, count),
        exact=_exact(section, one_for_each),
    )


def _exact(section: Section, one_for_each: str) -> bool:
    if section.flag("exact", False) and not one_for_each:
        section.fail("is for images with 'one_for_each', the folder of those that are to be met", "exact")
    return section.flag("exact", False)


def _at_least(section: Section, names: NameFormat | None, count: int) -> int:
    if "least" not in section.values:
        return 0
    least = section.count("least")
    if names is not None:
        section.fail(
            "is for images of any names; where numbers may end is said in [problem.deliverable.names.least]", "least"
        )
    if not 0 < least <= count:
        section.fail(f"expected how many images are enough, 1 to {count}; found {least}", "least")
    return least


def _form(section: Section) -> tuple[Literal["RGB", "L"], Literal["PNG"], tuple[int, int]]:
    """Mode, format and size of images; `size = "one"` for any size that all of them have."""
    mode = cast(Literal["RGB", "L"], section.choice("mode", ["RGB", "L"], "RGB"))
    format_ = cast(Literal["PNG"], section.choice("format", ["PNG"], "PNG"))
    if isinstance(section.values.get("size"), str):
        section.choice("size", ["one"])
        return mode, format_, ANY_SIZE
    return mode, format_, _size(section, "size")


def _like(section: Section, above: Mapping[str, ImagesSpec]) -> ImagesSpec:
    """A folder whose images are named as those of another one."""
    name, path, required = _head(section)
    other = above.get(section.text("same_names"))
    if other is None or other.names is not None or other.same_names:
        named = ", ".join(d.id for d in above.values() if not d.names and not d.same_names) or "there is none"
        section.fail(
            f"expected the id of an image folder of any names that stands above this one: {named}", "same_names"
        )
    mode, format_, size = _form(section)
    copies, alike = section.paths("copies_of"), section.flag("alike", False)
    return ImagesSpec(
        name,
        path,
        other.count,
        size,
        mode,
        format_,
        None,
        "",
        required,
        copies,
        alike=alike,
        at_least=other.at_least,
        same_names=other.id,
    )


def _log(section: Section) -> LogSpec:
    name, path, required = _head(section)
    if not path.endswith(".csv"):
        section.fail("expected a name that ends in .csv", "path")
    columns = section.texts("columns", ())
    if len(columns) < 2 or len(set(columns)) < len(columns):
        section.fail("expected different column names: the one that counts steps, then at least one other", "columns")
    if odd := [name for name in columns if name != name.strip() or "," in name or '"' in name]:
        section.fail(f"expected names as they stand between the commas of a csv, found {odd[0]!r}", "columns")
    least = section.count("least", 2)
    if not 2 <= least <= MOST_ROWS:
        section.fail(f"expected how many rows there must be, 2 to {MOST_ROWS}; found {least}", "least")
    return LogSpec(name, path, columns, least, required)


def _figure(section: Section) -> FigureSpec:
    name, path, required = _head(section)
    if not path.lower().endswith(FIGURES):
        section.fail(f"expected a name that ends in {', '.join(FIGURES)}", "path")
    copies = section.paths("copies_of")
    if "grid" not in section.values:
        if copies:
            section.fail("is looked for in the images of a grid: needs 'grid', columns and rows", "copies_of")
        if "tile" in section.values:
            section.fail("is the size of the images of a grid: needs 'grid', columns and rows", "tile")
        return FigureSpec(name, path, None, (0, 0), required)
    grid = section.pair("grid", "columns and rows of images", ordered=False)
    if not all(1 <= n <= _MOST_TILES for n in grid) or grid == (1, 1):
        section.fail(f"expected columns and rows from 1 to {_MOST_TILES}, and more than one image", "grid")
    return FigureSpec(name, path, grid, _size(section, "tile"), required, section.flag("alike", False), copies)


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
    # With digits alone between two numbers a name can be read in many ways, and to try them all takes ages.
    if re.search(r"\}[0-9]*\{", template) or any(width > _WIDEST for _, width in found):
        table.fail(
            f"expected something other than digits between two numbers, and numbers of {_WIDEST} digits at most",
            "template",
        )
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
