"""Holds memory and processes of a run: by a control group where there is one, else by looking through /proc."""

from __future__ import annotations

import os
import signal
import time
import uuid
from abc import ABC, abstractmethod
from contextlib import suppress
from pathlib import Path

from grader.running.limits import RunLimits, RunState

_ROOT = Path("/sys/fs/cgroup")
_PATIENCE = 5.0  # seconds until what was killed is gone


class Group(ABC):
    """The processes of one run. `kind` says how they are held, for the record."""

    kind = ""
    counts_all_memory = True

    @abstractmethod
    def join(self) -> None:
        """Called in the new process, before it becomes bubblewrap: puts it into the group."""

    @abstractmethod
    def exceeded(self, pid: int, in_files: int) -> RunState | None:
        """Which limit was run into, if any. pid: bubblewrap's. in_files: bytes in the run's file systems."""

    @abstractmethod
    def kill(self, pid: int) -> None:
        """Kills every process of the run; the caller waits for bubblewrap itself."""

    def close(self) -> None:
        """Takes the group away."""
        return


def make_group(limits: RunLimits, root: Path = _ROOT) -> Group:
    """The best of what this machine lets this user do: version 2, version 1, /proc."""
    for kind in (_Version2, _Version1):
        with suppress(OSError):
            return kind(limits, root)
    return Watched(limits)


class _ControlGroup(Group):
    def __init__(self) -> None:
        self.folders: list[Path] = []

    def _make(self, parent: Path, settings: dict[str, int]) -> Path:
        for left in parent.glob("grader-[0-9]*-*"):  # a grader that was killed could not take its group away
            if _is_dead(left.name.split("-")[1]):
                with suppress(OSError):  # one with processes stays
                    left.rmdir()
        folder = parent / f"grader-{os.getpid()}-{uuid.uuid4().hex[:8]}"
        folder.mkdir()
        self.folders.append(folder)
        try:
            for name, value in settings.items():
                (folder / name).write_text(str(value))
            if not os.access(folder / "cgroup.procs", os.W_OK):
                raise PermissionError(f"{folder} can't be joined")
        except OSError:
            self.close()
            raise
        return folder

    def join(self) -> None:
        for folder in self.folders:
            (folder / "cgroup.procs").write_text("0")

    def kill(self, pid: int) -> None:  # noqa: ARG002
        with suppress(OSError):
            (self.folders[0] / "cgroup.kill").write_text("1")
        end = time.monotonic() + _PATIENCE
        while (members := self._members()) and time.monotonic() < end:
            for member in members:
                with suppress(ProcessLookupError):
                    os.kill(member, signal.SIGKILL)
            time.sleep(0.01)

    def _members(self) -> set[int]:
        found: set[int] = set()
        for folder in self.folders:
            with suppress(OSError):
                found |= {int(word) for word in (folder / "cgroup.procs").read_text().split()}
        return {pid for pid in found if not _is_dead(pid)}

    def close(self) -> None:
        end = time.monotonic() + _PATIENCE
        while self.folders:
            try:
                self.folders[-1].rmdir()
            except FileNotFoundError:
                pass
            except OSError:
                if time.monotonic() < end:
                    time.sleep(0.01)
                    continue
            self.folders.pop()


class _Version2(_ControlGroup):
    kind = "control group, version 2"

    def __init__(self, limits: RunLimits, root: Path) -> None:
        super().__init__()
        own = _own_paths().get("", "/").lstrip("/")
        # Beside our own group: one with processes in it can't have groups with limits below it.
        for parent in dict.fromkeys([root / own, (root / own).parent, root]):
            if not parent.is_relative_to(root):
                continue
            with suppress(OSError):
                given = set((parent / "cgroup.subtree_control").read_text().split())
                if {"memory", "pids"} <= given:
                    settings = {"memory.max": limits.memory, "pids.max": limits.processes}
                    self.folder = self._make(parent, settings)
                    with suppress(OSError):
                        (self.folder / "memory.swap.max").write_text("0")
                    return
        raise FileNotFoundError("no control group of version 2 that this user may divide")

    def exceeded(self, pid: int, in_files: int) -> RunState | None:  # noqa: ARG002
        if _number(self.folder / "memory.events", "oom_kill"):
            return "out-of-memory"
        return "too-many-processes" if _number(self.folder / "pids.events", "max") else None


class _Version1(_ControlGroup):
    kind = "control groups, version 1"

    def __init__(self, limits: RunLimits, root: Path) -> None:
        super().__init__()
        own = _own_paths()
        settings = {"memory": {"memory.limit_in_bytes": limits.memory}, "pids": {"pids.max": limits.processes}}
        made = [self._make(root / name / own[name].lstrip("/"), settings[name]) for name in settings if name in own]
        if len(made) < len(settings):
            self.close()
            raise FileNotFoundError("memory and processes are not limited by control groups of version 1")
        self.memory, self.pids = made
        with suppress(OSError):
            (self.memory / "memory.memsw.limit_in_bytes").write_text(str(limits.memory))

    def exceeded(self, pid: int, in_files: int) -> RunState | None:  # noqa: ARG002
        if _number(self.memory / "memory.oom_control", "oom_kill"):
            return "out-of-memory"
        return "too-many-processes" if _number(self.pids / "pids.events", "max") else None


class Watched(Group):
    """No control group: counts through /proc, so that a limit may be passed for a twentieth of a second."""

    kind = "watched through /proc"
    counts_all_memory = False

    def __init__(self, limits: RunLimits) -> None:
        self._limits = limits

    def join(self) -> None:
        return

    def exceeded(self, pid: int, in_files: int) -> RunState | None:
        threads = descendants(pid)
        if sum(threads.values()) > self._limits.processes:
            return "too-many-processes"
        memory = sum(map(_private_memory, threads)) + in_files
        return "out-of-memory" if memory > self._limits.memory else None

    def kill(self, pid: int) -> None:
        # Bubblewrap's child is the first process of the namespace: with it the kernel kills all others. Several
        # rounds, since between listing and killing a process may have made another.
        end = time.monotonic() + _PATIENCE
        while (found := [p for p in descendants(pid) if not _is_dead(p)]) and time.monotonic() < end:
            for member in found:
                with suppress(ProcessLookupError):
                    os.kill(member, signal.SIGKILL)
            time.sleep(0.01)


def _own_paths() -> dict[str, str]:
    """This process's control group by controller; that of version 2 under the empty name."""
    found: dict[str, str] = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, names, path = line.split(":", 2)
        found |= dict.fromkeys(names.split(","), path)
    return found


def _number(file: Path, name: str) -> int:
    with suppress(OSError, ValueError):
        for line in file.read_text().splitlines():
            key, _, value = line.partition(" ")
            if key == name:
                return int(value)
    return 0


def descendants(pid: int) -> dict[int, int]:
    """How many threads each living process below this one has. Orphans of a pid namespace stay below it."""
    children: dict[int, list[int]] = {}
    threads: dict[int, int] = {}
    for entry in os.listdir("/proc"):  # noqa: PTH208  (paths would be slow for thousands)
        if not entry.isdigit():
            continue
        with suppress(OSError):
            # The name in brackets may hold anything, blanks and brackets too.
            rest = Path(f"/proc/{entry}/stat").read_bytes().rpartition(b")")[2].split()
            children.setdefault(int(rest[1]), []).append(int(entry))
            threads[int(entry)] = 0 if rest[0] in (b"Z", b"X") else int(rest[17])
    found: dict[int, int] = {}
    waiting = [pid]
    while waiting:
        for child in children.get(waiting.pop(), []):
            found[child] = threads[child]
            waiting.append(child)
    return found


def _is_dead(pid: int | str) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] in (b"Z", b"X")
    except OSError:
        return True


def _private_memory(pid: int) -> int:
    """Bytes of memory of its own; what it shares with others counts in parts where the kernel tells."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        return 1024 * sum(int(line.split()[1]) for line in lines if line.startswith("Pss_Anon:"))
    except (OSError, ValueError):
        with suppress(OSError, ValueError):
            words = Path(f"/proc/{pid}/statm").read_text().split()
            return (int(words[1]) - int(words[2])) * os.sysconf("SC_PAGE_SIZE")
        return 0
