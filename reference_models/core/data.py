"""The course's digits as tensors, with a validation part that is taken from `train`; pictures as numbers; batches."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from grader.references.data import BadReference, Data, read_labels
from grader.references.pictures import read_pictures

COLUMNS = ("image_name", "label")
INNER = "hw2_data"
INNER_FOLDERS = INNER, "hw4_data"


@dataclass(frozen=True)
class Digits:
    """Pictures uint8 ``(n, 3, 28, 28)`` and their labels int64 ``(n,)``."""

    images: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.labels)

    def part(self, which: slice) -> Digits:
        """Some of them."""
        return Digits(self.images[which], self.labels[which])


def load_digits(data: Path, domain: str, part: str) -> Digits:
    """All of `digits/<domain>/<part>`, in the order of the csv. Raises CannotMeasure or BadReference."""
    home = Data(data, INNER)
    labels = read_labels(home.need(f"digits/{domain}/{part}.csv"), COLUMNS, (0, 9))
    folder = home.need(f"digits/{domain}/{part}")
    return Digits(read_digits([folder / name for name in labels]), torch.tensor(list(labels.values())))


def read_digits(paths: list[Path]) -> Tensor:
    """Pictures of digits, uint8 ``(n, 3, 28, 28)``. Raises BadReference for those of another size."""
    images = to_tensor(read_pictures(paths))
    if images.shape[1:] != (3, 28, 28):
        raise BadReference(f"{paths[0].parent}: expected pictures of 28x28, found {images.shape[3]}x{images.shape[2]}")
    return images


def digest(data: Path) -> str:
    """What a run knows its training data by: names and sizes of all files that are no test part's."""
    found = hashlib.sha256()
    places = "face", "digits", "train", "extra_data", "mlds_data", *INNER_FOLDERS
    for path in sorted(path for place in places for path in (data / place).rglob("*")):
        relative = path.relative_to(data).as_posix()
        if path.is_file() and "/test" not in relative:
            found.update(f"{relative} {path.stat().st_size}\n".encode(errors="surrogateescape"))
    return found.hexdigest()[:16]


def split(digits: Digits) -> tuple[Digits, Digits]:
    """The first nine tenths to train on, the last tenth for validation. Raises BadReference for fewer than two."""
    if len(digits) < 2:
        raise BadReference("expected two labelled pictures or more: one to train on, one for validation")
    held = max(1, len(digits) // 10)
    return digits.part(slice(None, -held)), digits.part(slice(-held, None))


def to_tensor(pictures: NDArray[np.uint8]) -> Tensor:
    """uint8 ``(n, h, w, 3)`` to ``(n, 3, h, w)``, stored channels last."""
    return torch.from_numpy(pictures).permute(0, 3, 1, 2)


def to_range(images: Tensor) -> Tensor:
    """uint8 to float32 in [-1, 1]."""
    return images.to(torch.float32) / 127.5 - 1


def to_pixels(images: Tensor) -> NDArray[np.uint8]:
    """Floats ``(n, 3, h, w)`` in [-1, 1] to uint8 ``(n, h, w, 3)``, rounded to the nearest."""
    pixels = ((images + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
    result: NDArray[np.uint8] = pixels.permute(0, 2, 3, 1).contiguous().cpu().numpy()
    return result


@dataclass(frozen=True)
class Batches:
    """Indices of one batch a step: a new order each epoch, which depends on the seed and the epoch alone."""

    n: int
    batch: int
    seed: int

    def __call__(self, step: int) -> Tensor:
        """int64 ``(min(batch, n),)``. What doesn't fill a batch at the end of an epoch is left out."""
        batch = min(self.batch, self.n)
        epoch, position = divmod(step, self.n // batch)
        generator = torch.Generator().manual_seed(self.seed * 1_000_003 + epoch)
        return torch.randperm(self.n, generator=generator)[position * batch : (position + 1) * batch]
