"""What counts as a submission."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.batch.tasks import Shard, find_tasks
from grader.errors import UsageError


def test_folders_and_zips(tmp_path: Path) -> None:
    for name in ("ada", ".git", "__MACOSX", "Bob Miller"):
        (tmp_path / name).mkdir()
    for name in ("cy.zip", "dee.ZIP", "eve.tar.gz", "fay.rar", "roster.csv", ".DS_Store", "notes"):
        (tmp_path / name).touch()
    tasks, notes = find_tasks(tmp_path)
    assert [t.student for t in tasks] == ["Bob Miller", "ada", "cy", "dee", "eve", "fay"]
    assert not any(t.refusal for t in tasks)
    assert notes == ["2 files beside the submissions: notes, roster.csv. A submission is a sub-folder or a zip."]


def test_what_a_person_must_look_at(tmp_path: Path) -> None:
    (tmp_path / "ada").mkdir()
    (tmp_path / "ada.zip").touch()
    (tmp_path / "bob").symlink_to(tmp_path / "ada")
    (tmp_path / "c\x1b[31m").mkdir()
    (tmp_path / os.fsdecode(b"d\xff")).mkdir()
    refusals = {t.student: t.refusal for t in find_tasks(tmp_path)[0]}
    assert refusals.pop("ada") == "ada and ada.zip are both there: keep the one that counts"
    assert refusals.pop("bob") == "bob is a link, and links are not followed"
    assert len(refusals) == 2 and all("rename it" in why for why in refusals.values())


@pytest.mark.parametrize("name", ["nothing", "file"])
def test_no_folder(name: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="Give the folder that holds the submissions"):
        find_tasks(tmp_path / name)


@given(st.text(), st.integers(1, 9))
def test_each_belongs_to_one_shard(student: str, of: int) -> None:
    assert sum(Shard(number, of).holds(student) for number in range(1, of + 1)) == 1
