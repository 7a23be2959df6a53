"""Augmentation of digits for domain adaptation: what changes a picture and leaves its digit.

All but `augmented` take and give float32 pictures ``(n, 3, h, w)`` in [-1, 1]. All chance comes from torch's global
generator on the CPU. The ranges were set by eye, on training pictures of all three domains without their labels, and
not tuned; but for `svhn_like`, they are one set for every direction.
"""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from reference_models.core.data import to_range

Augment = Literal["none", "generic", "target-aware"]


def augmented(images: Tensor, kind: Augment, direction: str, source: bool) -> Tensor:
    """uint8 pictures of a direction's source or target as they are trained on.

    `target-aware` is `generic`, but for the source where the target is SVHN.
    """
    pictures = to_range(images).contiguous()  # channel by channel: augmentation takes half the time
    if kind == "none":
        return pictures
    towards_svhn = kind == "target-aware" and direction == "usps-svhn" and source
    return svhn_like(pictures) if towards_svhn else generic(pictures)


def generic(images: Tensor) -> Tensor:
    """Geometry, sharpness, intensity and noise, all strong; the same for every domain."""
    return noise(intensity(sharpness(affine(images))))


def weak(images: Tensor) -> Tensor:
    """A small move without a change of colour: what a teacher sees."""
    return affine(images, 0.25)


def svhn_like(images: Tensor) -> Tensor:
    """`generic` with knowledge of the target, SVHN: smaller, narrow digits with cut neighbours left and right.

    For sources with light digits on dark ground, such as USPS, whose digits fill their pictures.
    """
    moved = affine(neighbours(images), zoom=(-0.45, 0.15), squeeze=(0.5, 1.0), side=images.shape[2])
    return noise(intensity(sharpness(moved)))


def affine(
    images: Tensor,
    strength: float = 1.0,
    zoom: tuple[float, float] = (-0.25, 0.35),
    squeeze: tuple[float, float] = (1.0, 1.0),
    side: int | None = None,
) -> Tensor:
    """Random zoom, aspect, rotation, shear and shift; gives the square in the middle, ``(n, 3, side, side)``.

    `zoom`: range of the logarithm. `squeeze`: range of a further factor on the width. `strength` scales the other
    ranges and that of the zoom. What comes in from outside is a reflection.
    """
    n, _, height, width = images.shape
    side = side or height
    angle, shear = _uniform(n, -0.26, 0.26) * strength, _uniform(n, -0.3, 0.3) * strength
    larger, aspect = _uniform(n, *zoom) * strength, _uniform(n, -0.2, 0.2) * strength
    right, down = _uniform(n, -0.15, 0.15) * strength, _uniform(n, -0.15, 0.15) * strength
    # The matrix leads from the place in the new picture to that in the old one, so what zooms in divides.
    across = (-larger - aspect).exp() / _uniform(n, *squeeze)
    along = (-larger + aspect).exp()
    cos, sin = angle.cos(), angle.sin()
    first = torch.stack([cos * across, (shear - sin) * along, right], 1) * (side / width)
    second = torch.stack([sin * across, cos * along, down], 1) * (side / height)
    matrix = torch.stack([first, second], 1).to(images.device)
    grid = F.affine_grid(matrix, [n, 3, side, side], align_corners=False)
    return F.grid_sample(images, grid, padding_mode="reflection", align_corners=False)


def neighbours(images: Tensor, probability: float = 0.6) -> Tensor:
    """Each picture in the middle of one thrice as wide, with others of the batch on its left and right at times.

    A quarter of the height is added above and below. What is lighter covers what is darker, so the ground has to be
    dark: float32 ``(n, 3, h + 2 * (h // 4), 3 * w)``.
    """
    n, channels, height, width = images.shape
    canvas = images.new_full((n, channels, height + 2 * (height // 4), 3 * width), -1.0)
    inner = canvas[:, :, height // 4 : height // 4 + height]
    inner[..., width : 2 * width] = images
    for side in (-1, 1):
        other = images[torch.randperm(n).to(images.device)]
        there = torch.rand(n).to(images.device) < probability
        # The distance in pixels is one for the batch: a slice is far cheaper than a place for each.
        start = width + side * int(torch.randint(2 * width // 3, width + 1, ()))
        seen = torch.where(there[:, None, None, None], other, -1.0)
        window = inner[..., start : start + width]
        inner[..., start : start + width] = torch.maximum(window, seen)
    return canvas


def intensity(images: Tensor) -> Tensor:
    """A random blend with a random colouring, inversion half of the time, then scale and offset; cut to [-1, 1]."""
    n = len(images)
    weights = torch.rand(n, 3, 1, 1) + 0.1
    grey = (images * (weights / weights.sum(1, keepdim=True)).to(images.device)).sum(1, keepdim=True)
    # A slope a channel, of either sign: a digit may be lighter than its ground in red and darker in blue.
    slope, ground = _uniform((n, 3, 1, 1), -1, 1), _uniform((n, 3, 1, 1), -0.5, 0.5)
    coloured = grey * slope.to(images.device) + ground.to(images.device)
    blended = torch.lerp(images, coloured, torch.rand(n, 1, 1, 1).to(images.device))
    sign = torch.where(torch.rand(n, 1, 1, 1) < 0.5, -1.0, 1.0)
    scale, offset = sign * _uniform((n, 1, 1, 1), 0.4, 1.3), _uniform((n, 1, 1, 1), -0.3, 0.3)
    return (blended * scale.to(images.device) + offset.to(images.device)).clamp(-1, 1)


def sharpness(images: Tensor) -> Tensor:
    """From sharpened to blurred, by a 5x5 mean."""
    height, width = images.shape[2:]
    padded = F.pad(images, (2, 2, 2, 2), mode="replicate")
    # Sums of slices take a fifth of the time of avg_pool2d.
    rows = torch.stack([padded[:, :, i : i + height] for i in range(5)]).mean(0)
    blurred = torch.stack([rows[..., i : i + width] for i in range(5)]).mean(0)
    return torch.lerp(images, blurred, _uniform((len(images), 1, 1, 1), -0.4, 0.9).to(images.device))


def noise(images: Tensor) -> Tensor:
    """Normal noise, of a standard deviation up to 0.05."""
    drawn = torch.randn(images.shape) * _uniform((len(images), 1, 1, 1), 0, 0.05)
    return images + drawn.to(images.device)


def _uniform(shape: int | tuple[int, ...], low: float, high: float) -> Tensor:
    # Drawn on the CPU, so that a seed means the same on every device.
    return torch.empty(shape).uniform_(low, high)
