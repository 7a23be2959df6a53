"""`python -m reference_models`: the families and their networks."""

from __future__ import annotations

import click
import torch
from torch import nn

from reference_models import dcgan
from reference_models.core.summary import layers, table

FAMILIES = {"dcgan": dcgan}


@click.group()
def main() -> None:
    """Reference solutions of the course's problems."""


@main.command("list")
def list_() -> None:
    """The families, what they are, and their presets."""
    for name, family in FAMILIES.items():
        about = (family.__doc__ or "").strip().splitlines()[0]
        click.echo(f"{name:8} {about}\n         presets: {', '.join(family.PRESETS)}")


@main.command()
@click.argument("name", type=click.Choice(sorted(FAMILIES)))
@click.option("--preset", default="gpu", show_default=True, help="Whose settings.")
def summary(name: str, preset: str) -> None:
    """The layers of a family's networks with their parameters."""
    family = FAMILIES[name]
    if preset not in family.PRESETS:
        raise click.BadParameter(f"expected one of {', '.join(family.PRESETS)}", param_hint="--preset")
    for title, network, batch in family.networks(family.PRESETS[preset]):
        _show(title, network, batch)


def _show(title: str, network: nn.Module, batch: torch.Tensor) -> None:
    click.echo(table(title, layers(network, batch)))


if __name__ == "__main__":
    main(prog_name="python -m reference_models")
