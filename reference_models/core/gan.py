"""What trainers of GANs share: two networks against each other, their optimizers and the generator's average.

Pictures are float32 ``(n, 3, h, w)`` in [-1, 1], noise is float ``(n, z)``, logits are float ``(n,)``.
"""

from __future__ import annotations

from typing import Any, Generic, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from reference_models.core.data import Batches, to_pixels
from reference_models.core.ema import Average
from reference_models.core.judging import Pictures
from reference_models.core.runs import Machine, Stateful

G = TypeVar("G", bound=nn.Module)


class Options(Protocol):
    """The settings that every GAN has.

    `d_rate`: the discriminator's rate where it differs, else 0 (two rates: Heusel et al., NeurIPS 2017). `images`: real
    ones that the discriminator sees. `average`: decay of the generator's average a step, 0 for none. `validations`: how
    many there are in a whole run.
    """

    @property
    def rate(self) -> float: ...
    @property
    def d_rate(self) -> float: ...
    @property
    def betas(self) -> tuple[float, float]: ...
    @property
    def batch(self) -> int: ...
    @property
    def images(self) -> int: ...
    @property
    def average(self) -> float: ...
    @property
    def validations(self) -> int: ...


class Adversaries(Generic[G]):
    """The frame of a GAN's trainer: a step of the discriminator, then one of the generator against it.

    A family adds `update`, `validate` and `selection`.
    """

    final = "best"

    def __init__(
        self, settings: Options, generator: G, discriminator: nn.Module, n: int, seed: int, machine: Machine
    ) -> None:
        """`n`: how many real pictures there are."""
        layout: dict[str, Any] = {"device": machine.device, "memory_format": torch.channels_last}
        self.machine = machine
        self.batches = Batches(n, settings.batch, seed)
        self.steps = settings.images // min(settings.batch, n)
        self.every = max(1, self.steps // settings.validations)
        self.generator, self.discriminator = generator.to(**layout), discriminator.to(**layout)
        self.averaged = settings.average > 0
        self.average = Average(self.generator, settings.average)
        self.optimizers = [
            torch.optim.Adam(network.parameters(), rate, settings.betas)
            for network, rate in (
                (self.discriminator, settings.d_rate or settings.rate),
                (self.generator, settings.rate),
            )
        ]
        self.parts: dict[str, Stateful] = {
            "generator": self.generator,
            "discriminator": self.discriminator,
            "average": self.average,
            "discriminator_optimizer": self.optimizers[0],
            "generator_optimizer": self.optimizers[1],
        }

    def teach_discriminator(self, loss: Tensor) -> None:
        """Its step. Its weights stay out of what is computed next, the generator's loss."""
        self._descend(0, loss)
        self.discriminator.requires_grad_(False)

    def teach_generator(self, loss: Tensor) -> None:
        """Its step, and its average's."""
        self._descend(1, loss)
        self.discriminator.requires_grad_(True)
        if self.averaged:
            self.average.update(self.generator)

    def _descend(self, which: int, loss: Tensor) -> None:
        self.optimizers[which].zero_grad(set_to_none=True)
        loss.backward()
        self.optimizers[which].step()

    @property
    def kept(self) -> G:
        """The generator whose pictures count: the average where there is one."""
        return self.average.network if self.averaged else self.generator

    def weights(self) -> dict[str, Tensor]:
        """The kept generator's."""
        return self.kept.state_dict()


def fixed_noise(n: int, z: int, seed: int) -> Tensor:
    """Normal noise float64 ``(n, z)`` that is the same on every machine and with every version of numpy."""
    return torch.from_numpy(np.random.RandomState(seed).standard_normal((n, z)))


@torch.no_grad()
def draw(generator: nn.Module, noise: Tensor, *labels: Tensor) -> Pictures:
    """Pictures uint8 ``(n, h, w, 3)`` from noise and labels ``(n,)``, computed with the type of the weights.

    In float64 the pixels don't depend on the machine: what rounds differently is far below one of 255 levels.
    """
    weight = next(generator.parameters())
    was_training = generator.training
    generator.eval()
    made = []
    for start in range(0, len(noise), 100):
        few = slice(start, start + 100)
        given = [of_each[few].to(weight.device) for of_each in labels]
        made.append(to_pixels(generator(noise[few].to(weight.device, weight.dtype), *given)))
    generator.train(was_training)
    return np.concatenate(made)
