"""Two runs of the same scripts: their files byte by byte, and their measures as printed."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from grader.metrics import METRICS
from grader.results import Verdict

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Difference:
    """How two folders differ: the first path in sorted order and what is the matter with it; how many of how many."""

    path: str
    what: str
    count: int
    of: int
    examples: tuple[str, ...] = ()


def compare_folders(first: Path, second: Path, inside: tuple[str, ...] = ("",)) -> Difference | None:
    """The difference between the files below two folders; None where every byte is equal.

    inside: only files at or below these paths; an empty one means everything.
    """
    here, there = _files(first, inside), _files(second, inside)
    names = sorted(here | there)
    told = [(name, what) for name in names if (what := _what(first, second, name, here, there))]
    if not told:
        return None
    return Difference(*told[0], len(told), len(names), tuple(f"{name} {what}" for name, what in told[:5]))


def compare_measures(first: Verdict, second: Verdict) -> list[str]:
    """Measures that differ as printed, in words: `fid 24.74 and 24.91`. Without a value in both none differs."""
    others = {m.id: m for m in second.measures}
    told = []
    for m in first.measures:
        other = others.pop(m.id, None)
        show = METRICS[m.metric].show
        values = [show(v) if v is not None else "none" for v in (m.value, other.value if other else None)]
        if values[0] != values[1]:
            told.append(f"{m.id} {values[0]} and {values[1]}")
    return told + [f"{m.id} none and {METRICS[m.metric].show(m.value)}" for m in others.values() if m.value is not None]


def _files(top: Path, inside: tuple[str, ...]) -> set[str]:
    found = set()
    for folder, _, names in os.walk(top):
        for name in names:
            path = (Path(folder) / name).relative_to(top).as_posix()
            if any(not p or path == p or path.startswith(f"{p}/") for p in inside):
                found.add(path)
    return found


def _what(first: Path, second: Path, name: str, here: set[str], there: set[str]) -> str:
    if name not in there:
        return "was written by the first run only"
    if name not in here:
        return "was written by the second run only"
    position = _first_difference(first / name, second / name)
    return "" if position is None else f"differs from byte {position} on"


def _first_difference(first: Path, second: Path) -> int | None:
    at = 0
    with open(first, "rb") as a, open(second, "rb") as b:
        while True:
            one, two = a.read(_CHUNK), b.read(_CHUNK)
            if one != two:
                return at + next(
                    (i for i, (x, y) in enumerate(zip(one, two, strict=False)) if x != y), min(len(one), len(two))
                )
            if not one:
                return None
            at += len(one)
