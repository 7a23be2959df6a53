"""Pictures for the tests of attributes and codes, and a judge that reads an attribute from a picture's brightness."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from grader.assignment import ImagesSpec, NameField, NameFormat
from grader.checks.images import CheckedImages
from grader.judges.attributes import ATTRIBUTES
from grader.judges.features import Extractor, Features
from grader.judges.weights import Weights
from grader.measuring.context import Context
from grader.references.data import Data

Pixels = NDArray[np.uint8]
SIDE = 8
PAIRS = NameFormat("{attribute}_{number:03}.png", (NameField("attribute", 0, 1), NameField("number", 1, 40, 3)))
CODES = NameFormat(
    "c{code}_v{value}_r{row}.png", (NameField("code", 0, 2), NameField("value", 0, 4), NameField("row", 0, 9))
)


class Reader:
    """Stands in for the networks: logit k of an image is its k-th value less 128; features are its values."""

    def run(self, _: str, images: Pixels, done: Callable[[int, int], None]) -> Features:
        done(len(images), len(images))
        flat = images.reshape(len(images), -1).astype(np.float32)
        logits = flat[:, : len(ATTRIBUTES)] - 128
        weights = Weights("attributes", Path("w"), "0" * 64, True)
        outputs: Mapping[str, NDArray[np.float32]] = {"logits": logits, "features": flat - 128}
        return Features(outputs, weights, ("cpu test",))


def context(home: Path | None = None) -> Context:
    """A context whose networks are the reader."""
    made = Context(Data(home, "data"), {}, cache=False)
    made._extractor = cast(Extractor, Reader())
    return made


def pictures(
    names: NameFormat, draw: Callable[[tuple[int, ...]], Pixels], label: str = "", **changes: Any
) -> CheckedImages:
    """All images of a name format; draw: values to pixels ``(8, 8, 3)``."""
    drawn = sorted((names.format(values), draw(values).tobytes()) for values in names.all_values())
    without = changes.pop("without", ())
    drawn = [(name, pixels) for name, pixels in drawn if name not in without]
    spec = ImagesSpec("faces", "acgan", len(names), (SIDE, SIDE), "RGB", "PNG", names, label, True, **changes)
    return CheckedImages(spec, tuple(n for n, _ in drawn), tuple(p for _, p in drawn), ())


def person(number: int) -> Pixels:
    """A picture that only this number has: every attribute at random, none near the border."""
    rng = np.random.default_rng(number)
    return rng.choice(np.array([40, 60, 200, 220], np.uint8), (SIDE, SIDE, 3))


def with_attribute(pixels: Pixels, attribute: str, there: bool) -> Pixels:
    """The same picture, with or without an attribute."""
    found = pixels.copy()
    found.reshape(-1)[ATTRIBUTES.index(attribute)] = 250 if there else 5
    return found
