"""`grader verify`: does a score report tell the truth?"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.grade import named_file
from grader.cli.output import make_console, progress_bar, trimmed

if TYPE_CHECKING:
    from rich.console import Console

    from grader.verification import Verification

_EXIT_CODES = {"pass": 0, "fail": 1, "skipped": 3, "error": 3}


@click.command()
@click.argument("claim", metavar="SCORE.json", type=click.Path(path_type=Path))
@click.argument("submission", type=click.Path(path_type=Path))
@click.option("--assignment", metavar="ID|FILE", help="Default: the one that the report names.")
@click.option("--data", type=click.Path(path_type=Path), metavar="DIR", help="The course's data folder.")
@click.option("--judge", "judges", multiple=True, metavar="NAME=PATH", help="Weights for a judge; repeatable.")
@click.option(
    "--reference", "references", multiple=True, type=click.Path(path_type=Path), metavar="FILE", help="As for score."
)
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda", "mps"]), default="auto", show_default=True)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def verify(
    claim: Path,
    submission: Path,
    assignment: str | None,
    data: Path | None,
    judges: tuple[str, ...],
    references: tuple[Path, ...],
    device: str,
    form: str,
) -> None:
    """Measure SUBMISSION again and say whether SCORE.json tells the truth about it.

    Nothing that the report says is believed, and no features of earlier runs are used. Exit codes: 0 it holds, 1 it
    doesn't, 3 something could not be measured again.
    """
    from grader.grading import score
    from grader.verification import compare, read_claim

    told = read_claim(claim)
    wanted = told.of(assignment)
    with progress_bar() as progress:
        report = score(
            submission,
            wanted,
            problems=told.problems,
            data=data,
            judges=dict(named_file(judge) for judge in judges),
            references=references,
            device=device,
            cache=False,
            progress=progress,
        )
    found = compare(told, report)
    if form == "json":
        sys.stdout.write(found.to_json())
    else:
        console = make_console()
        with trimmed(console):
            _show(found, console)
    raise click.exceptions.Exit(_EXIT_CODES[found.state])


def _show(found: Verification, console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    from grader.text import plural, points

    n = plural(found.compared, "value")
    headline = {
        "pass": ("HOLDS", "bold green", f"{points(found.points)}, as claimed; {n} measured again"),
        "fail": ("DOES NOT HOLD", "bold red", f"{plural(len(found.differences), 'difference')}; {n} measured again"),
        "skipped": ("OPEN", "bold yellow", f"{n} measured again and as claimed, but not all could be"),
    }
    name, style, text = headline[found.state]
    console.print(Text.assemble((name, style), "  ", (text, "bold")), highlight=False)
    if found.differences:
        table = Table("where", "what", "claimed", "measured now", box=None, pad_edge=False, padding=(0, 3, 0, 0))
        for d in found.differences:
            table.add_row(*(Text(cell) for cell in (d.where or "the whole", d.what, d.claimed, d.found)))
        console.print()
        console.print(table, highlight=False)
    if found.untaken:
        console.print("\nNot measured again:", highlight=False)
        for line in found.untaken:
            console.print(Text(f"  {line}"), highlight=False)
    for note in found.notes:
        console.print(Text(f"\nnote: {note}"), highlight=False)
