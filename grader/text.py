"""Small helpers for text that people read."""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Iterable, Sequence

LONGEST = 120
# What Unicode calls default-ignorable and Python printable, and letters that show nothing (fillers, the blank of
# Braille): with one of them in it a name looks like another one.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e0fff]"
)
EXAMPLES = 5


def printable(text: str, limit: int = LONGEST) -> str:
    """Text from a submission made safe to show: control, bidi, invisible and broken characters escaped, capped.

    >>> printable("a\\x1b[31mb")
    'a\\\\x1b[31mb'
    >>> printable("x" * 8, limit=5)
    'xxxx…'
    """
    if len(text) > limit:
        text = text[: limit - 1] + "…"
    if not text.isprintable():
        text = "".join(c if c.isprintable() else _escaped(c) for c in text)
    return text if text.isascii() else _INVISIBLE.sub(lambda found: _escaped(found[0]), text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape", "surrogatepass").decode()


def some(items: Iterable[str], limit: int = EXAMPLES) -> tuple[str, ...]:
    """The first few of the items, made printable: the `examples` of a finding."""
    return tuple(printable(item) for item, _ in zip(items, range(limit), strict=False))


def listing(items: Sequence[str], limit: int = 3) -> str:
    """A short enumeration for a sentence.

    >>> listing(["a", "b", "c", "d", "e"])
    'a, b, c and 2 more'
    """
    shown = ", ".join(printable(item) for item in items[:limit])
    return shown if len(items) <= limit else f"{shown} and {len(items) - limit} more"


def plural(count: int, noun: str) -> str:
    """A count with its noun.

    >>> plural(1, "image"), plural(3, "image"), plural(2, "directory")
    ('1 image', '3 images', '2 directories')
    """
    if count == 1:
        return f"1 {noun}"
    ending = noun[:-1] + "ies" if noun.endswith("y") and noun[-2] not in "aeiou" else noun + "s"
    return f"{count} {ending}"


def are(count: int) -> str:
    """The verb after a count: `is` or `are`."""
    return "is" if count == 1 else "are"


def have(count: int) -> str:
    """The verb after a count: `has` or `have`."""
    return "has" if count == 1 else "have"


def nearest(word: str, choices: Iterable[str], likeness: float = 0.5) -> str:
    """The choice spelled most like the word (1 is equal), or an empty string.

    >>> nearest("acgna", ["gan", "acgan", "dann"])
    'acgan'
    """
    found = difflib.get_close_matches(word, list(choices), n=1, cutoff=likeness)
    return found[0] if found else ""


def did_you_mean(word: str, choices: Iterable[str]) -> str:
    """A sentence that suggests the nearest choice, with a leading space, or an empty string."""
    near = nearest(word, choices)
    return f" Did you mean {near!r}?" if near else ""


def bare(name: str) -> str:
    """A name without what people spell in several ways: case, and whatever is no letter or digit.

    >>> bare("WGAN-GP") == bare("wgan_gp")
    True
    """
    return "".join(c for c in name.casefold() if c.isalnum())


def number(value: float) -> str:
    """A number without a needless fraction.

    >>> number(35.0), number(2.15)
    ('35', '2.15')
    """
    return f"{value:.10g}"


def points(value: float) -> str:
    """A number of points.

    >>> points(1), points(0.5), points(20)
    ('1 point', '0.5 points', '20 points')
    """
    return f"{number(value)} point{'' if value == 1 else 's'}"


def safe_name(text: str) -> str:
    """A file name for any text, the same as the text where that is harmless, and another one for another text.

    >>> safe_name("b0990-1"), safe_name("../Ada")
    ('b0990-1', 'Ada-4e4af21652b7')
    """
    plain = re.sub(r"[^A-Za-z0-9._-]+", "_", text)[:80].strip("._")
    if plain == text:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
    return f"{plain or 'x'}-{digest[:12]}"
