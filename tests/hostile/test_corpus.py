"""Every hostile case ends in the state, exit code and rules that it names: in time, in little memory, in few words.

Each is a process of its own, as a teaching assistant would start it. Time is that of the processor, since machines
that do other things too are slow; whatever waits for something that never comes is ended by the clock.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.hostile import ASSIGNMENT, CASES, SECRET, CannotBuild, Case, Place, build
from tests.conftest import ROOT

_SECONDS = 5  # of the processor
_WAITED = 60  # seconds of the clock
_MEMORY = 2**30
_LONGEST = 200_000  # bytes of what is printed
_DROP, _OVERRIDE, _SEARCH = 24, 1, 2  # PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
_RUN = [name for name, case in CASES.items() if case.group != "weights"]


def _bounded() -> None:
    """The limits, in the child. Root reads whatever it likes: that is taken from it, so that modes mean something."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (_SECONDS, _SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if os.geteuid() == 0 and sys.platform == "linux":
        libc = ctypes.CDLL(None)
        for capability in (_OVERRIDE, _SEARCH):
            libc.prctl(_DROP, capability, 0, 0, 0)


def _command(place: Place) -> list[str]:
    if place.verb == "gradebook":
        return ["gradebook", place.target, "--format", "canvas", "-o", "grades.csv"]
    usual = ["--assignment", str(ASSIGNMENT)] if "--assignment" not in place.arguments else []
    return [place.verb, place.target, "--data", "data", "-o", "report.json", *usual, *place.arguments]


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "GRADER_CACHE") if name in os.environ}
    return kept | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1", "PRIVATE": SECRET}


@pytest.fixture
def place_of(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    for folder, inner, _ in os.walk(tmp_path):  # what nobody may open can't be removed either
        for name in inner:
            path = Path(folder) / name
            if stat.S_ISDIR(path.lstat().st_mode):
                path.chmod(0o700)


def test_there_are_many() -> None:
    assert len(CASES) >= 80
    assert all(case.trick for case in CASES.values())


@pytest.mark.skipif(sys.platform != "linux", reason="limits on memory, and the tricks, are those of Linux")
@pytest.mark.parametrize("name", _RUN)
def test_case(name: str, place_of: Path) -> None:
    try:
        place = build(name, place_of)
    except CannotBuild as e:
        pytest.skip(f"this machine can't make it: {e}")
    command = [sys.executable, "-m", "grader", *_command(place)]
    done = subprocess.run(
        command, cwd=place_of, env=_environment(), capture_output=True, timeout=_WAITED, preexec_fn=_bounded, check=False
    )
    _judge(CASES[name], place, done)


def _judge(case: Case, place: Place, done: subprocess.CompletedProcess[bytes]) -> None:
    said = (done.stdout + done.stderr).decode("utf-8")
    assert done.returncode == case.exit, said[-2000:]
    assert "Traceback" not in said and "own mistake" not in said
    assert len(said) <= _LONGEST
    assert all(c.isprintable() or c == "\n" for c in said), ascii(said)
    assert not any(line.startswith(("::error::pwned", "::stop", "##[")) for line in said.splitlines())
    assert not (place.top / "pwned").exists()
    written = [p for p in place.top.iterdir() if p.name.startswith(("report.", "grades."))]
    for path in written:
        text = path.read_text(encoding="utf-8")
        assert SECRET not in text and path.stat().st_size <= 10 * _LONGEST
    assert SECRET not in said
    if case.says:
        assert case.says in said
    report = place.top / "report.json"
    if case.exit == 2:
        assert not report.exists()
    elif place.verb == "check":
        found = json.loads(report.read_text())
        assert found["state"] == ("pass" if case.exit == 0 else "fail")
        assert {f["rule"] for f in found["findings"]} == case.rules
        assert len(found["findings"]) <= 100
