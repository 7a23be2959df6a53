"""Perceptual hash and similarity on drawn faces and digits, after what copies go through."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter
from scipy.ndimage import gaussian_filter

from fixtures.digits import mnistm
from fixtures.faces import face
from grader.metrics import copies

Edit = Callable[[Image.Image], Image.Image]


def _thumbnails(pictures: list[Image.Image]) -> NDArray[np.float32]:
    return np.stack([copies.thumbnail(p) for p in pictures])


def _similarity(
    a: NDArray[np.float32], b: NDArray[np.float32], pairs: NDArray[np.int64] | None = None
) -> NDArray[np.float64]:
    return copies.similarity(copies.details(a), copies.details(b), pairs)


@pytest.fixture(scope="module")
def faces() -> list[Image.Image]:
    return [face(f"copies {i}") for i in range(120)]


def _jpeg(picture: Image.Image) -> Image.Image:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=50)
    return Image.open(out)


def _noise(picture: Image.Image) -> Image.Image:
    pixels = np.asarray(picture) + np.random.default_rng(0).normal(0, 10, (64, 64, 3))
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _shift(picture: Image.Image) -> Image.Image:
    return Image.fromarray(np.roll(np.asarray(picture), 1, (0, 1)))


@pytest.mark.parametrize(
    "edit",
    [
        lambda p: p,
        _jpeg,
        _noise,
        _shift,
        lambda p: p.filter(ImageFilter.GaussianBlur(1)),
        lambda p: ImageEnhance.Brightness(p).enhance(1.3),
        lambda p: ImageEnhance.Contrast(p).enhance(0.7),
        lambda p: p.resize((128, 128), Image.Resampling.BICUBIC),
    ],
    ids=["same", "jpeg", "noise", "shift", "blur", "brighter", "pale", "larger"],
)
def test_an_edited_copy_is_found_among_others(faces: list[Image.Image], edit: Edit) -> None:
    theirs = _thumbnails(faces)
    ours = _thumbnails([edit(p) for p in faces[:30]])
    pairs = copies.candidates(copies.perceptual_hash(ours), copies.perceptual_hash(theirs))
    similar = _similarity(ours, theirs, pairs) >= copies.SAME
    found = pairs[similar]
    assert (found[:, 0] == found[:, 1]).mean() >= 0.95  # drawn faces are much alike
    assert len({a for a, b in found if a == b}) >= 28


def test_different_pictures_are_not_the_same() -> None:
    digits = _thumbnails([mnistm(i % 10, f"copies {i}") for i in range(200)])
    hashes = copies.perceptual_hash(digits)
    pairs = copies.candidates(hashes[:100], hashes[100:])
    assert len(pairs) > 10
    assert (_similarity(digits[pairs[:, 0]], digits[100 + pairs[:, 1]]) < copies.SAME).all()


def test_pictures_of_one_colour_are_like_nothing() -> None:
    colours = np.array([(0, 0, 0), (255, 255, 255), (200, 30, 90), (127, 127, 128)], np.uint8)
    plain = np.broadcast_to(colours[:, None, None], (4, 28, 28, 3))
    found = copies.details(copies.thumbnails(np.ascontiguousarray(plain)))
    pairs = np.array([(i, j) for i in range(4) for j in range(4)])
    for theirs in (found, copies.compressed(found)):
        assert (copies.similarity(found, theirs, pairs) < 0.1).all()


def test_colours_count() -> None:
    picture = face("colours")
    red = Image.merge("RGB", picture.split()[::-1])
    assert _similarity(_thumbnails([picture]), _thumbnails([red]))[0] < copies.LIKELY


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 100), st.integers(0, 10))
def test_candidates_are_those_of_a_plain_search(n: int, m: int, within: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    ours, theirs = (rng.random((k, copies.BITS)) < 0.5 for k in (n, m))
    theirs[: min(n, m) : 2] = ours[: min(n, m) : 2]
    found = [tuple(pair) for pair in copies.candidates(ours, theirs, nearest=3, within=within)]
    plain = []
    for i in range(n):
        ranked = sorted((int((ours[i] != theirs[j]).sum()), j) for j in range(m))
        plain += [(i, j) for distance, j in ranked[:3] if distance <= within]
    assert found == plain


def test_similarity_has_its_bounds_and_no_order() -> None:
    rng = np.random.default_rng(1)
    a, b = (rng.uniform(0, 255, (5, 3, 32, 32)).astype(np.float32) for _ in range(2))
    assert _similarity(a, a) == pytest.approx(1, abs=1e-5)
    assert (_similarity(a, b) < 0.5).all()
    swapped = np.column_stack([np.arange(len(a))[::-1], np.arange(len(a))])
    assert _similarity(a, b, swapped) == pytest.approx(_similarity(a[::-1], b), abs=1e-6)
    assert _similarity(a, b) == pytest.approx(_similarity(b, a), abs=0.02)
    plain = np.full((1, 3, 32, 32), 7, np.float32)
    assert np.isfinite(_similarity(plain, plain)).all()


@pytest.mark.parametrize(("down", "right"), [(0, 0), (1, 0), (0, -2), (2, 1), (-1, -1), (-2, 2)])
def test_whole_shifts_are_found_exactly(down: int, right: int) -> None:
    large = gaussian_filter(np.random.default_rng(2).uniform(0, 255, (1, 3, 40, 40)), (0, 0, 2, 2)) * 10
    pictures = [np.asarray(large[:, :, 4 + y : 36 + y, 4 + x : 36 + x], np.float32) for y, x in ((0, 0), (down, right))]
    # The neighbourhood that is taken out differs at the edges, and nowhere else.
    assert _similarity(pictures[0], pictures[1])[0] > 0.98


def test_no_pair_is_no_work() -> None:
    nothing = np.zeros((0, 3, 32, 32), np.float32)
    assert _similarity(nothing, nothing).shape == (0,)
    assert copies.candidates(np.zeros((2, copies.BITS), bool), np.ones((3, copies.BITS), bool)).shape == (0, 2)


def _plain(x: NDArray[np.float32], y: NDArray[np.float32]) -> float:
    """The best cosine of what two pictures have in common over whole shifts by at most a pixel, one after the other."""
    best = -1.0
    for down in (-1, 0, 1):
        for right in (-1, 0, 1):
            rows, columns = (slice(max(0, s), 32 + min(0, s)) for s in (down, right))
            to_rows, to_columns = (slice(max(0, -s), 32 + min(0, -s)) for s in (down, right))
            p, q = x[:, rows, columns].ravel().astype(float), y[:, to_rows, to_columns].ravel().astype(float)
            best = max(best, p @ q / np.sqrt((p @ p) * (q @ q)))
    return best


def test_similarity_is_that_of_all_whole_shifts_one_by_one(faces: list[Image.Image]) -> None:
    found = copies.details(_thumbnails(faces[:40]))
    pairs = np.random.default_rng(3).integers(0, 40, (300, 2))
    plain = np.array([_plain(found[i], found[j]) for i, j in pairs])
    similar = copies.similarity(found, found, pairs)
    assert (similar >= plain - 1e-5).all()  # half a pixel further it may be more
    far = plain < 0.6
    assert far.sum() > 100 and similar[far] == pytest.approx(plain[far], abs=1e-5)
    small = copies.compressed(found)
    assert copies.similarity(found, small, pairs) == pytest.approx(similar, abs=1e-3)
    assert (copies.similarity(found, small) > 0.9995).all()
