"""Training tips, each left out or taken alone: DCGAN's networks at a fraction of their width, on anime faces.

The tips are those of "How to train a GAN" (Chintala et al., 2016), by their numbers there: 1, pictures in [-1, 1] and
Tanh; 5, no sparse gradients, so LeakyReLU and strides instead of ReLU and max pooling; 17, dropout in the generator,
in training and afterwards. The GAN as it stands follows 1 and 5, and does without 17.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reference_models import dcgan
from reference_models.core.ablations import by_preset, compare, write_option
from reference_models.core.anime import split_anime
from reference_models.core.gan import draw, fixed_noise
from reference_models.core.judging import Pictures
from reference_models.core.models import Model
from reference_models.core.runs import Machine
from reference_models.core.unconditional import Unconditional

ASSIGNMENT = "mlds-spring2018-hw3"
PROBLEM = "variants"
NOISE_SEED = 1  # of the faces that are handed in; validation looks at those of seed 0
TILES = 25


@dataclass(frozen=True)
class Settings(dcgan.Settings):
    """Those of DCGAN, and a switch for each tip.

    `normalise` (tip 1): pictures in [-1, 1] and Tanh, else in [0, 1] and a sigmoid. `sparse` (against tip 5): ReLU, max
    pooling and repeated pixels before a convolution, instead of LeakyReLU, strides and transposed convolutions.
    `dropout` (tip 17): the share of the generator's activations that are left out, in training and afterwards.
    """

    width: int = 24
    images: int = 128_000
    validations: int = 4
    judged: int = 500
    normalise: bool = True
    sparse: bool = False
    dropout: float = 0.0


PRESETS = {
    "base": Settings(),
    "tip1-without": Settings(normalise=False),
    "tip5-without": Settings(sparse=True),
    "tip17-with": Settings(dropout=0.5),
}
# For each tip the presets with and without it.
PAIRS = {"tip1": ("base", "tip1-without"), "tip5": ("base", "tip5-without"), "tip17": ("tip17-with", "base")}


class Generator(nn.Sequential):
    """Noise ``(n, z)`` to pictures 4 → 8 → 16 → 32 → 64."""

    def __init__(self, settings: Settings) -> None:
        w = settings.width
        parts: list[nn.Module] = [nn.Unflatten(1, (settings.z, 1, 1)), nn.ConvTranspose2d(settings.z, 8 * w, 4)]
        for before, after in pairwise((8 * w, 4 * w, 2 * w, w)):
            parts += [nn.BatchNorm2d(before), _activation(settings)]
            parts += [Dropout(settings.dropout)] if settings.dropout else []
            parts += _up(settings, before, after)
        parts += [nn.BatchNorm2d(w), _activation(settings), *_up(settings, w, 3)]
        super().__init__(*parts, nn.Tanh() if settings.normalise else Halves())
        self.apply(_initialise)


class Discriminator(nn.Module):
    """Pictures to one logit each, ``(n,)``: 64 → 32 → 16 → 8 → 4 → 1."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.normalise, w = settings.normalise, settings.width
        parts: list[nn.Module] = []
        for before, after in pairwise((3, w, 2 * w, 4 * w, 8 * w)):
            if settings.sparse:
                parts += [nn.Conv2d(before, after, 3, 1, 1), nn.MaxPool2d(2)]
            else:
                parts.append(nn.Conv2d(before, after, 4, 2, 1))
            parts += [nn.BatchNorm2d(after)] if before != 3 else []
            parts.append(_activation(settings))
        self.body = nn.Sequential(*parts, nn.Conv2d(8 * w, 1, 4), nn.Flatten(0))
        self.apply(_initialise)

    def forward(self, pictures: Tensor) -> Tensor:
        result: Tensor = self.body(pictures if self.normalise else (pictures + 1) / 2)
        return result


class Halves(nn.Module):
    """A sigmoid in [0, 1], given in [-1, 1] as all pictures are."""

    def forward(self, x: Tensor) -> Tensor:
        return 2 * x.sigmoid() - 1


class Dropout(nn.Module):
    """Dropout that goes on after training, as noise does."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.share, training=True)


def _activation(settings: Settings) -> nn.Module:
    return nn.ReLU(inplace=True) if settings.sparse else nn.LeakyReLU(settings.leak, inplace=True)


def _up(settings: Settings, before: int, after: int) -> list[nn.Module]:
    if settings.sparse:
        return [nn.Upsample(scale_factor=2), nn.Conv2d(before, after, 3, 1, 1)]
    return [nn.ConvTranspose2d(before, after, 4, 2, 1)]


def _initialise(module: nn.Module) -> None:
    """As in DCGAN's paper: N(0, 0.02) for convolutions, N(1, 0.02) for BatchNorm."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.BatchNorm2d):
        nn.init.normal_(module.weight, float(isinstance(module, nn.BatchNorm2d)), 0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def networks(settings: Settings) -> list[tuple[str, nn.Module, Tensor]]:
    """Each network with its name and a batch of its input."""
    noise, pictures = torch.zeros(1, settings.z), torch.zeros(1, 3, 64, 64)
    return [("generator", Generator(settings), noise), ("discriminator", Discriminator(settings), pictures)]


class Trainer(Unconditional[Generator]):
    """Trains both networks on anime faces. The last weights count: settings are compared after as many pictures."""

    final = "last"

    def __init__(self, settings: Settings, data: Path | None, seed: int, machine: Machine) -> None:
        super().__init__(settings, Generator(settings), Discriminator(settings), split_anime(data), seed, machine)


def belongs(model: Model, measure: str) -> bool:
    """Whether a measure of the problem is of this model: a comparison is of the one that differs from the base."""
    return any(model.config["preset"] in pair and measure.endswith(f".{tip}") for tip, pair in PAIRS.items())


def pictures_of(model: Model, count: int = TILES, seed: int = NOISE_SEED) -> Pictures:
    """Faces, uint8 ``(count, 64, 64, 3)``; the 25 that are handed in by default."""
    settings = model.settings(Settings)
    torch.manual_seed(seed)  # of dropout that goes on
    return draw(model.fill(Generator(settings)), fixed_noise(count, settings.z, seed))


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
    return compare(models, list(PRESETS), lambda model: pictures_of(model, 10), out, "tips")
