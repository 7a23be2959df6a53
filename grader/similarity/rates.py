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
        return f"{self.alarms} of {self.pairs} pairs of {self.of}; with 95 % confidence below {self.upper:.2g}"


RATES: dict[str, Rate] = {}
