"""The course's own files beside the entries: read before anything is graded, remembered from one join to the next."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path

from grader.assignment import Assignment
from grader.batch.overrides import Override, read_overrides
from grader.batch.times import HandIn, read_times
from grader.documents import read_json, write_whole
from grader.errors import UsageError
from grader.platforms.grades import Given, Student, read_given, read_roster
from grader.text import listing

FILE = "papers.json"
_SCHEMA = "grader/papers/1"


@dataclass(frozen=True)
class Papers:
    """Where they lie: times, decisions, who is in the class, points given by hand."""

    times: Path | None = None
    overrides: Path | None = None
    roster: Path | None = None
    manual: Path | None = None

    def named(self) -> dict[str, Path]:
        """Those that are there, by the names of their options."""
        return {f.name: path for f in fields(self) if (path := getattr(self, f.name)) is not None}


@dataclass(frozen=True)
class Contents:
    """What stands in them. `roster` and `given` are None where there is no such paper."""

    table: Mapping[str, tuple[HandIn, ...]] = field(default_factory=dict)
    decided: tuple[Override, ...] = ()
    roster: tuple[Student, ...] | None = None
    given: tuple[Given, ...] | None = None


def read_papers(papers: Papers, work: Assignment) -> Contents:
    """Reads them against the assignment. Raises UsageError, with file and line, for a wrong one.

    Whether the students in them have handed in isn't asked: that changes from day to day, and stops no class.
    """
    rows = hand_rows(work)
    problems = [p.id for p in work.problems]
    return Contents(
        read_times(papers.times) if papers.times else {},
        read_overrides(papers.overrides, work) if papers.overrides else (),
        tuple(read_roster(papers.roster)) if papers.roster else None,
        tuple(read_given(papers.manual, rows, problems)) if papers.manual else None,
    )


def hand_rows(work: Assignment) -> dict[tuple[str, str], float]:
    """By problem and title, the most points that a person gives."""
    return {(m.problem, m.title): m.points for m in work.manual}


def remember(folder: Path, papers: Papers) -> None:
    """Keeps which papers a join into this folder used; none is kept as well, once there were some."""
    path, named = folder / FILE, papers.named()
    if named or path.exists():
        places = {name: str(place.absolute()) for name, place in named.items()}
        write_whole(path, json.dumps({"schema": _SCHEMA, "papers": places}, indent=1) + "\n")


def used_again(given: Papers, folders: Iterable[Path]) -> tuple[Papers, str]:
    """The papers given, with those of the last join in place of the others, and a line that says which.

    folders: where that may have been; the first one that remembers any is asked. Raises UsageError for a paper that is
    gone: without it, points would change and nobody would know why.
    """
    for folder in folders:
        if (folder / FILE).exists():
            before = _recalled(folder / FILE)
            kept = {name: path for name, path in before.named().items() if name not in given.named()}
            for name, path in kept.items():
                if not path.is_file():
                    raise UsageError(
                        f"{path}, the --{name} of the last join, is gone. Give it anew, or --no-papers to do without."
                    )
            told = listing([f"--{name} {path}" for name, path in kept.items()], len(kept))
            line = f"As in the last join: {told} (--no-papers leaves them out)." if kept else ""
            return Papers(**{**kept, **given.named()}), line
    return given, ""


def _recalled(path: Path) -> Papers:
    found = read_json(path, "the papers of the last join")
    try:
        if found["schema"] != _SCHEMA:
            raise ValueError(found["schema"])
        return Papers(**{name: Path(place) for name, place in found["papers"].items()})
    except (AttributeError, KeyError, TypeError, ValueError):
        raise UsageError(f"{path} is none of this version. Take it away, and give the papers anew.") from None
