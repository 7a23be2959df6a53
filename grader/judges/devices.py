"""Where judges run."""

from __future__ import annotations

import torch

from grader.errors import UsageError


def choose_device(name: str) -> torch.device:
    """The device for `auto`, `cpu`, `cuda` or `mps`; UsageError for one that this machine doesn't have.

    `auto` is CUDA if there is one, else the CPU: MPS only on request, since its rounding differs most. TF32 is turned
    off, because it would change official numbers in the third digit.
    """
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        name = "cuda" if available["cuda"] else "cpu"
    if not available.get(name):
        there = ", ".join(n for n, here in available.items() if here)
        raise UsageError(f"--device {name}: this machine (or this build of torch) has none. It has: {there}.")
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    return torch.device(name)
