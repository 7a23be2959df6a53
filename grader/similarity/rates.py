"""How often independent work was taken for copied, as measured: `docs/guides/copies.md` says how."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Rate:
    """Pairs of independent pieces of work that were compared, those that were called alike, and what they were.

    upper: the end of the 95 % interval of the share (Clopper and Pearson).
    """

    pairs: int
    alarms: int
    upper: float
    of: str

    def __str__(self) -> str:
        return f"{self.alarms} of {self.pairs} pairs of {self.of} (95 % interval up to {100 * self.upper:.2g} %)"


_DIGITS = "students with 1000 digits each of one generator, from noise of their own"
RATES = {
    "identical-images": Rate(43597, 0, 8.5e-5, _DIGITS),
    "similar-images": Rate(43597, 0, 8.5e-5, _DIGITS),
    "predictions": Rate(1305, 0, 2.8e-3, "independent classifiers in classes of 30, many of one design and data"),
    "scripts": Rate(23220, 0, 1.6e-4, "modules of public Python packages"),
}
