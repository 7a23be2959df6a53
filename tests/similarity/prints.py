"""Fingerprints made without scoring anything: pictures of smooth random shapes, tables of models that err."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from grader.measuring.compared import ComparedImages
from grader.similarity.descriptors import describe, digests
from grader.similarity.fingerprints import Fingerprint, Images, Script, Table
from grader.similarity.sources import winnowed, words

Pictures = NDArray[np.uint8]


def pictures(seed: int, count: int = 40) -> Pictures:
    """Pictures 28 x 28 that have nothing in common: 7 x 7 random colours, enlarged."""
    random = np.random.default_rng(seed)
    small = random.integers(0, 256, (count, 7, 7, 3), np.uint8)
    return np.stack([np.asarray(Image.fromarray(x).resize((28, 28), Image.Resampling.BICUBIC)) for x in small])


def of_images(found: Pictures, *, of_course: Iterable[int] = (), alike: bool = False) -> Fingerprint:
    """A fingerprint of nothing but pictures, named by their numbers."""
    names = tuple(f"{i:03}.png" for i in range(len(found)))
    course = np.isin(np.arange(len(found)), list(of_course))
    details = describe(ComparedImages(found).details)
    images = Images("acgan", "digits", "acgan", names, alike, digests(found), details, course)
    return Fingerprint((images,))


class Exam:
    """Test pictures of 10 labels, each hard to some degree for everybody, and with a usual wrong answer."""

    def __init__(self, count: int, seed: int = 0) -> None:
        self.random = np.random.default_rng(seed)
        self.truth = self.random.integers(0, 10, count)
        self.hardness = self.random.standard_normal(count)
        self.usual = (self.truth + self.random.integers(1, 10, count)) % 10

    def model(self, accuracy: float, usual: float = 0.6) -> NDArray[np.int64]:
        """The answers of an independent model: wrong on what is hard, and then as most are in this share of cases."""
        n = len(self.truth)
        order = np.argsort(self.hardness + self.random.standard_normal(n))
        wrong = order[round(accuracy * n) :]
        other = np.where(self.random.random(n) < usual, self.usual, (self.truth + self.random.integers(1, 10, n)) % 10)
        found = self.truth.copy()
        found[wrong] = other[wrong]
        return found

    def changed(self, answers: NDArray[np.int64], share: float) -> NDArray[np.int64]:
        """Somebody's answers with this share of rows changed."""
        found = answers.copy()
        at = self.random.permutation(len(found))[: round(share * len(found))]
        found[at] = (found[at] + 1) % 10
        return found

    def table(self, answers: NDArray[np.int64]) -> Table:
        """The answers as a table."""
        return Table("dann", "a-b", "dann/a-b.csv", "0", answers.astype(np.uint16), self.truth.astype(np.uint16))


def script(text: str, name: str = "train.py") -> Script:
    """A script as it stands in a fingerprint."""
    told = words(text)
    return Script(name, len(told), " ".join(told), winnowed(told))
