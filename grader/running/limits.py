"""How long and how large a run may be, and how one can end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

MIB, GIB = 2**20, 2**30

RunState = Literal[
    "ok", "failed", "timed-out", "out-of-memory", "too-much-output", "too-many-processes", "could-not-start"
]


@dataclass(frozen=True)
class RunLimits:
    """What one call of a script may use. Sizes in bytes, times in seconds.

    `memory`: of all its processes together, and of the files in its folders, which lie in memory. `processes`: with
    their threads. `output`: the folder of the deliverables. `scratch`: each of its own copy of the repository (beside
    what is copied), /tmp and /dev/shm. `printed`: on standard output and error together; `kept`: of each of them at
    the beginning, and as much at the end. `files`: names in any of these folders.
    """

    seconds: float = 600
    memory: int = 8 * GIB
    processes: int = 512
    output: int = GIB
    scratch: int = 2 * GIB
    printed: int = 64 * MIB
    kept: int = 64 * 1024
    files: int = 50_000
