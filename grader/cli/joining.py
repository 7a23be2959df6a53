"""`grader class`: what a class gets, from what `grader batch` graded; and the options that both have for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grader.cli.grade import _not_empty
from grader.cli.output import check_folder

if TYPE_CHECKING:
    from grader.assignment import Assignment
    from grader.batch.papers import Papers

Command = Callable[..., Any]


def paper_options(command: Command) -> Command:
    """The options of the join."""
    file = click.Path(path_type=Path, exists=True, dir_okay=False)
    for option in reversed(
        [
            click.option("--times", type=file, metavar="CSV", help="When each was handed in: student,time[,attempt]."),
            click.option("--overrides", type=file, metavar="FILE", help="Decisions of persons: docs/guides/policy.md."),
            click.option("--roster", type=file, metavar="CSV", help="Everyone: student[,name,section,email,id]."),
            click.option("--manual", type=file, metavar="CSV", help="Points by hand: student,problem,title,points."),
            click.option(
                "--no-papers", "alone", is_flag=True, help="Without those of the last join that aren't given."
            ),
            click.option("--names", is_flag=True, help="The leaderboard shows names and not pseudonyms."),
        ]
    ):
        command = option(command)
    return command


def given_papers(options: dict[str, Any], folders: Iterable[Path]) -> Papers:
    """The papers of the command line, and those of the last join in place of the others."""
    from grader.batch.papers import Papers, used_again

    papers = Papers(options["times"], options["overrides"], options["roster"], options["manual"])
    if options["alone"]:
        return papers
    papers, told = used_again(papers, folders)
    if told:
        click.echo(told, err=True)
    return papers


def write_class(folders: list[Path], out: Path, work: Assignment, papers: Papers, names: bool) -> None:
    """Writes what a class gets, and says what a person should look at."""
    from grader.batch.joining import join, told

    for line in told(join(folders, out, work, papers, names=names)):
        click.echo(line, err=True)
    click.echo(f"The class: {out / 'index.html'}")


@click.command("class")
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RESULTS...")
@click.option("-o", "--output", "out", callback=_not_empty, metavar="DIR", help="Default: the first RESULTS.")
@click.option("--assignment", metavar="ID|FILE", help="Known, or a TOML file. Default: that of RESULTS.")
@paper_options
def class_(folders: tuple[Path, ...], out: Path | None, assignment: str | None, **options: Any) -> None:
    """Join what `grader batch` graded: grade book, class page, leaderboard.

    RESULTS are its folders, several where parts were graded in different places. Nothing is graded.
    """
    from grader.batch.assigned import assignment_of

    target = out or folders[0]
    check_folder(target, "-o")
    work, _ = assignment_of(folders, assignment)
    write_class(list(folders), target, work, given_papers(options, [target, *folders]), options["names"])
