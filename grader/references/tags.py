"""Tags of anime faces: which colours of hair and eyes a picture shows, or is to show. No torch.

Two formats were published with the data: `id,colour hair colour eyes`, and the image board's own,
`id,tag:#posts<TAB>tag:#posts…`, in which the tags `… hair` and `… eyes` stand among many others.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from grader.errors import CannotMeasure
from grader.judges.anime_tags import EYES, HAIR
from grader.references.data import BadReference, Data
from grader.text import listing, plural

LARGEST = 32 << 20  # bytes
_PAIR = re.compile(r"(\S+) hair (\S+) eyes")
_POSTS = re.compile(r"\s*:\s*[0-9]*\s*$")


@dataclass(frozen=True)
class Tags:
    """Colours of hair and eyes by id, `pairs[7] == ("blue", "red")`.

    `faults`: what is wrong with lines that are left out, each beginning with the number of its line. `unclear`: ids of
    the image board's lines with none or several of the known colours: most pictures have such, and nothing is wrong.
    """

    pairs: dict[int, tuple[str, str]]
    faults: tuple[str, ...] = ()
    unclear: tuple[int, ...] = ()


class BrokenTags(BadReference):
    """A list of tags that can't be used. `faults`: what is wrong with it, one by one."""

    def __init__(self, path: str, faults: tuple[str, ...]) -> None:
        super().__init__(f"{path} can't be used: {listing(faults)}")
        self.faults = faults


@dataclass(frozen=True)
class AskedTags:
    """Colours of hair and eyes that the images of a grid are to show, row by row, and where that was read."""

    pairs: tuple[tuple[str, str], ...]
    source: str


def asked_tags(data: Data, relative: str, published: tuple[str, ...], count: int) -> AskedTags:
    """What `count` images are asked for: by the file of the data, or as published where there is none.

    The lines are in the order of the grid, and their ids number its places: 1 to `count`. Whoever sorts by id and
    whoever takes the lines as they come therefore draw the same grid; a list in which these differ is broken.

    Raises BrokenTags, and CannotMeasure where the file isn't here and nothing was published.
    """
    path = data.find(relative) if relative else None
    if path is None and published:
        tags, source = parse_tags("\n".join(f"{i},{text}" for i, text in enumerate(published, 1))), "as published"
    else:
        path, source = data.need(relative), relative
        try:
            tags = read_tags(path)
        except BadReference as e:
            raise BrokenTags(source, (str(e),)) from None
    if faults := _faults(tags, count):
        raise BrokenTags(source, faults)
    return AskedTags(tuple(tags.pairs.values()), source)


def _faults(tags: Tags, count: int) -> tuple[str, ...]:
    """Why these are no tags for `count` images."""
    faults = [*tags.faults, *(f"the tags of {key} name no one colour of hair and of eyes" for key in tags.unclear)]
    if not faults and len(tags.pairs) != count:
        faults.append(f"it holds tags of {plural(len(tags.pairs), 'image')}, and {count} are asked for")
    if beyond := [str(key) for key in tags.pairs if not 1 <= key <= count]:
        faults.append(f"ids outside of 1 to {count}: {listing(beyond)}")
    moved = next(((place, key) for place, key in enumerate(tags.pairs, 1) if place != key), None)
    if moved and not faults:
        place, key = moved
        faults.append(f"the ids don't go from 1 to {count} line by line: in place {place} stands {key}")
    return tuple(faults)


def read_tags(path: Path) -> Tags:
    """The tags in a file of either format. Raises CannotMeasure for no file, BadReference for one that is no text."""
    try:
        if path.stat().st_size > LARGEST:
            raise BadReference(f"{path}: expected at most {LARGEST} bytes of tags")
        return parse_tags(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise CannotMeasure(f"needs the tags in {path}, which is not there") from None
    except (OSError, UnicodeDecodeError) as e:
        raise BadReference(f"{path}: can't be read: {e}") from None


def parse_tags(text: str) -> Tags:
    """Tags from lines `id,colour hair colour eyes` or `id,tag:#posts<TAB>tag:#posts…`, which may be mixed.

    >>> parse_tags("1,blue hair red eyes\\n2,long hair:9\\tgreen hair:4\\taqua eyes:2").pairs
    {1: ('blue', 'red'), 2: ('green', 'aqua')}
    >>> parse_tags("3,blue hair grey eyes").faults
    ("line 1: unknown colour of eyes: 'grey'",)
    """
    pairs: dict[int, tuple[str, str]] = {}
    faults, unclear = [], []
    seen: set[int] = set()
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        name, comma, rest = line.partition(",")
        if not comma or not _is_id(name.strip()):
            faults.append(f"line {number}: expected an id, a comma and tags; found {line[:60]!r}")
            continue
        key = int(name.strip())  # int alone refuses some blanks that strip takes off
        if key in seen:
            faults.append(f"line {number}: the id {key} stands above already")
            continue
        seen.add(key)
        found = _short(rest) if _PAIR.fullmatch(rest.strip()) else _board(rest)
        if found is None:
            unclear.append(key)
        elif isinstance(found, str):
            faults.append(f"line {number}: {found}")
        else:
            pairs[key] = found
    return Tags(pairs, tuple(faults), tuple(unclear))


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 9


def _short(text: str) -> tuple[str, str] | str:
    match = _PAIR.fullmatch(text.strip())
    assert match is not None
    for what, colour, known in (("hair", match[1], HAIR), ("eyes", match[2], EYES)):
        if colour not in known:
            return f"unknown colour of {what}: {colour[:30]!r}"
    return match[1], match[2]


def _board(text: str) -> tuple[str, str] | str | None:
    """One colour of each among the board's tags; None where there is none or more than one."""
    tags = [_POSTS.sub("", tag).strip() for tag in text.split("\t")]
    if len(tags) == 1 and not _POSTS.search(text):
        return f"expected 'colour hair colour eyes' or tags with their posts, found {text[:60]!r}"
    hair = {tag.removesuffix(" hair") for tag in tags if tag.endswith(" hair")} & set(HAIR)
    eyes = {tag.removesuffix(" eyes") for tag in tags if tag.endswith(" eyes")} & set(EYES)
    return (hair.pop(), eyes.pop()) if len(hair) == len(eyes) == 1 else None
