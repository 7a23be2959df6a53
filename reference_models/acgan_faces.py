"""ACGAN (Odena et al., ICML 2017) of faces at 64 x 64 by an attribute: pairs that differ in it alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from reference_models.acgan import Trainer as Trainer
from reference_models.acgan import learning_curves
from reference_models.acgan_networks import PLAIN, Generator, Settings
from reference_models.acgan_networks import networks as networks
from reference_models.core.deliverables import write_pictures
from reference_models.core.gan import draw, fixed_noise
from reference_models.core.judging import Pictures
from reference_models.core.models import Model

ASSIGNMENT = "dlcv-spring2018-hw4"
PROBLEM = "acgan"
PAIRS = 500
NOISE_SEED = 1  # of the pairs that are handed in; validation looks at those of seed 0

# The attribute is one number of the noise: what else a picture shows depends on the others, the same in a pair.
_FACES = Settings(**PLAIN | {"pictures": "faces", "condition": "joined", "d_width": 64, "flips": True})
_OURS = replace(_FACES, fakes_teach=False, augment="diffaugment", average=0.999)
PRESETS = {
    "gpu": replace(_OURS, images=8_000_000),
    "cpu": replace(_OURS, images=256_000, validations=8),
    # Reports of students: what they wrote, with the losses on logits instead of after a sigmoid (the same functions).
    "report0": replace(_FACES, rate=1e-4, d_rate=1e-4, batch=200, images=8_000_000),
    "report3": replace(_FACES, z=101, leak=0.1, flips=False, images=12_000_000),
    "report4": replace(_FACES, z=101, g_steps=2, flips=False, images=12_000_000),
}


def pairs_of(model: Model, count: int = PAIRS) -> Pictures:
    """The first of the pairs that are handed in, uint8 ``(2, count, 64, 64, 3)``: without and with the attribute."""
    settings = model.settings(Settings)
    generator = model.fill(Generator(settings))
    noise = fixed_noise(PAIRS, settings.z, NOISE_SEED)[:count]
    return np.stack([draw(generator, noise, torch.full((count,), value)) for value in (0, 1)])


def belongs(model: Model, measure: str) -> bool:  # noqa: ARG001
    """Whether a measure of the problem is of this model."""
    return True


def generate(models: list[Model], out: Path, data: Path | None) -> str:  # noqa: ARG001  # a GAN needs no data
    """Writes `acgan/0_001.png` to `acgan/1_500.png`; says so."""
    pairs = pairs_of(models[0])
    names = [f"{value}_{i + 1:03d}.png" for value in (0, 1) for i in range(PAIRS)]
    write_pictures(out / "acgan", names, pairs.reshape(-1, *pairs.shape[2:]))
    attribute = models[0].settings(Settings).attribute
    return f"{out / 'acgan'}: {PAIRS} pairs, 0 without {attribute} and 1 with it"


def figures(models: list[Model], out: Path, data: Path | None) -> list[Path]:  # noqa: ARG001
    """`fig3_2.jpg`, learning curves, and `fig3_3.jpg`, ten pairs: without the attribute above, with it below."""
    from reference_models.core import plots

    pairs = pairs_of(models[0], 10)
    plots.grid(pairs.reshape(20, *pairs.shape[2:]), 10, out / "fig3_3.jpg", scale=1)
    learning_curves(models[0], out / "fig3_2.jpg")
    return [out / "fig3_2.jpg", out / "fig3_3.jpg"]
