"""`grader init`, `grader completion`: what one runs once."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from grader.starting import Made

_action = click.option(
    "--action", default="", metavar="OWNER/REPO@VERSION", help="Where the GitHub action of the grader is published."
)


@click.group()
def init() -> None:
    """Make a course's folder or a student's repository."""


@init.command()
@click.argument("folder", metavar="NAME", type=click.Path(path_type=Path))
@_action
def course(folder: Path, action: str) -> None:
    """Make the folder NAME with an assignment to fill in, baselines, README and workflow.

    Nothing that is there is overwritten.
    """
    from grader.starting import init_course

    _tell(init_course(folder, action), action)
    click.echo(
        f"\nNext: change {folder / 'assignment.toml'}, then grader assignments validate {folder / 'assignment.toml'}"
    )


@init.command()
@click.argument("folder", metavar="[DIR]", type=click.Path(path_type=Path), default=Path())
@click.option(
    "--assignment", default="dlcv-fall2021-hw2", show_default=True, metavar="ID|FILE", help="A file is copied."
)
@_action
def submission(folder: Path, assignment: str, action: str) -> None:
    """Make a student's repository in DIR, by default here: folders for what is handed in, README, workflow.

    Nothing that is there is overwritten.
    """
    from grader.starting import init_submission

    _tell(init_submission(folder, assignment, action), action)
    named = "assignment/assignment.toml" if assignment.endswith(".toml") else assignment
    own = "" if named == "dlcv-fall2021-hw2" else f" --assignment {named}"
    where = "" if folder == Path() else f"in {folder}, "
    click.echo(f"\nNext: {where}let your scripts write into submission/, then grader check{own}")


def _tell(made: list[Made], action: str) -> None:
    for item in made:
        click.echo(f"{'made' if item.new else 'kept'}  {item.path}{'' if item.new else ' (is there already)'}")
    workflow = next((item for item in made if item.new and item.path.suffix == ".yml"), None)
    if workflow and not action:
        click.echo(f"\nIn {workflow.path} put the owner of the published action for OWNER, or pass --action.")


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """A script that completes commands and options with the Tab key.

    \b
    bash: grader completion bash >> ~/.bashrc
    zsh:  grader completion zsh >> ~/.zshrc
    fish: grader completion fish > ~/.config/fish/completions/grader.fish
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None  # the choices are those that click has
    click.echo(kind(click.get_current_context().find_root().command, {}, "grader", "_GRADER_COMPLETE").source())
