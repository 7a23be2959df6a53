"""CycleGAN's settings and networks (Zhu et al., ICCV 2017): a ResNet that draws, a discriminator of patches.

Pictures are float32 ``(n, 3, side, side)`` in [-1, 1]; `side` is a multiple of 4.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Settings:
    """Each trick is a switch. `width` counts a generator's channels at full size, `d_width` a discriminator's first.

    `first`, `second`: the folders of the two domains under the data, with `{part}` for `train` or `test`. `side`: that
    of the pictures, which are made smaller or larger; `crop`: they are made so much larger, and a part of them taken.
    `cycle`, `identity`: weights of these losses. `pool`: how many generated pictures of earlier steps the
    discriminators may see. `images`: pictures of each domain that are seen. `decay`: from which share of the run on the
    rate falls to 0. `handed_in`: how many test pictures of the first domain are drawn as the second.
    """

    first: str = "digits/mnistm/{part}"
    second: str = "digits/svhn/{part}"
    side: int = 28
    crop: float = 1.0
    width: int = 64
    d_width: int = 64
    blocks: int = 6
    d_layers: int = 2  # that halve the sides; each patch is 22 or 70 pixels wide with 2 or 3
    cycle: float = 10.0
    identity: float = 5.0
    pool: int = 50
    flips: bool = False
    rate: float = 2e-4
    betas: tuple[float, float] = (0.5, 0.999)
    batch: int = 16
    images: int = 400_000
    decay: float = 0.5
    validations: int = 10
    judged: int = 500  # pictures of each domain in each of them
    handed_in: int = 500


# As in the paper: 200 epochs of a thousand photos, one at a time, mirrored, enlarged to 286 and cut to 256. The folders
# are named as the authors published them.
_PHOTOS = Settings(
    first="horse2zebra/{part}A",
    second="horse2zebra/{part}B",
    side=256,
    crop=286 / 256,
    blocks=9,
    d_layers=3,
    flips=True,
    batch=1,
    images=267_000,
    judged=100,
    handed_in=120,
)

PRESETS = {
    "gpu": Settings(),
    "cpu": Settings(width=24, d_width=32, blocks=3, images=120_000),
    "horse2zebra": _PHOTOS,
}


class Block(nn.Module):
    """Two convolutions whose result is added to what came in."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        first, second = (
            nn.Conv2d(channels, channels, 3, padding=1, padding_mode="reflect", bias=False) for _ in range(2)
        )
        norms = nn.InstanceNorm2d(channels), nn.InstanceNorm2d(channels)
        self.body = nn.Sequential(first, norms[0], nn.ReLU(inplace=True), second, norms[1])

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = x + self.body(x)
        return result


class Generator(nn.Sequential):
    """A picture of one domain to one of the other: to a quarter of its sides, blocks there, and back.

    The authors' program counts 5,248 more: biases before an instance norm, which takes them away again.

    >>> sum(p.numel() for p in Generator(Settings(blocks=9)).parameters())
    11372931
    """

    def __init__(self, settings: Settings) -> None:
        w = settings.width
        parts: list[nn.Module] = [nn.Conv2d(3, w, 7, padding=3, padding_mode="reflect", bias=False)]
        parts += [nn.InstanceNorm2d(w), nn.ReLU(inplace=True)]
        for before in (w, 2 * w):
            parts += [nn.Conv2d(before, 2 * before, 3, 2, 1, bias=False)]
            parts += [nn.InstanceNorm2d(2 * before), nn.ReLU(inplace=True)]
        parts += [Block(4 * w) for _ in range(settings.blocks)]
        for before in (4 * w, 2 * w):
            parts += [nn.ConvTranspose2d(before, before // 2, 3, 2, 1, output_padding=1, bias=False)]
            parts += [nn.InstanceNorm2d(before // 2), nn.ReLU(inplace=True)]
        super().__init__(*parts, nn.Conv2d(w, 3, 7, padding=3, padding_mode="reflect"), nn.Tanh())
        self.apply(_initialise)


class Discriminator(nn.Sequential):
    """A picture to logits of its patches, ``(n, 1, h, w)``. The authors' program counts 896 biases more.

    >>> sum(p.numel() for p in Discriminator(Settings(d_layers=3)).parameters())
    2763841
    """

    def __init__(self, settings: Settings) -> None:
        w = settings.d_width
        parts: list[nn.Module] = [nn.Conv2d(3, w, 4, 2, 1), nn.LeakyReLU(0.2, inplace=True)]
        for i in range(1, settings.d_layers + 1):
            stride = 2 if i < settings.d_layers else 1
            parts += [nn.Conv2d(w, min(2 * w, 8 * settings.d_width), 4, stride, 1, bias=False)]
            w = min(2 * w, 8 * settings.d_width)
            parts += [nn.InstanceNorm2d(w), nn.LeakyReLU(0.2, inplace=True)]
        super().__init__(*parts, nn.Conv2d(w, 1, 4, 1, 1))
        self.apply(_initialise)


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(module.weight, 0, 0.02)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def networks(settings: Settings) -> list[tuple[str, nn.Module, Tensor]]:
    """Each network with its name and a batch of its input; either domain has one of both."""
    if settings.side % 4 or settings.side < 16:
        raise ValueError(f"expected a side of 16 or more that four divides, found {settings.side}")
    pictures = torch.zeros(1, 3, settings.side, settings.side)
    return [
        ("first to second", Generator(settings), pictures),
        ("second to first", Generator(settings), pictures),
        ("discriminator of the first", Discriminator(settings), pictures),
        ("discriminator of the second", Discriminator(settings), pictures),
    ]
