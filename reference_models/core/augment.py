"""Augmentation of real and generated pictures alike, through which gradients flow: DiffAugment (NeurIPS 2020)."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def flip(images: Tensor) -> Tensor:
    """Mirrors each image with probability 1/2."""
    chosen = torch.rand(len(images), 1, 1, 1).to(images.device) < 0.5
    return torch.where(chosen, images.flip(3), images)


def color(images: Tensor) -> Tensor:
    """Random brightness (±0.5), saturation (0 to 2) and contrast (0.5 to 1.5) of images ``(n, 3, h, w)`` in [-1, 1]."""
    images = images + _uniform(images, -0.5, 0.5)
    grey = images.mean(1, keepdim=True)
    images = torch.lerp(grey, images, _uniform(images, 0, 2))
    mean = images.mean((1, 2, 3), keepdim=True)
    return torch.lerp(mean, images, _uniform(images, 0.5, 1.5))


def translation(images: Tensor, ratio: float = 0.125) -> Tensor:
    """Moves each image by up to that share of its side, a whole number of pixels; what comes in is 0."""
    n, _, height, width = images.shape
    down, right = round(height * ratio), round(width * ratio)
    padded = F.pad(images, (right, right, down, down))
    rows = torch.arange(height) + torch.randint(0, 2 * down + 1, (n, 1))
    columns = torch.arange(width) + torch.randint(0, 2 * right + 1, (n, 1))
    index = torch.arange(n)[:, None, None], rows[:, :, None], columns[:, None, :]
    chosen = padded.permute(0, 2, 3, 1)[tuple(i.to(images.device) for i in index)]
    return chosen.permute(0, 3, 1, 2)


def diff_augment(images: Tensor) -> Tensor:
    """Colour, then translation: the paper's policy without cutout."""
    return translation(color(images))


def _uniform(images: Tensor, low: float, high: float) -> Tensor:
    # Drawn on the CPU, so that a seed means the same on every device.
    return torch.empty(len(images), 1, 1, 1).uniform_(low, high).to(images.device)
