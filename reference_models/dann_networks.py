"""The network of the adaptation families, and what it says of pictures: labels and features.

Pictures are uint8 ``(n, 3, 28, 28)``; networks take them as floats in [-1, 1].
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reference_models.core.data import to_range

WIDTH = 128  # of the features


class DomainNorm(nn.Module):
    """BatchNorm with statistics for each of `domains` and one affine part (Li et al., AdaBN, 2016)."""

    mean: Tensor
    variance: Tensor

    def __init__(self, channels: int, domains: int) -> None:
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))
        self.register_buffer("mean", torch.zeros(domains, channels))
        self.register_buffer("variance", torch.ones(domains, channels))

    def forward(self, x: Tensor, sources: int = 0) -> Tensor:
        """``(n, c, h, w)``, of which the first `sources` are the source's, to the same shape."""
        if len(self.mean) == 1:
            return self._norm(x, 0)
        # The gradient of `split` keeps the layout, that of slices doesn't: half the time.
        split = x.split([sources, len(x) - sources])
        parts = [self._norm(part, i) for i, part in enumerate(split) if len(part)]
        return torch.cat(parts) if len(parts) > 1 else parts[0]

    def _norm(self, x: Tensor, domain: int) -> Tensor:
        return F.batch_norm(x, self.mean[domain], self.variance[domain], self.weight, self.bias, self.training)


class Net(nn.Module):
    """Pictures ``(n, 3, 28, 28)`` in [-1, 1] to the logits of ten digits; those of the target unless `sources` says so.

    >>> sum(p.numel() for p in Net(instance_norm=True, domains=2).parameters())
    242570
    """

    def __init__(self, instance_norm: bool, domains: int) -> None:
        super().__init__()
        self.instance_norm = instance_norm
        shapes = ((3, 32), (32, 64), (64, 128))
        self.convolutions = nn.ModuleList([nn.Conv2d(before, after, 3, padding=1) for before, after in shapes])
        self.pool = nn.MaxPool2d(2)  # before the norm, which saves a third of the time
        self.norms = nn.ModuleList([DomainNorm(after, domains) for _, after in shapes])
        self.dropouts = nn.ModuleList([nn.Dropout2d(rate) for rate in (0.1, 0.2, 0.2)])
        self.dense = nn.Sequential(nn.Flatten(), nn.Linear(128 * 9, WIDTH), nn.ReLU(inplace=True), nn.Dropout(0.3))
        self.label = nn.Linear(WIDTH, 10)

    def features(self, images: Tensor, sources: int = 0) -> Tensor:
        """What comes before the logits, ``(n, 128)``."""
        x = F.instance_norm(images) if self.instance_norm else images
        for convolution, norm, dropout in zip(self.convolutions, self.norms, self.dropouts, strict=True):
            x = dropout(norm(self.pool(convolution(x)), sources).relu())
        return self.dense(x)  # type: ignore[no-any-return]  # a call of a module is Any to torch

    def forward(self, images: Tensor, sources: int = 0) -> Tensor:
        """Logits ``(n, 10)``. The first `sources` pictures are the source's."""
        return self.label(self.features(images, sources))  # type: ignore[no-any-return]  # as above


class DomainHead(nn.Sequential):
    """Features ``(n, 128)`` to a logit each, ``(n, 1)``: positive for the source."""

    def __init__(self) -> None:
        super().__init__(nn.Linear(WIDTH, WIDTH), nn.ReLU(inplace=True), nn.Linear(WIDTH, 1))


def reverse(x: Tensor, factor: float) -> Tensor:
    """The same forward; backward, the gradient times minus `factor`."""
    y = x.view_as(x)
    if y.requires_grad:
        y.register_hook(lambda gradient: -factor * gradient)
    return y


@torch.no_grad()
def penultimate(network: Net, images: Tensor, source: bool = False) -> Tensor:
    """Features ``(n, 128)`` of uint8 pictures, computed with the type and on the device of the network's weights."""
    weight, was_training = network.label.weight, network.training
    network.eval()
    parts = [to_range(part).to(weight.device, weight.dtype) for part in images.split(500)]
    made = torch.cat([network.features(part, len(part) if source else 0) for part in parts])
    network.train(was_training)
    return made


@torch.no_grad()
def predict(network: Net, images: Tensor) -> Tensor:
    """Labels int64 ``(n,)`` of the target's pictures, uint8 ``(n, 3, 28, 28)``.

    Computed in float64 on the CPU, so that rounding, which differs between machines, moves no label.
    """
    return network.cpu().double().label(penultimate(network, images)).argmax(1)  # type: ignore[no-any-return]  # as above


def features(network: Net, images: Tensor, source: bool = False) -> Tensor:
    """What comes before the logits, float32 ``(n, 128)``, of uint8 pictures of the target or of the source."""
    return penultimate(network.cpu().double(), images, source).float()
