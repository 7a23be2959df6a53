"""Mistakes are told by what they do to right, blurred reconstructions; and blurred ones alone are no mistake."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from fixtures.faces import face
from grader.metrics.mistakes import GAIN, find_mistake
from grader.metrics.reconstruction import psnr, squared_errors

Pixels = NDArray[np.uint8]
ORIGINALS = np.stack([np.asarray(face(f"mistakes {i}")) for i in range(40)])


def _bytes(values: NDArray[np.float64]) -> Pixels:
    return (np.clip(values, 0, 1) * 255 + 0.5).astype(np.uint8)


def _blurred(strength: float) -> Pixels:
    return _bytes(gaussian_filter(ORIGINALS / 255, (0, strength, strength, 0)))


def _components(k: int) -> Pixels:
    """The reconstruction from k principal components, which is what a linear autoencoder hands in."""
    rows = ORIGINALS.reshape(len(ORIGINALS), -1) / 255
    mean = rows.mean(0)
    basis = np.linalg.svd(rows - mean, full_matrices=False)[2][:k]
    return _bytes(mean + (rows - mean) @ basis.T @ basis).reshape(ORIGINALS.shape)


RIGHT = {f"blurred by {s}": _blurred(s) for s in (0.5, 1, 2, 4, 8)} | {
    f"{k} components": _components(k) for k in (1, 4, 8, 16, 32)
}


@pytest.mark.parametrize("name", RIGHT)
def test_a_right_but_blurred_reconstruction_raises_nothing(name: str) -> None:
    assert find_mistake(RIGHT[name], ORIGINALS) is None


@pytest.mark.parametrize("strength", [5, 20, 60])
def test_noise_raises_nothing(strength: float) -> None:
    noise = np.random.default_rng(0).normal(0, strength, ORIGINALS.shape)
    assert find_mistake(np.clip(ORIGINALS + noise, 0, 255).astype(np.uint8), ORIGINALS) is None


@pytest.mark.parametrize("level", [0, 100, 255])
def test_one_colour_raises_nothing(level: int) -> None:
    assert find_mistake(np.full_like(ORIGINALS, level), ORIGINALS) is None


def test_other_faces_raise_nothing() -> None:
    others = np.stack([np.asarray(face(f"somebody else {i}")) for i in range(len(ORIGINALS))])
    assert find_mistake(others, ORIGINALS) is None
    mean = np.broadcast_to(ORIGINALS.mean(0).astype(np.uint8), ORIGINALS.shape)
    assert find_mistake(np.ascontiguousarray(mean), ORIGINALS) is None


def test_equal_pictures_raise_nothing() -> None:
    assert find_mistake(ORIGINALS, ORIGINALS) is None


def _stretched(x: Pixels) -> Pixels:
    low, high = (f(x / 255.0, axis=(1, 2, 3), keepdims=True) for f in (np.min, np.max))
    return _bytes((x / 255 - low) / (high - low))


def _pale(x: Pixels) -> Pixels:
    """Little contrast, and not in all pictures the same: what stretching each of them does away with."""
    strength = np.linspace(0.2, 1, len(x))[:, None, None, None]
    return _bytes(0.5 + strength * (x / 255 - 0.5))


def _shuffled(x: Pixels) -> Pixels:
    return x[np.random.default_rng(1).permutation(len(x))]


DAMAGES: list[tuple[str, str, Callable[[Pixels], Pixels]]] = [
    ("range", "negative ones became black", lambda x: _bytes(2 * (x / 255) - 1)),
    ("range", "wrapped around", lambda x: ((2 * (x / 255) - 1) * 255).astype(np.int64).astype(np.uint8)),
    ("range", "as if they were in [-1, 1]", lambda x: _bytes((1 + x / 255) / 2)),
    ("range", "negatives", lambda x: 255 - x),
    ("range", "too dark", lambda x: _bytes((x / 255) ** 2.2)),
    ("range", "too pale", lambda x: _bytes((x / 255) ** (1 / 2.2))),
    ("range", "about 2.", lambda x: _bytes(0.5 * (x / 255))),
    ("channels", "red and blue", lambda x: x[..., ::-1]),
    ("channels", "reshaped", lambda x: x.transpose(0, 3, 1, 2).reshape(x.shape)),
    ("orientation", "left and right", lambda x: x[:, :, ::-1]),
    ("orientation", "upside down", lambda x: x[:, ::-1]),
    ("orientation", "180°", lambda x: x[:, ::-1, ::-1]),
    ("orientation", "rows and columns", lambda x: x.swapaxes(1, 2)),
    ("orientation", "90° to the left", lambda x: np.rot90(x, 1, (1, 2))),
    ("orientation", "90° to the right", lambda x: np.rot90(x, -1, (1, 2))),
    ("order", "of the one after it", lambda x: np.roll(x, -1, 0)),
    ("order", "image 3 places before it", lambda x: np.roll(x, 3, 0)),
    ("order", "other test images", _shuffled),
]


@pytest.mark.parametrize("name", ["blurred by 1", "32 components"])
@pytest.mark.parametrize(("kind", "told", "damage"), DAMAGES, ids=[d[1] for d in DAMAGES])
def test_each_mistake_is_told(kind: str, told: str, damage: Callable[[Pixels], Pixels], name: str) -> None:
    damaged = damage(RIGHT[name])
    found = find_mistake(damaged, ORIGINALS)
    assert found is not None and found.mistake.kind == kind and told in found.mistake.what
    assert found.as_handed_in == pytest.approx(psnr(float(squared_errors(damaged, ORIGINALS).mean())), abs=1e-9)
    assert found.allowed_for - found.as_handed_in >= GAIN and found.mistake.mend


def test_a_picture_stretched_by_itself_is_told() -> None:
    """Its originals have little contrast: where they reach from black to white there is nothing to stretch."""
    pale = _pale(ORIGINALS)
    found = find_mistake(_stretched(pale), pale)
    assert found is not None and "darkest and brightest" in found.mistake.what
    assert find_mistake(_stretched(ORIGINALS), _stretched(ORIGINALS)) is None


def test_oblong_pictures_are_not_transposed() -> None:
    wide = np.ascontiguousarray(ORIGINALS[:, :40])
    assert find_mistake(wide[:, :, ::-1], wide) is not None
    assert find_mistake(np.roll(wide, 1, 0)[:5], wide[:5]) is None  # too few to tell an order


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_pictures_without_any_likeness_raise_nothing(seed: int) -> None:
    ours, originals = np.random.default_rng(seed).integers(0, 256, (2, 12, 16, 16, 3), np.uint8)
    assert find_mistake(ours, originals) is None
