"""`grader check` and `grader score`."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grader.cli.output import STDOUT, check_output, make_console, progress_bar, report_place, trimmed, write_whole
from grader.errors import SubmissionRefused, UsageError
from grader.reporting import KINDS, render

if TYPE_CHECKING:
    from grader.assignment import Assignment
    from grader.checks.images import Pictures
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


@dataclass(frozen=True)
class _Shown:
    """How the result is shown: the options that check and score share."""

    form: str
    output: Path | None
    reports: tuple[tuple[str, Path], ...]
    exit_zero: bool
    hidden: bool
    began: float = field(default_factory=time.monotonic)

    def submission(self, given: Path | None, *, with_repository: bool = False) -> Path:
        """What to grade; with the repository, its top, since the scripts lie there. Refuses places for reports."""
        from grader.submission import open_submission

        inner = Path("submission")
        found = given or (inner if inner.is_dir() and not with_repository else Path())
        if self.hidden:  # what is wrong with this path may be said; what comes later may not
            _refuse_link(found)
            with suppress(SubmissionRefused), open_submission(found):
                pass
        if self.output is not None:
            check_output(self.output, found)
        for kind, path in self.reports:
            if path != STDOUT:
                check_output(path, found, f"--report {kind}=")
            if kind == "classroom50":
                from grader.reporting.classroom import identity

                identity(os.environ)
        return found

    @property
    def with_pictures(self) -> bool:
        """True if a report is asked for that shows images."""
        return any(kind == "html" for kind, _ in self.reports)

    @contextmanager
    def discreet(self) -> Iterator[None]:
        """With --hidden, an error that ends the run says nothing of the course's data either."""
        try:
            yield
        except Exception as e:
            if not self.hidden:
                raise
            told = "The grader could not finish, which is not the submission's fault; without --hidden it says why."
            if isinstance(e, UsageError):
                raise UsageError(told) from None
            click.echo(told, err=True)
            raise click.exceptions.Exit(_EXIT_CODES["error"]) from None

    def finish(
        self,
        report: CheckReport | ScoreReport,
        submission: Path,
        assignment: Assignment,
        pictures: Pictures | None = None,
        *,
        allow_skipped: bool = False,
    ) -> None:
        """Prints and writes, and ends the process with the exit code."""
        from grader.reporting.hidden import hide
        from grader.reporting.outcomes import About

        if self.hidden:
            report = hide(report)
        text = report.to_json()
        if self.output is not None:
            write_whole(self.output, text)
        if self.form == "json":
            sys.stdout.write(text)
        else:
            self._print(report)
        about = About(
            _place(submission),
            time.monotonic() - self.began,
            datetime.now(UTC),
            environment=dict(os.environ),
            assignment=assignment,
            pictures=pictures or {},
        )
        for kind, path in self.reports:
            rendered = render(kind, report, about)
            if path == STDOUT:
                sys.stdout.write(rendered)
            else:
                write_whole(path, rendered)
        sys.stdout.flush()
        code = _EXIT_EMPTY if report.empty else _EXIT_CODES[report.state]
        if self.exit_zero or (allow_skipped and report.state == "skipped"):
            code = 0
        raise click.exceptions.Exit(code)

    def _print(self, report: CheckReport | ScoreReport) -> None:
        from grader.reporting.terminal import render_check, render_score
        from grader.results import CheckReport

        console = make_console()
        with trimmed(console):
            if isinstance(report, CheckReport):
                render_check(report, console)
            else:
                render_score(report, console)
        written = [
            str(path) for path in (self.output, *(path for _, path in self.reports)) if path not in (None, STDOUT)
        ]
        if written:
            told = f"The report is in {written[0]}." if len(written) == 1 else f"Reports are in {', '.join(written)}."
            console.print(f"\n{told}", highlight=False)


def _refuse_link(submission: Path) -> None:
    """A student's repository may hold `submission` as a link to the hidden data, whose names would be reported."""
    here = Path.cwd()
    parts = [submission, *(part for part in submission.parents if (here / part).is_relative_to(here))]
    if any(part.is_symlink() for part in parts):
        raise UsageError(f"{submission} is a link or lies behind one, which is not followed with --hidden.")


def _place(submission: Path) -> str:
    """The submission as seen from the current folder, which is what CI shows paths from."""
    try:
        found = submission.resolve().relative_to(Path.cwd().resolve()).as_posix()
    except (OSError, ValueError):
        return submission.as_posix()
    return "" if found == "." else found


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

    shown = _Shown(**options)
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
    shown = _Shown(**options)
    graded = shown.submission(submission)
    wanted = load_assignment(assignment)
    wanted.only(problems)  # a wrong name is told, also with --hidden
    pictures: Pictures | None = {} if shown.with_pictures else None
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
        )
    shown.finish(report, graded, wanted, pictures, allow_skipped=allow_skipped)


def named_file(text: str) -> tuple[str, str]:
    name, equals, path = text.partition("=")
    if not equals or not name or not path:
        raise click.UsageError(f"--judge {text}: expected NAME=PATH, such as digit_classifier=Classifier.pth.")
    return name, path
