"""ACGAN's settings and networks: a generator that is told the label, a discriminator that tells it.

Pictures are float32 ``(n, 3, side, side)`` in [-1, 1], noise is float ``(n, z)``, labels are int64 ``(n,)``.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from reference_models.core.labelled import CLASSES, SIDE, label_code


@dataclass(frozen=True)
class Settings:
    """Each trick is a switch. `width` and `d_width` count the channels at the largest size of either network.

    `condition`: the label's embedding `multiplied` into the noise, the label `joined` in place of the noise's last
    numbers, or a gain and a bias of each label behind every BatchNorm, `norms` (de Vries et al., NeurIPS 2017).
    `projection`: what is real is asked for each label (Miyato and Koyama, ICLR 2018); without it nothing but their
    mixture has to look real, and each label gets colours of its own. `stem`: the discriminator begins with a
    convolution at full size. `norm`: of the discriminator; `batch` leaves out its last convolution. `augment`: of real
    and generated pictures; `diffaugment` is Zhao et al.'s (NeurIPS 2020), `translation` its shifts, but smaller,
    `recolour` those with changes of colour that suit MNIST-M.
    `fakes_teach`: the discriminator learns labels from generated pictures too, as in the paper.
    `class_d`, `class_g`: weights of the class losses. `g_steps`: the generator's for one of the discriminator's.
    `leak`: of the discriminator's LeakyReLU. `average`: decay of the generator's average a step, 0 for none.
    """

    pictures: Literal["digits", "faces"] = "digits"
    attribute: str = "Smiling"  # of faces
    z: int = 64
    width: int = 64
    d_width: int = 128
    condition: Literal["multiplied", "joined", "norms"] = "norms"
    projection: bool = True
    stem: bool = True
    norm: Literal["batch", "spectral"] = "spectral"
    loss: Literal["bce", "hinge"] = "hinge"
    class_d: float = 1.0
    class_g: float = 1.0
    fakes_teach: bool = False
    g_steps: int = 1
    leak: float = 0.2
    rate: float = 3e-4
    d_rate: float = 5e-4
    betas: tuple[float, float] = (0.0, 0.9)
    batch: int = 64
    images: int = 4_000_000  # real images that the discriminator sees
    flips: bool = False
    augment: Literal["none", "translation", "recolour", "diffaugment"] = "recolour"
    average: float = 0.999
    validations: int = 10  # in a whole run
    judged: int = 1000  # generated pictures in each of them

    @property
    def classes(self) -> int:
        """How many labels there are."""
        return CLASSES[self.pictures]

    @property
    def side(self) -> int:
        """Width and height of a picture."""
        return SIDE[self.pictures]


PLAIN: dict[str, Any] = {"norm": "batch", "loss": "bce", "fakes_teach": True, "augment": "none", "average": 0.0}
PLAIN |= {"projection": False, "stem": False, "z": 100, "betas": (0.5, 0.999), "rate": 2e-4, "d_rate": 2e-4}
PRESETS = {
    "gpu": Settings(),
    "cpu": Settings(width=32, d_width=48, images=640_000),
    # A student's report: what it wrote, with the losses on logits instead of after a sigmoid (the same functions).
    "report2": Settings(**PLAIN, condition="multiplied", width=32, d_width=48, images=2_000_000),
}


class LabelNorm(nn.Module):
    """BatchNorm whose gain and bias come from the label, ``(n, channels, h, w)`` to the same."""

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(channels, affine=False)
        self.affine = nn.Embedding(classes, 2 * channels)
        nn.init.normal_(self.affine.weight[:, :channels], 1, 0.02)
        nn.init.zeros_(self.affine.weight[:, channels:])

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        gain, bias = self.affine(labels)[:, :, None, None].chunk(2, 1)
        result: Tensor = self.norm(x) * gain + bias
        return result


class Generator(nn.Module):
    """Noise and labels to pictures: transposed convolutions to 7, 14, 28 or 4, 8, 16, 32, 64; BatchNorm, ReLU, Tanh."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.condition, self.classes, self.z, w = settings.condition, settings.classes, settings.z, settings.width
        if self.condition == "multiplied":
            self.embedding = nn.Embedding(self.classes, self.z)
        digits = settings.pictures == "digits"
        channels = (4 * w, 2 * w, w) if digits else (8 * w, 4 * w, 2 * w, w)
        parts: list[nn.Module] = [nn.ConvTranspose2d(self.z, channels[0], 7 if digits else 4, bias=False)]
        for before, after in pairwise(channels):
            parts += [self._norm(before), nn.ReLU(), nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False)]
        # Digits end at their full size with one more convolution: what separates strokes is one pixel wide.
        last = nn.Conv2d(w, 3, 3, 1, 1) if digits else nn.ConvTranspose2d(w, 3, 4, 2, 1, bias=False)
        self.body = nn.ModuleList([*parts, self._norm(w), nn.ReLU(), last, nn.Tanh()])
        self.body.apply(_initialise)

    def _norm(self, channels: int) -> nn.Module:
        return LabelNorm(channels, self.classes) if self.condition == "norms" else nn.BatchNorm2d(channels)

    def forward(self, noise: Tensor, labels: Tensor) -> Tensor:
        if self.condition == "multiplied":
            noise = noise * self.embedding(labels)
        elif self.condition == "joined":
            code = label_code(labels, self.classes).to(noise.dtype)
            noise = torch.cat([noise[:, : self.z - code.shape[1]], code], 1)
        x = noise[:, :, None, None]
        for part in self.body:
            x = part(x, labels) if isinstance(part, LabelNorm) else part(x)
        return x


class Discriminator(nn.Module):
    """Pictures to logits: of being real ``(n,)``, and of the class, ``(n, classes)``, or ``(n, 1)`` for an attribute.

    Convolutions with stride 2 and LeakyReLU, 28 → 14 → 7 → 3 or 64 → 32 → 16 → 8 → 4; one convolution is each head.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        w, classes, digits = settings.d_width, settings.classes, settings.pictures == "digits"
        channels = (w // 2 if settings.stem else 3, w, 2 * w, 4 * w) + (() if digits else (8 * w,))
        parts: list[nn.Module] = []
        if settings.stem:
            parts += [_convolution(settings, 3, w // 2, 3, 1, 1), nn.LeakyReLU(settings.leak)]
        for before, after in pairwise(channels):
            parts.append(_convolution(settings, before, after, 4, 2, 1))
            if settings.norm == "batch" and after != channels[-1]:
                parts.append(nn.BatchNorm2d(after))
            parts.append(nn.LeakyReLU(settings.leak))
        self.body = nn.Sequential(*parts)
        rest = 3 if digits else 4
        self.source = _convolution(settings, channels[-1], 1, rest)
        if settings.projection:
            self.projection = _convolution(settings, channels[-1], classes, rest)
        # Without the norm: bounded logits would be unsure of every class.
        self.label = nn.Conv2d(channels[-1], 1 if classes == 2 else classes, rest, bias=settings.norm == "spectral")
        self.apply(_initialise)

    def forward(self, pictures: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        x = self.body(pictures)
        source: Tensor = self.source(x).flatten()
        if hasattr(self, "projection"):
            source = source + self.projection(x).flatten(1).gather(1, labels[:, None])[:, 0]
        return source, self.label(x).flatten(1)


def _convolution(settings: Settings, before: int, after: int, kernel: int, stride: int = 1, pad: int = 0) -> nn.Module:
    spectral = settings.norm == "spectral"
    made = nn.Conv2d(before, after, kernel, stride, pad, bias=spectral)
    return spectral_norm(made) if spectral else made


def _initialise(module: nn.Module) -> None:
    """As in DCGAN: N(0, 0.02) for convolutions, N(1, 0.02) for BatchNorm."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d) and not hasattr(module, "parametrizations"):
        nn.init.normal_(module.weight, 0, 0.02)
    elif isinstance(module, nn.BatchNorm2d) and module.affine:
        nn.init.normal_(module.weight, 1, 0.02)


def networks(settings: Settings) -> list[tuple[str, nn.Module, *tuple[Tensor, ...]]]:
    """Each network with its name and a batch of its inputs."""
    noise, labels = torch.zeros(1, settings.z), torch.zeros(1, dtype=torch.int64)
    pictures = torch.zeros(1, 3, settings.side, settings.side)
    discriminator = Discriminator(settings)
    return [("generator", Generator(settings), noise, labels), ("discriminator", discriminator, pictures, labels)]
