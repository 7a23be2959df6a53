"""`grader weights`: which weights are on this machine, and how to get the others."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from grader.cli.output import progress_bar

if TYPE_CHECKING:
    from grader.judges import Judge
    from grader.judges.weights import Weights

_EXIT_WRONG, _EXIT_MISSING = 1, 3


@dataclass(frozen=True)
class _Standing:
    """`state`: here, missing, or wrong: a file of the right name that is another one. `why`: what is wrong."""

    judge: Judge
    state: str
    weights: Weights | None = None
    why: str = ""

    @property
    def remedy(self) -> str:
        if self.state == "here":
            return ""
        return self.judge.remedy if self.judge.shipped is None else "`pip install --force-reinstall vision-grader`"


@click.group()
def weights() -> None:
    """Find, fetch and check the weights of the judges."""


@weights.command("list")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def list_(form: str) -> None:
    """Each judge, whether its weights are on this machine, and where."""
    from grader.judges import JUDGES

    standings = [_look(judge) for judge in JUDGES.values()]
    if form == "json":
        click.echo(json.dumps({"judges": [_about(s) for s in standings]}, indent=2))
        return
    for standing in standings:
        click.echo(f"{standing.state:8} {standing.judge.name:22} {standing.judge.title}")
        for line in (_where(standing), standing.remedy and f"→ {standing.remedy}"):
            if line:
                click.echo(f"{'':8} {line}")


@weights.command()
@click.argument("judge")
def path(judge: str) -> None:
    """The file that would be used for a JUDGE, nothing else."""
    from grader.errors import CannotMeasure
    from grader.judges.weights import find_weights

    (found,) = _judges([judge])
    try:
        click.echo(find_weights(found.name, {}).path)
    except CannotMeasure as e:
        click.echo(f"Error: {e}", err=True)
        raise click.exceptions.Exit(_EXIT_MISSING) from None


@weights.command()
@click.argument("judges", nargs=-1, metavar="[JUDGE]...")
@click.option(
    "--from", "mirror", metavar="URL", default="", help="Another address, for one judge; checked all the same."
)
@click.option("--force", is_flag=True, help="Download also what is here.")
def fetch(judges: tuple[str, ...], mirror: str, force: bool) -> None:
    """Download the weights of JUDGEs; without a name, all that can be downloaded and aren't here."""
    from grader.errors import UsageError
    from grader.judges import JUDGES
    from grader.judges.fetching import CannotFetch

    wanted = _judges(judges) or [judge for judge in JUDGES.values() if judge.url]
    if mirror and (len(judges) != 1 or not wanted[0].url):
        raise UsageError("--from URL goes with the name of one judge whose weights are downloaded.")
    failed = False
    for judge in wanted:
        try:
            click.echo(_fetch(judge, mirror, force))
        except CannotFetch as e:  # the others may still succeed
            click.echo(f"Error: {e}", err=True)
            failed = True
    if failed:
        raise click.exceptions.Exit(_EXIT_MISSING)


@weights.command()
@click.argument("judges", nargs=-1, metavar="[JUDGE]...")
def verify(judges: tuple[str, ...]) -> None:
    """Read the weights of JUDGEs, or of all, and check that they are the right ones and load.

    Exit codes: 0 what is here is right, 1 a file is wrong, 3 the weights of a named judge are missing.
    """
    from grader.judges import JUDGES

    states = set()
    for judge in _judges(judges) or JUDGES.values():
        standing = _look(judge)
        state, note = _verify(standing) if standing.state == "here" else (standing.state, _where(standing))
        states.add(state)
        remedy = "" if state == "ok" else standing.remedy
        click.echo("  ".join(part for part in (f"{state:8}{judge.name:22}", note, remedy and f"→ {remedy}") if part))
    if "wrong" in states:
        raise click.exceptions.Exit(_EXIT_WRONG)
    if judges and "missing" in states:
        raise click.exceptions.Exit(_EXIT_MISSING)


def _judges(names: Iterable[str]) -> list[Judge]:
    from grader.errors import UsageError
    from grader.judges import JUDGES
    from grader.text import did_you_mean

    for name in names:
        if name not in JUDGES:
            hint = did_you_mean(name, JUDGES)
            raise UsageError(f"{name}: no such judge; there are {', '.join(JUDGES)}.{hint}")
    return [JUDGES[name] for name in dict.fromkeys(names)]


def _look(judge: Judge) -> _Standing:
    from grader.errors import CannotMeasure, UsageError
    from grader.judges.weights import candidates, find_weights, identify

    try:
        try:
            found = find_weights(judge.name, {})
        except CannotMeasure:
            first = next(candidates(judge), None)
            if first is None:
                return _Standing(judge, "missing")
            found = identify(judge, first)
    except UsageError as e:
        return _Standing(judge, "wrong", None, str(e))
    return _Standing(judge, "here", found) if found.known else _Standing(judge, "wrong", found, "another sha256")


def _about(standing: _Standing) -> dict[str, str | None]:
    judge, found = standing.judge, standing.weights
    return {
        "judge": judge.name,
        "title": judge.title,
        "state": standing.state,
        "path": None if found is None else str(found.path),
        "sha256": None if found is None else found.sha256,
        "why": standing.why or None,
        "remedy": standing.remedy.strip("`") or None,
    }


def _where(standing: _Standing) -> str:
    found = standing.weights
    if found is None:
        return standing.why
    return f"{found.sha256[:8]} {found.path}" + (f" ({standing.why})" if standing.why else "")


def _fetch(judge: Judge, mirror: str, force: bool) -> str:
    """Fetches unless there is no need to; a sentence that says where the weights are."""
    from grader.judges.fetching import fetch

    if judge.shipped is not None:
        return f"{judge.name}: needs no download, it comes with the grader."
    if not judge.url:
        return f"{judge.name}: needs no download, {judge.remedy} brings it."
    standing = _look(judge)
    if standing.state == "here" and not force:
        return f"{judge.name}: is here, {_where(standing)}"
    with progress_bar() as show:
        path = fetch(
            judge,
            url=mirror,
            force=force,
            done=lambda got, size: show(f"{judge.name}, MiB", got >> 20, size >> 20),
            tell=lambda note: click.echo(note, err=True),
        )
    return f"{judge.name}: fetched, {path}"


def _verify(standing: _Standing) -> tuple[str, str]:
    from grader.errors import UsageError
    from grader.judges.fetching import check_layout

    assert standing.weights is not None
    try:
        loads = check_layout(standing.weights)
    except UsageError as e:
        return "wrong", str(e)
    return "ok", _where(standing) + (
        "" if loads else f" (not loaded: that takes `pip install 'vision-grader[{standing.judge.extra}]'`)"
    )
