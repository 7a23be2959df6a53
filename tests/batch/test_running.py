"""Retries, and what stays when one problem alone is graded again."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from grader.batch import work
from grader.batch.entries import Entry, entry_path, read_entries, read_entry, write_entry
from grader.batch.running import Tally, opened, run
from grader.batch.tasks import Task, find_tasks
from grader.batch.work import Outcome, grade
from grader.errors import UsageError
from grader.scoring import Scorer
from tests.batch.small import compared, make_class, make_job, wanted_state
from tests.conftest import ROOT


class Here:
    """Grades in this process; `faults`: by student, what the first attempts raise."""

    def __init__(self, job: work.Job, faults: dict[str, list[Exception]]) -> None:
        self.job, self.faults, self.asked = job, faults, list[str]()

    def submit(self, task: Task, attempt: int) -> Future[Outcome]:
        self.asked.append(task.student)
        future: Future[Outcome] = Future()
        if faults := self.faults.get(task.student):
            future.set_exception(faults.pop(0))
        else:
            future.set_result(grade(self.job, task, attempt))
        return future

    def explain(self, error: BaseException) -> str:
        return f"the worker ended: {error}"


def test_only_the_machines_errors_are_tried_again(course: Path, tmp_path: Path) -> None:
    tasks = find_tasks(make_class(tmp_path / "class", 6))[0]
    job = make_job(tmp_path / "r", course)
    engine = Here(job, {"s001": [OSError("a"), OSError("b")], "s002": [OSError("x")] * 9})
    shown: list[int] = []
    tally = run(engine, job, tasks, 3, lambda t: shown.append(t.done))
    assert shown == [0, 1, 2, 3, 4, 5, 6] and tally.retried == 4
    assert {s: engine.asked.count(s) for s in ("s000", "s001", "s002", "s004")} == {
        "s000": 1,
        "s001": 3,
        "s002": 3,
        "s004": 1,  # it fails by the student's fault
    }
    found = {e.student: (e.state, e.attempts, e.reason) for e in read_entries(job.results)}
    assert found["s001"] == ("pass", 3, "") and found["s004"][0] == "fail"
    assert found["s002"] == ("error", 3, "the worker ended: x")
    # The next run takes up the one that could not be finished, and no other.
    again = run(Here(job, {}), job, tasks, 3, lambda _: None)
    assert again.kept == 5 and [e.state for e in read_entries(job.results)] == [wanted_state(i) for i in range(6)]


def test_an_error_of_ours_costs_one_submission(course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = find_tasks(make_class(tmp_path / "class", 3))[0]
    job = make_job(tmp_path / "r", course)
    score = Scorer.score

    def broken(self: Scorer, submission: Path, **options: object) -> object:
        if submission.name == "s001":
            raise RuntimeError("out\x1b of order")
        return score(self, submission, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(Scorer, "score", broken)
    run(Here(job, {}), job, tasks, 2, lambda _: None)
    found = read_entries(job.results)
    assert [e.state for e in found] == ["pass", "error", "pass"]
    assert found[1].reason == r"RuntimeError: out\x1b of order"


def test_one_problem_graded_again_leaves_the_others(course: Path, tmp_path: Path) -> None:
    tasks = find_tasks(make_class(tmp_path / "class", 1))[0]
    job = make_job(tmp_path / "r", course)
    run(Here(job, {}), job, tasks, 1, lambda _: None)
    (entry,) = read_entries(job.results)
    assert entry.report is not None
    other = {**entry.report["problems"][0], "id": "acgan", "points": 3, "max_points": 12}
    old = replace(entry, keys={"acgan": "old", "dann": "stale"}, report={**entry.report, "problems": [other]})
    write_entry(job.results, old)
    run(Here(job, {}), job, tasks, 1, lambda _: None)
    (found,) = read_entries(job.results)
    assert found.report is not None and [p["id"] for p in found.report["problems"]] == ["acgan", "dann"]
    assert found.report["points"] == 12 and found.keys["acgan"] == "old" and found.keys["dann"] == entry.keys["dann"]
    # If the machine fails meanwhile, what holds stays as well.
    write_entry(job.results, replace(found, keys={"acgan": "old", "dann": "stale"}))
    run(Here(job, {"s000": [OSError("gone")]}), job, tasks, 1, lambda _: None)
    (broken,) = read_entries(job.results)
    assert broken.report is not None and broken.state == "error" and broken.keys == {"acgan": "old"}
    assert [(p["state"], p["points"]) for p in broken.report["problems"]] == [("pass", 3), ("error", 0)]


def test_a_lost_fingerprint_is_made_again(course: Path, tmp_path: Path) -> None:
    tasks = find_tasks(make_class(tmp_path / "class", 1))[0]
    job = make_job(tmp_path / "r", course)
    run(Here(job, {}), job, tasks, 1, lambda _: None)
    (path,) = (job.results / "fingerprints").iterdir()
    content = path.read_bytes()
    assert hashlib.sha256(content).hexdigest() == read_entries(job.results)[0].fingerprint
    path.unlink()
    assert run(Here(job, {}), job, tasks, 1, lambda _: None).kept == 0 and path.read_bytes() == content
    assert run(Here(job, {}), job, tasks, 1, lambda _: None).kept == 1


@pytest.mark.parametrize("name", ["eve.tar.gz", "eve.rar", "eve.zip"])
def test_what_is_no_archive_fails_by_the_students_fault(name: str, course: Path, tmp_path: Path) -> None:
    (tmp_path / "class").mkdir()
    (tmp_path / "class" / name).write_bytes(b"no archive")
    job = make_job(tmp_path / "r", course)
    run(Here(job, {}), job, find_tasks(tmp_path / "class")[0], 3, lambda _: None)
    (entry,) = read_entries(job.results)
    assert entry.state == "fail" and entry.attempts == 1 and entry.report is not None
    assert [f["rule"] for f in entry.report["findings"]] == ["bad-archive"]
    again = run(Here(job, {}), job, find_tasks(tmp_path / "class")[0], 3, lambda _: None)
    assert again.kept == 1


def test_nothing_of_a_link_is_read(course: Path, tmp_path: Path) -> None:
    make_class(tmp_path / "class", 1)
    (tmp_path / "class" / "eve").symlink_to(tmp_path / "class" / "s000")
    job = make_job(tmp_path / "r", course)
    tally = run(Here(job, {}), job, find_tasks(tmp_path / "class")[0], 3, lambda _: None)
    assert tally.retried == 0 and tally.states == {"pass": 1, "error": 1}
    assert compared(job.results)["eve"]["reason"] == "eve is a link, and links are not followed"


def test_entries_are_as_the_schema_says(course: Path, tmp_path: Path) -> None:
    job = make_job(tmp_path / "r", course)
    tasks = find_tasks(make_class(tmp_path / "class", 2))[0]
    run(Here(job, {"s001": [OSError("x")]}), job, tasks, 1, lambda _: None)
    schema = json.loads((ROOT / "docs" / "schemas" / "entry-1.json").read_text())
    for entry in read_entries(job.results):
        jsonschema.Draft202012Validator(schema).validate(json.loads(entry.to_json()))


@pytest.mark.parametrize("student", ["b0990001", "../../etc", "Ünal", "x" * 250, "con.", "a/b", ".hidden"])
def test_any_name_has_an_entry_of_its_own(student: str, tmp_path: Path) -> None:
    with opened(tmp_path / "r", None):
        entry = Entry(student, student, "", {}, "pass")
        write_entry(tmp_path / "r", entry)
    path = entry_path(tmp_path / "r", student)
    assert path.parent == tmp_path / "r" / "entries" and read_entry(path) == entry
    assert len(path.name) < 110 and path.name.isascii()
    path.rename(path.with_name("other.json"))
    with pytest.raises(UsageError, match="it is another student's"):
        read_entry(path.with_name("other.json"))


def test_a_rate_without_anything_graded() -> None:
    tally = Tally(3)
    tally.add(Outcome("a", "pass", kept=True))
    assert tally.rate == 0 and tally.left is None and tally.done == 1
