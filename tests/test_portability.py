"""Check and score where nothing of POSIX is there, as on Windows: what the system lacks is taken away from Python."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import GOOD, ROOT

TOO_LONG = 300  # seconds

# Names that Python's documentation marks as missing on Windows, as far as a grader might be tempted.
LACKING = """
import os, signal, sys
NAMES = (
    "O_NOFOLLOW O_NONBLOCK O_DIRECTORY O_CLOEXEC fchmod fchown chown lchown mkfifo mknod fork forkpty getuid geteuid"
    " getgid getegid getgroups getpgid setpgid setsid killpg nice openpty posix_spawn pread pwrite wait3 wait4"
    " sched_getaffinity getloadavg statvfs fstatvfs readv writev sync"
).split()
for name in NAMES:
    if hasattr(os, name):
        delattr(os, name)
for name in ("SIGKILL", "SIGALRM", "SIGHUP", "SIGPIPE", "SIGUSR1", "alarm", "setitimer", "pthread_sigmask"):
    if hasattr(signal, name):
        delattr(signal, name)
for known in (os.supports_dir_fd, os.supports_fd, os.supports_follow_symlinks):
    known.clear()
for name in ("fcntl", "grp", "pwd", "resource", "termios", "tty", "pty", "syslog"):
    sys.modules[name] = None
from grader.cli import main
main()
"""


@pytest.mark.parametrize("verb", ["check", "score"])
def test_without_posix(verb: str, course: Path, tmp_path: Path) -> None:
    arguments = [verb, str(GOOD), "--data", str(course), "--problem", "dann", "--report", f"html={tmp_path / 'a.html'}"]
    done = subprocess.run(
        [sys.executable, "-c", LACKING, *arguments],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=TOO_LONG,
        check=False,
    )
    assert done.returncode == 0 and done.stdout.startswith("PASS"), done.stderr
    assert (tmp_path / "a.html").stat().st_size > 1000
