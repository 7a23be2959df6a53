"""The frame of a GAN's training, and drawing."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from reference_models.core.gan import Adversaries, draw, fixed_noise
from reference_models.core.runs import Machine


@dataclass(frozen=True)
class Options:
    rate: float = 0.1
    d_rate: float = 0.0
    betas: tuple[float, float] = (0.5, 0.999)
    batch: int = 4
    images: int = 100
    average: float = 0.5
    validations: int = 5


class Flat(nn.Module):
    """Pictures of one colour, the noise times a weight."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.full((1, 3), 0.25))

    def forward(self, noise: Tensor, label: Tensor | None = None) -> Tensor:
        colour = noise[:, :1] * self.weight + (0 if label is None else label[:, None] / 10)
        return colour[:, :, None, None].expand(-1, -1, 2, 2)


def adversaries(options: Options, pictures: int = 50) -> Adversaries[Flat]:
    cpu = Machine(torch.device("cpu"), bfloat16=False)
    return Adversaries(options, Flat(), nn.Sequential(nn.Flatten(), nn.Linear(12, 1)), pictures, 0, cpu)


def test_steps_come_from_the_images() -> None:
    assert (adversaries(Options()).steps, adversaries(Options()).every) == (25, 5)
    assert adversaries(Options(), pictures=2).steps == 50  # fewer pictures than a batch holds


def test_each_network_has_its_rate() -> None:
    def rates(options: Options) -> list[float]:
        return [optimizer.param_groups[0]["lr"] for optimizer in adversaries(options).optimizers]

    assert rates(Options()) == [0.1, 0.1] and rates(Options(d_rate=0.4)) == [0.4, 0.1]


def test_a_step_moves_one_network() -> None:
    both = adversaries(Options())
    told = both.discriminator[1].weight  # type: ignore[index]  # of the Sequential above
    before, drew = told.detach().clone(), both.generator.weight.detach().clone()
    both.teach_discriminator(both.discriminator(torch.ones(2, 3, 2, 2)).mean())
    after = told.detach().clone()
    assert not torch.equal(before, after) and torch.equal(drew, both.generator.weight)
    both.teach_generator(both.discriminator(both.generator(torch.ones(2, 1))).mean())
    assert torch.equal(told, after) and not torch.equal(drew, both.generator.weight)
    assert told.requires_grad


def test_the_average_counts_where_there_is_one() -> None:
    for decay in (0.5, 0.0):
        both = adversaries(replace(Options(), average=decay))
        for _ in range(3):
            both.teach_generator(both.generator.weight.sum())
        lags = bool((both.kept.weight > both.generator.weight).all())
        assert lags == (decay > 0) and (both.kept is both.generator) == (decay == 0)
        assert torch.equal(both.weights()["weight"], both.kept.weight)


def test_pictures_are_the_generators_output_in_levels() -> None:
    generator = Flat().double().train()
    noise, labels = fixed_noise(130, 2, seed=1), torch.arange(130) % 3
    with torch.no_grad():
        expected = ((generator(noise, labels) + 1) * 127.5).round().clamp(0, 255).permute(0, 2, 3, 1).numpy()
    pictures = draw(generator, noise, labels)
    assert pictures.dtype == np.uint8 and np.array_equal(pictures, expected) and generator.training


def test_noise_is_numpys_frozen_stream() -> None:
    assert np.array_equal(fixed_noise(2, 3, seed=9).numpy(), np.random.RandomState(9).standard_normal((2, 3)))
    assert fixed_noise(1, 1, seed=0).item() == 1.764052345967664  # as in many printed examples
