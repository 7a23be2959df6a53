"""How often independent work was taken for copied, as measured: `docs/guides/copies.md` says how."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Rate:
    """Pairs of independent pieces of work that were compared, those that were called alike, and what they were.

    upper: the end of the 95 % interval of the share (Clopper and Pearson). images: of each student, 0 for what has
    none.
    """

    pairs: int
    alarms: int
    upper: float
    of: str
    images: int = 0

    def __str__(self) -> str:
        measured = f"{self.alarms} of {_long(self.pairs)} pairs of {self.of}"
        return f"{measured} (95 % interval up to {100 * self.upper:.2g} %)"


_IMAGES = (
    Rate(43597, 0, 8.5e-5, "students of a simulated class with digits of one generator, noise of their own", 1000),
    Rate(4950, 0, 7.45e-4, "students with digits of one generator, noise of their own", 1000),
    Rate(66, 0, 5.4e-2, "sets of faces of 6 generators, two draws of noise each", 1000),
    Rate(72, 0, 5.0e-2, "sets of real pictures, disjoint parts of three training sets", 1000),
    Rate(87, 0, 4.15e-2, "sets of real digits, disjoint parts of two training sets", 1000),
)
RATES: Mapping[str, Sequence[Rate]] = {
    "identical-images": _IMAGES,
    "similar-images": _IMAGES,
    "predictions": (
        Rate(1305, 0, 2.8e-3, "classifiers in classes of 30, many of one design and data"),
        Rate(900, 1, 6.2e-3, "classifiers in classes of 3"),
        Rate(16500, 1, 3.4e-4, "classifiers in classes of 5 and of 10"),
        Rate(130791, 0, 2.8e-5, "tables of a simulated class"),
        Rate(1305, 0, 2.82e-3, "barely trained classifiers in classes of 30"),
        Rate(900, 2, 8.0e-3, "barely trained classifiers in classes of 3"),
        Rate(3000, 0, 1.23e-3, "barely trained classifiers in classes of 5"),
        Rate(13500, 1, 4.13e-4, "barely trained classifiers in classes of 10"),
        Rate(45, 0, 7.9e-2, "adapted networks on each of three domains"),
    ),
    "scripts": (
        Rate(23220, 0, 1.6e-4, "modules of public Python packages"),
        Rate(31125, 0, 1.19e-4, "modules of three public Python packages"),
        Rate(253, 0, 1.45e-2, "modules of one project by one hand"),
    ),
}


def summary() -> str:
    """The rates in a sentence for a terminal: all that was measured of each kind, and the worst of it."""
    found = []
    # Equal images and nearly equal ones were looked for in the same pairs.
    for kind, what in (
        ("similar-images", "images (1000 each)"),
        ("predictions", "wrong predictions"),
        ("scripts", "scripts"),
    ):
        alarms, pairs = sum(r.alarms for r in RATES[kind]), sum(r.pairs for r in RATES[kind])
        worst = max(RATES[kind], key=lambda r: r.alarms / r.pairs)
        at_worst = f" (at worst {worst.alarms} of {_long(worst.pairs)}: {worst.of})" if alarms else ""
        found.append(f"{what} {alarms} of {_long(pairs)} pairs{at_worst}")
    return "; ".join(found)


def _long(count: int) -> str:
    return f"{count:,}".replace(",", " ")
