"""DCGAN (Radford et al., ICLR 2016) on faces at 64 x 64: as courses' reports describe it, and an improved one.

Pictures are float32 ``(n, 3, 64, 64)`` in [-1, 1].
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm


@dataclass(frozen=True)
class Settings:
    """Each trick is a switch. `width` counts the channels at 32 x 32; `first` is the generator's first stage.

    `norm`: `batch` puts BatchNorm behind all but the discriminator's last convolution, or from the second one on
    (`batch-from-second`, as in the paper); `spectral` is spectral normalisation instead (Miyato et al., ICLR 2018).
    `loss`: `bce` on logits, non-saturating, or `hinge`. `average`: decay of the generator's average a step, 0 for none.
    """

    z: int = 100
    width: int = 64
    first: Literal["transposed", "linear"] = "transposed"
    norm: Literal["batch", "batch-from-second", "spectral"] = "spectral"
    loss: Literal["bce", "hinge"] = "hinge"
    rate: float = 2e-4
    betas: tuple[float, float] = (0.0, 0.9)
    batch: int = 128
    images: int = 2_000_000  # real images that the discriminator sees
    flips: bool = True
    augment: bool = True
    average: float = 0.999


PRESETS = {
    "gpu": Settings(images=12_800_000),
    "cpu": Settings(width=32, images=640_000),
    # Reports of students: what they wrote, with the loss on logits instead of after a sigmoid (the same function).
    "report0": Settings(norm="batch", loss="bce", rate=1e-4, betas=(0.5, 0.999), batch=200, augment=False, average=0),
    "report2": Settings(
        norm="batch-from-second", loss="bce", betas=(0.5, 0.999), flips=False, augment=False, average=0
    ),
    "report2-z1024": Settings(
        z=1024,
        first="linear",
        norm="batch-from-second",
        loss="bce",
        betas=(0.5, 0.999),
        flips=False,
        augment=False,
        average=0,
    ),
}


class Generator(nn.Sequential):
    """Noise ``(n, z)`` to pictures: transposed convolutions 4 → 8 → 16 → 32 → 64, BatchNorm, ReLU, Tanh.

    >>> sum(p.numel() for p in Generator(Settings()).parameters())
    3576704
    """

    def __init__(self, settings: Settings) -> None:
        w = settings.width
        if settings.first == "linear":
            first: list[nn.Module] = [
                nn.Linear(settings.z, 8 * w * 16, bias=False),
                nn.Unflatten(1, (8 * w, 4, 4)),
            ]
        else:
            first = [nn.Unflatten(1, (settings.z, 1, 1)), nn.ConvTranspose2d(settings.z, 8 * w, 4, bias=False)]
        parts = [*first, nn.BatchNorm2d(8 * w), nn.ReLU(inplace=True)]
        for before, after in pairwise((8 * w, 4 * w, 2 * w, w)):
            up = nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False)
            parts += [up, nn.BatchNorm2d(after), nn.ReLU(inplace=True)]
        super().__init__(*parts, nn.ConvTranspose2d(w, 3, 4, 2, 1, bias=False), nn.Tanh())
        self.apply(_initialise)


class Discriminator(nn.Sequential):
    """Pictures to one logit each, ``(n,)``: convolutions 64 → 32 → 16 → 8 → 4 → 1, LeakyReLU."""

    def __init__(self, settings: Settings) -> None:
        w = settings.width
        parts: list[nn.Module] = []
        for before, after in pairwise((3, w, 2 * w, 4 * w, 8 * w)):
            parts.append(_convolution(settings, before, after, 4, 2, 1))
            if settings.norm == "batch" or (settings.norm == "batch-from-second" and before != 3):
                parts.append(nn.BatchNorm2d(after))
            parts.append(nn.LeakyReLU(0.2, inplace=True))
        super().__init__(*parts, _convolution(settings, 8 * w, 1, 4, 1, 0), nn.Flatten(0))
        self.apply(_initialise)


def _convolution(settings: Settings, before: int, after: int, kernel: int, stride: int, padding: int) -> nn.Module:
    spectral = settings.norm == "spectral"
    made = nn.Conv2d(before, after, kernel, stride, padding, bias=spectral)
    return spectral_norm(made) if spectral else made


def _initialise(module: nn.Module) -> None:
    """N(0, 0.02) for convolutions, N(1, 0.02) for BatchNorm, as in the paper."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear) and not hasattr(module, "parametrizations"):
        nn.init.normal_(module.weight, 0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1, 0.02)


def networks(settings: Settings) -> list[tuple[str, nn.Module, Tensor]]:
    """Each network with its name and a batch of its input."""
    noise, pictures = torch.zeros(1, settings.z), torch.zeros(1, 3, 64, 64)
    return [("generator", Generator(settings), noise), ("discriminator", Discriminator(settings), pictures)]


def discriminator_loss(real: Tensor, fake: Tensor, loss: str) -> Tensor:
    """Logits of real and of generated pictures, ``(n,)`` each, to the discriminator's loss."""
    if loss == "hinge":
        return F.relu(1 - real).mean() + F.relu(1 + fake).mean()
    ones, zeros = torch.ones_like(real), torch.zeros_like(fake)
    return F.binary_cross_entropy_with_logits(real, ones) + F.binary_cross_entropy_with_logits(fake, zeros)


def generator_loss(fake: Tensor, loss: str) -> Tensor:
    """Non-saturating: the generator wants its pictures taken for real ones."""
    if loss == "hinge":
        return -fake.mean()
    return F.binary_cross_entropy_with_logits(fake, torch.ones_like(fake))
