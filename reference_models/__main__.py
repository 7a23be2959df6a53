"""`python -m reference_models`: the reference solutions, from training to what is handed in."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType
from typing import Any

import click

from grader.errors import CannotMeasure, GraderError, UsageError

# Each module has PRESETS, networks(settings), Trainer(settings, data, seed, machine).
FAMILIES = ("dcgan",)
FAMILY = click.argument("name", type=click.Choice(FAMILIES))
PRESET = click.option("--preset", default="gpu", show_default=True, help="Whose settings.")
SET = click.option("--set", "changes", multiple=True, metavar="NAME=VALUE", help="Changes one setting; repeatable.")


def family(name: str) -> ModuleType:
    """The module of a family: torch is imported with it."""
    from grader.judges import torchvision_shim  # noqa: F401  # before torchvision, which judges import

    return importlib.import_module(f"reference_models.{name}")


def settings_of(name: str, preset: str, changes: tuple[str, ...]) -> Any:
    """A family's settings. Raises click.BadParameter."""
    from reference_models.core.settings import SettingsError, changed

    presets = family(name).PRESETS
    if preset not in presets:
        raise click.BadParameter(f"expected one of {', '.join(presets)}", param_hint="--preset")
    try:
        return changed(presets[preset], changes)
    except SettingsError as e:
        raise click.BadParameter(str(e), param_hint="--set") from None


@click.group()
def main() -> None:
    """Reference solutions of the course's problems: train them, generate what is handed in, draw their figures."""


@main.command("list")
def list_() -> None:
    """The families, what they are, and their presets."""
    for name in FAMILIES:
        module = family(name)
        about = (module.__doc__ or "").strip().splitlines()[0]
        click.echo(f"{name:8} {about}\n         presets: {', '.join(module.PRESETS)}")


@main.command()
@FAMILY
@PRESET
@SET
def summary(name: str, preset: str, changes: tuple[str, ...]) -> None:
    """The layers of a family's networks with their parameters."""
    from reference_models.core.summary import layers, table

    for title, network, batch in family(name).networks(settings_of(name, preset, changes)):
        click.echo(table(title, layers(network, batch)))


@main.command()
@FAMILY
@PRESET
@SET
@click.option("--data", type=click.Path(path_type=Path, exists=True, file_okay=False), help="The course's data folder.")
@click.option("--out", type=click.Path(path_type=Path), help="The run's folder; a run that is there goes on.")
@click.option("--seed", default=0, show_default=True)
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or mps.")
@click.option("--precision", type=click.Choice(["auto", "float32", "bfloat16"]), default="auto", show_default=True)
@click.option("--dry-run", is_flag=True, help="Two steps on made-up data; nothing is kept.")
def train(
    name: str,
    preset: str,
    changes: tuple[str, ...],
    data: Path | None,
    out: Path | None,
    seed: int,
    device: str,
    precision: str,
    dry_run: bool,
) -> None:
    """Trains a family. The same command goes on after an interruption."""
    import tempfile

    import torch

    from grader.judges.devices import choose_device
    from reference_models.core.runs import choose_machine, fit
    from reference_models.core.settings import as_json

    settings = settings_of(name, preset, changes)
    if not dry_run and (data is None or out is None):
        raise click.UsageError("expected --data and --out, or --dry-run")
    machine = choose_machine(choose_device(device), precision)
    torch.manual_seed(seed)  # the first weights
    trainer = family(name).Trainer(settings, None if dry_run else data, seed, machine)
    kept: dict[str, Any] = {"family": name, "preset": preset, "settings": as_json(settings), "seed": seed}
    kept |= {"device": machine.device.type, "bfloat16": machine.bfloat16}
    if dry_run:
        trainer.steps = 2
        with tempfile.TemporaryDirectory() as folder:
            fit(trainer, Path(folder), kept, seed, click.echo)
        return
    assert out is not None
    fit(trainer, out, kept, seed, click.echo)


def run() -> None:
    """The command line; errors are one line, not a traceback."""
    from reference_models.core.runs import RunError

    try:
        main.main(prog_name="python -m reference_models", standalone_mode=True)
    except (GraderError, CannotMeasure, UsageError, RunError) as e:
        raise SystemExit(f"error: {e}") from None


if __name__ == "__main__":
    run()
