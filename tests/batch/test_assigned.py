"""Results know their assignment: it can be left out, and another one is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from grader.assignment import Assignment, load_assignment
from grader.batch.assigned import assignment_of, of_other_grounds
from grader.batch.joining import join
from grader.batch.seen import Seen, write_seen
from grader.errors import UsageError
from tests.batch.joined import WORK, folder, graded
from tests.cli.test_cli import _run as run
from tests.conftest import ROOT

OTHER = "mlds-spring2018-hw3"
FILE = ROOT / "grader" / "assignments" / f"{OTHER}.toml"


def test_it_is_that_of_the_results(tmp_path: Path) -> None:
    one, new = folder(tmp_path / "one", [graded("ada")], ["ada"]), tmp_path / "new"
    unsaid = folder(tmp_path / "unsaid", [graded("bob")])
    for folders in ([one], [unsaid], [one, unsaid], [new]):
        assert assignment_of(folders, None)[0].id == WORK.id
    write_seen(one, Seen(OTHER, str(FILE), ("ada",)))
    assert assignment_of([one], None) == (load_assignment(FILE), str(FILE))
    write_seen(one, Seen(OTHER, str(tmp_path / "gone.toml"), ("ada",)))
    with pytest.raises(UsageError, match=r"gone.toml, the assignment of .*one, is gone. Give it: --assignment FILE"):
        assignment_of([one], None)
    assert assignment_of([one], str(FILE))[0].id == OTHER
    with pytest.raises(UsageError, match="of several assignments"):
        assignment_of([one, unsaid], None)


def test_two_files_of_one_assignment_want_a_choice(tmp_path: Path) -> None:
    folders = [folder(tmp_path / name, [graded("ada")]) for name in "ab"]
    for place in folders:
        write_seen(place, Seen(OTHER, str(place / "hw.toml"), ("ada",)))
    with pytest.raises(UsageError, match="Choose one: --assignment FILE"):
        assignment_of(folders, None)


@pytest.mark.parametrize("seen", [["ada"], None])
def test_another_one_is_refused_and_nothing_is_written(seen: list[str] | None, tmp_path: Path) -> None:
    results = folder(tmp_path / "r", [graded("ada")], seen)
    join([results], results, WORK)
    before = {p: p.read_bytes() for p in results.rglob("*") if p.is_file()}
    done = run("class", results, "--assignment", OTHER)
    assert done.returncode == 2 and f"was graded for {WORK.id}, not for {OTHER}" in done.stderr
    assert before == {p: p.read_bytes() for p in results.rglob("*") if p.is_file()}
    assert run("class", results).returncode == 0
    with pytest.raises(UsageError, match=f"ada was graded for {WORK.id}, not for {OTHER}"):
        join([results], results, load_assignment(OTHER))


def test_a_batch_into_results_of_another_one_is_refused(tmp_path: Path) -> None:
    results = folder(tmp_path / "r", [graded("ada")], ["ada"])
    (tmp_path / "class" / "ada").mkdir(parents=True)
    done = run("batch", tmp_path / "class", "-o", results, "--assignment", OTHER)
    assert done.returncode == 2 and "give another folder" in done.stderr


def _with_points(points: float) -> Assignment:
    def changed(problem: str, measure: int) -> Assignment:
        problems = []
        for p in WORK.problems:
            if p.id == problem:
                first = p.measures[measure]
                mended = replace(first, baselines=(replace(first.baselines[0], points=points), *first.baselines[1:]))
                p = replace(p, measures=(*p.measures[:measure], mended, *p.measures[measure + 1 :]))
            problems.append(p)
        return replace(WORK, problems=tuple(problems))

    return changed("dann", 0)


def test_baselines_that_changed_since_are_told(tmp_path: Path) -> None:
    results = folder(tmp_path, [graded("ada"), graded("bob")])
    assert not of_other_grounds([graded("ada")], WORK)
    found = join([results], results, _with_points(2))
    said = "The baselines of dann have changed since 2 students were graded: ada, bob. Run `grader batch` again."
    assert said in found["notes"] and said.replace("`", "`") in (results / "index.html").read_text()
    # A policy changes no verdict, and so nothing is to be graded again.
    assert not of_other_grounds([graded("ada")], replace(WORK, digest="0" * 64))
