"""`grader doctor`: what is on this machine, and what is missing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from grader.doctor import Diagnosis, Skipped

_EXIT_SKIPPED = 3


@click.command()
@click.option("--assignment", default="dlcv-fall2021-hw2", show_default=True, metavar="ID|FILE")
@click.option("--problem", "problems", multiple=True, metavar="P", help="Only this problem; repeatable.")
@click.option("--data", type=click.Path(path_type=Path), metavar="DIR", help="The course's data folder.")
@click.option(
    "--reference",
    "references",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Statistics in place of pictures; repeatable.",
)
@click.option("--judge", "judges", multiple=True, metavar="NAME=PATH", help="Weights for a judge; repeatable.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def doctor(
    assignment: str,
    problems: tuple[str, ...],
    data: Path | None,
    references: tuple[Path, ...],
    judges: tuple[str, ...],
    form: str,
) -> None:
    """What is on this machine, what is missing, and what mends it.

    Names each measure of the assignment that would be skipped here. Nothing is downloaded or measured.

    Exit codes: 0 every measure can be taken, 3 some would be skipped.
    """
    from grader.assignment import load_assignment
    from grader.cli.grade import named_file
    from grader.doctor import diagnose
    from grader.judges import check_judges
    from grader.references.data import find_data

    work = load_assignment(assignment).only(problems)
    files = check_judges(dict(named_file(judge) for judge in judges))
    found = diagnose(work, find_data(data, work.data_folder), judges=files, references=references)
    if form == "json":
        click.echo(json.dumps(found.to_dict(), indent=2))
    else:
        click.echo("\n".join(_lines(found)))
    if found.skipped:
        raise click.exceptions.Exit(_EXIT_SKIPPED)


def _lines(found: Diagnosis) -> Iterator[str]:
    v = found.versions
    yield f"grader   {v['grader']}, Python {v['python']}, {v['platform']}"
    here = [f"{name} {version}" for name, version in found.packages.items() if version]
    yield from _wrapped("packages", here)
    missing = [name for name, version in found.packages.items() if not version]
    if missing:
        yield from _wrapped("missing", missing)
    for name, told in found.devices.items():
        yield f"device   {name}: {told}"
    for w in found.weights:
        yield f"weights  {w['judge']:22} {w['path'] or w['state']}" + (f"  → {w['remedy']}" if w["remedy"] else "")
    for cache in found.caches:
        yield f"cache    {cache['what']}: {cache['bytes'] / 2**20:.1f} MiB in {cache['path'] or cache['why']}"
    yield f"data     {found.data['path'] or 'no ' + str(found.data['folder']) + '/ found'}"
    yield ""
    if not found.skipped:
        yield f"Nothing of {found.assignment} would be skipped here."
        return
    yield f"Of {found.assignment} would be skipped here:"
    yield from _mending(found.skipped)


def _wrapped(title: str, words: list[str], width: int = 88) -> Iterator[str]:
    line = ""
    for word in words:
        if line and len(line) + len(word) + 2 > width:
            yield f"{title:8} {line},"
            title, line = "", ""
        line += f", {word}" if line else word
    yield f"{title:8} {line}"


def _mending(skipped: list[Skipped]) -> Iterator[str]:
    """Measures by what mends them, so that one command stands there once."""
    for remedy in dict.fromkeys(s.remedy for s in skipped):
        yield f"  → {remedy}"
        for s in skipped:
            if s.remedy == remedy:
                yield f"      {s.problem}: {s.measure}: {s.why}"
