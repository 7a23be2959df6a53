"""`grader export` and `grader gradebook`: what course platforms take."""

from __future__ import annotations

from pathlib import Path

import click

from grader.cli.output import check_output
from grader.documents import write_whole


@click.group()
def export() -> None:
    """Autograders for course platforms."""


@export.command()
@click.option(
    "--assignment", default="dlcv-fall2021-hw2", show_default=True, metavar="ID|FILE", help="A TOML file goes in too."
)
@click.option("-o", "--output", type=click.Path(path_type=Path), default="autograder.zip", show_default=True)
@click.option("--problem", "problems", multiple=True, metavar="P", help="Only this problem; repeatable.")
@click.option(
    "--data",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    metavar="DIR",
    help="The course's data; what the measures need of it goes in.",
)
@click.option(
    "--reference",
    "references",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Statistics by `grader reference build`, in place of the pictures; repeatable.",
)
@click.option("--judge", "judges", multiple=True, metavar="NAME=PATH", help="Weights that go in; others are fetched.")
@click.option(
    "--wheel",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="Install this wheel of the grader in place of the published one.",
)
@click.option(
    "--minutes",
    type=click.IntRange(1, 40),
    default=9,
    show_default=True,
    help="End the grader after so long: a little less than the time-out set in Gradescope.",
)
@click.option("--open", "opened", is_flag=True, help="Students may see names and class counts of the data.")
def gradescope(
    assignment: str,
    output: Path,
    problems: tuple[str, ...],
    data: Path | None,
    references: tuple[Path, ...],
    judges: tuple[str, ...],
    wheel: Path | None,
    minutes: int,
    opened: bool,
) -> None:
    """Write a zip for Gradescope: Configure Autograder, then upload it.

    Choose Ubuntu 24.04 there, and a container with 2 GB of memory or more where networks judge.
    """
    from grader.cli.grade import named_file
    from grader.platforms.gradescope import build_autograder

    check_output(output, data or Path())
    built = build_autograder(
        assignment,
        problems=problems,
        data=data,
        references=references,
        judges=dict(named_file(judge) for judge in judges),
        wheel=wheel,
        minutes=minutes,
        hidden=not opened,
    )
    content = built.to_bytes()
    write_whole(output, content)
    click.echo(f"{output}: {len(built.files)} files, {len(content) / 2**20:.1f} MiB.")
    if built.skipped:
        click.echo("These measures will be skipped there; --data DIR or --reference FILE brings what they need:")
        for line in built.skipped:
            click.echo(f"  {line}")


@click.command()
@click.argument("folder", metavar="REPORTS_DIR", type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(["canvas", "moodle"]), required=True)
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, metavar="FILE", help="The csv.")
@click.option(
    "--manual",
    type=click.Path(path_type=Path),
    metavar="CSV",
    help="Points given by a person: student,problem,title,points[,comment]. Comments go into Moodle's feedback.",
)
@click.option(
    "--roster",
    type=click.Path(path_type=Path),
    metavar="CSV",
    help="Everyone in the class: student[,name,section,email,id].",
)
@click.option("--title", default="", help="The grade's name on the platform. Default: the assignment's id.")
@click.option(
    "--allow-skipped", is_flag=True, help="Count problems with measures that could not be taken, as they are."
)
def gradebook(
    folder: Path, form: str, output: Path, manual: Path | None, roster: Path | None, title: str, allow_skipped: bool
) -> None:
    """A csv of grades for Canvas or Moodle.

    From a folder of reports, STUDENT.json, that `grader score -o` wrote. What could not be finished stays empty.
    """
    from grader.platforms.gradebook import render
    from grader.platforms.grades import read_class
    from grader.text import plural

    check_output(output, folder)
    found = read_class(folder, manual, roster, allow_skipped=allow_skipped)
    write_whole(output, render(found, form, title))
    for note in found.notes:
        click.echo(f"Note: {note}", err=True)
    graded = sum(g.total is not None for g in found.grades.values())
    click.echo(f"{output}: {plural(len(found.students), 'student')}, {graded} of them with all points.")
