"""Typed access to a TOML file, with errors that name file, line, key, what was expected and the nearest spelling."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

from grader.errors import AssignmentError
from grader.text import did_you_mean, nearest, printable

Key = tuple[str | int, ...]
_LARGEST = 200_000  # bytes
_LONGEST_LINE = 5_000
_LARGEST_NUMBER = 10**9
_YEARS = range(2000, 2101)  # far outside of them, times can't be computed with
_DEEPEST = 30  # tables and lists within each other
_LONGEST_KEY = 200
_LONGEST_MESSAGE = 2000
_MOST_PARSED = 2_000_000  # characters, to find the line of an error: an honest file takes half of that at most


@dataclass(frozen=True)
class Source:
    """One TOML file: its name for messages, its text, and the parsed document."""

    name: str
    text: str
    document: dict[str, Any]

    @classmethod
    def read(cls, path: Path) -> Source:
        """Reads and parses the file; AssignmentError says what is wrong with it."""
        try:
            with open(path, "rb") as f:
                raw = f.read(_LARGEST + 1)
        except OSError as e:
            raise AssignmentError(f"{path}: can't be read: {e.strerror}") from None
        return cls.parse(str(path), raw)

    @classmethod
    def parse(cls, name: str, raw: bytes) -> Source:
        """The file's content; `name` is for messages."""
        if len(raw) > _LARGEST:
            raise AssignmentError(f"{name}: larger than {_LARGEST} bytes; that is no assignment file")
        try:
            text = raw.decode("utf-8-sig").replace("\r\n", "\n")
            if any(len(line) > _LONGEST_LINE for line in text.split("\n")):
                raise ValueError(f"a line of more than {_LONGEST_LINE} characters")
            document = tomllib.loads(text)
            if _depth(document) > _DEEPEST:
                raise ValueError(f"tables or lists more than {_DEEPEST} deep")
            return cls(name, text, document)
        except UnicodeDecodeError as e:
            raise AssignmentError(f"{name}: not UTF-8 text (byte {e.start})") from None
        except (ValueError, RecursionError) as e:  # a number of 5000 digits is a ValueError too
            raise AssignmentError(f"{name}: not valid TOML: {printable(str(e), _LONGEST_MESSAGE)}") from None

    def line_of(self, key: Key) -> int:
        """The line (from 1) at which the key's value first stands; where that takes too long, a line near it.

        tomllib keeps no positions, but the first prefix of the file that parses and has the key ends with it.
        """
        prefixes = _Prefixes(self.text.split("\n"))
        # Statements end where a prefix parses. Longer prefixes keep the key: bisection finds the first with it.
        low, high = 0, len(prefixes.lines)
        try:
            while low < high:
                middle = (low + high) // 2
                end, document = prefixes.parsable(middle)
                if end > len(prefixes.lines) or _has(document, key):
                    high = middle
                else:
                    low = end + 1
            # `low` is within the statement that brings the key; the statement starts after the last end before it.
            start = low
            while start > 1 and prefixes.parsable(start - 1)[0] >= low:
                start -= 1
        except _TooSlow:
            return max(1, low)
        return max(1, start)

    def fail(self, key: Key, message: str) -> NoReturn:
        """Raises AssignmentError: `file:line: key: message`."""
        where = printable(dotted(key), _LONGEST_KEY)
        raise AssignmentError(f"{self.name}:{self.line_of(key)}: {where}: {printable(message, _LONGEST_MESSAGE)}")


class _TooSlow(Exception):
    pass


@dataclass
class _Prefixes:
    """The lines of a file, whose prefixes are parsed up to so many characters in all."""

    lines: list[str]
    left: int = _MOST_PARSED

    def parsable(self, least: int) -> tuple[int, dict[str, Any]]:
        """The shortest prefix of at least this many lines that parses, as its length and content. Raises _TooSlow."""
        for end in range(least, len(self.lines) + 1):
            text = "\n".join(self.lines[:end])
            self.left -= len(text)
            if self.left < 0:
                raise _TooSlow
            try:
                return end, tomllib.loads(text)
            except ValueError:
                continue
        return len(self.lines) + 1, {}


def _depth(document: Any) -> int:
    """How deep tables and lists lie in each other. Level by level: dotted keys nest deeper than Python's stack."""
    depth, level = 0, [document]
    while level := [inner for value in level if isinstance(value, dict | list) for inner in _inside(value)]:
        depth += 1
    return depth


def _inside(value: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def _has(document: Any, key: Key) -> bool:
    try:
        for part in key:
            document = document[part]
    except (KeyError, IndexError, TypeError):
        return False
    return True


def dotted(key: Key) -> str:
    """A key path as people write it.

    >>> dotted(("problem", 0, "measure", 2, "id"))
    'problem[0].measure[2].id'
    """
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in key)
    return text.lstrip(".") or "(top level)"


@dataclass
class Section:
    """One table of the file. Every getter marks its key as known; `done` refuses whatever is left."""

    source: Source
    key: Key
    values: dict[str, Any]
    known: set[str] = field(default_factory=set)

    def _take(self, name: str, kind: type | tuple[type, ...], expected: str, default: Any) -> Any:
        self.known.add(name)
        if name not in self.values:
            if default is not None:
                return default
            present = nearest(name, set(self.values) - self.known)
            hint = f" Is {present!r} a misspelling of it?" if present else ""
            self.fail(f"needs the key {name!r} ({expected}).{hint}")
        value = self.values[name]
        # bool is an int in Python, never in an assignment.
        if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            self.fail(f"expected {expected}, found {shown(value)}", name)
        return value

    def fail(self, message: str, *below: str | int) -> NoReturn:
        """Raises AssignmentError for this table, or for a key below it."""
        self.source.fail((*self.key, *below), message)

    def text(self, name: str, default: str | None = None) -> str:
        """A string without control characters; not empty unless that is the default."""
        value: str = self._take(name, str, "a text", default)
        if (not value and default != "") or not value.isprintable():
            self.fail(f"expected a text of printable characters, found {shown(value)}", name)
        return value

    def choice(self, name: str, choices: Iterable[str], default: str | None = None) -> str:
        """One of the given words."""
        allowed = sorted(choices)
        value = self.text(name, default)
        if value not in allowed:
            hint = did_you_mean(value, allowed)
            self.fail(f"expected one of {', '.join(allowed)}; found {shown(value)}.{hint}", name)
        return value

    def path(self, name: str, default: str | None = None) -> str:
        """A relative path with `/`, without `..`."""
        value = self.text(name, default)
        self._relative(name, value)
        return value

    def paths(self, name: str) -> tuple[str, ...]:
        """A list of such paths; empty where it is absent."""
        values = self.texts(name, ())
        for value in values:
            self._relative(name, value)
        return values

    def _relative(self, name: str, value: str) -> None:
        parts = value.split("/")
        if value and (value.startswith("/") or "\\" in value or not all(p not in ("", ".", "..") for p in parts)):
            self.fail(f"expected a relative path such as 'digits/usps/test.csv', found {shown(value)}", name)

    def flag(self, name: str, default: bool) -> bool:
        """true or false."""
        return bool(self._take(name, bool, "true or false", default))

    def count(self, name: str, default: int | None = None) -> int:
        """A whole number, 0 or more."""
        value: int = self._take(name, int, "a whole number", default)
        if not 0 <= value <= _LARGEST_NUMBER:
            self.fail(f"expected 0 to {_LARGEST_NUMBER}, found {shown(value)}", name)
        return value

    def number(self, name: str, default: float | None = None) -> float:
        """A finite number."""
        value = self._take(name, (int, float), "a number", default)
        if not -_LARGEST_NUMBER <= value <= _LARGEST_NUMBER:
            self.fail(f"expected a finite number up to {_LARGEST_NUMBER}, found {shown(value)}", name)
        return float(value)

    def moment(self, name: str) -> datetime:
        """A time with its zone: TOML's own, or a text in the same form."""
        expected = "a time with its zone, such as 2026-11-05T23:59:00+08:00"
        value = self._take(name, (datetime, str), expected, None)
        try:
            moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None or moment.year not in _YEARS:
            self.fail(f"expected {expected}; found {shown(str(value))}", name)
        return moment

    def pair(
        self, name: str, meaning: str, default: tuple[int, int] | None = None, *, ordered: bool = True
    ) -> tuple[int, int]:
        """Two whole numbers, 0 or more: `[1, 100]`; `ordered`: the first not above the second."""
        expected = f"two whole numbers, {meaning}"
        value = self._take(name, list, expected, None if default is None else list(default))
        whole = all(isinstance(v, int) and not isinstance(v, bool) and 0 <= v <= _LARGEST_NUMBER for v in value)
        if len(value) != 2 or not whole or (ordered and value[0] > value[1]):
            self.fail(f"expected {expected}; found {shown(value)}", name)
        return value[0], value[1]

    def texts(self, name: str, default: tuple[str, ...]) -> tuple[str, ...]:
        """A list of strings."""
        value = self._take(name, list, "a list of texts", list(default))
        if not all(isinstance(v, str) and v for v in value):
            self.fail(f"expected a list of texts, found {shown(value)}", name)
        return tuple(value)

    def lists(self, name: str) -> tuple[tuple[str, ...], ...]:
        """A list of lists of strings; empty where it is absent."""
        value = self._take(name, list, "a list of lists of texts", [])
        for i, inner in enumerate(value):
            if not isinstance(inner, list) or not all(isinstance(v, str) and v for v in inner):
                self.fail(f"expected a list of texts, found {shown(inner)}", name, i)
        return tuple(tuple(inner) for inner in value)

    def table(self, name: str) -> Section:
        """A sub-table; empty where it is absent."""
        value = self._take(name, dict, f"a table [{name}]", {})
        return Section(self.source, (*self.key, name), value)

    def tables(self, name: str) -> list[Section]:
        """A list of tables `[[name]]`; empty where it is absent."""
        value = self._take(name, list, f"tables [[{name}]]", [])
        for i, item in enumerate(value):
            if not isinstance(item, dict):
                self.fail(f"expected a table, found {shown(item)}", name, i)
        return [Section(self.source, (*self.key, name, i), item) for i, item in enumerate(value)]

    def done(self) -> None:
        """Refuses a key that nothing asked for."""
        for name in self.values:
            if name not in self.known:
                hint = did_you_mean(name, self.known)
                self.fail(f"is not a key of this table, which has {', '.join(sorted(self.known))}.{hint}", name)


def shown(value: object) -> str:
    """A TOML value for a message, short.

    >>> shown("35"), shown(True), shown(2.5)
    ("the text '35'", 'true', '2.5')
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f"the text {value[:60]!r}"
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, int) and abs(value) > _LARGEST_NUMBER:
        return "a huge number"
    try:
        return repr(value)[:60]
    except ValueError:  # a number of thousands of digits in a list
        return "a list with a huge number"
