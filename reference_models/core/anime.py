"""Anime faces with the colours of their hair and eyes: `extra_data/images/N.jpg` and `extra_data/tags.csv`.

Test pictures are those that `extra_data/test.txt` names, or every tenth; the validation part is every tenth of the
others.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from grader.judges.anime_tags import EYES, HAIR
from grader.references.data import BadReference, Data
from grader.references.pictures import read_pictures
from grader.references.tags import read_tags
from reference_models.core.data import to_tensor

INNER = "mlds_data"
Part = Literal["train", "validation", "test"]


@dataclass(frozen=True)
class Anime:
    """Pictures uint8 ``(n, 3, side, side)``; indices of their colours, int64 ``(n,)``, in the published order."""

    images: Tensor
    hair: Tensor
    eyes: Tensor

    def __len__(self) -> int:
        return len(self.images)


def load_anime(data: Path, part: Part, side: int = 64) -> Anime:
    """The tagged pictures of a part, made smaller with Lanczos' filter. Raises CannotMeasure or BadReference."""
    home = Data(data, INNER)
    folder, tags = home.need("extra_data/images"), read_tags(home.need("extra_data/tags.csv"))
    if tags.faults:
        raise BadReference(f"{home.need('extra_data/tags.csv')}: {tags.faults[0]}")
    chosen = _part(home, sorted(tags.pairs), part)
    if len(chosen) < 2:
        raise BadReference(f"{folder}: expected two tagged pictures or more for {part}, found {len(chosen)}")
    pictures = read_pictures([folder / f"{key}.jpg" for key in chosen])
    return Anime(
        to_tensor(smaller(pictures, side)),
        torch.tensor([HAIR.index(tags.pairs[key][0]) for key in chosen]),
        torch.tensor([EYES.index(tags.pairs[key][1]) for key in chosen]),
    )


def _part(home: Data, keys: list[int], part: Part) -> list[int]:
    listed = home.find("extra_data/test.txt")
    named = set(listed.read_text(errors="replace").split()) if listed else {f"{key}.jpg" for key in keys[::10]}
    if part == "test":
        return [key for key in keys if f"{key}.jpg" in named]
    others = [key for key in keys if f"{key}.jpg" not in named]
    return others[::10] if part == "validation" else [key for i, key in enumerate(others) if i % 10]


def smaller(pictures: NDArray[np.uint8], side: int) -> NDArray[np.uint8]:
    """Pictures uint8 ``(n, h, w, 3)`` to ``(n, side, side, 3)``."""
    if pictures.shape[1:3] == (side, side):
        return pictures
    size = (side, side)
    return np.stack([np.asarray(Image.fromarray(p).resize(size, Image.Resampling.LANCZOS)) for p in pictures])


def split_anime(data: Path | None) -> tuple[Tensor, Tensor]:
    """Pictures of 64x64 to train on and those held out, or made-up ones where there is no data."""
    if data is None:
        return made_up_anime(8).images, made_up_anime(8).images
    return load_anime(data, "train").images, load_anime(data, "validation").images


def made_up_anime(n: int) -> Anime:
    """Noise instead of pictures, for a dry run."""
    images = torch.randint(0, 256, (n, 3, 64, 64), dtype=torch.uint8)
    return Anime(images, torch.arange(n) % len(HAIR), torch.arange(n) % len(EYES))
