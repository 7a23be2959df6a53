"""The course's papers: wrong ones are told before anything is graded, right ones are used again."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest

from grader.batch.papers import FILE, Papers, read_papers, remember, used_again
from grader.batch.running import Tally
from grader.batch.tasks import Task
from grader.errors import UsageError
from tests.batch.joined import WORK, book, folder, graded
from tests.batch.small import batch, make_class, make_job
from tests.cli.test_cli import _run as run

command = importlib.import_module("grader.cli.batch")  # the package has a command of this name
WRONG = {
    "times": ("student,time\nada,yesterday\n", "expected a time with its zone"),
    "overrides": ('schema = "grader/overrides/1"\n[[override]]\nstudent = "ada"\npionts = 1\n', "found none"),
    "roster": ("name\nAda\n", "student is missing"),
    "manual": ("student,problem,title,points\nada,dann,plots,1\n", "dann has no points by hand for 'plots'"),
}
ADD = (
    'schema = "grader/overrides/1"\n[[override]]\nstudent = "{}"\nproblem = "dann"\nadd = -2\n'
    'who = "Lin"\nwhen = 2026-11-04\nwhy = "talked"\n'
)


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_one_is_told_before_anything_is_graded(kind: str, course: Path, tmp_path: Path) -> None:
    text, said = WRONG[kind]
    (tmp_path / "paper").write_text(text)
    done = batch(make_class(tmp_path / "class", 1), tmp_path / "r", course, f"--{kind}", tmp_path / "paper")
    assert done.returncode == 2 and said in done.stderr and f"{tmp_path / 'paper'}:" in done.stderr
    assert not (tmp_path / "r" / "entries").exists()


def test_students_without_a_submission_stop_nothing(course: Path, tmp_path: Path) -> None:
    """An extension for one who hasn't handed in yet, points by hand without a report, a folder that no roster has."""
    class_, results = make_class(tmp_path / "class", 2), tmp_path / "r"
    (tmp_path / "roster.csv").write_text("student\ns000\nlate\n")
    (tmp_path / "decided.toml").write_text(ADD.format("late"))
    title = next(m.title for m in WORK.manual if m.problem == "dann")
    (tmp_path / "manual.csv").write_text(f'student,problem,title,points\nlate,dann,"{title}",1\n')
    words: list[str | Path] = ["--roster", tmp_path / "roster.csv", "--overrides", tmp_path / "decided.toml"]
    done = batch(class_, results, course, *words, "--manual", tmp_path / "manual.csv")
    assert done.returncode == 0 and list(book(results)) == ["s000", "late", "s001"]
    for note in (
        "Decisions wait for a submission of late.",
        "Points by hand wait for a submission of late.",
        "The roster has 1 student without a submission: late.",
        "The roster doesn't have s001.",
    ):
        assert note in done.stderr


def test_they_are_used_again_until_others_are_given(tmp_path: Path) -> None:
    results, other = folder(tmp_path / "r", [graded("ada"), graded("bob")]), tmp_path / "class"
    for name in ("ada", "bob"):
        (tmp_path / f"{name}.toml").write_text(ADD.format(name))

    def total(*words: str | Path) -> list[float]:
        done = run("class", *words)
        assert done.returncode == 0, done.stderr
        out = words[words.index("-o") + 1] if "-o" in words else results
        used = f"As in the last join: --overrides {tmp_path / 'ada.toml'} (--no-papers leaves them out)." in done.stderr
        assert used == ("--overrides" not in words and "--no-papers" not in words and (results / FILE).exists())
        return [s["total"] for s in json.loads((Path(out) / "class.json").read_text())["students"]]

    assert total(results) == [9, 9]
    assert total(results, "--overrides", tmp_path / "bob.toml") == [9, 7]
    assert total(results, "--overrides", tmp_path / "ada.toml") == [7, 9]
    assert total(results) == [7, 9]
    assert total(results, "-o", other) == [7, 9]  # into another folder
    (tmp_path / "ada.toml").rename(tmp_path / "moved.toml")
    done = run("class", results)
    assert done.returncode == 2 and "the --overrides of the last join, is gone" in done.stderr
    assert total(results, "--no-papers") == [9, 9]
    done = run("class", results)
    assert done.returncode == 0 and "As in the last join" not in done.stderr


def test_each_paper_is_remembered_by_itself(tmp_path: Path) -> None:
    for name in ("t.csv", "r.csv", "t2.csv"):
        (tmp_path / name).touch()
    remember(tmp_path, Papers(times=tmp_path / "t.csv", roster=tmp_path / "r.csv"))
    papers, line = used_again(Papers(times=tmp_path / "t2.csv"), [tmp_path / "nowhere", tmp_path])
    assert papers == Papers(times=tmp_path / "t2.csv", roster=tmp_path / "r.csv")
    assert line == f"As in the last join: --roster {tmp_path / 'r.csv'} (--no-papers leaves them out)."
    assert used_again(Papers(), [tmp_path / "nowhere"]) == (Papers(), "")
    remember(tmp_path / "nowhere", Papers())  # nothing to keep, and no folder for it


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        '{"schema": "grader/papers/2"}',
        '{"schema": "grader/papers/1"}',
        '{"schema": "grader/papers/1", "papers": {"other": "x"}}',
        '{"schema": "grader/papers/1", "papers": {"times": 1}}',
    ],
)
def test_what_no_join_wrote_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(content)
    with pytest.raises(UsageError, match=r"papers\.json"):
        used_again(Papers(), [tmp_path])


def test_read_without_any() -> None:
    found = read_papers(Papers(), WORK)
    assert (found.table, found.decided, found.roster, found.given) == ({}, (), None, None)


class _Days:
    """What happens between two looks of a run that watches: one step each, then Ctrl-C."""

    def __init__(self, *steps: Any) -> None:
        self.steps = list(steps)

    def __call__(self, _: float) -> None:
        if not self.steps:
            raise KeyboardInterrupt
        if step := self.steps.pop(0):
            step()


def test_a_broken_paper_ends_no_watch_and_who_goes_is_seen(
    course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class_, paper = make_class(tmp_path / "class", 2), tmp_path / "decided.toml"
    job = make_job(tmp_path / "r", course)
    paper.write_text(ADD.format("s000"))
    options = {"watch": True, "workers": 1, "dask": None, "tries": 1, "names": False, "assignment": WORK.id}
    watching = command._Run(job, class_, None, Papers(overrides=paper), options)

    def graded_here(_: object, __: object, tasks: list[Task], *___: object) -> Tally:
        folder(job.results, [graded(t.student) for t in tasks])
        return Tally(len(tasks))

    class _Engine:
        def __enter__(self) -> None:
            return None

        def __exit__(self, *error: object) -> None:
            return None

    joined = job.results / "class.json"
    seen: list[list[str]] = []

    def look() -> None:
        seen.append([s["student"] for s in json.loads(joined.read_text())["students"]])

    def break_() -> None:
        paper.write_text("no toml")
        (class_ / "s002").mkdir()

    def mend() -> None:
        paper.write_text(ADD.format("s000"))
        (class_ / "s000").rename(class_ / "s003")

    def vanish() -> None:
        class_.rename(tmp_path / "unmounted")

    def empty() -> None:
        look()
        class_.mkdir()

    monkeypatch.setattr("grader.batch.running.run", graded_here)
    monkeypatch.setattr("grader.batch.engines.local", lambda *_: _Engine())
    monkeypatch.setattr(command.time, "sleep", _Days(break_, None, look, mend, None, look, vanish, None, empty, look))
    assert watching.until_done() == 0
    assert seen == [["s000", "s001"], ["s001", "s002", "s003"], *[["s001", "s002", "s003"]] * 2]
    said = capsys.readouterr().err
    assert "could not be joined, and will be after the next round: " in said and "left out: s000" in said
    assert said.count("The class stays as it was") == 2 and "holds no submission now" in said
