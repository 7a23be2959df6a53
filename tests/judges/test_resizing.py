from __future__ import annotations

import numpy as np
import pytest
import torch
from cleanfid.resize import make_resizer
from torch.nn import functional as F
from torch_fidelity.interpolate_compat_tensorflow import interpolate_bilinear_2d_like_tensorflow1x

from grader.judges.resizing import resize, resize_matrix

SIZES = [(64, 64), (28, 28), (32, 48), (299, 299), (400, 310)]


def _images(size: tuple[int, int]) -> torch.Tensor:
    generator = torch.Generator().manual_seed(size[0])
    return torch.randint(0, 256, (2, 3, *size), generator=generator).to(torch.float32)


@pytest.mark.parametrize("size", SIZES)
def test_half_pixel_bilinear_is_torchs(size: tuple[int, int]) -> None:
    x = _images(size)
    theirs = F.interpolate(x, size=(299, 299), mode="bilinear", align_corners=False)
    assert (resize(x, "half-pixel-bilinear", 299) - theirs).abs().max() < 2e-4


@pytest.mark.parametrize("size", SIZES)
def test_tf1_bilinear_is_torch_fidelitys(size: tuple[int, int]) -> None:
    x = _images(size)
    theirs = interpolate_bilinear_2d_like_tensorflow1x(x, size=(299, 299), align_corners=False)
    assert (resize(x, "tf1-bilinear", 299) - theirs).abs().max() < 2e-3
    assert (resize(x, "tf1-bilinear", 299) - theirs).abs().mean() < 5e-5


@pytest.mark.parametrize("size", SIZES)
def test_bicubic_is_clean_fids(size: tuple[int, int]) -> None:
    x = _images(size)
    theirs = make_resizer("PIL", False, "bicubic", (299, 299))(x[0].permute(1, 2, 0).numpy().astype(np.uint8))
    ours = resize(x[:1], "pil-bicubic", 299)[0].permute(1, 2, 0)
    assert (ours - torch.from_numpy(theirs)).abs().max() < 2e-3
    assert ours.min() >= 0 and ours.max() <= 255


@pytest.mark.parametrize("kind", ["half-pixel-bilinear", "tf1-bilinear", "pil-bicubic"])
def test_a_flat_picture_stays_flat(kind: str) -> None:
    matrix = resize_matrix(kind, 64, 299)
    assert matrix.shape == (299, 64) and (matrix.sum(1) - 1).abs().max() < 1e-5


def test_protocols_differ() -> None:
    x = _images((64, 64))
    a, b, c = (resize(x, kind, 299) for kind in ("half-pixel-bilinear", "tf1-bilinear", "pil-bicubic"))
    assert min((a - b).abs().mean(), (a - c).abs().mean(), (b - c).abs().mean()) > 1
