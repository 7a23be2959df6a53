"""Augmentation of digits: shapes, ranges, chance, and what it leaves alone."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from reference_models.core import digit_augment
from reference_models.core.data import to_range


def _digits(n: int = 6) -> Tensor:
    """A light bar on dark ground."""
    images = torch.full((n, 3, 28, 28), -1.0)
    images[:, :, 4:24, 12:16] = 1.0
    return images


@pytest.mark.parametrize("augment", [digit_augment.generic, digit_augment.weak, digit_augment.svhn_like])
def test_shapes_and_chance(augment: Callable[[Tensor], Tensor]) -> None:
    images = _digits()
    before = images.clone()
    torch.manual_seed(1)
    first = augment(images)
    torch.manual_seed(1)
    assert torch.equal(first, augment(images))
    assert torch.equal(images, before)
    assert first.shape == images.shape and first.dtype == torch.float32
    assert not torch.allclose(first[0], first[1])


def test_an_affine_map_of_no_strength_changes_nothing() -> None:
    images = torch.rand(3, 3, 28, 28)
    assert torch.allclose(digit_augment.affine(images, strength=0.0), images, atol=1e-5)


def test_an_affine_map_gives_the_middle_of_a_wide_picture() -> None:
    images = torch.rand(2, 3, 42, 84)
    middle = digit_augment.affine(images, strength=0.0, side=28)
    assert torch.allclose(middle, images[:, :, 7:35, 28:56], atol=1e-5)


def test_zoom_and_squeeze_go_in_the_right_direction() -> None:
    images = _digits()
    small = digit_augment.affine(images, strength=0.0, squeeze=(0.5, 0.5))
    assert float((small[:, 0, 14, 10:18] > 0).sum(1).float().mean()) == pytest.approx(2, abs=1)
    torch.manual_seed(0)
    area = [float((digit_augment.affine(images, zoom=(z, z)) > 0).float().mean()) for z in (-0.3, 0.0)]
    assert area[0] < area[1]


def test_neighbours_stay_out_of_the_middle_of_a_narrow_digit() -> None:
    images = _digits()
    assert torch.equal(digit_augment.neighbours(images, 0.0)[:, :, 7:35, 28:56], images)
    torch.manual_seed(0)
    wide = digit_augment.neighbours(images, 1.0)
    assert wide.shape == (6, 3, 42, 84)
    assert torch.equal(wide[:, :, 11:31, 40:44], images[:, :, 4:24, 12:16])
    assert bool((wide[..., :28] > 0).any()) and bool((wide[..., 56:] > 0).any())


def test_intensity_inverts_half_of_the_time_and_keeps_the_range() -> None:
    images = _digits(1).expand(2000, -1, -1, -1)
    torch.manual_seed(0)
    made = digit_augment.intensity(images)
    assert float(made.abs().max()) <= 1
    lighter = (made[:, :, 14, 14].mean(1) > made[:, :, 0, 0].mean(1)).float().mean()
    assert 0.45 < float(lighter) < 0.55


def test_sharpness_leaves_an_even_picture_alone() -> None:
    even = torch.full((4, 3, 28, 28), 0.3)
    assert torch.allclose(digit_augment.sharpness(even), even, atol=1e-6)


def test_only_a_source_towards_svhn_is_made_like_svhn() -> None:
    images = torch.randint(0, 256, (4, 3, 28, 28), dtype=torch.uint8)

    def made(kind: digit_augment.Augment, direction: str, source: bool) -> Tensor:
        torch.manual_seed(3)
        return digit_augment.augmented(images, kind, direction, source)

    assert torch.equal(made("none", "usps-svhn", True), to_range(images))
    plain = made("generic", "usps-svhn", True)
    assert not torch.equal(made("target-aware", "usps-svhn", True), plain)
    for direction, source in (("usps-svhn", False), ("svhn-mnistm", True), ("mnistm-usps", True)):
        assert torch.equal(made("target-aware", direction, source), plain)
