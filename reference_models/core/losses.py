"""The losses of GANs in one place: what a discriminator, or critic, and a generator make smaller.

They take logits, float ``(n,)``, higher for what is held for real. Sources: `bce`, the non-saturating loss (Goodfellow
et al., NeurIPS 2014); `hinge` (Lim and Ye, 2017); `lsgan` (Mao et al., ICCV 2017); `wgan` (Arjovsky et al., ICML 2017),
whose critic's weights are clipped; `wgan-gp` (Gulrajani et al., NeurIPS 2017), with a penalty on its gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

Loss = Literal["bce", "hinge", "lsgan", "wgan", "wgan-gp"]


def discriminator_loss(real: Tensor, fake: Tensor, loss: Loss) -> Tensor:
    """Logits of real and of generated pictures to the discriminator's loss; the penalty of `wgan-gp` comes on top.

    >>> float(discriminator_loss(torch.tensor([3.0]), torch.tensor([1.0]), "wgan"))
    -2.0
    >>> float(discriminator_loss(torch.tensor([3.0]), torch.tensor([1.0]), "lsgan"))
    2.5
    """
    if loss == "hinge":
        return F.relu(1 - real).mean() + F.relu(1 + fake).mean()
    if loss == "lsgan":
        return ((real - 1).square().mean() + fake.square().mean()) / 2
    if loss in ("wgan", "wgan-gp"):
        return fake.mean() - real.mean()
    ones, zeros = torch.ones_like(real), torch.zeros_like(fake)
    return F.binary_cross_entropy_with_logits(real, ones) + F.binary_cross_entropy_with_logits(fake, zeros)


def generator_loss(fake: Tensor, loss: Loss) -> Tensor:
    """The generator wants its pictures taken for real ones.

    >>> float(generator_loss(torch.tensor([3.0]), "hinge")), float(generator_loss(torch.tensor([3.0]), "lsgan"))
    (-3.0, 2.0)
    """
    if loss in ("hinge", "wgan", "wgan-gp"):
        return -fake.mean()
    if loss == "lsgan":
        return (fake - 1).square().mean() / 2
    return F.binary_cross_entropy_with_logits(fake, torch.ones_like(fake))


def gradient_penalty(critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor) -> Tensor:
    """The mean of (|gradient| - 1)² at points between real and generated pictures, to be weighted with 10.

    The norm is each picture's own, which is why such a critic has no BatchNorm: there a picture's logit depends on the
    others of its batch.

    >>> float(gradient_penalty(lambda x: 3 * x.flatten(1).sum(1), torch.zeros(2, 1, 2, 2), torch.ones(2, 1, 2, 2)))
    25.0
    """
    share = torch.rand(len(real), *[1] * (real.dim() - 1)).to(real.device)
    between = torch.lerp(real.detach(), fake.detach(), share).requires_grad_(True)
    (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    penalty: Tensor = (slope.flatten(1).norm(dim=1) - 1).square().mean()
    return penalty


@torch.no_grad()
def clip_weights(critic: nn.Module, bound: float) -> None:
    """Keeps every weight of a WGAN's critic within ±bound; 0.01 in the paper."""
    for weight in critic.parameters():
        weight.clamp_(-bound, bound)
