"""Pictures of earlier steps: a discriminator that sees them too doesn't forget (Shrivastava et al., 2017)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor


class Pool:
    """Holds up to `size` pictures ``(c, h, w)``; which ones depends on torch's chance alone."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.kept: list[Tensor] = []

    def swap(self, pictures: Tensor) -> Tensor:
        """New pictures ``(n, c, h, w)`` in; out come these, until the pool is full, and then for half of them others.

        >>> pool = Pool(2)
        >>> pool.swap(torch.zeros(2, 1, 1, 1)).shape, len(pool.kept)
        (torch.Size([2, 1, 1, 1]), 2)
        """
        found = []
        for picture in pictures:
            if len(self.kept) < self.size:
                self.kept.append(picture.clone())
            elif self.size and float(torch.rand(())) < 0.5:
                place = int(torch.randint(self.size, ()))
                picture, self.kept[place] = self.kept[place], picture.clone()
            found.append(picture)
        return torch.stack(found)

    def state_dict(self) -> dict[str, Any]:
        """For a checkpoint."""
        return {"kept": self.kept}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """From a checkpoint."""
        self.kept = list(state["kept"])
