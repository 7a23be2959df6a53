"""ACGAN (Odena et al., ICML 2017) of digits by label at 28 x 28; its trainer draws faces by attribute, too.

Pictures are float32 ``(n, 3, side, side)`` in [-1, 1], noise is float ``(n, z)``, labels are int64 ``(n,)``.
"""

from __future__ import annotations

import copy
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reference_models.acgan_networks import PRESETS as PRESETS
from reference_models.acgan_networks import Discriminator, Generator, Settings
from reference_models.acgan_networks import networks as networks
from reference_models.core.augment import diff_augment, flip, translation
from reference_models.core.data import to_range
from reference_models.core.deliverables import write_pictures
from reference_models.core.gan import Adversaries, draw, fixed_noise
from reference_models.core.judging import Pictures
from reference_models.core.labelled import LabelledDistance, class_accuracy, class_loss, in_order, load
from reference_models.core.losses import discriminator_loss, generator_loss
from reference_models.core.models import Model
from reference_models.core.runs import Machine, Values

ASSIGNMENT = "dlcv-fall2021-hw2"
PROBLEM = "acgan"
NOISE_SEED = 1  # of the digits that are handed in; validation looks at those of seed 0


class Trainer(Adversaries[Generator]):
    """Trains both networks; validates on held-out pictures with as many of each label, without a digit classifier."""

    selection = "fjd_validation"

    def __init__(self, settings: Settings, data: Path | None, seed: int, machine: Machine) -> None:
        self.train, held_out = load(settings.pictures, settings.attribute, data)
        super().__init__(settings, Generator(settings), Discriminator(settings), len(self.train), seed, machine)
        self.settings = settings
        # Other noise than of what is handed in.
        self.wanted = in_order(settings.classes, settings.judged // settings.classes if data else 2)
        self.noise = fixed_noise(len(self.wanted), settings.z, seed=0)
        self.distance = LabelledDistance.to(held_out, settings.classes, machine.device)

    def update(self, step: int) -> Values:
        """One step of the discriminator, then one of the generator against it."""
        settings, device = self.settings, self.machine.device
        rows = self.batches(step)
        real, labels = to_range(self.train.images[rows].to(device)), self.train.labels[rows].to(device)
        real = flip(real) if settings.flips else real
        wanted = torch.randint(0, settings.classes, (len(real),)).to(device)
        noise = torch.randn(len(real), settings.z).to(device)
        with self.machine.autocast():
            fake = self.generator(noise, wanted)
            said_real, told_real = self.discriminator(self._augment(real), labels)
            said_fake, told_fake = self.discriminator(self._augment(fake.detach()), wanted)
        d_source = discriminator_loss(said_real.float(), said_fake.float(), settings.loss)
        d_class = class_loss(told_real.float(), labels)
        if settings.fakes_teach:
            d_class = d_class + class_loss(told_fake.float(), wanted)
        self.teach_discriminator(d_source + settings.class_d * d_class)
        for again in range(settings.g_steps):
            with self.machine.autocast():
                if again:
                    fake = self.generator(torch.randn(len(real), settings.z).to(device), wanted)
                said, told = self.discriminator(self._augment(fake), wanted)
            g_source, g_class = generator_loss(said.float(), settings.loss), class_loss(told.float(), wanted)
            self.teach_generator(g_source + settings.class_g * g_class)
        return {
            "loss_d": float(d_source.detach()),
            "loss_g": float(g_source.detach()),
            "class_loss_d": float(d_class.detach()),
            "class_loss_g": float(g_class.detach()),
            "reads_real": class_accuracy(told_real, labels),
            "reads_fake": class_accuracy(told, wanted),
        }

    def _augment(self, images: Tensor) -> Tensor:
        if self.settings.augment == "none":
            return images
        if self.settings.augment == "diffaugment":
            return diff_augment(images.float())
        moved = translation(images.float(), 1 / 14)
        return recolour(moved) if self.settings.augment == "recolour" else moved

    def validate(self) -> Values:
        """The distances of the pictures that the kept weights make, as many of each label."""
        return self.distance.of(draw(self.kept, self.noise, self.wanted), self.wanted.numpy())


def recolour(images: Tensor) -> Tensor:
    """Inverts 3 in 10 pictures, and puts the channels of half of them in a random order.

    A digit of MNIST-M is its ground inverted, so that either change leaves one on another ground. Most pictures stay
    as they are: what is done to a minority can't be taken for the data (Karras et al., NeurIPS 2020).
    """
    n = len(images)
    order = torch.rand(n, 3).argsort(1)
    order = torch.where(torch.rand(n, 1) < 0.5, order, torch.arange(3))
    sign = torch.where(torch.rand(n, 1, 1, 1) < 0.3, -1.0, 1.0)
    return images[torch.arange(n)[:, None].to(images.device), order.to(images.device)] * sign.to(images.device)


def generate_digits(generator: Generator, seed: int, per_class: int = 100) -> tuple[Pictures, NDArray[np.int64]]:
    """What is handed in, pictures and labels in the order 0_001, 0_002 … 9_100: the same pixels on every machine."""
    labels = in_order(generator.classes, per_class)
    exact = copy.deepcopy(generator).to("cpu", torch.float64)
    return draw(exact, fixed_noise(len(labels), generator.z, seed), labels), labels.numpy()


def belongs(model: Model, measure: str) -> bool:  # noqa: ARG001
    """Whether a measure of the problem is of this model."""
    return True


def generate(models: list[Model], out: Path, data: Path | None) -> str:  # noqa: ARG001  # a GAN needs no data
    """Writes `acgan/0_001.png` to `acgan/9_100.png`; says so."""
    pictures, labels = generate_digits(_generator(models[0]), NOISE_SEED)
    write_pictures(out / "acgan", [f"{label}_{i % 100 + 1:03d}.png" for i, label in enumerate(labels)], pictures)
    return f"{out / 'acgan'}: 100 images of each digit"


def _generator(model: Model) -> Generator:
    return model.fill(Generator(model.settings(Settings)))


def figures(models: list[Model], out: Path, data: Path | None) -> list[Path]:  # noqa: ARG001
    """Learning curves, and ten of each digit that are handed in: a column is a digit, as in the homework's figure."""
    from reference_models.core import plots

    sheet, curves = out / "acgan_digits.png", out / "acgan_curves.png"
    shown = generate_digits(_generator(models[0]), NOISE_SEED)[0].reshape(10, 100, 28, 28, 3)[:, :10].swapaxes(0, 1)
    plots.grid(shown.reshape(100, 28, 28, 3), 10, sheet)
    learning_curves(models[0], curves)
    return [sheet, curves]


def learning_curves(model: Model, path: Path) -> None:
    """What a training logged, as a picture."""
    from reference_models.core import plots

    panels = {
        "losses": ["loss_d", "loss_g", "class_loss_d", "class_loss_g"],
        "share whose label D reads": ["reads_real", "reads_fake"],
        "distance to validation pictures": ["fd_validation", "fjd_validation"],
        "diversity within a label, share of real": ["diversity_share"],
    }
    plots.curves(model.log(), panels, f"steps of {model.settings(Settings).batch} images", path)
