"""A seccomp filter as bubblewrap takes it: classic BPF that refuses system calls no homework needs.

It narrows what of the kernel a script can reach; namespaces, not this list, keep files and processes apart. A call
that is refused fails with an error code and kills nobody, so that a library that only tries it goes on.
"""

from __future__ import annotations

import errno
import platform
import struct
from dataclasses import dataclass

# Offsets in struct seccomp_data, and the few instructions of classic BPF that are needed (linux/bpf_common.h).
_NUMBER, _ARCH, _ARGUMENTS = 0, 4, 16
_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_X32 = 0x40000000  # numbers from here on are those of the x32 interface, which nothing in use needs

_NEW_NAMESPACES = 0x7E020080  # CLONE_NEW*: time, mount, cgroup, uts, ipc, user, pid, net
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C  # put characters into a terminal's input
# unix, IPv4, IPv6, netlink. Others (vsock, alg, packet) may reach out of a network namespace or into rare code.
_FAMILIES = (1, 2, 10, 16)

# Number by name, x86-64 and aarch64 (None: that machine has no such call). From the kernel's headers.
_REFUSED: dict[str, tuple[int | None, int | None]] = {
    # other processes
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "process_madvise": (440, 440), "pidfd_getfd": (438, 438), "kcmp": (312, 272),
    # mounts and namespaces
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "move_mount": (429, 429),
    "open_tree": (428, 428), "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432),
    "fspick": (433, 433), "mount_setattr": (442, 442), "chroot": (161, 51), "setns": (308, 268),
    "unshare": (272, 97), "open_by_handle_at": (304, 265), "name_to_handle_at": (303, 264),
    "quotactl": (179, 60), "quotactl_fd": (443, 443), "fanotify_init": (300, 262),
    # the kernel's keyring, its programs, its large or rare interfaces
    "keyctl": (250, 219), "add_key": (248, 217), "request_key": (249, 218), "bpf": (321, 280),
    "perf_event_open": (298, 241), "userfaultfd": (323, 282), "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426), "io_uring_register": (427, 427), "lookup_dcookie": (212, 18),
    "modify_ldt": (154, None), "iopl": (172, None), "ioperm": (173, None), "uselib": (134, None),
    # the machine
    "kexec_load": (246, 104), "kexec_file_load": (320, 294), "init_module": (175, 105),
    "finit_module": (313, 273), "delete_module": (176, 106), "acct": (163, 89), "swapon": (167, 224),
    "swapoff": (168, 225), "reboot": (169, 142), "syslog": (103, 116), "settimeofday": (164, 170),
    "clock_settime": (227, 112), "adjtimex": (159, 171), "clock_adjtime": (305, 266),
    "sethostname": (170, 161), "setdomainname": (171, 162), "vhangup": (153, 58), "nfsservctl": (180, 42),
}  # fmt: skip
# Memory that belongs to no process and no file system: only a control group counts it.
_UNCOUNTED: dict[str, tuple[int, int]] = {"memfd_create": (319, 279), "memfd_secret": (447, 447), "shmget": (29, 194)}


@dataclass(frozen=True)
class _Machine:
    """What differs between architectures: the column of the tables, and the calls whose arguments are looked at."""

    column: int
    audit: int
    clone: int
    clone3: int
    ioctl: int
    socket: int
    socketpair: int


_MACHINES = {
    "x86_64": _Machine(0, 0xC000003E, 56, 435, 16, 41, 53),
    "aarch64": _Machine(1, 0xC00000B7, 220, 435, 29, 198, 199),
}


def filter_program(machine: str = "", *, counted: bool) -> bytes:
    """The filter for this kind of machine (default: this one), as an array of struct sock_filter.

    counted: a control group limits memory, so that memory without an owner may be had. Empty where the machine is
    neither x86-64 nor aarch64.
    """
    found = _MACHINES.get(machine or platform.machine())
    if found is None:
        return b""
    tables = [*_REFUSED.values(), *(() if counted else _UNCOUNTED.values())]
    refused = sorted({row[found.column] for row in tables} - {None}, key=lambda n: n or 0)
    program = _Program()
    program.load(_ARCH)
    program.unless(_JUMP_EQUAL, found.audit, errno.EPERM)  # programs for 32 bits have other numbers
    program.load(_NUMBER)
    program.when(_JUMP_AT_LEAST, _X32, errno.ENOSYS)
    for number in refused:
        assert number is not None
        program.when(_JUMP_EQUAL, number, errno.EPERM)
    # clone3's flags lie in memory, where a filter can't look; told that it isn't there, libc uses clone.
    program.when(_JUMP_EQUAL, found.clone3, errno.ENOSYS)
    program.argument(found.clone, 0, [(_JUMP_ANY_BIT, _NEW_NAMESPACES, errno.EPERM)])
    program.argument(found.ioctl, 1, [(_JUMP_EQUAL, n, errno.EPERM) for n in (_TIOCSTI, _TIOCLINUX)])
    for number in (found.socket, found.socketpair):
        program.only(number, 0, _FAMILIES, errno.EAFNOSUPPORT)
    program.end()
    return bytes(program.code)


class _Program:
    """Instructions in a row; between any two of these methods the accumulator holds the call's number."""

    def __init__(self) -> None:
        self.code = bytearray()

    def _add(self, code: int, value: int, then: int = 0, otherwise: int = 0) -> None:
        self.code += struct.pack("=HBBI", code, then, otherwise, value)

    def load(self, offset: int) -> None:
        self._add(_LOAD, offset)

    def end(self) -> None:
        self._add(_RETURN, _ALLOW)

    def when(self, jump: int, value: int, error: int) -> None:
        self._add(jump, value, 0, 1)
        self._add(_RETURN, _ERRNO | error)

    def unless(self, jump: int, value: int, error: int) -> None:
        self._add(jump, value, 1, 0)
        self._add(_RETURN, _ERRNO | error)

    def argument(self, number: int, index: int, tests: list[tuple[int, int, int]]) -> None:
        """For one call: an error for each test that its argument (the low 32 bits) meets."""
        self._add(_JUMP_EQUAL, number, 0, 2 + 2 * len(tests))
        self.load(_ARGUMENTS + 8 * index)
        for jump, value, error in tests:
            self.when(jump, value, error)
        self.load(_NUMBER)

    def only(self, number: int, index: int, allowed: tuple[int, ...], error: int) -> None:
        """For one call: an error unless its argument is one of these."""
        self._add(_JUMP_EQUAL, number, 0, 3 + len(allowed))
        self.load(_ARGUMENTS + 8 * index)
        for i, value in enumerate(allowed):
            self._add(_JUMP_EQUAL, value, len(allowed) - i, 0)
        self._add(_RETURN, _ERRNO | error)
        self.load(_NUMBER)
