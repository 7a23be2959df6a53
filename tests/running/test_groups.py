"""Control groups as folders, on a pretended machine; looking through /proc on this one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from grader.running import groups
from grader.running.groups import Watched, descendants, make_group
from grader.running.limits import MIB, RunLimits

LIMITS = RunLimits(memory=100 * MIB, processes=20)


def _pretend(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    """Folders made below the pretended root are control groups: they can be joined, and vanish when removed."""
    monkeypatch.setattr(groups, "_own_paths", lambda: {"": path})
    make, remove = Path.mkdir, Path.rmdir

    def mkdir(self: Path, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:
        make(self, mode, parents, exist_ok)
        if self.name.startswith("grader-"):
            (self / "cgroup.procs").touch()

    def rmdir(self: Path) -> None:
        for file in self.iterdir():
            file.unlink()
        remove(self)

    monkeypatch.setattr(Path, "mkdir", mkdir)
    monkeypatch.setattr(Path, "rmdir", rmdir)


def test_version_2(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _pretend(monkeypatch, "/user/session")
    (tmp_path / "user" / "session").mkdir(parents=True)
    (tmp_path / "user" / "session" / "cgroup.subtree_control").write_text("")
    (tmp_path / "user" / "cgroup.subtree_control").write_text("cpu memory pids\n")
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left = tmp_path / "user" / f"grader-{gone.pid}-0"  # of a grader that was killed
    left.mkdir()
    group = make_group(LIMITS, tmp_path)
    assert not left.exists()
    (folder,) = (tmp_path / "user").glob("grader-*")
    assert group.kind == "control group, version 2" and group.counts_all_memory
    assert (folder / "memory.max").read_text() == str(100 * MIB) and (folder / "pids.max").read_text() == "20"
    assert group.exceeded(1, 0) is None
    (folder / "memory.events").write_text("low 0\nmax 9\noom 1\noom_kill 0\n")
    (folder / "pids.events").write_text("max 3\n")
    assert group.exceeded(1, 0) == "too-many-processes"
    (folder / "memory.events").write_text("oom 1\noom_kill 1\n")
    assert group.exceeded(1, 0) == "out-of-memory"
    group.join()
    assert (folder / "cgroup.procs").read_text() == "0"
    (folder / "cgroup.procs").write_text("")
    group.kill(1)
    assert (folder / "cgroup.kill").read_text() == "1"
    group.close()
    assert not folder.exists()


def test_without_leave_to_divide_a_group(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _pretend(monkeypatch, "/")
    (tmp_path / "cgroup.subtree_control").write_text("cpu\n")
    assert isinstance(make_group(LIMITS, tmp_path), Watched) and not list(tmp_path.glob("grader-*"))


def test_descendants_and_their_threads() -> None:
    code = "import subprocess, sys; p = subprocess.Popen(['sleep', '30']); print(p.pid, flush=True); p.wait()"
    child = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    try:
        assert child.stdout is not None
        grandchild = int(child.stdout.readline())
        found = descendants(os.getpid())
        assert found[child.pid] == found[grandchild] == 1 and descendants(grandchild) == {}
        watched = Watched(LIMITS)
        assert watched.exceeded(os.getpid(), 0) is None
        assert watched.exceeded(os.getpid(), 100 * MIB) == "out-of-memory"
        assert Watched(RunLimits(processes=1)).exceeded(os.getpid(), 0) == "too-many-processes"
        watched.kill(os.getpid())
        assert child.wait() == -9 and all(not n for n in descendants(os.getpid()).values())
    finally:
        child.kill()
        assert child.stdout is not None
        child.stdout.close()
        child.wait()
