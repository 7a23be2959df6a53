"""The bubblewrap command: what of this machine a script sees, and what it may do there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from grader.errors import UsageError
from grader.running.limits import RunLimits
from grader.running.seccomp import filter_program
from grader.text import printable

# Where things are inside. Python environments are mounted at their own paths, which these don't hide.
HOME = "/homework"
WORK, DATA, OUT = f"{HOME}/repository", f"{HOME}/data", f"{HOME}/submission"
_ORIGINAL = f"{HOME}/original"
PLACES = (WORK, OUT, "/tmp", "/dev/shm")  # the file systems that a script can write to; all are of limited size
_INSIDE = Path(__file__).with_name("inside.py")

_ENVIRONMENT = {
    "HOME": "/tmp",
    "TMPDIR": "/tmp",
    "USER": "student",
    "LOGNAME": "student",
    "LANG": "C.UTF-8",
    "PYTHONUNBUFFERED": "1",  # what was printed before a kill is in the log
    "MPLBACKEND": "Agg",
}
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_ETC = ("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives", "/etc/localtime")
_NETWORK = ("/etc/resolv.conf", "/etc/hosts", "/etc/nsswitch.conf", "/etc/ssl", "/etc/ca-certificates", "/etc/pki")
_CAPABILITIES = ("CAP_SETUID", "CAP_SETGID", "CAP_CHOWN", "CAP_DAC_READ_SEARCH")
# Not --unshare-all: it makes a user namespace too, in which root could become nobody else.
_OPEN_FILES = 4096  # of a process: each may hold memory of the kernel
_UNSHARE = ("--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup-try")
_FIRST_UID, _UIDS = 61184, 4336  # systemd's range for users that exist for a service only
_PROBE_SECONDS = 20
_INSTALL = (
    "Install it (`apt install bubblewrap`, `dnf install bubblewrap`), or run the scripts in a container as "
    "docs/guides/running.md says."
)


@dataclass(frozen=True)
class Sandbox:
    """How bubblewrap works on this machine. `uid`: what root becomes inside; 0 where a user namespace is used."""

    program: str
    version: str
    uid: int
    options: tuple[str, ...]


@dataclass(frozen=True)
class Call:
    """One call of a script: `arguments` as seen inside. `data`: places of the course's data by their path inside.

    `skip`: paths of the repository that are not copied. `make`: folders made before, by their paths inside.
    `network`: share this machine's. `work_size`: bytes of the repository, beside which its copy may grow.
    """

    repository: Path
    script: str
    arguments: tuple[str, ...]
    data: dict[str, Path]
    skip: tuple[str, ...] = ()
    make: tuple[str, ...] = ()
    network: bool = False
    gpu: bool = False
    work_size: int = 0
    environments: tuple[Path, ...] = field(default_factory=lambda: python_environments(None))


def shown_trees(environments: tuple[Path, ...]) -> tuple[Path, ...]:
    """Folders of this machine that every script sees as a whole."""
    return (*(Path(path) for path in (*_SYSTEM, *_ETC, *_NETWORK) if Path(path).is_dir()), *environments)


@cache
def find_sandbox() -> Sandbox:
    """How to sandbox here. Raises UsageError, with what to do, where bubblewrap is missing or can't work."""
    if sys.platform != "linux":
        raise UsageError("`grader run` needs Linux: docs/guides/running.md has a recipe for a container.")
    program = shutil.which("bwrap")
    if program is None:
        raise UsageError(f"`grader run` needs bubblewrap, which isn't here. {_INSTALL}")
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=False).stdout.split()[-1:]
    user = ["--unshare-user", "--disable-userns"], ["--unshare-user"]
    ways = [(0, options) for options in user]
    # Without the filter nothing but --disable-userns keeps a script from making namespaces of its own.
    if os.geteuid() == 0 and filter_program(
        counted=True
    ):  # root of a user namespace is still root to limits and files: become somebody else
        capabilities = [part for name in _CAPABILITIES for part in ("--cap-add", name)]
        ways.insert(0, (_FIRST_UID + os.getpid() % _UIDS, capabilities))
    said = ""
    for uid, options in ways:
        change = f"import os; os.setgroups([]); os.setresuid({uid}, {uid}, {uid})" if uid else ""
        probe = [
            program,
            *_UNSHARE,
            "--unshare-net",
            "--cap-drop",
            "ALL",
            *options,
            "--ro-bind",
            "/",
            "/",
            "--proc",
            "/proc",
        ]
        try:
            done = subprocess.run(
                [*probe, sys.executable, "-I", "-S", "-c", change],
                capture_output=True,
                text=True,
                timeout=_PROBE_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            continue
        if done.returncode == 0:
            return Sandbox(program, "".join(version), uid, tuple(options))
        said = done.stderr.strip().splitlines()[-1] if done.stderr.strip() else said
    raise UsageError(
        f"bubblewrap can't make a sandbox here ({printable(said) or 'it gave no reason'}). User namespaces may be "
        "switched off: see docs/guides/running.md, which also has a recipe for a container."
    )


def python_environments(given: Path | None) -> tuple[Path, ...]:
    """Folders of the Python that scripts get as `python3`: this one's, or the virtual environment in `given`.

    The first is where `bin/python3` lies. Raises UsageError for a folder that holds no Python.
    """
    if given is None:
        return tuple(dict.fromkeys((Path(sys.prefix), Path(sys.base_prefix))))
    python = given.absolute() / "bin" / "python3"
    try:
        done = subprocess.run(
            [python, "-I", "-c", "import sys; print(sys.prefix); print(sys.base_prefix)"],
            capture_output=True,
            text=True,
            timeout=_PROBE_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        raise UsageError(f"--python-environment {given}: no Python that starts at {python}.") from None
    return tuple(dict.fromkeys(Path(line) for line in done.stdout.splitlines()))


def command(call: Call, sandbox: Sandbox, limits: RunLimits, *, channel: int, seccomp: int | None) -> list[str]:
    """The words that start the call. channel, seccomp: descriptors that the started process inherits."""
    parts = [sandbox.program, *_UNSHARE, *([] if call.network else ["--unshare-net"])]
    parts += ["--die-with-parent", "--new-session", "--clearenv", "--hostname", "homework"]
    parts += ["--cap-drop", "ALL", *sandbox.options]
    parts += _files(call, limits)
    for name, value in {**_ENVIRONMENT, "PATH": f"{call.environments[0]}/bin:/usr/bin:/bin"}.items():
        parts += ["--setenv", name, value]
    parts += ["--seccomp", str(seccomp)] if seccomp is not None else []
    told = {
        "channel": channel,
        "repository": _ORIGINAL,
        "places": PLACES,
        "copy_into": PLACES.index(WORK),
        "skip": call.skip,
        "make": call.make,
        "uid": sandbox.uid,
        "work": WORK,
        "rlimits": _rlimits(limits),
        "command": ["/bin/bash", call.script, *call.arguments],
    }
    python = str(call.environments[0] / "bin" / "python3")
    return [*parts, "--", python, "-I", "-S", "-c", _INSIDE.read_text(), json.dumps(told)]


def _rlimits(limits: RunLimits) -> dict[str, int]:
    # The number of processes is the control group's or the watcher's to hold; this one is only a wall behind them,
    # since it counts all that this user has, on old kernels outside of the sandbox too.
    processes = limits.processes + _processes_of_this_user()
    return {"RLIMIT_CORE": 0, "RLIMIT_NPROC": processes, "RLIMIT_MSGQUEUE": 0, "RLIMIT_NOFILE": _OPEN_FILES}


def _processes_of_this_user() -> int:
    count, me = 0, os.getuid()
    for entry in os.scandir("/proc"):
        try:
            if entry.name.isdigit() and entry.stat().st_uid == me:
                count += sum(1 for _ in Path(f"/proc/{entry.name}/task").iterdir())
        except OSError:
            continue
    return count


def _files(call: Call, limits: RunLimits) -> list[str]:
    """The file system inside: the system and Python read-only, and four places in memory to write to."""
    parts: list[str] = [*_above(Path("/etc/x")), *_above(Path("/sys/devices/system/cpu"))]
    for path in _SYSTEM:
        if Path(path).is_symlink():
            parts += ["--symlink", str(Path(path).readlink()), path]
        elif Path(path).is_dir():
            parts += ["--ro-bind", path, path]
    for path in (*_ETC, *(_NETWORK if call.network else ())):
        parts += ["--ro-bind-try", path, path]
    parts += ["--proc", "/proc", "--dev", "/dev", "--ro-bind-try", *(["/sys/devices/system/cpu"] * 2)]
    if call.gpu:
        for device in sorted(Path("/dev").glob("nvidia*")):
            parts += ["--dev-bind", str(device), str(device)]
    sizes = {WORK: call.work_size + limits.scratch, OUT: limits.output, "/tmp": limits.scratch}
    sizes["/dev/shm"] = limits.scratch
    for path, size in sizes.items():
        parts += ["--perms", "1777", "--size", str(size), "--tmpfs", path]
    # After /tmp, which an environment may lie in.
    for environment in call.environments:
        if not environment.is_relative_to("/usr"):
            parts += [*_above(environment), "--ro-bind", str(environment), str(environment)]
    parts += ["--ro-bind", str(call.repository.resolve()), _ORIGINAL, "--perms", "0755", "--dir", DATA]
    for inside, place in sorted(call.data.items()):
        parts += [*_above(Path(inside)), "--ro-bind", str(place.resolve()), inside]
    return [*parts, "--remount-ro", "/dev", "--remount-ro", "/"]


def _above(place: Path) -> list[str]:
    """Makes the folders above a place so that everybody may pass through; bubblewrap would make them for root alone."""
    above = [path for path in reversed(place.parents) if path != Path("/")]
    return [part for path in above for part in ("--perms", "0755", "--dir", str(path))]
