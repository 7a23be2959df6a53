"""Files that are written whole, and what is left of those that were not."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from grader.documents import clear_half_written, write_whole


def test_what_a_killed_process_had_begun_is_taken_away_later(tmp_path: Path) -> None:
    names = [".ada.json.a1b2c3_d", ".bob.json.99999999", ".gitignore", ".lock-1-of-2", "ada.json.a1b2c3d4"]
    for name in names:
        (tmp_path / name).write_text("half")
    old = time.time() - 7200
    for name in [names[0], *names[2:]]:
        os.utime(tmp_path / name, (old, old))
    (tmp_path / ".folder.a1b2c3d4").mkdir()
    clear_half_written(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted([*names[1:], ".folder.a1b2c3d4"])


def test_what_is_begun_has_a_name_that_is_known_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[Path] = []
    real = Path.replace

    def watched(self: Path, target: Path) -> Path:
        begun.append(self)
        return real(self, target)

    monkeypatch.setattr(Path, "replace", watched)
    write_whole(tmp_path / "ada.json", "whole")
    begun[0].write_text("half")  # as kill -9 would leave it
    os.utime(begun[0], (0, 0))
    clear_half_written(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["ada.json"]
