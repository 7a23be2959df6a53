"""What a submission may at most contain. Generous for honest homework, small enough to stay safe."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Sizes in bytes. `entries`: names in one folder, or in a whole zip; `total_size`: of all files read.

    `damaged`: files that may turn out to be damaged after they were read.
    """

    entries: int = 50_000
    depth: int = 12
    name_length: int = 255
    file_size: int = 32 * 2**20
    total_size: int = 2**30
    zip_size: int = 2 * 2**30
    ratio: int = 200
    damaged: int = 50


LIMITS = Limits()
