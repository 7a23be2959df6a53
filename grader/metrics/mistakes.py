"""Common mistakes in saving reconstructions, each as a model of what it does to a picture.

The originals, damaged by a model, are compared with what was handed in. If they come much nearer to it than the
undamaged ones, that mistake was made. A blurred or poor but right reconstruction is near to no damaged original.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from grader.metrics.reconstruction import psnr

Array = NDArray[np.float64]
Pixels = NDArray[np.uint8]
Kind = Literal["range", "channels", "orientation", "order"]
GAIN = 10 * np.log10(2)  # dB that a mistake must explain: half of the squared error
_STRETCH_GAIN = 1.0  # dB beyond one contrast for all, where each image reaches from 0 to 255: that is evidence itself
_STRETCHED = 0.95  # share of such images
_LIKENESS = 0.5  # share of the damaged originals' variance that what was handed in has to follow
_FITTED = 1.25  # handicap of a model with fitted numbers
_NOTHING = (2 / 255) ** 2  # squared error of two levels: nothing is left to be mended
_SAMPLE = 128  # images that all models are tried on
_LEAST = 10  # images that an order can be told from
_GRID = 8  # a picture is this many squares wide and high when originals are looked for


@dataclass(frozen=True)
class Mistake:
    """What was done (a clause with its subject), and what to write instead."""

    kind: Kind
    what: str
    mend: str


@dataclass(frozen=True)
class Suspicion:
    """A mistake, with the PSNR of the images as handed in and once it is allowed for, in dB."""

    mistake: Mistake
    as_handed_in: float
    allowed_for: float


@dataclass(frozen=True)
class _Tried:
    """Squared error against the model, and how much the originals vary once it is applied.

    `gain`: how much better it has to be than the pictures as they are, in dB. `handicap`: against a model that
    bends to the pictures, so that one which doesn't goes first where both explain them.
    """

    mistake: Mistake
    error: float
    variance: float
    gain: float = GAIN
    handicap: float = 1.0

    @property
    def badness(self) -> float:
        """The share of the variance that the model leaves unexplained."""
        return self.handicap * self.error / self.variance


def _clipped(r: Array) -> Array:
    return np.maximum(2 * r - 1, 0)


_SCALE = "images = (images + 1) / 2  # before saving, where the network ends in tanh"
_FORWARD: list[tuple[Mistake, Callable[[Array], Array]]] = [
    (
        Mistake("range", "values in [-1, 1] were saved without rescaling, so that negative ones became black", _SCALE),
        _clipped,
    ),
    (
        Mistake(
            "range",
            "values in [0, 1] were rescaled as if they were in [-1, 1]",
            "leave out (images + 1) / 2: the network's last layer gives [0, 1] already",
        ),
        lambda r: (1 + r) / 2,
    ),
    (Mistake("range", "the pictures are negatives", "images = 1 - images"), lambda r: 1 - r),
    (
        Mistake(
            "channels",
            "red and blue are exchanged (OpenCV writes BGR)",
            "cv2.imwrite(path, image[:, :, ::-1]), or save with Pillow",
        ),
        lambda r: r[..., ::-1],
    ),
    (
        Mistake(
            "channels",
            "an array of the shape (3, height, width) was reshaped, not transposed",
            "image = image.transpose(1, 2, 0)  # not reshape",
        ),
        lambda r: r.transpose(0, 3, 1, 2).reshape(r.shape),
    ),
    (
        Mistake("orientation", "left and right are exchanged", "no horizontal flip when testing"),
        lambda r: r[:, :, ::-1],
    ),
    (Mistake("orientation", "the pictures are upside down", "images = images[:, ::-1]"), lambda r: r[:, ::-1]),
    (
        Mistake("orientation", "the pictures are turned by 180°", "images = images[:, ::-1, ::-1]"),
        lambda r: r[:, ::-1, ::-1],
    ),
]
_SQUARE: list[tuple[Mistake, Callable[[Array], Array]]] = [
    (
        Mistake("orientation", "rows and columns are exchanged", "image = image.transpose(1, 2, 0)  # not (2, 1, 0)"),
        lambda r: r.swapaxes(1, 2),
    ),
    (
        Mistake("orientation", "the pictures are turned by 90° to the left", "images = np.rot90(images, -1, (1, 2))"),
        lambda r: np.rot90(r, 1, (1, 2)),
    ),
    (
        Mistake("orientation", "the pictures are turned by 90° to the right", "images = np.rot90(images, 1, (1, 2))"),
        lambda r: np.rot90(r, -1, (1, 2)),
    ),
]
_GAMMA = [
    (Mistake("range", "the pictures are too dark: a gamma curve was applied", "save the values as they are"), 2.2),
    (Mistake("range", "the pictures are too pale: a gamma curve was applied", "save the values as they are"), 1 / 2.2),
]
_WRAPPED = Mistake(
    "range", "values in [-1, 1] were saved without rescaling, so that negative ones wrapped around", _SCALE
)
_STRETCH = Mistake(
    "range",
    "each picture was stretched to its own darkest and brightest value",
    "leave out normalize=True, scale_each=True of save_image, and imshow's own scaling",
)


def find_mistake(ours: Pixels, originals: Pixels) -> Suspicion | None:
    """The mistake that explains the pictures best, if one explains them far better than none does.

    ours, originals: uint8 ``(n, h, w, 3)`` in the order of their names.
    """
    rows = np.unique(np.linspace(0, len(ours) - 1, min(len(ours), _SAMPLE)).astype(np.int64))
    x, r = ours[rows] / 255, originals[rows] / 255
    raw = float(np.square(x - r).mean())
    if raw <= _NOTHING:
        return None
    tried = [*_modelled(x, r), *_refitted(x, r)]
    if raw > (1 - _LIKENESS) * r.var():  # else the pictures are those of their names
        tried += _ordered(ours, originals, rows)
    credible = [t for t in tried if psnr(t.error) - psnr(raw) >= t.gain and t.error < (1 - _LIKENESS) * t.variance]
    if not credible:
        return None
    best = min(credible, key=lambda t: t.badness)
    return Suspicion(best.mistake, psnr(raw), psnr(best.error))


def _modelled(x: Array, r: Array) -> Iterator[_Tried]:
    for mistake, damage in _FORWARD + (_SQUARE if r.shape[1] == r.shape[2] else []):
        damaged = damage(r)
        yield _Tried(mistake, float(np.square(x - damaged).mean()), float(damaged.var()))
    for mistake, power in _GAMMA:
        damaged = np.power(r, power)
        yield _Tried(mistake, float(np.square(x - damaged).mean()), float(damaged.var()))
    # A small error across the jump from 255 to 0 is none: distances are taken around the circle of 256 levels.
    away = np.abs(x - np.mod(2 * r - 1, 256 / 255))
    around = np.minimum(away, 256 / 255 - away)
    yield _Tried(_WRAPPED, float(np.square(around).mean()), 1 / 12)


def _refitted(x: Array, r: Array) -> Iterator[_Tried]:
    """Fits the originals to the pictures, not the other way: the best guess from a blurred picture is that picture."""
    a, b, error = _fit(x, r, (0, 1, 2, 3))
    slope, offset = float(a.item()), float(b.item())
    plus = f"{'-' if offset < 0 else '+'} {abs(offset):.2f}"
    if slope > 0:
        what = f"brightness or contrast is another one: the originals are about {slope:.2f} times the values {plus}"
        mend = f"images = {slope:.2f} * images {plus}  # or save the network's values unchanged"
        yield _Tried(Mistake("range", what, mend), error, float(r.var()), handicap=_FITTED)
    full = [((p.min((1, 2, 3)) == 0) & (p.max((1, 2, 3)) == 1)).mean() for p in (x, r)]
    if full[0] >= _STRETCHED > full[1]:
        each = _fit(x, r, (1, 2, 3))[2]
        if psnr(each) - psnr(error) >= _STRETCH_GAIN:  # noise and contrast reach from 0 to 255 as well
            yield _Tried(_STRETCH, each, float(r.var()), _STRETCH_GAIN, handicap=_FITTED)


def _fit(x: Array, r: Array, axes: tuple[int, ...]) -> tuple[Array, Array, float]:
    """Slope and offset that bring x nearest to r, over these axes, and the squared error that is left."""
    mean_x, mean_r = x.mean(axes, keepdims=True), r.mean(axes, keepdims=True)
    covariance = ((x - mean_x) * (r - mean_r)).mean(axes, keepdims=True)
    variance = np.square(x - mean_x).mean(axes, keepdims=True)
    slope = np.divide(covariance, variance, out=np.zeros_like(variance), where=variance > 0)
    offset = mean_r - slope * mean_x
    return slope, offset, float(np.square(slope * x + offset - r).mean())


def _ordered(ours: Pixels, originals: Pixels, rows: NDArray[np.int64]) -> Iterator[_Tried]:
    """Whether the pictures are right, but under other names: each is nearest to another original, and that to it."""
    if len(ours) < _LEAST:
        return
    a, b = _squares(ours), _squares(originals)
    distances = np.square(a).sum(1)[:, None] + np.square(b).sum(1) - 2 * a @ b.T
    nearest = distances.argmin(1)
    mutual = distances.argmin(0)[nearest] == np.arange(len(a))
    if mutual.mean() < _LIKENESS:
        return
    x, r = ours[rows] / 255, originals[nearest[rows]] / 255
    offset, times = Counter((nearest - np.arange(len(a))).tolist()).most_common(1)[0]
    if times >= 0.8 * len(a) and offset:
        what = f"each picture is the reconstruction of the {_nth(abs(offset))} {'after' if offset > 0 else 'before'} it"
    else:
        what = "the pictures are reconstructions of other test images than their names say"
    mend = "read the test images in the order of their names (sorted(...), shuffle=False) and save each under its name"
    yield _Tried(Mistake("order", what, mend), float(np.square(x - r).mean()), float(r.var()))


def _nth(n: int) -> str:
    return "one" if n == 1 else f"image {n} places"


def _squares(pictures: Pixels) -> Array:
    """Mean colours of a grid of squares: ``(n, 8 · 8 · 3)``."""
    n, h, w, c = pictures.shape
    high, wide = max(1, h // _GRID), max(1, w // _GRID)
    cut = pictures[:, : h // high * high, : w // wide * wide].reshape(n, h // high, high, w // wide, wide, c)
    return np.asarray(cut.mean((2, 4), dtype=np.float64).reshape(n, -1) / 255)
