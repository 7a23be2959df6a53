"""Real attempts to get out, to see what isn't shown, or to take more than is given: each fails, and ends in time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from grader.running.groups import descendants
from grader.running.limits import MIB
from tests.running.conftest import Shell

pytestmark = pytest.mark.sandbox


def _python(code: str) -> str:
    return f"exec python3 - <<'END'\n{code}\nEND\n"


# Calls a system call by its number on x86-64, prints its error.
_SYSCALL = """
import ctypes, errno, os, platform
libc = ctypes.CDLL(None, use_errno=True)
def call(*words):
    ctypes.set_errno(0)
    done = libc.syscall(*(ctypes.c_long(w) if isinstance(w, int) else w for w in words))
    print("DONE" if done >= 0 else errno.errorcode[ctypes.get_errno()], flush=True)
x86 = platform.machine() == "x86_64"
"""


def _nothing_left() -> bool:
    """True once nothing of a sandbox runs below this process."""
    end = time.monotonic() + 5
    while time.monotonic() < end:
        if not any(threads for threads in descendants(os.getpid()).values()):
            return True
        time.sleep(0.02)
    return False


def test_an_honest_script(shell: Shell) -> None:
    (shell.repository / "net.py").write_text("print('made')")
    done = shell('python3 net.py; echo new > beside.txt; mkdir "$1/gan"; echo picture > "$1/gan/1.png"')
    assert (done.state, done.code, done.out, done.written) == ("ok", 0, "made\n", ["gan"])
    assert not (shell.repository / "beside.txt").exists()


def test_a_code_and_a_signal(shell: Shell) -> None:
    done = shell("echo why >&2; exit 7")
    assert (done.state, done.code, done.err) == ("failed", 7, "why\n")
    done = shell("kill -KILL $$")
    assert (done.state, done.code) == ("failed", 128 + signal.SIGKILL)


# ---- more than is given ----


@pytest.mark.parametrize("bomb", [":(){ :|:& };:; sleep 5", _python("import os\nwhile True: os.fork()")])
def test_fork_bomb(shell: Shell, held: str, bomb: str) -> None:
    done = shell(bomb)
    # Without a control group a bomb may end by itself, at the limit behind the limit, before anybody has counted.
    assert done.state == "too-many-processes" or (held == "watched" and done.state == "failed")
    assert _nothing_left()


def test_threads_count_as_processes(shell: Shell, held: str) -> None:
    code = "import threading, time\nfor _ in range(500): threading.Thread(target=time.sleep, args=(5,)).start()"
    assert shell(_python(code)).state == "too-many-processes", held


def test_memory_hog(shell: Shell, held: str) -> None:
    done = shell(_python("hoard = []\nwhile True: hoard.append(bytearray(b'x' * (1 << 20)))"))
    assert done.state == "out-of-memory" and _nothing_left(), held


def test_memory_of_many_processes(shell: Shell, held: str) -> None:
    hog = "hoard = bytearray(b'x' * (40 << 20)); import time; time.sleep(20)"
    done = shell(f'for i in 1 2 3 4 5 6 7 8 9 10; do python3 -c "{hog}" & done; wait')
    assert done.state == "out-of-memory", held


def test_files_are_memory(shell: Shell, held: str) -> None:
    script = "head -c 200M /dev/zero > /tmp/a; head -c 200M /dev/zero > /dev/shm/b; sleep 5"
    done = shell(script, scratch=300 * MIB)
    assert done.state == "out-of-memory", held


def test_memory_without_an_owner(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    """What no process maps and no file system holds only a control group counts: without one it is refused."""
    from grader.running import process
    from grader.running.groups import Watched

    monkeypatch.setattr(process, "make_group", Watched)
    done = shell(_python(_SYSCALL + 'call(319 if x86 else 279, b"x", 0)\ncall(29 if x86 else 194, 0, 4096, 0o1600)'))
    assert done.out.split() == ["EPERM", "EPERM"]


@pytest.mark.parametrize("place", ["/tmp", "/dev/shm", "."])
def test_scratch_fills_up_and_nothing_else(shell: Shell, place: str) -> None:
    done = shell(f"head -c 64M /dev/zero > {place}/big || echo full")
    assert done.out == "full\n" and done.state == "ok" and len(done.full) == 1


def test_the_output_folder_fills_up(shell: Shell) -> None:
    done = shell('head -c 64M /dev/zero > "$1/big"; sleep 20')
    assert done.state == "too-much-output" and done.seconds < 9


@pytest.mark.parametrize("place", ["/tmp", ".", "/homework/submission"])
def test_many_small_files(shell: Shell, place: str) -> None:
    done = shell(_python(f"import os\nfor i in range(10**7): os.symlink('x', f'{place}/{{i}}')"))
    assert done.state == "too-much-output"


@pytest.mark.parametrize("stream", [1, 2])
def test_endless_output(shell: Shell, stream: int) -> None:
    done = shell(f"yes >&{stream}")
    assert done.state == "too-much-output"
    log = done.out if stream == 1 else done.err
    assert log.startswith("y\ny\n") and "bytes left out" in log and len(log) < 2 * 4096 + 100


def test_logs_can_not_steer_a_terminal(shell: Shell) -> None:
    done = shell(r"printf '\033]0;owned\007\033[2J::error::x\n\rprogress\xff'")
    assert "\033" not in done.out and "\\x1b]0;owned" in done.out and "\r" not in done.out


# ---- longer than is given ----


def test_ignoring_sigterm(shell: Shell, held: str) -> None:
    done = shell("trap '' TERM INT HUP QUIT; echo begun; while :; do sleep 0.05; done", seconds=1)
    assert (done.state, done.code, done.out) == ("timed-out", None, "begun\n") and _nothing_left(), held


_DAEMON = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(60)
    os._exit(0)
os.wait()
"""


@pytest.mark.parametrize("end", ["", "time.sleep(60)"])
def test_nothing_survives(shell: Shell, held: str, end: str) -> None:
    """Neither after the script's own end nor after its time."""
    done = shell("(setsid sleep 60 &) ; nohup sleep 60 >/dev/null & disown; " + _python(_DAEMON + end), seconds=2)
    assert done.state == ("timed-out" if end else "ok") and _nothing_left(), held


def test_nothing_survives_the_grader(tmp_path: Path) -> None:
    """Killed without a chance to clean up, the grader takes the script with it."""
    (tmp_path / "run.sh").write_text("echo begun; sleep 60")
    code = (
        "from pathlib import Path\nfrom grader.running import process, sandbox\n"
        "from tests.running.conftest import LIMITS\n"
        f"call = sandbox.Call(Path({str(tmp_path)!r}), 'run.sh', (), {{}})\n"
        "process.run_call(call, sandbox.find_sandbox(), LIMITS)"
    )
    grader = subprocess.Popen([sys.executable, "-c", code])
    try:
        end = time.monotonic() + 20
        while not (found := [p for p in descendants(grader.pid) if _words(p) == [b"sleep", b"60"]]):
            assert time.monotonic() < end and grader.poll() is None
            time.sleep(0.02)
    finally:
        grader.kill()
        grader.wait()
    while any(_words(p) == [b"sleep", b"60"] for p in found):
        assert time.monotonic() < end
        time.sleep(0.02)


def _words(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[:-1]
    except OSError:
        return []


# ---- what isn't shown ----


def test_hidden_labels_and_the_home_folder(shell: Shell, tmp_path: Path) -> None:
    test = tmp_path / "data" / "digits" / "usps" / "test"
    test.mkdir(parents=True)
    (test / "00000.png").write_text("a picture")
    (test.parent / "test.csv").write_text("SECRET")
    (tmp_path / "data" / "note").write_text("SECRET")
    shell.data = {"/homework/data/digits/usps/test": test}
    script = f"""
        find /homework/data -type f; cat /homework/data/digits/usps/test/../test.csv {test.parent}/test.csv
        cat {tmp_path}/data/note /homework/data/digits/usps/test/../../../note; ls /home /root/.ssh {Path.home()}/.ssh
        cat /etc/shadow /etc/passwd /etc/hostname; ls {tmp_path}/data
        cat /proc/1/root{tmp_path}/data/note /proc/self/cwd/../../data/note
    """
    assert shell(script).out == "/homework/data/digits/usps/test/00000.png\n"


def test_the_environment_of_the_grader(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADER_SECRET_TOKEN", "SECRET")
    done = shell("env; cat /proc/*/environ /proc/*/cmdline; ls -l /proc/self/fd")
    assert "PATH" in done.out and "SECRET" not in done.out + done.err
    given = {line.partition("=")[0] for line in shell("env").out.splitlines()}
    known = {"HOME", "TMPDIR", "USER", "LOGNAME", "LANG", "PYTHONUNBUFFERED", "MPLBACKEND", "PATH"}
    assert given == known | {"PWD", "SHLVL", "_"}  # these three are bash's own


def test_no_descriptor_leads_out(shell: Shell) -> None:
    code = "import os\nprint(*sorted(os.listdir('/proc/self/fd')))\nprint(os.readlink('/proc/self/fd/2')[:5])"
    done = shell(f'exec python3 -c "{code}"')
    assert done.out == "0 1 2 3\npipe:\n"  # 3 is the listing itself


def test_signals_stay_inside(shell: Shell) -> None:
    """Neither a number from outside nor -1 reaches this process; killing everything inside is an end like others."""
    got: list[int] = []
    before = signal.signal(signal.SIGUSR1, lambda number, _: got.append(number))
    try:
        done = shell(f"kill -USR1 {os.getpid()}; kill -USR1 {os.getppid()}; trap '' USR1; kill -USR1 -1; kill -KILL -1")
    finally:
        signal.signal(signal.SIGUSR1, before)
    assert not got and done.state in ("ok", "failed")


def test_writing_outside(shell: Shell, tmp_path: Path) -> None:
    places = ["/", "/usr/", "/etc/", "/dev/", "/sys/", "/homework/", "/homework/original/", "/homework/data/"]
    places.append("/homework/submission/../")
    places = [f"{place}x" for place in (*places, f"{sys.prefix}/", f"{tmp_path}/")]
    places += ["/proc/sys/kernel/hostname", "/proc/sysrq-trigger", "/proc/sys/vm/drop_caches"]
    done = shell("".join(f"(echo x > {place}) 2>/dev/null && echo WROTE {place}\n" for place in places) + "true")
    assert done.state == "ok" and "WROTE" not in done.out
    assert not (tmp_path / "x").exists() and not (shell.repository / "x").exists()


def test_a_name_that_leads_out_is_no_name(shell: Shell) -> None:
    done = shell("""cd "$1"; mkdir a; echo x > "a/../../escaped"; echo y > '..\\x'; true""")
    assert done.written == ["..\\x", "a"]


# ---- network ----


def test_no_network(shell: Shell, listener: object) -> None:
    port = listener.port  # type: ignore[attr-defined]
    code = f"""
import socket
for family, place in ((2, ("127.0.0.1", {port})), (2, ("1.1.1.1", 80)), (10, ("2606:4700::1111", 80))):
    try: socket.create_connection(place, 2) if family == 2 else socket.socket(10).connect(place); print("CONNECTED")
    except OSError as e: print("no")
try: socket.getaddrinfo("example.org", 80); print("RESOLVED")
except OSError: print("no")
s = socket.socket(2, socket.SOCK_DGRAM)
try: s.sendto(b"x", ("8.8.8.8", 53)); print("SENT")
except OSError: print("no")
for family in (40, 38, 17):  # vsock, alg, packet
    try: socket.socket(family, socket.SOCK_STREAM); print("MADE")
    except OSError: print("no")
"""
    done = shell(_python(code))
    assert done.out.split() == ["no"] * 8 and not listener()  # type: ignore[operator]


# ---- the kernel ----


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("ptrace", "101 if x86 else 117, 0, 0, 0, 0"),
        ("process_vm_readv", "310 if x86 else 270, os.getppid(), 0, 0, 0, 0, 0"),
        ("add_key", "248 if x86 else 217, b'user', b'k', b'v', 1, -3"),
        ("keyctl", "250 if x86 else 219, 0, -3, 1"),
        ("unshare a user namespace", "272 if x86 else 97, 0x10000000"),
        ("clone a user namespace", "56 if x86 else 220, 0x10000000 | 17, 0, 0, 0, 0"),
        ("setns", "308 if x86 else 268, 0, 0"),
        ("mount", "165 if x86 else 40, b'none', b'/tmp', b'tmpfs', 0, 0"),
        ("bpf", "321 if x86 else 280, 0, 0, 0"),
        ("userfaultfd", "323 if x86 else 282, 1"),
        ("perf_event_open", "298 if x86 else 241, 0, 0, -1, -1, 0"),
        ("io_uring_setup", "425, 1, 0"),
        ("kexec_load", "246 if x86 else 104, 0, 0, 0, 0"),
        ("pidfd_getfd", "438, 0, 0, 0"),
        ("chroot", "161 if x86 else 51, b'/tmp'"),
        ("TIOCSTI", "16 if x86 else 29, 0, 0x5412, b'x'"),
    ],
)
def test_refused_system_calls(shell: Shell, name: str, words: str) -> None:
    assert shell(_python(f"{_SYSCALL}call({words})")).out == "EPERM\n", name


def test_clone3_is_as_if_absent_and_threads_work(shell: Shell) -> None:
    code = (
        _SYSCALL
        + "call(435, 0, 0)\nimport threading\nt = threading.Thread(target=print, args=('run',)); t.start(); t.join()"
    )
    assert shell(_python(code)).out == "ENOSYS\nrun\n"


def test_no_way_to_gain(shell: Shell) -> None:
    done = shell("id -u; grep -E '^(CapEff|CapPrm|NoNewPrivs|Seccomp):' /proc/self/status; ulimit -c")
    lines = done.out.split()
    assert lines[0] != "0" or os.geteuid() == 0
    assert lines[1:] == ["CapPrm:", "0" * 16, "CapEff:", "0" * 16, "NoNewPrivs:", "1", "Seccomp:", "2", "0"]


def test_no_terminal(shell: Shell) -> None:
    assert shell("(exec 3</dev/tty) 2>/dev/null && echo TERMINAL; true").out == ""


def test_a_repository_with_traps(shell: Shell, tmp_path: Path) -> None:
    """Links lead to what is inside of the sandbox; pipes are left out and hold nothing up."""
    (tmp_path / "secret").write_text("SECRET")
    (shell.repository / "link").symlink_to(tmp_path / "secret")
    (shell.repository / "folder").symlink_to(tmp_path)
    (shell.repository / "loop").symlink_to("loop")
    os.mkfifo(shell.repository / "pipe")
    done = shell("cat link folder/secret loop; test -e pipe || echo none")
    assert done.out == "none\n" and done.state == "ok"


def test_a_repository_that_is_too_large(shell: Shell) -> None:
    with open(shell.repository / "weights.bin", "wb") as f:
        f.truncate(2**40)
    done = shell("echo HERE")
    assert done.state in ("could-not-start", "out-of-memory") and "HERE" not in done.out
