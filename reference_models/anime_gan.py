"""GAN of anime faces at 64 x 64 as a course's report describes it, counted as Keras counts.

Pictures are float32 ``(n, 3, 64, 64)`` in [-1, 1], noise is float ``(n, z)``.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reference_models.core.anime import split_anime
from reference_models.core.gan import draw, fixed_noise
from reference_models.core.judging import Pictures
from reference_models.core.losses import Loss
from reference_models.core.models import Model
from reference_models.core.runs import Machine
from reference_models.core.unconditional import Unconditional

ASSIGNMENT = "mlds-spring2018-hw3"
PROBLEM = "gan"
NOISE_SEED = 1  # of the faces that are handed in; validation looks at those of seed 0
TILES = 25


@dataclass(frozen=True)
class Settings:
    """Each trick is a switch. `width` counts the generator's channels at 16 x 16, `d_width` the discriminator's first.

    `dropout`: the discriminator's. `spread`: standard deviation of the noise of what is handed in; below 1, faces are
    more alike and more of them are found. The rest: see core.unconditional.
    """

    z: int = 100
    width: int = 128
    d_width: int = 32
    loss: Loss = "bce"
    dropout: float = 0.25
    leak: float = 0.2
    rate: float = 2e-4
    d_rate: float = 0.0
    betas: tuple[float, float] = (0.5, 0.999)
    batch: int = 64
    images: int = 5_120_000  # real images that the discriminator sees: 80,000 steps
    flips: bool = True
    augment: bool = True
    d_steps: int = 1
    g_steps: int = 1
    penalty: float = 10.0
    clip: float = 0.01
    average: float = 0.999
    spread: float = 1.0
    validations: int = 20  # in a whole run
    judged: int = 500  # generated pictures in each of them


PRESETS = {
    "gpu": Settings(),
    "cpu": Settings(width=64, images=288_000, validations=9, spread=0.8),
    # A student's report: what it wrote, with the loss on logits instead of after a sigmoid (the same function).
    "report1": Settings(flips=False, augment=False, average=0),
}


class Generator(nn.Sequential):
    """Noise ``(n, z)`` to pictures: a dense layer to 16 x 16, twice as large twice, convolutions between, Tanh."""

    def __init__(self, settings: Settings) -> None:
        w, leak = settings.width, settings.leak
        parts: list[nn.Module] = [nn.Linear(settings.z, w * 16 * 16), nn.LeakyReLU(leak), nn.Unflatten(1, (w, 16, 16))]
        for before, after in ((w, w), (w, w // 2)):
            parts += [Double(before, after), _norm(after), nn.LeakyReLU(leak)]
        super().__init__(*parts, Transposed(w // 2, 3), nn.Tanh())
        self.apply(_initialise)


class Discriminator(nn.Sequential):
    """Pictures to one logit each, ``(n,)``: 64 → 32 → 16 (17 with a border of zeros) → 9 → 9, then a dense layer."""

    def __init__(self, settings: Settings) -> None:
        if settings.loss == "wgan-gp":
            raise ValueError("a critic whose gradient is penalised has no BatchNorm: see gan_variants")
        w = settings.d_width
        parts: list[nn.Module] = []
        for before, after, stride in ((3, w, 2), (w, 2 * w, 2), (2 * w, 4 * w, 2), (4 * w, 8 * w, 1)):
            parts.append(Same(before, after, stride))
            if before == w:
                parts.append(nn.ZeroPad2d((0, 1, 0, 1)))
            if before != 3:
                parts.append(_norm(after))
            parts += [nn.LeakyReLU(settings.leak), nn.Dropout(settings.dropout)]
        super().__init__(*parts, nn.Flatten(), nn.Linear(8 * w * 9 * 9, 1), nn.Flatten(0))
        self.apply(_initialise)


class Same(nn.Conv2d):
    """A convolution of 4 x 4 whose output is as large as its input, or half of that, padded as Keras does ("same")."""

    def __init__(self, before: int, after: int, stride: int = 1) -> None:
        super().__init__(before, after, 4, stride)

    def forward(self, input: Tensor) -> Tensor:
        padding = []
        for side in (input.shape[3], input.shape[2]):
            missing = max(0, (-(-side // self.stride[0]) - 1) * self.stride[0] + 4 - side)
            padding += [missing // 2, missing - missing // 2]
        return super().forward(F.pad(input, padding))


class Transposed(nn.ConvTranspose2d):
    """A transposed convolution of 4 x 4 whose output is as large as its input, cut as Keras does."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__(before, after, 4)

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:
        return super().forward(input, output_size)[:, :, 1:-2, 1:-2]


class Double(Transposed):
    """The same behind an enlargement to twice the sides that repeats each pixel, in one step.

    Each weight meets a pixel and its copies: together that is a kernel of 5 x 5 with stride 2, two fifths of the work.
    """

    def forward(self, input: Tensor, output_size: list[int] | None = None) -> Tensor:  # noqa: ARG002
        weight = sum((F.pad(self.weight, (x, 1 - x, y, 1 - y)) for x in (0, 1) for y in (0, 1)), torch.zeros(()))
        return F.conv_transpose2d(input, weight, self.bias, 2)[:, :, 1:-2, 1:-2]


def _norm(channels: int) -> nn.BatchNorm2d:
    # Keras' momentum of 0.8 is the share of the old mean, torch's that of the new one.
    return nn.BatchNorm2d(channels, momentum=0.2)


def _initialise(module: nn.Module) -> None:
    """As Keras does by default: Glorot's uniform distribution, and no bias."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)


def keras_count(network: nn.Module) -> int:
    """The parameters as Keras' summary counts them: the running mean and variance of each BatchNorm are among them.

    >>> keras_count(Generator(Settings())), keras_count(Discriminator(Settings()))
    (3706819, 712673)
    """
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    return sum(p.numel() for p in network.parameters()) + sum(2 * norm.num_features for norm in norms)


def networks(settings: Settings) -> list[tuple[str, nn.Module, Tensor]]:
    """Each network with its name and a batch of its input."""
    noise, pictures = torch.zeros(1, settings.z), torch.zeros(1, 3, 64, 64)
    return [("generator", Generator(settings), noise), ("discriminator", Discriminator(settings), pictures)]


class Trainer(Unconditional[Generator]):
    """Trains both networks on anime faces; validates by the distance of generated faces to the held-out ones."""

    def __init__(self, settings: Settings, data: Path | None, seed: int, machine: Machine) -> None:
        super().__init__(settings, Generator(settings), Discriminator(settings), split_anime(data), seed, machine)


def belongs(model: Model, measure: str) -> bool:  # noqa: ARG001
    """Whether a measure of the problem is of this model."""
    return True


def pictures_of(model: Model, count: int = TILES, seed: int = NOISE_SEED) -> Pictures:
    """Faces, uint8 ``(count, 64, 64, 3)``; the 25 that are handed in by default."""
    settings = model.settings(Settings)
    return draw(model.fill(Generator(settings)), settings.spread * fixed_noise(count, settings.z, seed))


def generate(models: list[Model], out: Path, data: Path | None) -> str:  # noqa: ARG001  # a GAN needs no data
    """Writes `samples/gan.png`; says so."""
    from reference_models.core import plots

    plots.subplots(pictures_of(models[0]), 5, out / "samples" / "gan.png")
    return f"{out / 'samples' / 'gan.png'}: 25 faces"


def figures(models: list[Model], out: Path, data: Path | None) -> list[Path]:  # noqa: ARG001
    """`anime_gan_curves.png`; `anime_gan_faces.png`, the faces that are handed in, at their own size."""
    from reference_models.core import plots

    panels = {
        "losses": ["loss_d", "loss_g"],
        "share that D takes for real": ["says_real", "says_fake"],
        "distance to validation faces": ["fd_validation", "fd_last_weights"],
    }
    across = f"steps of {models[0].settings(Settings).batch} images"
    paths = [out / "anime_gan_curves.png", out / "anime_gan_faces.png"]
    plots.curves(models[0].log(), panels, across, paths[0])
    plots.grid(pictures_of(models[0]), 5, paths[1])
    return paths
