"""`grader check` and `grader score`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grader.cli.output import progress_bar, report_place
from grader.cli.showing import Showing
from grader.reporting import KINDS

if TYPE_CHECKING:
    from grader.checks.figures import Figures
    from grader.checks.images import Pictures

Command = Callable[..., Any]


def _not_empty(_: click.Context, parameter: click.Parameter, value: str | None) -> Path | None:
    # An empty text is an unset variable in somebody's script; Path("") would be the current folder.
    if value == "":
        raise click.BadParameter("it is empty; is a variable unset?", param=parameter)
    return None if value is None else Path(value)


def _common(command: Command) -> Command:
    options = [
        click.argument("submission", required=False, callback=_not_empty),
        click.option("--problem", "problems", multiple=True, metavar="P", help="Only this problem; repeatable."),
        click.option(
            "--assignment",
            default="dlcv-fall2021-hw2",
            show_default=True,
            metavar="ID|FILE",
            help="A known assignment or a TOML file.",
        ),
        click.option(
            "--data",
            callback=_not_empty,
            metavar="DIR",
            help="The course's data folder. Default: $GRADER_DATA, else the assignment's (./hw2_data) if it is there.",
        ),
        click.option("--exit-zero", is_flag=True, help="Exit with 0 whatever the result is."),
        click.option(
            "--hidden",
            is_flag=True,
            help="Say no name, label or path of the course's data: for output that students see.",
        ),
        click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True),
        click.option(
            "-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write the JSON there too."
        ),
        click.option(
            "--report",
            "reports",
            multiple=True,
            callback=lambda _, __, given: tuple(report_place(text) for text in given),
            metavar="KIND=PATH",
            help=f"Write a report there; - is stdout. Repeatable. Kinds: {', '.join(KINDS)}.",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@_common
@click.option("--with-repository", is_flag=True, help="Also check the scripts and the report at the top.")
def check(
    submission: Path | None,
    problems: tuple[str, ...],
    assignment: str,
    data: Path | None,
    with_repository: bool,
    **options: Any,
) -> None:
    """Check folders, file names and formats; nothing is scored.

    SUBMISSION is a folder or a zip; without it, `submission/` if that is there, else the current folder.
    """
    from grader.assignment import load_assignment
    from grader.grading import check as run

    shown = Showing(**options)
    graded = shown.submission(submission, with_repository=with_repository)
    wanted = load_assignment(assignment)
    wanted.only(problems)  # a wrong name is told, also with --hidden
    with shown.discreet():
        report = run(graded, wanted, problems=problems, data=data, with_repository=with_repository)
    shown.finish(report, graded, wanted)


@click.command()
@_common
@click.option("--judge", "judges", multiple=True, metavar="NAME=PATH", help="Weights for a judge; repeatable.")
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda", "mps"]),
    default="auto",
    show_default=True,
    help="Where to run.",
)
@click.option(
    "--reference",
    "references",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Statistics made by `grader reference build`, in place of the pictures; repeatable.",
)
@click.option(
    "--keep",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write figures into this folder, with a frame around each face that was found.",
)
@click.option("--no-cache", is_flag=True, help="Neither use nor keep features of earlier runs.")
@click.option("--allow-skipped", is_flag=True, help="A measure that could not be taken here does not fail the run.")
def score(
    submission: Path | None,
    problems: tuple[str, ...],
    assignment: str,
    data: Path | None,
    judges: tuple[str, ...],
    device: str,
    references: tuple[Path, ...],
    no_cache: bool,
    allow_skipped: bool,
    **options: Any,
) -> None:
    """Check, measure, and compare with the baselines.

    SUBMISSION is a folder or a zip; without it, `submission/` if that is there, else the current folder.
    """
    from grader.assignment import load_assignment
    from grader.grading import score as run

    files = dict(named_file(judge) for judge in judges)
    shown = Showing(**options)
    graded = shown.submission(submission)
    wanted = load_assignment(assignment)
    wanted.only(problems)  # a wrong name is told, also with --hidden
    pictures: Pictures | None = {} if shown.with_pictures else None
    figures: Figures | None = {} if shown.with_pictures or shown.keep else None
    with shown.discreet(), progress_bar() as progress:
        report = run(
            graded,
            wanted,
            problems=problems,
            data=data,
            judges=files,
            references=references,
            device=device,
            cache=not no_cache,
            progress=progress,
            pictures=pictures,
            figures=figures,
        )
    shown.finish(report, graded, wanted, pictures, figures, allow_skipped=allow_skipped)


def named_file(text: str) -> tuple[str, str]:
    name, equals, path = text.partition("=")
    if not equals or not name or not path:
        raise click.UsageError(f"--judge {text}: expected NAME=PATH, such as digit_classifier=Classifier.pth.")
    return name, path
