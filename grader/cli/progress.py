"""How far `grader batch` is, in a line."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from grader.batch.running import Tally

_LINES = 20  # of progress, where stderr is no terminal


def progress(total: int) -> Callable[[Tally], None]:
    """Shows how far a run of so many submissions is: on a terminal a bar, elsewhere a line now and then."""
    shown = [0.0, 0]

    def show(tally: Tally) -> None:
        now, part = time.monotonic(), tally.done * _LINES // max(total, 1)
        terminal = sys.stderr.isatty()
        due = now - shown[0] > 0.2 or tally.done == total if terminal else part > shown[1]
        if not due:
            return
        shown[:] = [now, part]
        click.echo(_line(tally), err=True, nl=not terminal)
        if terminal and tally.done == total:
            click.echo("", err=True)

    return show


def _line(tally: Tally) -> str:
    states = " ".join(f"{state} {n}" for state, n in sorted(tally.states.items()))
    left = "" if tally.left is None or tally.done == tally.total else f", {_duration(tally.left)} left"
    rate = f", {60 * tally.rate:.3g} a minute" if tally.rate else ""
    again = f", {tally.retried} tried again" if tally.retried else ""
    start = "\r\x1b[K" if sys.stderr.isatty() else ""
    return f"{start}{tally.done} of {tally.total}: {states or 'begun'}{rate}{left}{again}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
