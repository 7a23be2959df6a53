"""What comparisons of GANs hand in and show: faces and losses of each side."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from reference_models.core import plots
from reference_models.core.judging import Pictures
from reference_models.core.models import Model, ModelError


def by_preset(models: Iterable[Model], presets: Iterable[str]) -> dict[str, Model]:
    """The models by their presets. Raises ModelError where one of those that are compared is absent."""
    found = {str(model.config.get("preset")): model for model in models}
    absent = sorted(set(presets) - set(found))
    if absent:
        told = f"expected a model of each preset that is compared, found none of {', '.join(absent)}"
        raise ModelError(f"{told}: train these, and pass each run's folder with --run")
    return found


def write_option(path: Path, pictures: Pictures, log: Sequence[Mapping[str, float]]) -> None:
    """`PATH.png`, the faces in five columns, and `PATH.csv`, the losses: step, generator, discriminator."""
    plots.subplots(pictures, 5, path.with_suffix(".png"))
    columns = "step", "loss_g", "loss_d"
    with open(path.with_suffix(".csv"), "w", newline="") as f:
        rows = csv.writer(f, lineterminator="\n")
        rows.writerow(["step", "generator", "discriminator"])
        whole = [row for row in log if all(name in row for name in columns)]
        rows.writerows([int(row["step"]), row["loss_g"], row["loss_d"]] for row in whole)


def compare(
    found: Iterable[Model], presets: Sequence[str], draw: Callable[[Model], Pictures], out: Path, name: str
) -> list[Path]:
    """`NAME_curves.png`, a panel of losses for each model, and `NAME_faces.png`, a row of faces for each.

    In the order of the presets. draw: a model's faces.
    """
    models = sorted(found, key=lambda model: presets.index(model.config["preset"]))
    pictures = [draw(model) for model in models]
    paths = [out / f"{name}_curves.png", out / f"{name}_faces.png"]
    rows: list[dict[str, float]] = []
    panels = {}
    for model in models:
        preset = model.config["preset"]
        panels[preset] = [f"{preset} loss_d", f"{preset} loss_g"]
        rows += [{"step": row["step"]} | {f"{preset} {k}": v for k, v in row.items()} for row in model.log()]
    plots.curves(rows, panels, "steps of the discriminator", paths[0])
    names = [str(model.config["preset"]) for model in models]
    plots.grid(np.concatenate(pictures), len(pictures[0]), paths[1], scale=1, names=names)
    return paths
