from __future__ import annotations

import numpy as np
import pytest

from grader.similarity import Fingerprint, find_pairs
from tests.similarity.prints import Pictures, of_images, pictures


def _class(**more: Fingerprint) -> dict[str, Fingerprint]:
    return {f"honest{i}": of_images(pictures(i)) for i in range(4)} | more


def _kinds(found: dict[str, Fingerprint]) -> list[tuple[tuple[str, str], str, int]]:
    return [(pair.students, pair.kind, pair.count) for pair in find_pairs(found).pairs]


def test_honest_students_are_no_pair() -> None:
    assert _kinds(_class()) == []


def test_the_same_images_in_another_order() -> None:
    order = np.random.default_rng(3).permutation(40)
    found = find_pairs(_class(copier=of_images(pictures(2)[order]))).pairs
    assert [(p.students, p.kind, p.count, p.of) for p in found] == [(("copier", "honest2"), "identical-images", 40, 40)]
    for ours, theirs, likeness in found[0].examples:
        assert order[int(ours[:3])] == int(theirs[:3])
        assert likeness == 1


def test_two_equal_images_are_too_few_and_three_are_not() -> None:
    for count, expected in ((2, []), (3, [(("copier", "honest1"), "identical-images", 3)])):
        own = pictures(9)
        own[10 : 10 + count] = pictures(1)[:count]
        assert _kinds(_class(copier=of_images(own))) == expected


EDITS = {
    "noise": lambda p: p + np.random.default_rng(0).normal(0, 4, p.shape),
    "brighter": lambda p: p * 0.9 + 20.0,
    "less contrast": lambda p: (p - 128.0) * 0.8 + 128,
    "mirrored": lambda p: p[:, :, ::-1],
    "inverted": lambda p: 255.0 - p,
    "shifted": lambda p: np.roll(p, 1, 2),
}


@pytest.mark.parametrize("edit", EDITS)
def test_edited_copies(edit: str) -> None:
    changed: Pictures = EDITS[edit](pictures(0).astype(np.float64)).round().clip(0, 255).astype(np.uint8)
    (pair,) = find_pairs(_class(copier=of_images(changed))).pairs
    assert pair.students == ("copier", "honest0")
    assert pair.kind == "similar-images"
    assert pair.count >= 20
    assert all(ours == theirs for ours, theirs, _ in pair.examples[:20])
    assert (edit in pair.strength) == (edit in ("mirrored", "inverted", "shifted"))


def test_what_the_course_gave_is_no_copy_of_each_other() -> None:
    given = pictures(50)
    assert _kinds({s: of_images(given, of_course=range(40)) for s in "ab"}) == []
    both = _kinds({s: of_images(given, of_course=range(30)) for s in "ab"})
    assert both == [(("a", "b"), "identical-images", 10)]


def test_images_that_are_meant_to_be_alike_count_only_where_they_are_the_same() -> None:
    own, noisy = pictures(0), pictures(0) // 2 * 2
    assert _kinds({"a": of_images(own, alike=True), "b": of_images(noisy, alike=True)}) == []
    assert len(_kinds({"a": of_images(own, alike=True), "b": of_images(own, alike=True)})) == 1


def test_images_of_many_students_are_a_note_and_no_pair() -> None:
    given = pictures(60, 10)
    class_ = {f"s{i}": of_images(np.concatenate([given, pictures(i, 30)])) for i in range(6)}
    found = find_pairs(class_)
    assert found.pairs == ()
    assert "10 images of digits stand in the work of more than 4 students each" in found.notes[0]


def test_images_that_show_nothing_are_no_evidence() -> None:
    blank = np.full((40, 28, 28, 3), 7, np.uint8)
    assert _kinds({"a": of_images(blank), "b": of_images(blank)}) == []


def test_few_students_and_few_images() -> None:
    assert find_pairs({}).pairs == ()
    assert _kinds({"a": of_images(pictures(0))}) == []
    assert _kinds({"a": of_images(pictures(0, 1)), "b": of_images(pictures(0, 1))}) == [
        (("a", "b"), "identical-images", 1)
    ]
    assert _kinds({"a": of_images(pictures(0)[:0]), "b": of_images(pictures(0))}) == []
