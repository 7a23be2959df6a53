"""The join: the same bytes whoever graded, points after the policy, what changed."""

from __future__ import annotations

import csv
import json
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from grader.assignment import Assignment, load_assignment
from grader.assignment.model import Policy
from grader.batch.classbook import changes_between
from grader.batch.entries import Entry, read_entries, write_entry
from grader.batch.files import pseudonyms
from grader.batch.joining import gather, join
from grader.batch.papers import Papers
from grader.batch.tasks import Shard
from grader.errors import UsageError
from tests.batch.small import ASSIGNMENT, batch, make_class, make_job
from tests.conftest import ROOT

COUNT = 10


@pytest.fixture(scope="module")
def work() -> Assignment:
    return load_assignment(ASSIGNMENT)


@pytest.fixture(scope="module")
def submissions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_class(tmp_path_factory.mktemp("submissions") / "class", COUNT)


@pytest.fixture(scope="module")
def results(submissions: Path, course: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("whole") / "results"
    done = batch(submissions, place, course)
    assert done.returncode == 0 and f"The class: {place / 'index.html'}" in done.stdout
    return place


def _files(folder: Path) -> dict[str, bytes]:
    """What the join wrote, without the journal."""
    kept = ("entries", "fingerprints", ".lock", "seen.json")
    found = {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}
    return {name: content for name, content in found.items() if not name.startswith(kept)}


def _own(results: Path, tmp_path: Path) -> Path:
    """A copy to change, whose entries are those of the class."""
    return shutil.copytree(results, tmp_path / "own", ignore=shutil.ignore_patterns("seen.json"))


def test_the_same_bytes_from_shards_in_other_places(
    submissions: Path, course: Path, results: Path, tmp_path: Path, work: Assignment
) -> None:
    folders = [tmp_path / f"part{number}" for number in (1, 2, 3)]
    for number, folder in enumerate(folders, 1):
        batch(submissions, folder, course, "--shard", f"{number}/3", "--workers", "1")
        assert not (folder / "class.json").exists()
    out = tmp_path / "out"
    out.mkdir()
    shutil.copy(results / ".secret", out)  # else the pseudonyms are others
    join(folders[::-1], out, work)
    assert _files(out) == _files(results)
    assert {"class.json", "index.html", "leaderboard.html", "scores/s000.json", "feedback/s000.html"} < set(_files(out))


def test_class_json_is_as_its_schema_says(results: Path, submissions: Path) -> None:
    found = json.loads((results / "class.json").read_text())
    schema = json.loads((ROOT / "docs" / "schemas" / "class-1.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(found)
    assert [s["student"] for s in found["students"]] == sorted(p.name for p in submissions.iterdir())
    # Every fifth has its labels wrong, every seventh lacks one table of three, which are worth three points each.
    assert found["states"] == {"pass": 7, "fail": 3, "skipped": 0, "error": 0}
    assert [s["total"] for s in found["students"]] == [9, 9, 9, 9, 0, 9, 6, 9, 9, 0]
    measure = found["measures"][1]
    assert (measure["id"], measure["count"]) == ("target_accuracy.svhn-mnistm", COUNT)
    assert sum(measure["histogram"]["counts"]) == COUNT
    values = sorted(s["measures"]["dann.target_accuracy.svhn-mnistm"]["value"] for s in found["students"])
    assert measure["quartiles"][0] == values[0] and measure["quartiles"][2] == (values[4] + values[5]) / 2


def test_grade_book_and_policy(results: Path, tmp_path: Path, work: Assignment) -> None:
    """A day late costs a tenth; the table of points by hand comes on top, and isn't touched by it."""
    own = _own(results, tmp_path)
    (tmp_path / "times.csv").write_text(
        "student,time\ns000,2026-03-02T09:00:00+00:00\ns001,2026-02-28T09:00:00+00:00\n"
    )
    (manual,) = [m for m in work.manual if m.problem == "dann"][:1]
    (tmp_path / "manual.csv").write_text(f'student,problem,title,points\ns000,dann,"{manual.title}",1\n')
    policy = Policy(deadline=_moment("2026-03-01T12:00:00+00:00"), late_penalty=0.1)
    papers = Papers(times=tmp_path / "times.csv", manual=tmp_path / "manual.csv")
    found = join([own], own, replace(work, policy=policy), papers)
    assert found["students"][0]["problems"]["dann"]["before"] == 9
    assert found["students"][0]["problems"]["dann"]["points"] == pytest.approx(8.1)
    assert [a["points"] for a in found["students"][0]["adjustments"]] == [pytest.approx(-0.9)]
    with open(own / "gradebook-moodle.csv", newline="") as f:
        rows = {row[0]: row for row in csv.reader(f)}
    assert float(rows["s000"][3]) == pytest.approx(9.1) and float(rows["s001"][3]) == 9
    assert "1 day late" in rows["s000"][-1]
    assert "1 day late" in (own / "feedback" / "s000.html").read_text()


def _moment(text: str) -> Any:
    from datetime import datetime

    return datetime.fromisoformat(text)


def test_what_changed_since_the_last_run(results: Path, tmp_path: Path, work: Assignment) -> None:
    own = _own(results, tmp_path)
    join([own], own, work)
    assert not (own / "changes.json").exists()  # nothing is different
    entries = {e.student: e for e in read_entries(own)}
    write_entry(own, replace(entries["s004"], student="late", source="late"))
    (own / "entries" / "s001.json").unlink()
    broken = Entry("s002", "s002", "", {}, "error", "the worker's process ended")
    write_entry(own, broken)
    for _ in range(2):  # doing it again loses nothing
        join([own], own, work)
        changes = json.loads((own / "changes.json").read_text())
        schema = json.loads((ROOT / "docs" / "schemas" / "changes-1.json").read_text())
        jsonschema.Draft202012Validator(schema).validate(changes)
        assert changes["new"] == ["late"] and changes["gone"] == ["s001"]
        (one,) = changes["changed"]
        assert one["student"] == "s002" and one["what"][0]["after"] == "error"
    assert sorted(p.name for p in (own / "reports").iterdir())[:3] == ["late.html", "s000.html", "s003.html"]
    assert changes_between(_class(own), _class(own)) == {
        "schema": "grader/changes/1", "new": [], "gone": [], "changed": []
    }  # fmt: skip


def test_what_changed_outlives_the_search_for_copies(results: Path, tmp_path: Path, work: Assignment) -> None:
    """`grader copies`, then `grader class`: class.json is another one, but nobody's points or values are."""
    own = _own(results, tmp_path)
    (own / "entries" / "s001.json").unlink()
    join([own], own, work)
    changes = (own / "changes.json").read_bytes()
    pair: dict[str, Any] = {"students": ["s000", "s002"], "problem": "dann", "deliverable": "", "kind": "predictions"}
    pair |= {"count": 9, "of": 10, "strength": "9 of 10", "page": "copies/1.html"}
    (own / "copies.json").write_text(json.dumps({"schema": "grader/copies/1", "pairs": [pair]}))
    assert join([own], own, work)["students"][0]["copies"]
    assert (own / "changes.json").read_bytes() == changes and b"s001" in changes
    assert "Gone: s001" in (own / "index.html").read_text()


def _class(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "class.json").read_text())
    return found


def test_hidden_measures_stay_hidden(results: Path, tmp_path: Path, work: Assignment) -> None:
    own = _own(results, tmp_path)
    name = "target_accuracy.usps-svhn"
    value = _class(own)["students"][0]["measures"][f"dann.{name}"]["value"]
    decided = tmp_path / "decided.toml"
    decided.write_text(
        f'schema = "grader/overrides/1"\n[[override]]\nstudent = "s000"\nmeasure = "{name}"\npoints = 1\n'
        'who = "Lin"\nwhen = 2026-11-04\nwhy = "looked at by hand"\n'
    )
    found = join([own], own, replace(work, policy=Policy(hidden=(name,))), Papers(overrides=decided))
    assert [m["hidden"] for m in found["measures"]] == [False, False, True] or found["measures"][2]["hidden"]
    shown = f"{100 * value:.2f}"
    assert shown in (own / "reports" / "s000.html").read_text()
    assert shown not in (own / "feedback" / "s000.html").read_text()
    assert f"{name} set to 1: looked at by hand (Lin, 2026-11-04)" in (own / "reports" / "s000.html").read_text()
    for path in (*(own / "feedback").iterdir(), *own.glob("gradebook-*"), own / "leaderboard.html"):
        assert not re.search("set to 1|looked at|Lin", path.read_text()), path
    assert _book(own)["s000"][3] == "" == _book(own)["s001"][3]


def test_two_folders_that_do_not_agree(results: Path, tmp_path: Path) -> None:
    own = _own(results, tmp_path)
    assert len(gather([results, own])[0]) == COUNT
    (entry, *_) = read_entries(own)
    write_entry(own, replace(entry, keys={"dann": "0" * 64}))
    with pytest.raises(UsageError, match="graded on other ground"):
        gather([results, own])


def test_no_entries(tmp_path: Path, work: Assignment) -> None:
    with pytest.raises(UsageError, match="Run `grader batch` first"):
        join([tmp_path / "nothing"], tmp_path, work)


_PAIRS = '{"schema": "grader/copies/1", "pairs": '


@pytest.mark.parametrize(
    "content",
    [
        *("[]", "{", '{"schema": "grader/copies/2"}', _PAIRS + "7}", _PAIRS + "[7]}"),
        *(_PAIRS + '[{"students": ["s000", "s002"]}]}', _PAIRS + '[{"students": ["s000"]}]}'),
    ],
)
def test_copies_of_another_kind(content: str, results: Path, tmp_path: Path, work: Assignment) -> None:
    own = _own(results, tmp_path)
    (own / "copies.json").write_text(content)
    with pytest.raises(UsageError, match="grader copies"):
        join([own], own, work)


def test_pseudonyms_stay_and_tell_nothing(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    students = [f"b{i:07}" for i in range(400)]
    names = pseudonyms(students, tmp_path / "a")
    assert len(set(names.values())) == 400 and pseudonyms(students[::-1], tmp_path / "a") == names
    assert pseudonyms(students, tmp_path / "b") != names
    assert (tmp_path / "a" / ".secret").stat().st_mode & 0o077 == 0
    assert Shard(1, 1).holds("anybody")


def test_an_unfinished_one_has_no_grade(course: Path, tmp_path: Path, work: Assignment) -> None:
    job = make_job(tmp_path / "r", course)
    write_entry(job.results, Entry("s1", "s1", "", {}, "error", "took longer than 30 minutes"))
    found = join([job.results], job.results, work)
    assert found["students"][0]["total"] is None and found["students"][0]["reason"] == "took longer than 30 minutes"
    assert found["notes"] == ["There is no grade book: no submission has a report."]


def _book(results: Path) -> dict[str, list[str]]:
    with open(results / "gradebook-moodle.csv", newline="", encoding="utf-8") as f:
        return {row[0]: row for row in csv.reader(f)}


def _named(results: Path, student: str, name: str) -> None:
    """Gives a student's entry another name."""
    (entry,) = [e for e in read_entries(results) if e.student == student]
    (results / "entries" / f"{student}.json").unlink()
    write_entry(results, replace(entry, student=name, source=name))


def test_roster_and_points_by_hand_take_students_by_their_own_names(
    results: Path, tmp_path: Path, work: Assignment
) -> None:
    """Folders of a download from Moodle have blanks in their names, which file names don't keep."""
    own, name = _own(results, tmp_path), "Zoë Lovelace_123_assignsubmission_file_"
    _named(own, "s000", name)
    title = next(m.title for m in work.manual if m.problem == "dann")
    (tmp_path / "roster.csv").write_text("student\n" + "\n".join([name, *(f"s{i:03}" for i in range(1, COUNT))]))
    (tmp_path / "manual.csv").write_text(f'student,problem,title,points\n{name},dann,"{title}",1\n')
    join([own], own, work, Papers(roster=tmp_path / "roster.csv", manual=tmp_path / "manual.csv"))
    assert len(_book(own)) == COUNT + 1 and float(_book(own)[name][3]) == 9 + 1


def test_points_by_hand_count_where_a_person_settles_what_could_not_be_finished(
    results: Path, tmp_path: Path, work: Assignment
) -> None:
    own = _own(results, tmp_path)
    entry = read_entries(own)[0]
    assert entry.report is not None
    (verdict,) = entry.report["problems"]
    half = dict(verdict) | {"state": "error", "points": 3.0}  # one measure was taken before the machine failed
    write_entry(own, replace(entry, state="error", report=dict(entry.report) | {"problems": [half]}))
    title = next(m.title for m in work.manual if m.problem == "dann")
    (tmp_path / "manual.csv").write_text(f'student,problem,title,points\ns000,dann,"{title}",1\n')
    (tmp_path / "decided.toml").write_text(
        'schema = "grader/overrides/1"\n[[override]]\nstudent = "s000"\nproblem = "dann"\npoints = 7\n'
        'who = "Lin"\nwhen = 2026-11-04\nwhy = "looked at by hand"\n'
    )
    join([own], own, work, Papers(manual=tmp_path / "manual.csv"))
    assert _book(own)["s000"][3] == ""
    join([own], own, work, Papers(manual=tmp_path / "manual.csv", overrides=tmp_path / "decided.toml"))
    assert float(_book(own)["s000"][3]) == 7 + 1


@pytest.mark.parametrize("name", ["Ad\udce9", "Ada\nLovelace", "\u202eadA", "\x1b[31m"])
def test_a_name_that_nobody_can_write_stops_no_class(
    name: str, results: Path, tmp_path: Path, work: Assignment
) -> None:
    own = _own(results, tmp_path)
    write_entry(own, Entry(name, name, "", {}, "error", "its name holds control or undecodable characters: rename it"))
    join([own], own, work)
    shown = next(s for s in _book(own) if s not in {f"s{i:03}" for i in range(COUNT)} | {"ID number"})
    assert shown.isprintable() and shown == name.encode("unicode_escape", "surrogatepass").decode()
    assert (own / "index.html").exists()


def test_files_of_others_stay(results: Path, tmp_path: Path, work: Assignment) -> None:
    out = tmp_path / "course"
    mine = [out / "reports" / "mine.json", out / "scores" / "zed.json", out / "feedback" / "text.html"]
    for path in mine:
        path.parent.mkdir(parents=True)
        path.write_text((results / "scores" / "s000.json").read_text())
    own = _own(results, tmp_path)
    join([own], out, work)
    (own / "entries" / "s001.json").unlink()
    join([own], out, work)
    assert all(path.exists() for path in mine) and "zed" not in _book(out)
    gone = [out / "scores" / "s001.json", out / "reports" / "s001.html", out / "feedback" / "s001.html"]
    assert not any(path.exists() for path in gone) and (out / "scores" / "s002.json").exists()


def test_an_interrupted_join_leaves_nothing_behind_for_good(results: Path, tmp_path: Path, work: Assignment) -> None:
    """It ended after class.json and before the pages."""
    own = _own(results, tmp_path)
    (own / "entries" / "s001.json").unlink()
    kept = (own / "reports" / "s001.html").read_bytes()
    join([own], own, work)
    (own / "reports" / "s001.html").write_bytes(kept)
    join([own], own, work)
    assert not (own / "reports" / "s001.html").exists()
