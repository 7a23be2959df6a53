"""More students than two with the same images."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from grader.measuring.compared import ComparedImages
from grader.similarity import descriptors, find_pairs
from grader.similarity.fingerprints import Fingerprint, Images


def _pictures(seed: int, n: int = 30) -> NDArray[np.uint8]:
    coarse = np.random.default_rng(seed).integers(0, 256, (n, 7, 7, 3), np.uint8)
    return np.stack([np.asarray(Image.fromarray(c).resize((28, 28), Image.Resampling.BICUBIC)) for c in coarse])


def _print(seed: int) -> Fingerprint:
    pixels = _pictures(seed)
    names = tuple(f"{i:04d}.png" for i in range(len(pixels)))
    own = np.zeros(len(pixels), np.bool_)
    found = descriptors.digests(pixels), descriptors.describe(ComparedImages(pixels).details), own
    return Fingerprint((Images("acgan", "digits", "acgan", names, False, *found),))


@pytest.mark.parametrize(("ring", "pairs"), [(2, 1), (4, 6), (5, 4), (12, 11)])
def test_a_ring_of_any_size_is_named_whole(ring: int, pairs: int) -> None:
    prints = {f"s{i:02d}": _print(0 if i < ring else i) for i in range(40)}
    found = find_pairs(prints)
    assert {s for pair in found.pairs for s in pair.students} == {f"s{i:02d}" for i in range(ring)}
    assert [(p.kind, p.count, p.of) for p in found.pairs] == [("identical-images", 30, 30)] * pairs
    assert not found.notes


def test_attempts_count_as_one_student() -> None:
    """Thirty attempts of one student and a copy: neither common to half of the class, nor a ring of thirty."""
    names = [f"ada_{i:02d}" for i in range(30)]
    prints = {name: _print(0) for name in [*names, "bob"]} | {f"s{i}": _print(i) for i in range(1, 5)}
    found = find_pairs(prints, people=dict.fromkeys(names, "ada"))
    assert [pair.students for pair in found.pairs] == [(name, "bob") for name in names]
    assert [note[:31] for note in found.notes] == ["29 submissions beyond the first"]
    assert not find_pairs(prints).pairs


def test_what_more_than_half_of_the_class_have_is_a_note() -> None:
    found = find_pairs({f"s{i:02d}": _print(0 if i < 11 else i) for i in range(20)})
    assert not found.pairs
    assert "30 images of digits stand in the work of more than 10 students each" in found.notes[0]
