"""Augmentation: what each part may change and what it must leave."""

from __future__ import annotations

import torch

from reference_models.core.augment import color, diff_augment, flip, translation


def images(n: int = 16) -> torch.Tensor:
    return torch.rand(n, 3, 8, 8, generator=torch.Generator().manual_seed(1)) * 2 - 1


def test_flip_mirrors_about_half() -> None:
    torch.manual_seed(0)
    given = images(400)
    got = flip(given)
    same = (got == given).flatten(1).all(1)
    mirrored = (got == given.flip(3)).flatten(1).all(1)
    assert (same | mirrored).all() and 150 < int(same.sum()) < 250


def test_color_is_affine_in_each_image() -> None:
    """Brightness, saturation and contrast keep the geometry: gray stays gray, and ranks along gray stay."""
    torch.manual_seed(0)
    gray = images()[:, :1].expand(-1, 3, -1, -1)
    got = color(gray)
    assert torch.allclose(got[:, 0], got[:, 1], atol=1e-6)
    for before, after in zip(gray[:, 0].flatten(1), got[:, 0].flatten(1), strict=True):
        assert torch.corrcoef(torch.stack([before, after]))[0, 1] > 0.9999
        slope = (after.std() / before.std()).item()
        assert 0.5 <= slope <= 1.5


def test_translation_moves_by_whole_pixels_and_fills_with_zero() -> None:
    torch.manual_seed(0)
    given = torch.zeros(200, 1, 16, 16)
    given[:, :, 8, 8] = 1
    got = translation(given)
    places = got.flatten(1).argmax(1)
    rows, columns = places // 16, places % 16
    assert (got.flatten(1).sum(1) == 1).all()
    assert set(rows.tolist()) == set(columns.tolist()) == {6, 7, 8, 9, 10}


def test_gradients_flow() -> None:
    given = images().requires_grad_()
    diff_augment(given).square().sum().backward()
    assert given.grad is not None and (given.grad.abs().sum((1, 2, 3)) > 0).all()
