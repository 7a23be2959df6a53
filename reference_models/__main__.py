"""`python -m reference_models`: the reference solutions, from training to what is handed in."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import click

from grader.errors import UsageError

if TYPE_CHECKING:
    from reference_models.core.models import Model

# Each module has PRESETS, networks(settings), Trainer(settings, data, seed, machine), generate and figures(models, out,
# data), the ASSIGNMENT and PROBLEM that it solves, and belongs(model, measure).
FAMILIES = (
    "dcgan",
    "acgan",
    "dann",
    "uda",
    "vae",
    "acgan_faces",
    "infogan",
    "anime_gan",
    "gan_variants",
    "tips",
    "text2image",
    "cyclegan",
)
FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)
FAMILY = click.argument("name", type=click.Choice(FAMILIES))
PRESET = click.option("--preset", default="", help="Whose settings; by default the first that `list` names.")
SET = click.option("--set", "changes", multiple=True, metavar="NAME=VALUE", help="Changes one setting; repeatable.")


def family(name: str) -> ModuleType:
    """The module of a family: torch is imported with it."""
    from grader.judges import torchvision_shim  # noqa: F401  # before torchvision, which judges import

    return importlib.import_module(f"reference_models.{name}")


def settings_of(name: str, preset: str, changes: tuple[str, ...]) -> Any:
    """A family's settings. Raises click.BadParameter."""
    from reference_models.core.settings import SettingsError, changed

    presets = family(name).PRESETS
    if preset not in presets and preset:
        raise click.BadParameter(f"expected one of {', '.join(presets)}", param_hint="--preset")
    try:
        return changed(presets[preset or next(iter(presets))], changes)
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

    try:
        for title, network, *inputs in family(name).networks(settings_of(name, preset, changes)):
            click.echo(table(title, layers(network, *inputs)))
    except (RuntimeError, ValueError) as e:
        raise UsageError(f"these settings make no network: {str(e).splitlines()[0]}") from None


@main.command()
@FAMILY
@PRESET
@SET
@click.option("--data", type=FOLDER, help="The course's data folder.")
@click.option("--out", type=click.Path(path_type=Path), help="The run's folder; a run that is there goes on.")
@click.option("--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True)
@click.option("--threads", type=click.IntRange(1), help="Of the CPU; other numbers give other weights.")
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
    threads: int | None,
    device: str,
    precision: str,
    dry_run: bool,
) -> None:
    """Trains a family. The same command goes on after an interruption."""
    import tempfile

    import torch

    from grader.judges.devices import choose_device
    from reference_models.core.data import digest
    from reference_models.core.runs import RunError, choose_machine, fit
    from reference_models.core.settings import as_json

    preset = preset or next(iter(family(name).PRESETS))
    settings = settings_of(name, preset, changes)
    if not dry_run and (data is None or out is None):
        raise click.UsageError("expected --data and --out, or --dry-run")
    machine = choose_machine(choose_device(device), precision)
    if threads:
        torch.set_num_threads(threads)
    torch.manual_seed(seed)  # the first weights
    try:
        trainer = family(name).Trainer(settings, None if dry_run else data, seed, machine)
    except (RuntimeError, ValueError) as e:
        raise RunError(f"these settings make no network: {str(e).splitlines()[0]}") from None
    kept: dict[str, Any] = {"family": name, "preset": preset, "settings": as_json(settings), "seed": seed}
    kept |= {"device": machine.device.type, "bfloat16": machine.bfloat16, "selection": trainer.selection}
    kept |= {"final": trainer.final, "threads": torch.get_num_threads(), "torch": torch.__version__}
    if dry_run:
        trainer.steps = 2
        with tempfile.TemporaryDirectory() as folder:
            fit(trainer, Path(folder), kept, seed, click.echo)
        return
    assert data is not None and out is not None
    fit(trainer, out, kept | {"data": digest(data)}, seed, click.echo)


@main.command("prepare")
@click.argument("sets", nargs=-1, required=True, type=click.Choice(["mnistm", "usps", "svhn", "face"]))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The data folder, in the course's layout.")
@click.option("--cache", type=click.Path(path_type=Path), default=Path("downloads"), show_default=True)
@click.option("--photos", type=FOLDER, help="Photos behind the digits of mnistm, such as BSDS500's.")
def prepare_(sets: tuple[str, ...], out: Path, cache: Path, photos: Path | None) -> None:
    """Downloads public sets and lays them out as the course does. Its own splits may differ."""
    from reference_models.core.prepare import prepare

    for name in sets:
        click.echo(prepare(name, out, cache, photos))


RUN = click.option(
    "--run",
    "runs",
    type=FOLDER,
    multiple=True,
    help="A run's folder, instead of the models that come with the project; repeatable where several are compared.",
)


@main.command()
@click.argument("names", nargs=-1, required=True, type=click.Choice(FAMILIES))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The submission's folder.")
@click.option("--data", type=FOLDER, help="The course's data folder: adaptation predicts its test pictures.")
@RUN
def generate(names: tuple[str, ...], out: Path, data: Path | None, runs: tuple[Path, ...]) -> None:
    """Writes what is handed in, on the CPU: the same on every machine."""
    for name in names:
        click.echo(family(name).generate(_models(name, runs), out, data))


@main.command()
@click.argument("names", nargs=-1, required=True, type=click.Choice(FAMILIES))
@click.option("--out", type=click.Path(path_type=Path), default=Path("figures"), show_default=True)
@click.option("--data", type=FOLDER, help="The course's data folder, for t-SNE plots.")
@RUN
def figures(names: tuple[str, ...], out: Path, data: Path | None, runs: tuple[Path, ...]) -> None:
    """Draws the figures of a report as PNG."""
    out.mkdir(parents=True, exist_ok=True)
    for name in names:
        for path in family(name).figures(_models(name, runs), out, data):
            click.echo(path)


@main.command("publish")
@click.argument("run", type=FOLDER)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Such as reference_models/weights/dcgan.")
@click.option("--which", type=click.Choice(["best", "last"]), help="Default: those that count by the family's rule.")
@click.option("--bits", type=click.Choice(["16", "8"]), default="16", show_default=True, help="Of a weight.")
def publish_(run: Path, out: Path, which: str | None, bits: str) -> None:
    """Copies a finished run's weights with fewer bits, its settings and its log."""
    from reference_models.core.models import publish

    click.echo(publish(run, out, which or "", int(bits)))


@main.command("measure")
@click.argument("name", type=click.Choice(FAMILIES))
@click.option("--data", type=FOLDER, required=True, help="The course's data folder.")
@click.option("--judge", "judges", multiple=True, metavar="NAME=PATH", help="Asks a judge with these weights too.")
def measure_(name: str, data: Path, judges: tuple[str, ...]) -> None:
    """Grades what the published models make, and writes metrics.json beside their weights."""
    import tempfile

    from reference_models.core.measured import measure, pixels_of, write_metrics

    models, module = _models(name, ()), family(name)
    wrong = [text for text in judges if "=" not in text]
    if wrong:
        raise click.BadParameter(f"expected NAME=PATH, found {wrong[0]!r}", param_hint="--judge")
    given = {judge: Path(path) for judge, _, path in (text.partition("=") for text in judges)}
    with tempfile.TemporaryDirectory() as out:
        module.generate(models, Path(out), data)
        found = measure(Path(out), module.ASSIGNMENT, module.PROBLEM, data, {})
        if given:
            again = measure(Path(out), module.ASSIGNMENT, module.PROBLEM, data, given)
            found += [m for m in again if m.provenance.get("judge") in given]
        pixels = pixels_of(Path(out))
    for model in models:
        handed_in = model.config["preset"] not in getattr(module, "BESIDE", ())
        own = [m for m in found if module.belongs(model, m.id)]
        click.echo(write_metrics(model, own, pixels, handed_in=handed_in))


def _models(name: str, runs: tuple[Path, ...]) -> list[Model]:
    from reference_models.core.models import ModelError, load, published

    models = [load(run) for run in runs]
    for model in models:
        if model.config.get("family") != name:
            raise ModelError(f"{model.folder}: expected a run of {name}, found one of {model.config.get('family')}")
    return models or published(name)


def run() -> None:
    """The command line; errors are one line, not a traceback."""
    from reference_models.core import commands

    commands.run_command(lambda: main.main(prog_name="python -m reference_models"))


if __name__ == "__main__":
    run()
