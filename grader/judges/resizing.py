"""Resizing as two small matrix products, one for each axis: exact, and quicker than indexing.

Every resize here is linear and separable, so that a matrix ``(out, in)`` an axis describes it fully. Resizing is part
of a protocol: with the same network the protocols' FIDs differ in the first digit after the point.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from grader.judges.protocols import Resize


@cache
def resize_matrix(kind: Resize, n: int, out: int) -> Tensor:
    """The matrix, float32 ``(out, n)``, that resizes one axis from n to out samples.

    half-pixel-bilinear: `torch.nn.functional.interpolate(mode="bilinear", align_corners=False)`, as pytorch-fid.
    tf1-bilinear: TensorFlow 1's `resize_bilinear` without the half-pixel offset, as torch-fidelity.
    pil-bicubic: Pillow's antialiased bicubic on floating point, as clean-fid.
    """
    if kind == "pil-bicubic":
        # Pillow resizes rows independently, so that resizing the identity reads its coefficients off.
        identity = Image.fromarray(np.eye(n, dtype=np.float32))
        return torch.from_numpy(np.asarray(identity.resize((out, n), Image.Resampling.BICUBIC)).T.copy())
    if kind == "half-pixel-bilinear":
        # Likewise: enlarging the rows of the identity alone leaves torch's coefficients.
        return F.interpolate(torch.eye(n)[None, None], (out, n), mode="bilinear", align_corners=False)[0, 0]
    # In float32, as the peer computes positions: in float64 the shares would differ in the fifth digit.
    return torch.from_numpy(_linear(np.arange(out, dtype=np.float32) * np.float32(n / out), n))


def _linear(position: NDArray[np.float32], n: int) -> NDArray[np.float32]:
    low = np.minimum(position.astype(np.int64), n - 1)
    share = position - low
    matrix = np.zeros((len(position), n))
    rows = np.arange(len(position))
    matrix[rows, low] += 1 - share
    matrix[rows, np.minimum(low + 1, n - 1)] += share
    return matrix.astype(np.float32)


def resize(images: Tensor, kind: Resize, side: int) -> Tensor:
    """float32 ``(n, c, h, w)`` to ``(n, c, side, side)``; bicubic overshoot is clipped to 0..255 as clean-fid does."""
    rows = resize_matrix(kind, images.shape[2], side).to(images.device)
    columns = resize_matrix(kind, images.shape[3], side).to(images.device)
    resized = rows @ (images @ columns.T)
    return resized.clamp(0, 255) if kind == "pil-bicubic" else resized
