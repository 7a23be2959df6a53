"""How a check or a score is shown: the terminal, files, reports of several kinds, the exit code."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from grader.cli.output import STDOUT, check_folder, check_output, make_console, refuse_prepared, trimmed
from grader.documents import write_whole
from grader.errors import SubmissionRefused, UsageError
from grader.reporting import render

if TYPE_CHECKING:
    from grader.assignment import Assignment
    from grader.checks.figures import Figures
    from grader.checks.images import Pictures
    from grader.results import CheckReport, ScoreReport

_EXIT_CODES = {"pass": 0, "fail": 1, "error": 3, "skipped": 3}
_EXIT_EMPTY = 5


@dataclass(frozen=True)
class Showing:
    """The options about output that check and score share.

    `form`: text or json on stdout. `output`: a file for the JSON. `reports`: kinds with their places. `hidden`: say
    nothing of the course's data.
    `keep`: a folder for figures with what was found in them. `began`: when the run did, by the monotonic clock.
    """

    form: str
    output: Path | None
    reports: tuple[tuple[str, Path], ...]
    exit_zero: bool
    hidden: bool
    keep: Path | None = None
    began: float = field(default_factory=time.monotonic)

    def submission(self, given: Path | None, *, with_repository: bool = False) -> Path:
        """What to grade; with the repository, its top, since the scripts lie there. Refuses places for reports."""
        from grader.submission import open_submission

        inner = Path("submission")
        found = given or (inner if inner.is_dir() and not with_repository else Path())
        _refuse_link(found)
        if self.hidden:  # what is wrong with this path may be said; what comes later may not
            with suppress(SubmissionRefused), open_submission(found):
                pass
        if self.output is not None:
            check_output(self.output, found)
        if self.keep is not None:
            check_folder(self.keep, "--keep")
            refuse_prepared(self.keep, found, "--keep")
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
        figures: Figures | None = None,
        *,
        allow_skipped: bool = False,
    ) -> None:
        """Prints and writes, and ends the process with the exit code."""
        from grader.reporting.hidden import hide
        from grader.reporting.outcomes import About
        from grader.results import ScoreReport

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
            figures=figures or {},
        )
        for kind, path in self.reports:
            rendered = render(kind, report, about)
            if path == STDOUT:
                sys.stdout.write(rendered)
            else:
                write_whole(path, rendered)
        sys.stdout.flush()
        if self.keep is not None and isinstance(report, ScoreReport):
            self._keep(report, figures or {})
        code = _EXIT_EMPTY if report.empty else _EXIT_CODES[report.state]
        if self.exit_zero or (allow_skipped and report.state == "skipped"):
            code = 0
        raise click.exceptions.Exit(code)

    def _keep(self, report: ScoreReport, figures: Figures) -> None:
        """Writes the figures with what was found in them into the folder, which is made if it isn't there."""
        from grader.reporting.annotated import as_files

        assert self.keep is not None
        for name, content in as_files(report, figures):
            self.keep.mkdir(exist_ok=True)
            write_whole(self.keep / name, content, follow=False)

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
    """A student's repository may hold `submission` as a link: to a fellow student's work, or to the hidden data."""
    from grader.submission.door import linked

    here = Path.cwd()
    parts = [submission, *(part for part in submission.parents if (here / part).is_relative_to(here))]
    if any(part.is_symlink() for part in parts):
        raise linked(submission)


def _place(submission: Path) -> str:
    """The submission as seen from the current folder, which is what CI shows paths from."""
    try:
        found = submission.resolve().relative_to(Path.cwd().resolve()).as_posix()
    except (OSError, ValueError):
        return submission.as_posix()
    return "" if found == "." else found
