"""Where reports go: stdout, and a file that is whole or not there."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from grader.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from grader.measuring.context import Progress


STDOUT = Path("-")


def check_output(path: Path, submission: Path, option: str = "-o") -> None:
    """Refuses, before any work, a place where the report can't go: UsageError."""
    if str(path) in ("", ".") or path.is_dir():
        raise UsageError(f"{option} {path}: that is a folder; give the name of a file.")
    if not path.parent.is_dir():
        raise UsageError(f"{option} {path}: there is no folder {path.parent} to write it into.")
    if submission.is_file() and path.exists() and path.samefile(submission):
        raise UsageError(f"{option} {path}: that is the submission; the report would overwrite it.")
    refuse_prepared(path, submission, option)


def check_folder(path: Path, option: str) -> None:
    """Refuses, before any work, what is no folder and can't be made one: UsageError."""
    if path.exists() and not path.is_dir():
        raise UsageError(f"{option} {path}: that is a file; give the name of a folder.")
    if not path.exists() and not path.parent.is_dir():
        raise UsageError(f"{option} {path}: there is no folder {path.parent} to make it in.")


def refuse_prepared(path: Path, submission: Path, option: str) -> None:
    """Refuses, in the submission and in the current folder, a place that a student may have prepared: UsageError.

    In a student's repository `report.json` may be a link to somebody else's file, or a pipe that nobody reads.
    """
    there = Path(os.path.normpath(Path.cwd() / path))
    grounds = {ground for ground in (Path.cwd(), submission.resolve()) if ground != ground.parent}
    behind_link = False
    for part in (there, *there.parents):
        if part.resolve() in grounds:
            break
        behind_link = behind_link or part.is_symlink()
    else:
        return
    if behind_link:
        raise UsageError(f"{option} {path}: that is a link or lies behind one; give the name of the file itself.")
    if there.exists() and not (there.is_file() or there.is_dir()):
        raise UsageError(f"{option} {path}: that is no regular file.")


def report_place(text: str) -> tuple[str, Path]:
    """`KIND=PATH` of `--report`; the path `-` is stdout. Raises UsageError."""
    from grader.reporting import KINDS
    from grader.text import did_you_mean

    kind, equals, path = text.partition("=")
    if not equals or not path:
        raise UsageError(f"--report {text}: expected KIND=PATH, such as junit=grader.xml.")
    if kind not in KINDS:
        raise UsageError(f"--report {text}: expected one of {', '.join(KINDS)}.{did_you_mean(kind, KINDS)}")
    return kind, Path(path)


_NARROWEST = 40


def make_console() -> Console:
    """A console for reports on stdout: at most 100 columns, colour only on a terminal without NO_COLOR."""
    from rich.console import Console

    from grader.reporting.terminal import WIDEST

    console = Console(soft_wrap=False, emoji=False, markup=False)
    width = min(console.width, WIDEST) if console.is_terminal or os.environ.get("COLUMNS") else WIDEST
    return Console(width=max(width, _NARROWEST), soft_wrap=False, emoji=False, markup=False)


@contextmanager
def trimmed(console: Console) -> Iterator[None]:
    """Prints without the blanks that fill lines up: a log or a file has no use for them, and a terminal no harm."""
    if console.is_terminal:
        yield
        return
    with console.capture() as captured:
        yield
    sys.stdout.write(re.sub(r" +$", "", captured.get(), flags=re.MULTILINE))


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Progress on stderr, only where that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        tasks = {}

        def show(task: str, done: int, total: int) -> None:
            if task not in tasks:
                tasks[task] = bar.add_task(task, total=total)
            bar.update(tasks[task], completed=done)

        yield show
