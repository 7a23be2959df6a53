"""Only regular files come out, within limits; nothing is followed."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from grader.running.collect import Collector


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    (tmp_path / "target").mkdir()
    return tmp_path / "out"


def _collect(out: Path, *only: str, files: int = 100, size: int = 10_000, **options: object) -> Collector:
    collector = Collector(out.parent / "target", files, size, **options)  # type: ignore[arg-type]
    fd = os.open(out, os.O_RDONLY)
    try:
        if only:
            collector.only(fd, only)
        else:
            collector.everything(fd)
    finally:
        os.close(fd)
    return collector


def _taken(out: Path) -> dict[str, bytes]:
    target = out.parent / "target"
    return {p.relative_to(target).as_posix(): p.read_bytes() for p in target.rglob("*") if p.is_file()}


def test_files_and_folders(out: Path) -> None:
    (out / "gan" / "deep").mkdir(parents=True)
    (out / "gan" / "1.png").write_bytes(b"one")
    (out / "gan" / "deep" / "2.png").write_bytes(b"two")
    result = _collect(out).result
    assert _taken(out) == {"gan/1.png": b"one", "gan/deep/2.png": b"two"}
    assert (result.files, result.size, result.refused) == (2, 6, [])


def test_links_pipes_sockets(out: Path) -> None:
    (out.parent / "secret").write_text("SECRET")
    (out / "to_file").symlink_to("/etc/passwd")
    (out / "to_folder").symlink_to(out.parent)
    os.mkfifo(out / "pipe")
    here = Path.cwd()
    with socket.socket(socket.AF_UNIX) as s:
        os.chdir(out)  # the path of a socket is short
        s.bind("socket")
        os.chdir(here)
    result = _collect(out).result
    assert _taken(out) == {} and result.refused_count == 4
    assert dict(result.refused) == {
        "pipe": "a pipe or socket",
        "socket": "a pipe or socket",
        "to_file": "a link",
        "to_folder": "a link",
    }


def test_limits(out: Path) -> None:
    for i in range(5):
        (out / f"{i}").write_bytes(b"x" * 10)
    with open(out / "sparse", "wb") as f:
        f.truncate(2**40)
    result = _collect(out, files=3).result
    assert sorted(_taken(out)) == ["0", "1", "2"] and result.refused_count == 3


def test_a_sparse_file_is_not_written_out(out: Path) -> None:
    with open(out / "sparse", "wb") as f:
        f.truncate(2**40)
    assert _collect(out).result.refused == [("sparse", "more than 10000 bytes in all")] and _taken(out) == {}


def test_deep_folders(out: Path) -> None:
    (out / "/".join("abcdefghijklmnop")).mkdir(parents=True)
    ((path, reason),) = _collect(out).result.refused
    assert reason == "lies more than 12 folders deep" and path == "a/b/c/d/e/f/g/h/i/j/k/l/m"


def test_what_is_there_stays(out: Path) -> None:
    (out / "a").write_text("new")
    (out.parent / "target" / "a").write_text("old")
    assert _collect(out).result.refused == [("a", "another call has written it already")]
    assert _taken(out) == {"a": b"old"}


def test_wanted(out: Path) -> None:
    (out / "a").write_text("x")
    (out / "b").write_text("x")
    result = _collect(out, wanted=lambda path: "" if path == "a" else "not asked for").result
    assert list(_taken(out)) == ["a"] and result.refused == [("b", "not asked for")]


def test_single_files(out: Path) -> None:
    (out / "samples").mkdir()
    (out / "samples" / "gan.png").write_bytes(b"png")
    (out / "other").symlink_to("samples")
    result = _collect(out, "samples/gan.png", "samples/absent.png", "absent/x", "other/gan.png").result
    assert _taken(out) == {"samples/gan.png": b"png"}
    assert [path for path, _ in result.refused] == ["other/gan.png"]
