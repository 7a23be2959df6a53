"""Every hostile case ends in the state, exit code and rules that it names: in time, in little memory, in few words.

Time is that of the processor, since machines that do other things too are slow; whatever waits for something that
never comes is ended by the clock.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from fixtures.hostile import ASSIGNMENT, CASES, SECRET, CannotBuild, Case, Place, build
from tests.conftest import ROOT
from tests.hostile.running import Runner

_LONGEST = 200_000  # bytes of what is printed
_MOST = 100  # findings
_RUN = [name for name, case in CASES.items() if case.group != "weights"]
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="limits on memory, and the tricks, are those of Linux")


def _command(place: Place) -> list[str]:
    if place.verb == "gradebook":
        return ["gradebook", place.target, "--format", "canvas", "-o", "grades.csv"]
    if place.verb == "verify":
        return ["verify", "claim.json", place.target, "--data", "data"]
    usual = ["--assignment", str(ASSIGNMENT)] if "--assignment" not in place.arguments else []
    where = [place.target] if place.target else []
    return [place.verb, *where, "--data", "data", "-o", "report.json", *usual, *place.arguments]


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "GRADER_CACHE") if name in os.environ}
    return kept | {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1", "PRIVATE": SECRET}


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    with Runner(_environment()) as running:
        yield running


@pytest.fixture(scope="module")
def runner_with_torch() -> Iterator[Runner]:
    with Runner(_environment(), torch=True) as running:
        yield running


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    for path in (tmp_path / "submission", tmp_path / "submission" / "digits"):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o700)  # what nobody may open can't be removed either


def test_there_are_many() -> None:
    assert len(CASES) >= 80
    assert all(case.trick for case in CASES.values())


@pytest.mark.parametrize("name", _RUN)
def test_case(name: str, folder: Path, runner: Runner) -> None:
    _try(name, folder, runner)


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.group == "weights"])
def test_weights(name: str, folder: Path, runner_with_torch: Runner) -> None:
    _try(name, folder, runner_with_torch)


def _try(name: str, folder: Path, runner: Runner) -> None:
    try:
        place = build(name, folder)
    except CannotBuild as e:
        pytest.skip(f"this machine can't make it: {e}")
    _judge(CASES[name], place, *runner.run(folder, _command(place)))


def test_the_good_submission_passes_as_a_program(folder: Path) -> None:
    """Without a case, and by `python -m grader`: what the others spoil is without a fault."""
    place = build("", folder)
    command = [sys.executable, "-m", "grader", *_command(place), "--with-repository"]
    done = subprocess.run(command, cwd=folder, env=_environment(), capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads((folder / "report.json").read_text())["findings"] == []


def _judge(case: Case, place: Place, code: int, printed: bytes, complained: bytes) -> None:
    said = (printed + complained).decode("utf-8")
    assert code == case.exit, said[-2000:]
    assert "Traceback" not in said and "own mistake" not in said
    assert len(said) <= _LONGEST
    assert all(c.isprintable() or c == "\n" for c in said), ascii(said)
    assert not set(said) & set("\u034f\u115f\u2800\u3164\ufe0f\U000e0100"), ascii(said)
    assert not any(line.startswith(("::error::pwned", "::stop", "##[")) for line in said.splitlines())
    assert not (place.top / "pwned").exists()
    for path in place.top.iterdir():
        if path.name.startswith(("report.", "grades.")):
            text = path.read_text(encoding="utf-8")
            assert SECRET not in text and path.stat().st_size <= 10 * _LONGEST
    assert SECRET not in said
    assert case.says in said
    report = place.top / "report.json"
    if case.exit == 2:
        assert not report.exists()
    elif place.verb == "check":
        found = json.loads(report.read_text())
        assert found["state"] == ("fail" if case.exit else "pass")
        assert {f["rule"] for f in found["findings"]} - case.maybe == case.rules
        assert len(found["findings"]) <= _MOST
