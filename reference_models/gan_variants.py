"""Five losses on one generator and one critic: non-saturating, LSGAN, WGAN, WGAN-GP, hinge, on anime faces.

The networks are DCGAN's at a fraction of their width; the critic of WGAN-GP alone has no BatchNorm. A report printed
its LSGAN as a stock model for digits of 1 x 32 x 32; here all are built for 3 x 64 x 64.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from reference_models.core.ablations import by_preset, compare, write_option
from reference_models.core.anime import split_anime
from reference_models.core.gan import draw, fixed_noise
from reference_models.core.judging import Pictures
from reference_models.core.models import Model
from reference_models.core.runs import Machine
from reference_models.core.unconditional import Unconditional
from reference_models.dcgan import Discriminator, Generator, Settings
from reference_models.dcgan import networks as networks

ASSIGNMENT = "mlds-spring2018-hw3"
PROBLEM = "variants"
NOISE_SEED = 1  # of the faces that are handed in; validation looks at those of seed 0
TILES = 25

_BASE = Settings(width=24, images=192_000, validations=4, judged=500)
# The published WGAN descends with RMSprop; here both have the Adam of WGAN-GP, so that they differ in one thing.
# Of its 3000 steps, 5 for each of the generator's at 1e-4 left that with 600 small ones: too few to draw a face.
_WASSERSTEIN = replace(_BASE, d_steps=3, rate=3e-4, betas=(0.0, 0.9))
PRESETS = {
    "ns": _BASE,
    "lsgan": replace(_BASE, loss="lsgan"),
    "wgan": replace(_WASSERSTEIN, loss="wgan"),
    "wgan-gp": replace(_WASSERSTEIN, loss="wgan-gp", norm="none"),
    "hinge": replace(_BASE, loss="hinge", betas=(0.0, 0.9)),
}
BESIDE = ("hinge",)  # the homework has no such option
COMPARED = {"lsgan": "lsgan", "wgan": "wgan", "wgan_gp": "wgan-gp"}  # names of the homework's options


class Trainer(Unconditional[Generator]):
    """Trains both networks on anime faces; validates by the distance of generated faces to the held-out ones."""

    def __init__(self, settings: Settings, data: Path | None, seed: int, machine: Machine) -> None:
        super().__init__(settings, Generator(settings), Discriminator(settings), split_anime(data), seed, machine)


def belongs(model: Model, measure: str) -> bool:
    """Whether a measure of the problem is of this model: a comparison is of both its sides."""
    return model.config["preset"] in ("ns", COMPARED.get(measure.rpartition(".")[2]))


def pictures_of(model: Model, count: int = TILES, seed: int = NOISE_SEED) -> Pictures:
    """Faces, uint8 ``(count, 64, 64, 3)``; the 25 that are handed in by default."""
    settings = model.settings(Settings)
    return draw(model.fill(Generator(settings)), fixed_noise(count, settings.z, seed))


def generate(models: list[Model], out: Path, data: Path | None) -> str:  # noqa: ARG001  # a GAN needs no data
    """Writes `variants/lsgan/with.png`, `with.csv`, and the plain GAN as `without`; and so on; says so."""
    found = by_preset(models, ["ns", *COMPARED.values()])
    for option, preset in COMPARED.items():
        for side, model in (("with", found[preset]), ("without", found["ns"])):
            write_option(out / "variants" / option / side, pictures_of(model), model.log())
    return f"{out / 'variants'}: {', '.join(COMPARED)}, each beside the plain GAN"


def figures(models: list[Model], out: Path, data: Path | None) -> list[Path]:  # noqa: ARG001
    """`gan_variants_curves.png`, and `gan_variants_faces.png`: a row of faces for each loss."""
    return compare(models, list(PRESETS), lambda model: pictures_of(model, 10), out, "gan_variants")
