from __future__ import annotations

import hashlib
import itertools
import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from threading import Event, Thread

import pytest

import grader
from grader.errors import SubmissionRefused, UsageError
from grader.submission import Limits, Submission, Unreadable, open_submission
from grader.submission.door import FolderSubmission, PathSubmission
from tests.conftest import GOOD

FDS = Path("/proc/self/fd")
Opener = Callable[[Path], Submission]


@pytest.fixture(params=[FolderSubmission, PathSubmission])
def opener(request: pytest.FixtureRequest) -> Opener:
    """Both ways of walking a folder: by descriptors, and by paths where a system has none."""
    kind: Opener = request.param
    return kind


@pytest.fixture
def top(tmp_path: Path) -> Path:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "labels.csv").write_text("hidden")
    top = tmp_path / "submission"
    (top / "a" / "b").mkdir(parents=True)
    (top / "a" / "x.txt").write_bytes(b"content")
    (top / "link.txt").symlink_to(secret / "labels.csv")
    (top / "linked").symlink_to(secret)
    os.mkfifo(top / "pipe")
    for junk in (".DS_Store", "Thumbs.db", "desktop.ini", "._x"):
        (top / junk).write_bytes(b"")
    (top / "__MACOSX").mkdir()
    return top


def test_listing_says_what_each_entry_is(top: Path, opener: Opener) -> None:
    with opener(top) as view:
        entries = view.folder(".")
        assert entries is not None
        assert {e.name: e.kind for e in entries.values()} == {
            "a": "folder",
            "link.txt": "link",
            "linked": "link",
            "pipe": "pipe or device",
        }
        assert view.folders(".") == ["a"] and view.folders("a") == ["a/b"]
        assert view.folder("none") is None and view.folder("a/x.txt") is None
        entry = view.entry("a/x.txt")
        assert entry is not None and entry.kind == "file"


def test_links_are_never_followed(top: Path, opener: Opener) -> None:
    with opener(top) as view:
        assert view.folder("linked") is None
        for path in ("link.txt", "linked/labels.csv", "pipe", "a", "a/none.txt", "none/x"):
            with pytest.raises(Unreadable):
                view.read(path)


def test_a_socket_is_no_file(top: Path, opener: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(top)  # the path of a socket must be short
    with socket.socket(socket.AF_UNIX) as server, opener(top) as view:
        server.bind("sock")
        entry = view.entry("sock")
        assert entry is not None and entry.kind == "pipe or device"
        with pytest.raises(Unreadable):
            view.read("sock")


def test_size_limit(top: Path, opener: Opener) -> None:
    with opener(top) as view:
        assert view.read("a/x.txt", 7) == b"content"
        with pytest.raises(Unreadable, match="more than 6"):
            view.read("a/x.txt", 6)


def test_entry_limit(top: Path) -> None:
    for kind in (FolderSubmission, PathSubmission):
        with kind(top, Limits(entries=3)) as view, pytest.raises(SubmissionRefused, match="more than 3 entries"):
            view.folder(".")


def test_digest_depends_on_names_and_contents(tmp_path: Path) -> None:
    def digest(files: dict[str, bytes]) -> str:
        top = tmp_path / "s"
        top.mkdir(exist_ok=True)
        for old in top.iterdir():
            old.unlink()
        for name, content in files.items():
            (top / name).write_bytes(content)
        with open_submission(top) as view:
            for name in files:
                view.read(name)
            return view.digest

    first = digest({"a": b"1", "b": b"2"})
    assert first == digest({"b": b"2", "a": b"1"})
    assert len({first, digest({"a": b"2", "b": b"1"}), digest({"a": b"1"}), digest({})}) == 4
    inner = f"a\n{hashlib.sha256(b'2').hexdigest()} b"  # a name that looks like the line of a second file
    assert digest({inner: b"1"}) != digest({"a": b"1", "b": b"2"})


def test_opening_what_is_no_submission(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such folder or zip"):
        open_submission(tmp_path / "none")
    (tmp_path / "x.tar").write_bytes(b"")
    with pytest.raises(UsageError, match="neither a folder nor"):
        open_submission(tmp_path / "x.tar")


def test_many_folders_do_not_use_up_descriptors(tmp_path: Path) -> None:
    for i in range(300):
        (tmp_path / f"f{i}" / "inner").mkdir(parents=True)
    before = len(list(FDS.iterdir())) if FDS.exists() else 0
    with open_submission(tmp_path) as view:
        assert all(view.folders(f) for f in view.folders("."))
        if before:
            assert len(list(FDS.iterdir())) <= before + 3


def test_names_are_those_of_the_listing(top: Path, opener: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a file system ignores case, `A` can be opened although the folder is named `a`."""
    with opener(top) as view:
        real = view._list
        monkeypatch.setattr(view, "_list", lambda path: real(path.lower()))
        assert view.folder("A") is None and view.folder("a") is not None


def test_total_limit(top: Path) -> None:
    (top / "y").write_bytes(b"more")
    with FolderSubmission(top, Limits(total_size=5)) as view:
        view.read("a/x.txt")
        with pytest.raises(Unreadable, match="more than 5 bytes"):
            view.read("y")


def test_paths_that_no_system_has(tmp_path: Path) -> None:
    for path in ("a" * 300, "a\0b"):
        with pytest.raises(UsageError):
            open_submission(tmp_path / path)


@pytest.mark.parametrize("what", ["folder", "zip"])
def test_a_link_is_no_submission(what: str, top: Path, tmp_path: Path) -> None:
    """It may lead to a fellow student's work."""
    (tmp_path / "s.zip").write_bytes(b"PK\5\6" + bytes(18))
    link = tmp_path / ("link" if what == "folder" else "link.zip")
    link.symlink_to(top if what == "folder" else tmp_path / "s.zip")
    with pytest.raises(UsageError, match="is a link"):
        open_submission(link)


def test_a_file_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is scored is what was checked: no file is opened a second time in a whole score."""
    shutil.copytree(GOOD / "dann", tmp_path / "dann")
    read: list[str] = []
    real = FolderSubmission._read

    def counted(view: FolderSubmission, path: str, limit: int) -> bytes:
        read.append(path)
        return real(view, path, limit)

    monkeypatch.setattr(FolderSubmission, "_read", counted)
    assert grader.score(tmp_path, problems=["dann"]).state == "skipped"  # without the labels
    assert len(read) == len(set(read)) == len(list((tmp_path / "dann").rglob("*.csv")))


def test_a_file_that_changes_while_it_is_read(top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has another length than when it was opened: neither of the two is taken."""
    real = os.fstat

    def growing(fd: int) -> os.stat_result:
        status = real(fd)
        with (top / "a" / "x.txt").open("ab") as f:
            f.write(b"more")
        return status

    with FolderSubmission(top) as view:
        monkeypatch.setattr(os, "fstat", growing)
        with pytest.raises(Unreadable, match="changed while it was read") as caught:
            view.read("a/x.txt")
    assert caught.value.taken > 0


def test_a_race_for_a_file(top: Path) -> None:
    """A student's process swaps a file for a link, a pipe and back while it is read: the secret never comes out."""
    place, secret, stop = top / "a" / "x.txt", top.parent / "secret" / "labels.csv", Event()

    def swap() -> None:
        other = top / "a" / "other"
        for i in itertools.cycle(range(3)):
            if stop.is_set():
                return
            (lambda: other.symlink_to(secret), lambda: os.mkfifo(other), lambda: other.write_bytes(b"content"))[i]()
            other.replace(place)

    swapping = Thread(target=swap)
    swapping.start()
    seen = set()
    try:
        for _ in range(400):
            with FolderSubmission(top) as view:
                try:
                    seen.add(view.read("a/x.txt"))
                except Unreadable:
                    seen.add(b"refused")
    finally:
        stop.set()
        swapping.join()
    assert seen <= {b"content", b"refused"}


def test_what_was_read_in_vain_counts(top: Path) -> None:
    """Else a thousand files that turn out to be damaged would be read to the last."""
    limits = Limits(damaged=2, total_size=100)

    class Damaged(FolderSubmission):
        def _read(self, path: str, limit: int) -> bytes:
            raise Unreadable("damaged", taken=min(limit, 60 if path == "large" else 1))

    with Damaged(top, limits) as view:
        told = []
        for _ in range(4):
            with pytest.raises(Unreadable) as caught:
                view.read("small")
            told.append(str(caught.value))
    assert (
        told[:2] == ["damaged"] * 2
        and told[2] == told[3] == "2 other files turned out to be damaged, and no more are read"
    )
    with Damaged(top, limits) as view:
        for _ in range(2):
            with pytest.raises(Unreadable, match="damaged"):
                view.read("large")
        with pytest.raises(Unreadable, match="more than 100 bytes"):
            view.read("large")
