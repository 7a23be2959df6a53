"""Who is in the class: those whose submissions the last batch saw, and nobody else."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from grader.batch.entries import read_entries
from grader.batch.joining import gather, join, told
from grader.batch.seen import Seen, read_seen
from grader.errors import UsageError
from tests.batch.joined import WORK, folder, graded
from tests.batch.small import batch, make_class


def test_who_was_renamed_or_taken_back_is_left_out_and_named(course: Path, tmp_path: Path) -> None:
    class_, results = make_class(tmp_path / "class", 4), tmp_path / "r"
    (class_ / "s003").rename(class_ / "=1+1")
    batch(class_, results, course)
    (class_ / "=1+1").rename(class_ / "s009")
    shutil.rmtree(class_ / "s001")
    done = batch(class_, results, course)
    found = json.loads((results / "class.json").read_text())
    assert [s["student"] for s in found["students"]] == ["s000", "s002", "s009"]
    said = "2 students graded earlier, without a submission when the class was last graded, and left out: =1+1, s001."
    assert said in done.stderr and said in (results / "index.html").read_text()
    assert "=1+1" not in (results / "gradebook-canvas.csv").read_text()
    assert {e.student for e in read_entries(results)} == {"s000", "s001", "s002", "s009", "=1+1"}  # kept


def test_an_empty_or_missing_folder_of_submissions_leaves_the_class_alone(course: Path, tmp_path: Path) -> None:
    class_, results = make_class(tmp_path / "class", 2), tmp_path / "r"
    batch(class_, results, course)
    before = (results / "class.json").read_bytes(), (results / "seen.json").read_bytes()
    (tmp_path / "empty").mkdir()
    assert batch(tmp_path / "empty", results, course).returncode == 5
    assert batch(tmp_path / "none", results, course).returncode == 2
    assert before == ((results / "class.json").read_bytes(), (results / "seen.json").read_bytes())


def test_shards_write_what_all_of_them_see(course: Path, tmp_path: Path) -> None:
    class_ = make_class(tmp_path / "class", 4)
    for number in (1, 2):
        batch(class_, tmp_path / f"r{number}", course, "--shard", f"{number}/2")
    one, other = ((tmp_path / f"r{n}" / "seen.json").read_bytes() for n in (1, 2))
    assert one == other and b"s003" in one
    entries, notes = gather([tmp_path / "r1", tmp_path / "r2"])
    assert len(entries) == 4 and not notes
    (_, notes) = gather([tmp_path / "r1"])
    assert "not graded yet" in notes[0]


def test_several_folders_are_taken_together(tmp_path: Path) -> None:
    one = folder(tmp_path / "one", [graded("ada"), graded("old")], ["ada"])
    other = folder(tmp_path / "other", [graded("bob")], ["bob", "cy"])
    unsaid = folder(tmp_path / "unsaid", [graded("eve")])
    entries, notes = gather([one, other, unsaid])
    assert [e.student for e in entries] == ["ada", "bob", "eve"]
    assert len(notes) == 2 and "left out: old." in notes[0] and notes[1] == "1 submission not graded yet: cy."


def test_a_name_that_nobody_can_write_is_seen(tmp_path: Path) -> None:
    name = "Ad\udce9"
    results = folder(tmp_path, [graded(name)], [name])
    assert read_seen(results) == Seen(WORK.id, WORK.id, (name,))
    found = join([results], results, WORK)
    assert [s["student"] for s in found["students"]] == [name]
    told(found)


@pytest.mark.parametrize(
    "content", ["[]", "{", '{"schema": "grader/seen/2"}', '{"schema": "grader/seen/1", "assignment": "a", "given": 1}',
                '{"schema": "grader/seen/1", "assignment": "a", "given": "a", "submissions": [1]}']
)  # fmt: skip
def test_what_no_batch_wrote_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / "seen.json").write_text(content)
    with pytest.raises(UsageError, match=r"seen\.json"):
        read_seen(tmp_path)
