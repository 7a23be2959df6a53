"""File-name formats such as `{digit}_{number:03}.png`, and what a wrong name was probably meant to be."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod

_PLACEHOLDER = re.compile(r"\{([a-z_]+)(?::0(\d+))?\}")
_IMAGE_ENDINGS = ("png", "jpg", "jpeg", "bmp", "gif", "tif", "tiff", "webp")


@dataclass(frozen=True)
class NameField:
    """A number in a file name: `low` to `high`, both included, zero-padded to `width` digits (1 is no padding).

    `least`: the range may end anywhere from there to `high`, at the same number in the whole folder; None if it must
    end at `high`.
    """

    name: str
    low: int
    high: int
    width: int = 1
    least: int | None = None

    def holds(self, value: int) -> bool:
        """True if the value is in the range."""
        return self.low <= value <= self.high

    def text(self, value: int) -> str:
        """The number as it stands in a file name."""
        return f"{value:0{self.width}d}"


@dataclass(frozen=True)
class NameFormat:
    """The exact names that a folder must hold: every combination of the fields' values, once.

    >>> names = NameFormat("{digit}_{number:03}.png", (NameField("digit", 0, 9), NameField("number", 1, 100, 3)))
    >>> len(names), names.format((7, 12)), names.parse("7_012.png"), names.parse("7_12.png")
    (1000, '7_012.png', (7, 12), None)
    """

    template: str
    fields: tuple[NameField, ...]

    def __len__(self) -> int:
        return prod(f.high - f.low + 1 for f in self.fields)

    @property
    def smallest(self) -> NameFormat:
        """The format with every range ending as early as it may."""
        fields = (f if f.least is None else replace(f, high=f.least) for f in self.fields)
        return NameFormat(self.template, tuple(fields))

    @cached_property
    def _literals(self) -> list[str]:
        return _PLACEHOLDER.split(self.template)[::3]

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        parts = [re.escape(self._literals[0])]
        for literal in self._literals[1:]:
            parts += ["([0-9]+)", re.escape(literal)]
        return re.compile("".join(parts))

    @property
    def ending(self) -> str:
        """The extension with its dot: `.png`."""
        return "." + self.template.rpartition(".")[2]

    def format(self, values: tuple[int, ...]) -> str:
        """The file name of these field values."""
        texts = [f.text(v) for f, v in zip(self.fields, values, strict=True)]
        return self._literals[0] + "".join(t + lit for t, lit in zip(texts, self._literals[1:], strict=True))

    def parse(self, name: str) -> tuple[int, ...] | None:
        """The field values of a name that is exactly in the format, else None. `format` undoes it."""
        match = self._pattern.fullmatch(name)
        if match is None:
            return None
        values = tuple(int(text) for text in match.groups())
        return values if self.holds(values) and self.format(values) == name else None

    def holds(self, values: tuple[int, ...]) -> bool:
        """True if every value lies in its field's range."""
        return all(f.holds(v) for f, v in zip(self.fields, values, strict=True))

    def guess(self, name: str) -> tuple[int, ...] | None:
        """The numbers in a name, in the order of the fields, whatever separates and surrounds them, or None.

        >>> names = NameFormat("{digit}_{number:03}.png", (NameField("digit", 0, 9), NameField("number", 1, 100, 3)))
        >>> names.guess("0-1.png"), names.guess("fake_10_001.JPG"), names.guess("notes.png")
        ((0, 1), (10, 1), None)
        """
        stem = name.rpartition(".")[0] or name
        numbers = re.findall(r"[0-9]+", stem)
        if len(numbers) != len(self.fields) or any(len(n) > 9 for n in numbers):
            return None
        return tuple(int(n) for n in numbers)

    def all_names(self) -> list[str]:
        """Every name, in the order of the values: the first field slowest."""
        return [self.format(values) for values in self.all_values()]

    def all_values(self) -> itertools.product[tuple[int, ...]]:
        """Every combination of values, the first field slowest."""
        return itertools.product(*(range(f.low, f.high + 1) for f in self.fields))

    def span(self) -> str:
        """First to last name, for messages: `0_001.png to 9_100.png`."""
        first = self.format(tuple(f.low for f in self.fields))
        return f"{first} to {self.format(tuple(f.high for f in self.fields))}"


def placeholders(template: str) -> list[tuple[str, int]]:
    """Field names and widths of a template, in order.

    >>> placeholders("{digit}_{number:03}.png")
    [('digit', 1), ('number', 3)]
    """
    return [(m[1], int(m[2] or 1)) for m in _PLACEHOLDER.finditer(template)]


def looks_like_image(name: str) -> bool:
    """True if the extension, in any case, is that of a picture."""
    stem, _, ending = name.rpartition(".")
    return bool(stem) and ending.lower() in _IMAGE_ENDINGS
