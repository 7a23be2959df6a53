"""Where reports go: stdout, and a file that is whole or not there."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from grader.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from grader.measuring import Progress


def write_whole(path: Path, text: str) -> None:
    """Writes the text to a file beside it first, then renames: an interruption leaves the old file or none."""
    try:
        fd, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(fd, "w", encoding="utf-8") as f:
                f.write(text)
            Path(name).chmod(0o666 & ~_umask())
            Path(name).replace(path)
        except BaseException:
            with suppress(OSError):
                Path(name).unlink()
            raise
    except OSError as e:
        raise UsageError(f"-o {path}: can't be written: {e.strerror}.") from None


def _umask() -> int:
    # The mask can only be read by setting it.
    mask = os.umask(0)
    os.umask(mask)
    return mask


def make_console() -> Console:
    """A console for reports on stdout: at most 100 columns, colour only on a terminal without NO_COLOR."""
    from rich.console import Console

    from grader.reporting.terminal import WIDEST

    console = Console(soft_wrap=False, emoji=False, markup=False)
    width = min(console.width, WIDEST) if console.is_terminal or os.environ.get("COLUMNS") else WIDEST
    return Console(width=width, soft_wrap=False, emoji=False, markup=False)


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
