"""What `--watch` sees of a submission without reading it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from grader.batch import arriving
from grader.batch.arriving import signatures
from grader.batch.tasks import Task
from grader.submission.limits import Limits


def _signature(path: Path) -> str:
    return signatures([Task("ada", path)])["ada"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ada" / "gan" / "deep").mkdir(parents=True)
    for name in ("gan/0.png", "gan/deep/1.png", "a.csv"):
        (tmp_path / "ada" / name).write_text("before")
    return tmp_path / "ada"


def _touch(path: Path) -> None:
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1))


@pytest.mark.parametrize(
    "change",
    [
        lambda top: _touch(top / "gan" / "deep" / "1.png"),
        lambda top: (top / "gan" / "0.png").write_text("longer than it was"),
        lambda top: (top / "a.csv").rename(top / "b.csv"),
        lambda top: (top / "a.csv").unlink(),
        lambda top: (top / "gan" / "deep" / "new").mkdir(),
    ],
)
def test_a_change_at_any_depth_is_seen(change: Callable[[Path], object], folder: Path) -> None:
    before = _signature(folder)
    assert _signature(folder) == before
    change(folder)
    assert _signature(folder) != before


def test_a_zip_that_is_written_to(tmp_path: Path) -> None:
    path = tmp_path / "ada.zip"
    path.write_bytes(b"PK")
    before = _signature(path)
    _touch(path)
    assert _signature(path) != before


def test_no_link_is_followed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (folder / "link").symlink_to(tmp_path / "other")
    (tmp_path / "top").symlink_to(tmp_path / "other")
    (folder / "loop").symlink_to(folder)
    before = _signature(folder), _signature(tmp_path / "top")
    (tmp_path / "other" / "new").write_text("")
    assert (_signature(folder), _signature(tmp_path / "top")) == before


def test_what_is_gone_or_endless(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert _signature(tmp_path / "nobody") == _signature(tmp_path / "nobody") != _signature(folder)
    monkeypatch.setattr(arriving, "LIMITS", Limits(entries=2))
    before = _signature(folder)
    _touch(folder / "gan" / "deep" / "1.png")  # beyond the limit
    assert _signature(folder) == before
