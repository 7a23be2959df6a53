"""`grader init` and `grader completion`: what is made works as it is, and nothing is overwritten."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import grader
from grader.assignment import load_assignment
from grader.errors import UsageError
from grader.starting import init_course, init_submission
from tests.cli.test_cli import _run as run
from tests.conftest import GOOD


def _files(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_a_course_is_valid(tmp_path: Path) -> None:
    done = run("init", "course", "hw3-2027", cwd=tmp_path)
    assert done.returncode == 0 and "OWNER" in done.stdout
    found = load_assignment(tmp_path / "hw3-2027" / "assignment.toml")
    assert found.id == "hw3-2027" and [p.id for p in found.problems] == ["generator", "classifier"]
    assert sum(b.points for p in found.problems for m in p.measures for b in m.baselines) == 30
    validated = run("assignments", "validate", "assignment.toml", cwd=tmp_path / "hw3-2027")
    assert validated.returncode == 0 and "hw3-2027, 2 problems, 3 measures, 30 points" in validated.stdout
    (scored,) = (
        step
        for step in yaml.safe_load((tmp_path / "hw3-2027/.github/workflows/score.yml").read_text())["jobs"]["score"][
            "steps"
        ]
        if step["uses" if "uses" in step else "name"].startswith("OWNER/")
    )
    assert scored["with"]["assignment"] == "assignment.toml" and scored["with"]["data"] == "private/course_data"


@pytest.mark.parametrize("name", ["Hw 3", "hw_3", "-", "ü", "hw--3"])
def test_names_of_courses(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="expected lower-case letters, digits and '-'"):
        init_course(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_students_repository(tmp_path: Path, course: Path) -> None:
    assert run("init", "submission", "--action", "ada/grader@v2", cwd=tmp_path).returncode == 0
    assert {p.name for p in (tmp_path / "submission").iterdir()} == {"gan", "acgan", "dann"}
    text = (tmp_path / "README.md").read_text()
    assert "gan/: 1000 images, PNG, 64x64 RGB" in text and "hw2_p1.sh" in text and "`hw2_data/`" in text
    workflow = (tmp_path / ".github/workflows/grader.yml").read_text()
    steps = yaml.safe_load(workflow)["jobs"]["grade"]["steps"]
    assert [s["uses"] for s in steps] == ["actions/checkout@v4", "ada/grader@v2", "ada/grader@v2"]
    assert "hashFiles('hw2_data/**/*.csv')" in workflow and "OWNER" not in workflow
    assert run("check", cwd=tmp_path).returncode == 5
    shutil.copytree(GOOD, tmp_path / "submission", dirs_exist_ok=True)
    assert grader.check(tmp_path / "submission", data=course).state == "pass"


def test_a_repository_for_an_assignment_of_ones_own(tmp_path: Path) -> None:
    init_course(tmp_path / "hw3")
    init_submission(tmp_path / "student", str(tmp_path / "hw3" / "assignment.toml"))
    copied = load_assignment(tmp_path / "student" / "assignment" / "assignment.toml")
    assert copied == load_assignment(tmp_path / "hw3" / "assignment.toml")
    assert "grader check --assignment assignment/assignment.toml" in (tmp_path / "student" / "README.md").read_text()
    assert "assignment: assignment/assignment.toml" in (tmp_path / "student/.github/workflows/grader.yml").read_text()
    assert "hashFiles('course_data/" in (tmp_path / "student/.github/workflows/grader.yml").read_text()


@pytest.mark.parametrize("command", [("course", "hw3"), ("submission", "hw3")])
def test_nothing_is_overwritten(command: tuple[str, str], tmp_path: Path) -> None:
    (tmp_path / "hw3" / ".github" / "workflows").mkdir(parents=True)
    (tmp_path / "hw3" / "README.md").write_text("mine")
    (tmp_path / "elsewhere").write_text("mine too")
    for name in (".gitignore", "baselines.toml"):
        (tmp_path / "hw3" / name).symlink_to(tmp_path / "elsewhere")
    first = run("init", *command, cwd=tmp_path)
    assert first.returncode == 0 and "kept  hw3/README.md (is there already)" in first.stdout
    assert (tmp_path / "hw3" / "README.md").read_text() == "mine"
    assert (tmp_path / "elsewhere").read_text() == "mine too"
    before = _files(tmp_path)
    again = run("init", *command, cwd=tmp_path)
    assert again.returncode == 0 and "made" not in again.stdout and _files(tmp_path) == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["course", "hw3", "--action", "grader"], "expected OWNER/REPOSITORY@VERSION"),
        (["course", "file/hw3"], "can't be made"),
        (["submission", "file"], "can't be made"),
        (["submission", "--assignment", "none.toml"], "can't be read"),
        (["submission", "--assignment", "dlcv"], "No assignment 'dlcv'"),
    ],
)
def test_what_is_refused(arguments: list[str], said: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = run("init", *arguments, cwd=tmp_path)
    assert done.returncode == 2 and said in done.stderr and "Traceback" not in done.stderr
    assert [p.name for p in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str, tmp_path: Path) -> None:
    done = run("completion", shell)
    assert done.returncode == 0 and "_GRADER_COMPLETE" in done.stdout and done.stderr == ""
    if shutil.which(shell):
        (tmp_path / "script").write_text(done.stdout)
        subprocess.run([shell, "-n", tmp_path / "script"], check=True, timeout=60)


def test_completion_of_words() -> None:
    env = os.environ | {"_GRADER_COMPLETE": "bash_complete", "COMP_WORDS": "grader score --al", "COMP_CWORD": "2"}
    done = subprocess.run(
        [sys.executable, "-m", "grader"], capture_output=True, text=True, env=env, timeout=60, check=True
    )
    assert done.stdout == "plain,--allow-skipped\n"


def test_a_repository_for_another_homework_names_it(tmp_path: Path) -> None:
    done = run("init", "submission", "--assignment", "dlcv-spring2018-hw4", cwd=tmp_path)
    assert done.returncode == 0 and done.stdout.endswith("then grader check --assignment dlcv-spring2018-hw4\n")
    folders = {p.relative_to(tmp_path / "submission").as_posix() for p in (tmp_path / "submission").rglob("*")}
    assert folders == {"vae", "vae/reconstruction", "vae/random", "gan", "acgan"}
    text = (tmp_path / "README.md").read_text()
    assert "fig1_4.jpg: a JPEG picture, such as a grid of 8x4 images" in text and "hw4.sh" in text
    assert "grader score --assignment dlcv-spring2018-hw4" in text
    checked = run("check", "--assignment", "dlcv-spring2018-hw4", "--with-repository", cwd=tmp_path)
    assert checked.returncode == 1 and "missing-script hw4.sh" in checked.stdout
