"""Losses against closed forms; the penalty against a critic whose gradient is known."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from reference_models.core.losses import Loss, clip_weights, discriminator_loss, generator_loss, gradient_penalty

REAL, FAKE = torch.tensor([2.0, 0.5]), torch.tensor([-3.0, 0.0])


def soft(x: float) -> float:
    return math.log1p(math.exp(x))


@pytest.mark.parametrize(
    ("loss", "of_d", "of_g"),
    [
        ("bce", (soft(-2) + soft(-0.5)) / 2 + (soft(-3) + soft(0)) / 2, (soft(3) + soft(0)) / 2),
        ("hinge", 0.25 + 0.5, 1.5),
        ("lsgan", ((1 + 0.25) / 2 + 9 / 2) / 2, (16 + 1) / 2 / 2),
        ("wgan", -1.5 - 1.25, 1.5),
        ("wgan-gp", -1.5 - 1.25, 1.5),
    ],
)
def test_losses_in_closed_form(loss: Loss, of_d: float, of_g: float) -> None:
    assert float(discriminator_loss(REAL, FAKE, loss)) == pytest.approx(of_d, rel=1e-6)
    assert float(generator_loss(FAKE, loss)) == pytest.approx(of_g, rel=1e-6)


def test_the_penalty_of_a_quadratic_critic() -> None:
    def critic(x: Tensor) -> Tensor:
        return x.flatten(1).square().sum(1) / 2  # its gradient is the picture

    torch.manual_seed(0)
    picture = torch.full((1, 3, 2, 2), 0.5)
    assert float(gradient_penalty(critic, picture, picture).detach()) == pytest.approx(
        (math.sqrt(12) / 2 - 1) ** 2, rel=1e-6
    )


def test_the_penalty_looks_between_both_and_teaches_the_critic() -> None:
    torch.manual_seed(0)
    seen: list[Tensor] = []
    layer = nn.Linear(4, 1)

    def critic(x: Tensor) -> Tensor:
        seen.append(x.detach())
        result: Tensor = layer(x.flatten(1))
        return result

    penalty = gradient_penalty(critic, torch.zeros(8, 1, 2, 2), torch.ones(8, 1, 2, 2))
    penalty.backward()
    shares = seen[0].flatten(1)
    assert torch.equal(shares, shares[:, :1].expand(-1, 4)) and 0 < shares.min() < shares.max() < 1
    assert len(shares[:, 0].unique()) == 8  # each picture has a share of its own
    norm = float(layer.weight.detach().norm())
    expected = 2 * (norm - 1) * layer.weight.detach() / norm
    assert layer.weight.grad is not None and torch.allclose(layer.weight.grad, expected, atol=1e-6)


def test_clipping_bounds_every_weight() -> None:
    critic = nn.Linear(30, 30)
    clip_weights(critic, 0.01)
    assert max(float(p.abs().max().detach()) for p in critic.parameters()) == pytest.approx(0.01)
    assert critic.weight.requires_grad
