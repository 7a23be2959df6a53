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

from reference_models.core.augment import diff_augment, flip
from reference_models.core.data import to_pixels, to_range
from reference_models.core.deliverables import write_pictures
from reference_models.core.faces import split_faces
from reference_models.core.gan import Adversaries, discriminator_loss, draw, fixed_noise, generator_loss
from reference_models.core.judging import Distance, Pictures
from reference_models.core.models import Model
from reference_models.core.runs import Machine, Values

ASSIGNMENT = "dlcv-fall2021-hw2"
PROBLEM = "gan"
NOISE_SEED = 1  # of the faces that are handed in; validation looks at those of seed 0


@dataclass(frozen=True)
class Settings:
    """Each trick is a switch. `width` counts the channels at 32 x 32; `first` is the generator's first stage.

    `norm`: `batch` puts BatchNorm behind all but the discriminator's last convolution, or from the second one on
    (`batch-from-second`, as in the paper); `spectral` is spectral normalisation instead (Miyato et al., ICLR 2018).
    `loss`: `bce` on logits, non-saturating, or `hinge`. `g_steps`: the generator's for one of the discriminator's.
    `leak`: of the discriminator's LeakyReLU. `average`: decay of the generator's average a step, 0 for none.
    """

    z: int = 100
    width: int = 64
    first: Literal["transposed", "linear"] = "transposed"
    norm: Literal["batch", "batch-from-second", "spectral"] = "batch-from-second"
    loss: Literal["bce", "hinge"] = "bce"
    rate: float = 2e-4
    d_rate: float = 0.0  # the discriminator's, where it differs: two rates, Heusel et al., NeurIPS 2017
    betas: tuple[float, float] = (0.5, 0.999)
    batch: int = 64
    images: int = 2_000_000  # real images that the discriminator sees
    flips: bool = True
    augment: bool = True
    g_steps: int = 1
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
    made = nn.Conv2d(before, after, kernel, stride, padding, bias=spectral)
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


class Trainer(Adversaries[Generator]):
    """Trains both networks on faces; validates by the distance of generated faces to the held-out ones."""

    selection = "fd_validation"

    def __init__(self, settings: Settings, data: Path | None, seed: int, machine: Machine) -> None:
        faces, held_out = split_faces(data)
        super().__init__(settings, Generator(settings), Discriminator(settings), len(faces), seed, machine)
        self.settings = settings
        self.faces = faces.to(machine.device)
        self.noise = fixed_noise(settings.judged if data else 16, settings.z, seed=0)
        self.distance = Distance.to(to_pixels(to_range(held_out)), machine.device)

    def update(self, step: int) -> Values:
        """One step of the discriminator, then one of the generator against it."""
        settings = self.settings
        real = to_range(self.faces[self.batches(step).to(self.faces.device)])
        noise = torch.randn(len(real), settings.z).to(real.device)
        with self.machine.autocast():
            fake = self.generator(noise)
            said_real = self.discriminator(self._augment(flip(real) if settings.flips else real))
            said_fake = self.discriminator(self._augment(fake.detach()))
        d_loss = discriminator_loss(said_real.float(), said_fake.float(), settings.loss)
        self.teach_discriminator(d_loss)
        for again in range(settings.g_steps):
            with self.machine.autocast():
                if again:
                    fake = self.generator(torch.randn(len(real), settings.z).to(real.device))
                said = self.discriminator(self._augment(fake))
            g_loss = generator_loss(said.float(), settings.loss)
            self.teach_generator(g_loss)
        return {
            "loss_d": float(d_loss.detach()),
            "loss_g": float(g_loss.detach()),
            "says_real": float((said_real > 0).float().mean()),
            "says_fake": float((said_fake > 0).float().mean()),
        }

    def _augment(self, images: Tensor) -> Tensor:
        return diff_augment(images.float()) if self.settings.augment else images

    def validate(self) -> Values:
        """The distance of the pictures that the kept weights make, and of the last weights where both are there."""
        values = {"fd_validation": self.distance.of(draw(self.kept, self.noise))}
        if self.averaged:
            values["fd_last_weights"] = self.distance.of(draw(self.generator, self.noise))
        return values


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
