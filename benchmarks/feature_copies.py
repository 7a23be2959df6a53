"""`python -m benchmarks.feature_copies --data DIR`: would features of a network find copies that descriptors don't?

Likeness counts from where on no more than 1 % of a folder's digits have one so near in an independent folder. What is
printed is the share of edited digits that are then near to their own original. Takes a quarter of an hour on one core.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from itertools import permutations
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from rich.console import Console
from rich.table import Table

from benchmarks.false_alarms import drawn, pixels_of
from grader.judges.features import Extractor
from grader.measuring.compared import ComparedImages
from grader.similarity.descriptors import EDITS, describe, edited, unit
from grader.similarity.images import NEAR, NEAR_EDITED
from reference_models import acgan_networks
from reference_models.core.data import load_digits
from reference_models.core.models import published

_ASKED = 7  # every seventh digit of the first folder is edited
_ALLOWED = 0.01
_WIDTH, _BITS = 128, 64
Pictures = NDArray[np.uint8]
Rows = NDArray[np.float32]


def _moved(right: int, down: int) -> Callable[[Image.Image], Image.Image]:
    return lambda image: image.transform(image.size, Image.Transform.AFFINE, (1, 0, right, 0, 1, down))


def _cropped(by: int) -> Callable[[Image.Image], Image.Image]:
    box = by, by, 28 - by, 28 - by
    return lambda image: image.crop(box).resize(image.size, Image.Resampling.BICUBIC)


def _turned(degrees: int) -> Callable[[Image.Image], Image.Image]:
    return lambda image: image.rotate(degrees, Image.Resampling.BICUBIC)


def _noisy(image: Image.Image) -> Image.Image:
    pixels = np.asarray(image)
    noise = 10 * np.random.default_rng(int(pixels.sum())).standard_normal(pixels.shape)
    return Image.fromarray((pixels + noise).round().clip(0, 255).astype(np.uint8))


_EDITS: Mapping[str, Callable[[Image.Image], Image.Image]] = {
    "noise of 10 levels": _noisy,
    "brighter by 20": lambda image: image.point(lambda level: min(255, level + 20)),
    "mirrored": lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "shifted by 1 pixel": _moved(1, 0),
    "shifted by 2 pixels": _moved(2, 0),
    "shifted by 1 pixel in both directions": _moved(1, 1),
    "cropped by 1 pixel all around": _cropped(1),
    "cropped by 2 pixels": _cropped(2),
    **{f"turned by {degrees} degrees": _turned(degrees) for degrees in (3, 5, 10)},
}


def _folders(data: Path, quick: bool) -> dict[str, list[Pictures]]:
    (model,) = published("acgan")
    generator = model.fill(acgan_networks.Generator(model.settings(acgan_networks.Settings))).float()
    labels = torch.arange(10).repeat_interleave(100)
    real = pixels_of(load_digits(data, "mnistm", "train"))
    order = np.random.default_rng(1).permutation(len(real))
    return {
        "generated": [drawn(generator, generator.z, seed, labels) for seed in range(2 if quick else 4)],
        "real": [real[order[1000 * i : 1000 * i + 1000]] for i in range(2)],
    }


def _length_1(rows: Rows) -> Rows:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


def _kinds(fitted: Rows) -> dict[str, Callable[[Rows], Rows]]:
    """Features whitened to their widest directions, and as projections of 8 bits."""
    mean, deviation = fitted.mean(0), fitted.std(0) + 1e-3
    _, spread, directions = np.linalg.svd(fitted - mean, full_matrices=False)
    whitening = directions[:_WIDTH].T / (spread[:_WIDTH] / np.sqrt(len(fitted)) + 1e-3)
    projections = np.random.default_rng(0).standard_normal((fitted.shape[1], _BITS)).astype(np.float32)

    def projected(rows: Rows) -> Rows:
        found = (rows - mean) / deviation @ projections
        return _length_1(np.rint(found * (127 / np.abs(found).max(1, keepdims=True))))

    return {"whitened": lambda rows: _length_1((rows - mean) @ whitening), "64 x 8 bits": projected}


def _least(folders: list[Rows]) -> float:
    """The likeness that no more than `_ALLOWED` of a folder reaches in any other."""
    return max(float(np.quantile((a @ b.T).max(1), 1 - _ALLOWED)) for a, b in permutations(folders, 2))


def _by_descriptor(own: Pictures, changed: Pictures) -> float:
    before, after = describe(ComparedImages(own).details), unit(describe(ComparedImages(changed).details))
    plain = ((unit(before) * after).sum(1) >= NEAR).mean()
    best = max(((unit(edited(before, edit)) * after).sum(1) >= NEAR_EDITED).mean() for edit in EDITS)
    return float(max(plain, best))


def main() -> None:
    """Prints a row for each edit and, for generated and real digits, the shares of descriptor and features."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="The course's data folder, with digits/mnistm.")
    parser.add_argument("--quick", action="store_true", help="Fewer folders, and fewer edited digits.")
    given = parser.parse_args()
    torch.set_num_threads(1)
    extractor = Extractor({}, "cpu", None)

    def features(pixels: Pictures) -> Rows:
        return extractor.run("efficientnet-lite0", pixels, lambda _done, _total: None).outputs["features"]

    folders = _folders(given.data, given.quick)
    seen = {name: [features(pixels) for pixels in several] for name, several in folders.items()}
    kinds = _kinds(np.concatenate([several[-1] for several in seen.values()]))
    step = 10 * _ASKED if given.quick else _ASKED
    table = Table(box=None)
    for title in ("edit", *(f"{name}, {kind}" for name in folders for kind in ("descriptor", *kinds))):
        table.add_column(title, justify="left" if title == "edit" else "right", overflow="fold")
    least = {(name, kind): _least([of(x) for x in seen[name]]) for name in seen for kind, of in kinds.items()}
    for edit, change in _EDITS.items():
        cells = []
        for name, several in folders.items():
            own = several[0][::step]
            changed = np.stack([np.asarray(change(Image.fromarray(x))) for x in own])
            cells.append(_by_descriptor(own, changed))
            after = features(changed)
            for kind, of in kinds.items():
                likeness = (of(seen[name][0][::step]) * of(after)).sum(1)
                cells.append(float((likeness >= least[name, kind]).mean()))
        table.add_row(edit, *(f"{cell:.2f}" for cell in cells))
    Console(width=140).print(table)


if __name__ == "__main__":
    main()
