"""The trainer of GANs that are told nothing but noise: pictures float32 ``(n, 3, 64, 64)`` in [-1, 1]."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor, nn

from reference_models.core.augment import diff_augment, flip
from reference_models.core.data import to_pixels, to_range
from reference_models.core.gan import Adversaries, G, Options, draw, fixed_noise
from reference_models.core.judging import Distance
from reference_models.core.losses import Loss, clip_weights, discriminator_loss, generator_loss, gradient_penalty
from reference_models.core.runs import Machine, Values


class Switches(Options, Protocol):
    """The settings of such a GAN.

    `d_steps`: the discriminator's for one turn of the generator's, which has `g_steps`. `penalty`: weight of the
    gradient's, for `wgan-gp`. `clip`: bound of the critic's weights, for `wgan`. `judged`: generated pictures that a
    validation looks at.
    """

    @property
    def z(self) -> int: ...
    @property
    def loss(self) -> Loss: ...
    @property
    def flips(self) -> bool: ...
    @property
    def augment(self) -> bool: ...
    @property
    def d_steps(self) -> int: ...
    @property
    def g_steps(self) -> int: ...
    @property
    def penalty(self) -> float: ...
    @property
    def clip(self) -> float: ...
    @property
    def judged(self) -> int: ...


class Unconditional(Adversaries[G]):
    """Trains both networks on pictures; validates by the distance of generated pictures to held-out ones."""

    selection = "fd_validation"

    def __init__(
        self,
        settings: Switches,
        generator: G,
        discriminator: nn.Module,
        pictures: tuple[Tensor, Tensor],
        seed: int,
        machine: Machine,
    ) -> None:
        """`pictures`: those to train on and those held out, uint8 ``(n, 3, 64, 64)``."""
        train, held_out = pictures
        super().__init__(settings, generator, discriminator, len(train), seed, machine)
        self.settings = settings
        self.pictures = train.to(machine.device)
        self.noise = fixed_noise(min(settings.judged, 2 * len(train)), settings.z, seed=0)
        self.distance = Distance.to(to_pixels(to_range(held_out)), machine.device)

    def update(self, step: int) -> Values:
        """One step of the discriminator; then, where it is its turn, the generator's against it."""
        settings = self.settings
        real = to_range(self.pictures[self.batches(step).to(self.pictures.device)])
        fake = self._fakes(real)
        with self.machine.autocast():
            shown = self._augment(flip(real) if settings.flips else real)
            shown_fake = self._augment(fake.detach())
            said_real, said_fake = self.discriminator(shown), self.discriminator(shown_fake)
        d_loss = discriminator_loss(said_real.float(), said_fake.float(), settings.loss)
        penalty = torch.zeros(())
        if settings.loss == "wgan-gp":
            penalty = gradient_penalty(self.discriminator, shown.float(), shown_fake.float())
        self.teach_discriminator(d_loss + settings.penalty * penalty)
        if settings.loss == "wgan":
            clip_weights(self.discriminator, settings.clip)
        values = {
            "loss_d": float(d_loss.detach()),
            "says_real": float((said_real > 0).float().mean()),
            "says_fake": float((said_fake > 0).float().mean()),
        }
        if settings.loss == "wgan-gp":
            values["penalty"] = float(penalty.detach())
        if (step + 1) % settings.d_steps:
            self.discriminator.requires_grad_(True)
            return values
        return values | {"loss_g": self._generators_turn(fake, real)}

    def _generators_turn(self, fake: Tensor, real: Tensor) -> float:
        for again in range(self.settings.g_steps):
            if again:
                fake = self._fakes(real)
            with self.machine.autocast():
                said = self.discriminator(self._augment(fake))
            loss = generator_loss(said.float(), self.settings.loss)
            self.teach_generator(loss)
            self.discriminator.requires_grad_(again + 1 == self.settings.g_steps)
        return float(loss.detach())

    def _fakes(self, real: Tensor) -> Tensor:
        noise = torch.randn(len(real), self.settings.z).to(real.device)
        with self.machine.autocast():
            made: Tensor = self.generator(noise)
        return made

    def _augment(self, images: Tensor) -> Tensor:
        return diff_augment(images.float()) if self.settings.augment else images

    def validate(self) -> Values:
        """The distance of the pictures that the kept weights make, and of the last weights where both are there."""
        values = {"fd_validation": self.distance.of(draw(self.kept, self.noise))}
        if self.averaged:
            values["fd_last_weights"] = self.distance.of(draw(self.generator, self.noise))
        return values
