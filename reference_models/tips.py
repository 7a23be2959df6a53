"""Training tips, each left out or taken alone: the GAN of anime faces with a quarter of its width.

The tips are those of "How to train a GAN" (Chintala et al., 2016), by their numbers there: 1, pictures in [-1, 1] and
Tanh; 5, no sparse gradients, so LeakyReLU and strides instead of ReLU and max pooling; 17, dropout in the generator,
in training and afterwards. The GAN as it stands follows 1 and 5, and does without 17.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from reference_models.anime_gan import Settings, pictures_of
from reference_models.anime_gan import Trainer as Trainer
from reference_models.anime_gan import networks as networks
from reference_models.core.ablations import by_preset, compare, write_option
from reference_models.core.models import Model

ASSIGNMENT = "mlds-spring2018-hw3"
PROBLEM = "variants"

_BASE = Settings(width=32, d_width=16, images=96_000, validations=4)
PRESETS = {
    "base": _BASE,
    "tip1-without": replace(_BASE, normalise=False),
    "tip5-without": replace(_BASE, sparse=True),
    "tip17-with": replace(_BASE, g_dropout=0.5),
}
# For each tip the presets with and without it.
PAIRS = {"tip1": ("base", "tip1-without"), "tip5": ("base", "tip5-without"), "tip17": ("tip17-with", "base")}


def belongs(model: Model, measure: str) -> bool:
    """Whether a measure of the problem is of this model: a comparison is of the one that differs from the base."""
    return any(model.config["preset"] in pair and measure.endswith(f".{tip}") for tip, pair in PAIRS.items())


def generate(models: list[Model], out: Path, data: Path | None) -> str:  # noqa: ARG001  # a GAN needs no data
    """Writes `variants/tip1/with.png`, `with.csv`, `without.png`, `without.csv`, and so on; says so."""
    found = by_preset(models, PRESETS)
    for tip, pair in PAIRS.items():
        for side, preset in zip(("with", "without"), pair, strict=True):
            model = found[preset]
            write_option(out / "variants" / tip / side, pictures_of(model), model.log())
    return f"{out / 'variants'}: {', '.join(PAIRS)}, each with and without"


def figures(models: list[Model], out: Path, data: Path | None) -> list[Path]:  # noqa: ARG001
    """`tips_curves.png`, and `tips_faces.png`: a row of faces for each."""
    return compare(models, [pictures_of(model, 10) for model in models], out, "tips")
