"""The filter, run by an interpreter of classic BPF that is written here from its definition."""

from __future__ import annotations

import errno
import struct

import pytest

from grader.running.seccomp import filter_program

X86, ARM, I386 = 0xC000003E, 0xC00000B7, 0x40000003
ALLOW = 0x7FFF0000


def _decide(program: bytes, number: int, *arguments: int, arch: int = X86) -> int:
    """What the kernel would return for a call: 0 where it is allowed, else the error."""
    data = struct.pack("=IIQ6Q", number, arch, 0, *(arguments + (0,) * (6 - len(arguments))))
    code = [struct.unpack_from("=HBBI", program, at) for at in range(0, len(program), 8)]
    accumulator, at = 0, 0
    while True:
        operation, then, otherwise, value = code[at]
        at += 1
        if operation == 0x20:  # load a word
            (accumulator,) = struct.unpack_from("=I", data, value)
        elif operation == 0x06:  # return
            return 0 if value == ALLOW else value & 0xFFFF
        else:
            met = {0x15: accumulator == value, 0x35: accumulator >= value, 0x45: bool(accumulator & value)}[operation]
            at += then if met else otherwise


@pytest.fixture(scope="module")
def x86() -> bytes:
    return filter_program("x86_64", counted=True)


@pytest.mark.parametrize("number", [0, 1, 9, 59, 57, 60, 202, 257, 302, 39])  # read, write, mmap, execve, fork, exit …
def test_ordinary_calls(x86: bytes, number: int) -> None:
    assert _decide(x86, number) == 0


@pytest.mark.parametrize("number", [101, 310, 311, 165, 166, 272, 308, 250, 321, 323, 298, 425, 246, 175])
def test_refused_calls(x86: bytes, number: int) -> None:
    assert _decide(x86, number) == errno.EPERM


def test_other_architectures(x86: bytes) -> None:
    assert _decide(x86, 1, arch=I386) == errno.EPERM and _decide(x86, 0x40000000 + 1) == errno.ENOSYS
    arm = filter_program("aarch64", counted=True)
    assert _decide(arm, 117, arch=ARM) == errno.EPERM and _decide(arm, 64, arch=ARM) == 0
    assert _decide(arm, 101, arch=ARM) == 0  # ptrace of x86-64, nanosleep here
    assert filter_program("riscv64", counted=True) == b""


def test_clone(x86: bytes) -> None:
    assert _decide(x86, 56, 0x3D0F00) == 0  # a thread as glibc makes it
    for namespace in (0x80, 0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000):
        assert _decide(x86, 56, namespace | 17) == errno.EPERM
    assert _decide(x86, 435) == errno.ENOSYS


def test_terminals_and_sockets(x86: bytes) -> None:
    assert _decide(x86, 16, 0, 0x5401) == 0 and _decide(x86, 16, 0, 0x5412) == errno.EPERM
    assert _decide(x86, 16, 0, 0x100005412) == errno.EPERM  # the kernel looks at the low half
    assert [_decide(x86, 41, family) for family in (1, 2, 10, 16)] == [0] * 4
    assert [_decide(x86, 41, family) for family in (0, 17, 38, 40)] == [errno.EAFNOSUPPORT] * 4


def test_memory_without_an_owner() -> None:
    for number in (319, 447, 29):
        assert _decide(filter_program("x86_64", counted=True), number) == 0
        assert _decide(filter_program("x86_64", counted=False), number) == errno.EPERM
