"""`grader assignments`, `grader baselines` and `grader explain`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from grader.assignment import Assignment


@click.group()
def assignments() -> None:
    """List, show and validate assignments."""


@assignments.command("list")
def list_() -> None:
    """The assignments that come with the grader."""
    from grader.assignment import assignment_ids, load_assignment

    names = assignment_ids()
    for name in names:
        click.echo(f"{name:{max(map(len, names))}}  {load_assignment(name).title}")


@assignments.command()
@click.argument("assignment", metavar="ID|FILE")
def show(assignment: str) -> None:
    """What an assignment asks for: deliverables, measures, points."""
    from grader.assignment import load_assignment
    from grader.reporting.assignments import describe

    click.echo(describe(load_assignment(assignment)))


@assignments.command()
@click.argument("file", type=click.Path(path_type=Path))
def validate(file: Path) -> None:
    """Check an assignment file of your own; the exit code is 2 if it is wrong."""
    from grader.assignment import load_assignment
    from grader.errors import UsageError
    from grader.text import points

    if file.suffix != ".toml":
        raise UsageError(f"{file}: an assignment file ends in .toml.")
    loaded = load_assignment(file)
    measures = [m for p in loaded.problems for m in p.measures]
    most = sum(b.points for m in measures for b in m.baselines)
    click.echo(
        f"{file} is valid: {loaded.id}, {len(loaded.problems)} problems, {len(measures)} measures, {points(most)}."
    )


@click.command()
@click.option("--assignment", default="dlcv-fall2021-hw2", show_default=True, metavar="ID|FILE")
@click.option("--problem", "problems", multiple=True, metavar="P", help="Only this problem; repeatable.")
def baselines(assignment: str, problems: tuple[str, ...]) -> None:
    """The values to reach, their points and sources, and the reported results."""
    from grader.assignment import load_assignment
    from grader.cli.output import make_console
    from grader.reporting.assignments import baseline_tables

    loaded: Assignment = load_assignment(assignment).only(problems)
    console = make_console()
    for table in baseline_tables(loaded):
        console.print(table)
        console.print()


@click.command()
@click.argument("rule", required=False)
def explain(rule: str | None) -> None:
    """What a rule means, with an example; without RULE, the list of rules."""
    from grader.checks.rules import RULES
    from grader.errors import UsageError
    from grader.text import did_you_mean

    if rule is None:
        for known in RULES.values():
            click.echo(f"{known.id:22} {known.severity:8} {known.title}")
        return
    if rule not in RULES:
        raise UsageError(f"No rule {rule!r}; `grader explain` lists them.{did_you_mean(rule, RULES)}")
    found = RULES[rule]
    click.echo(f"{found.id} ({found.severity}): {found.title}.\n\n{found.meaning}\n\nExample: {found.example}")
