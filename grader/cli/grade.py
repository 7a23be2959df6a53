"""`grader check` and `grader score`."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from grader.cli.output import check_output, make_console, progress_bar, write_whole
from grader.results import CheckReport, ScoreReport

_EXIT_CODES = {"pass": 0, "fail": 1, "error": 3, "skipped": 3}
_EXIT_EMPTY = 5

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
            help="The course's data folder. Default: $GRADER_DATA, else ./hw2_data if it is there.",
        ),
        click.option("--exit-zero", is_flag=True, help="Exit with 0 whatever the result is."),
        click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True),
        click.option(
            "-o", "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write the JSON there too."
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def _submission(given: Path | None, output: Path | None, *, with_repository: bool = False) -> Path:
    """What to grade; with the repository, its top, since the scripts lie there."""
    inner = Path("submission")
    found = given or (inner if inner.is_dir() and not with_repository else Path())
    if output is not None:
        check_output(output, found)
    return found


def _finish(
    report: CheckReport | ScoreReport, form: str, output: Path | None, exit_zero: bool, allow_skipped: bool
) -> None:
    from grader.reporting.terminal import render_check, render_score

    text = report.to_json()
    if output is not None:
        write_whole(output, text)
    if form == "json":
        sys.stdout.write(text)
    else:
        console = make_console()
        if isinstance(report, CheckReport):
            render_check(report, console)
        else:
            render_score(report, console)
        if output is not None:
            console.print(f"\nThe report is in {output}.", highlight=False)
    sys.stdout.flush()
    code = _EXIT_EMPTY if report.empty else _EXIT_CODES[report.state]
    if exit_zero or (allow_skipped and report.state == "skipped"):
        code = 0
    raise click.exceptions.Exit(code)


@click.command()
@_common
@click.option("--with-repository", is_flag=True, help="Also check the scripts and the report at the top.")
def check(
    submission: Path | None,
    problems: tuple[str, ...],
    assignment: str,
    data: Path | None,
    exit_zero: bool,
    form: str,
    output: Path | None,
    with_repository: bool,
) -> None:
    """Check folders, file names and formats; nothing is scored.

    SUBMISSION is a folder or a zip; without it, `submission/` if that is there, else the current folder.
    """
    from grader.grading import check as run

    report = run(
        _submission(submission, output, with_repository=with_repository),
        assignment,
        problems=problems,
        data=data,
        with_repository=with_repository,
    )
    _finish(report, form, output, exit_zero, allow_skipped=False)


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
@click.option("--no-cache", is_flag=True, help="Neither use nor keep features of earlier runs.")
@click.option("--allow-skipped", is_flag=True, help="A measure that could not be taken here does not fail the run.")
def score(
    submission: Path | None,
    problems: tuple[str, ...],
    assignment: str,
    data: Path | None,
    exit_zero: bool,
    form: str,
    output: Path | None,
    judges: tuple[str, ...],
    device: str,
    references: tuple[Path, ...],
    no_cache: bool,
    allow_skipped: bool,
) -> None:
    """Check, measure, and compare with the baselines.

    SUBMISSION is a folder or a zip; without it, `submission/` if that is there, else the current folder.
    """
    from grader.grading import score as run

    files = dict(named_file(judge) for judge in judges)
    graded = _submission(submission, output)
    with progress_bar() as progress:
        report = run(
            graded,
            assignment,
            problems=problems,
            data=data,
            judges=files,
            references=references,
            device=device,
            cache=not no_cache,
            progress=progress,
        )
    _finish(report, form, output, exit_zero, allow_skipped)


def named_file(text: str) -> tuple[str, str]:
    name, equals, path = text.partition("=")
    if not equals or not name or not path:
        raise click.UsageError(f"--judge {text}: expected NAME=PATH, such as digit_classifier=Classifier.pth.")
    return name, path
