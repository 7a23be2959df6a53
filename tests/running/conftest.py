"""Runs a short script in the sandbox, under small limits."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import pytest

from grader.errors import UsageError
from grader.running import process
from grader.running.groups import Watched
from grader.running.limits import MIB, RunLimits, RunState
from grader.running.sandbox import OUT, Call, find_sandbox

LIMITS = RunLimits(
    seconds=10, memory=256 * MIB, processes=64, output=4 * MIB, scratch=16 * MIB, printed=4 * MIB, kept=4096, files=500
)
MOST_SECONDS = 8  # beyond a call's own limit: starting, watching, killing, on a busy machine


@cache
def missing() -> str:
    """Why there is no sandbox on this machine; empty where there is one."""
    try:
        find_sandbox()
    except UsageError as e:
        return str(e)
    return ""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.get_closest_marker("sandbox") and missing():
            item.add_marker(pytest.mark.skip(reason=missing()))


@dataclass
class Result:
    """A call's end, with the names of what it wrote into the folder of the deliverables."""

    state: RunState
    code: int | None
    out: str
    err: str
    reason: str
    written: list[str]
    full: tuple[str, ...]
    seconds: float
    held_by: str


@dataclass
class Shell:
    """Calls `run.sh` with a text as its content."""

    repository: Path
    data: dict[str, Path] = field(default_factory=dict)

    def __call__(self, script: str, limits: RunLimits = LIMITS, **changes: object) -> Result:
        (self.repository / "run.sh").write_text(script)
        limits = replace(limits, **changes)  # type: ignore[arg-type]
        call = Call(self.repository, "run.sh", (OUT,), self.data)
        began = time.monotonic()
        ended = process.run_call(call, find_sandbox(), limits)
        took = time.monotonic() - began
        try:
            written = sorted(os.listdir(ended.places[OUT])) if ended.places else []  # noqa: PTH208
        finally:
            ended.close()
        assert took < limits.seconds + MOST_SECONDS
        out, err = ended.out.text(), ended.err.text()
        return Result(ended.state, ended.code, out, err, ended.reason, written, ended.full, took, ended.held_by)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    repository = tmp_path / "repository"
    repository.mkdir()
    return Shell(repository)


@pytest.fixture(params=["best", "watched"])
def held(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Limits as this machine holds them best, and as they are held without control groups."""
    if request.param == "watched":
        monkeypatch.setattr(process, "make_group", Watched)
    return str(request.param)


@pytest.fixture
def listener() -> Iterator[Callable[[], bool]]:
    """A server on this machine's own address; tells whether anybody has connected."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)

        def connected() -> bool:
            try:
                server.accept()[0].close()
            except BlockingIOError:
                return False
            return True

        connected.port = server.getsockname()[1]  # type: ignore[attr-defined]
        yield connected
