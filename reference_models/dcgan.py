"""DCGAN (Radford et al., ICLR 2016) on faces at 64 x 64: as courses' reports describe it, and an improved one.

Pictures are float32 ``(n, 3, 64, 64)`` in [-1, 1].
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from reference_models.core.deliverables import write_pictures
from reference_models.core.faces import split_faces
from reference_models.core.gan import draw, fixed_noise
from reference_models.core.judging import Pictures
from reference_models.core.losses import Loss
from reference_models.core.models import Model
from reference_models.core.runs import Machine
from reference_models.core.unconditional import Unconditional

ASSIGNMENT = "dlcv-fall2021-hw2"
PROBLEM = "gan"
NOISE_SEED = 1  # of the faces that are handed in; validation looks at those of seed 0


@dataclass(frozen=True)
class Settings:
    """Each trick is a switch. `width` counts the channels at 32 x 32; `first` is the generator's first stage.

    `norm`: `batch` puts BatchNorm behind all but the discriminator's last convolution, or from the second one on
    (`batch-from-second`, as in the paper); `spectral` is spectral normalisation instead (Miyato et al., ICLR 2018);
    `none` is for a critic whose gradient is penalised. `leak`: of the discriminator's LeakyReLU. `average`: decay of
    the generator's average a step, 0 for none. Losses, and the steps of both networks: see core.losses and
    core.unconditional.
    """

    z: int = 100
    width: int = 64
    first: Literal["transposed", "linear"] = "transposed"
    norm: Literal["batch", "batch-from-second", "spectral", "none"] = "batch-from-second"
    loss: Loss = "bce"
    rate: float = 2e-4
    d_rate: float = 0.0  # the discriminator's, where it differs: two rates, Heusel et al., NeurIPS 2017
    betas: tuple[float, float] = (0.5, 0.999)
    batch: int = 64
    images: int = 2_000_000  # real images that the discriminator sees
    flips: bool = True
    augment: bool = True
    d_steps: int = 1
    g_steps: int = 1
    penalty: float = 10.0
    clip: float = 0.01
    leak: float = 0.2
    average: float = 0.999
    validations: int = 20  # in a whole run
    judged: int = 1000  # generated pictures in each of them


# What a student's report wrote, with the loss on logits instead of after a sigmoid (the same function).
_REPORT2 = Settings(batch=128, flips=False, augment=False, average=0)

PRESETS = {
    "gpu": Settings(batch=128, images=12_800_000),
    "cpu": Settings(images=384_000),
    "spectral": Settings(norm="spectral", loss="hinge", betas=(0.0, 0.9), batch=128),
    "report0": replace(_REPORT2, norm="batch", rate=1e-4, batch=200, flips=True),
    "report2": _REPORT2,
    "report2-linear": replace(_REPORT2, first="linear"),
    "report2-z1024": replace(_REPORT2, z=1024),
    "report3": replace(_REPORT2, first="linear", batch=64, leak=0.1, g_steps=2, images=12_000_000),
    "report4": replace(_REPORT2, first="linear", batch=64, width=32, g_steps=2, images=12_000_000),
}


class Generator(nn.Sequential):
    """Noise ``(n, z)`` to pictures: transposed convolutions 4 → 8 → 16 → 32 → 64, BatchNorm, ReLU, Tanh.

    >>> sum(p.numel() for p in Generator(Settings()).parameters())
    3576704
    """

    def __init__(self, settings: Settings) -> None:
        w = settings.width
        parts: list[nn.Module]
        if settings.first == "linear":
            # BatchNorm of each of the 16 places by itself is all that differs from the transposed convolution.
            norm = nn.BatchNorm1d(8 * w * 16)
            parts = [nn.Linear(settings.z, 8 * w * 16, bias=False), norm, nn.Unflatten(1, (8 * w, 4, 4))]
        else:
            first = nn.ConvTranspose2d(settings.z, 8 * w, 4, bias=False)
            parts = [nn.Unflatten(1, (settings.z, 1, 1)), first, nn.BatchNorm2d(8 * w)]
        parts.append(nn.ReLU(inplace=True))
        for before, after in pairwise((8 * w, 4 * w, 2 * w, w)):
            up = nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False)
            parts += [up, nn.BatchNorm2d(after), nn.ReLU(inplace=True)]
        super().__init__(*parts, nn.ConvTranspose2d(w, 3, 4, 2, 1, bias=False), nn.Tanh())
        self.apply(_initialise)


class Discriminator(nn.Sequential):
    """Pictures to one logit each, ``(n,)``: convolutions 64 → 32 → 16 → 8 → 4 → 1, LeakyReLU."""

    def __init__(self, settings: Settings) -> None:
        if settings.loss == "wgan-gp" and settings.norm != "none":
            raise ValueError("a critic whose gradient is penalised has no norm over the batch: give norm=none")
        w = settings.width
        parts: list[nn.Module] = []
        for before, after in pairwise((3, w, 2 * w, 4 * w, 8 * w)):
            parts.append(_convolution(settings, before, after, 4, 2, 1))
            if settings.norm == "batch" or (settings.norm == "batch-from-second" and before != 3):
                parts.append(nn.BatchNorm2d(after))
            parts.append(nn.LeakyReLU(settings.leak, inplace=True))
        super().__init__(*parts, _convolution(settings, 8 * w, 1, 4, 1, 0), nn.Flatten(0))
        self.apply(_initialise)


def _convolution(settings: Settings, before: int, after: int, kernel: int, stride: int, padding: int) -> nn.Module:
    spectral = settings.norm == "spectral"
    made = nn.Conv2d(before, after, kernel, stride, padding, bias=spectral or settings.norm == "none")
    return spectral_norm(made) if spectral else made


def _initialise(module: nn.Module) -> None:
    """N(0, 0.02) for convolutions, N(1, 0.02) for BatchNorm, as in the paper."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear) and not hasattr(module, "parametrizations"):
        nn.init.normal_(module.weight, 0, 0.02)
    elif isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1, 0.02)


def networks(settings: Settings) -> list[tuple[str, nn.Module, Tensor]]:
    """Each network with its name and a batch of its input."""
    noise, pictures = torch.zeros(1, settings.z), torch.zeros(1, 3, 64, 64)
    return [("generator", Generator(settings), noise), ("discriminator", Discriminator(settings), pictures)]


class Trainer(Unconditional[Generator]):
    """Trains both networks on faces; validates by the distance of generated faces to the held-out ones."""

    def __init__(self, settings: Settings, data: Path | None, seed: int, machine: Machine) -> None:
        super().__init__(settings, Generator(settings), Discriminator(settings), split_faces(data), seed, machine)


def belongs(model: Model, measure: str) -> bool:  # noqa: ARG001
    """Whether a measure of the problem is of this model."""
    return True


def pictures_of(model: Model, count: int = 1000) -> Pictures:
    """The first of the 1000 faces that are handed in, uint8 ``(count, 64, 64, 3)``."""
    settings = model.settings(Settings)
    return draw(model.fill(Generator(settings)), fixed_noise(1000, settings.z, NOISE_SEED)[:count])


def generate(models: list[Model], out: Path, data: Path | None) -> str:  # noqa: ARG001  # a GAN needs no data
    """Writes `gan/0001.png` to `gan/1000.png`; says so."""
    write_pictures(out / "gan", [f"{i + 1:04d}.png" for i in range(1000)], pictures_of(models[0]))
    return f"{out / 'gan'}: 1000 faces"


def figures(models: list[Model], out: Path, data: Path | None) -> list[Path]:  # noqa: ARG001
    """Learning curves, `dcgan_curves.png`, and the first 32 of the faces that are handed in, `dcgan_faces.png`.

    The same as `fig2_2.jpg` and `fig2_3.jpg`, the names that one of the homeworks asks for.
    """
    from reference_models.core import plots

    faces = pictures_of(models[0], 32)
    panels = {
        "losses": ["loss_d", "loss_g"],
        "share that D takes for real": ["says_real", "says_fake"],
        "distance to validation faces": ["fd_validation", "fd_last_weights"],
    }
    across = f"steps of {models[0].settings(Settings).batch} images"
    paths = [out / name for name in ("dcgan_curves.png", "dcgan_faces.png", "fig2_2.jpg", "fig2_3.jpg")]
    for path in (paths[0], paths[2]):
        plots.curves(models[0].log(), panels, across, path)
    plots.grid(faces, 8, paths[1])
    plots.grid(faces, 8, paths[3], scale=1)
    return paths
