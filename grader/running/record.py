"""The record of a run: what was called, under which limits, how it ended. One JSON form (docs/schemas/run-1.json)."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from grader._version import __version__
from grader.assignment import ScriptSpec
from grader.running.limits import RunLimits, RunState


@dataclass(frozen=True)
class LogFile:
    """Where a stream's log is, how much was printed and how much of it is not kept, in bytes."""

    file: str
    printed: int
    cut: int


@dataclass(frozen=True)
class CallRecord:
    """One call. `attempt`: 1, or 2 for the second run. `exit_code`: None where the call was ended from outside.

    `folders_bytes`: the most that lay in its folders at once. `full`: folders without any room left at the end.
    `refused`: what was not taken of its output, with the reason; the first few of `refused_count`.
    """

    problem: str
    script: str
    arguments: tuple[str, ...]
    attempt: int
    network: bool
    state: RunState
    reason: str
    exit_code: int | None
    seconds: float
    seconds_allowed: float
    folders_bytes: int
    files: int
    file_bytes: int
    full: tuple[str, ...]
    refused: tuple[tuple[str, str], ...]
    refused_count: int
    out: LogFile
    err: LogFile


@dataclass(frozen=True)
class Step:
    """A call that is to be made: a script of the assignment with one list of its arguments, and where it counts."""

    script: ScriptSpec
    arguments: tuple[str, ...]
    touches: tuple[tuple[str, str], ...]  # problem and deliverable

    @property
    def words(self) -> str:
        """The call as the course writes it."""
        return " ".join(["bash", self.script.path, *self.arguments])


@dataclass
class RunRecord:
    """All calls of one `grader run`."""

    assignment: str
    limits: RunLimits
    sandbox: dict[str, Any]
    calls: list[tuple[Step, CallRecord]]

    def to_json(self) -> str:
        """As JSON text, ASCII only."""
        head = {"schema": "grader/run/1", "grader": __version__, "assignment": self.assignment}
        limits = {name: value for name, value in asdict(self.limits).items() if name != "seconds"}  # each call's own
        body = {"sandbox": self.sandbox, "limits": limits}
        calls = [asdict(record) for _, record in self.calls]
        return json.dumps(head | body | {"calls": calls}, indent=2, allow_nan=False) + "\n"
