"""`--report KIND=PATH`: places, kinds, stdout, and what is refused before any work."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.cli.test_cli import _run as run
from tests.conftest import GOOD


@pytest.fixture
def submission(tmp_path: Path) -> Path:
    shutil.copytree(GOOD / "dann", tmp_path / "submission" / "dann")
    (tmp_path / "submission" / "dann" / "usps-svhn.csv").unlink()
    return tmp_path


def test_several_reports_of_one_run(course: Path, submission: Path) -> None:
    kinds = {"junit": "a.xml", "gradescope": "results.json", "json": "score.json", "markdown": "summary.md"}
    options = [part for kind, name in kinds.items() for part in ("--report", f"{kind}={name}")]
    done = run("score", "submission", "--problem", "dann", "--data", course, *options, cwd=submission)
    assert done.returncode == 1 and "Reports are in a.xml, results.json, score.json, summary.md." in done.stdout
    record = json.loads((submission / "score.json").read_text())
    assert json.loads((submission / "results.json").read_text())["score"] == record["points"] == 6
    assert "<testsuites" in (submission / "a.xml").read_text()
    assert "submission/dann/usps-svhn.csv" in (submission / "summary.md").read_text()


def test_annotations_go_to_the_log(course: Path, submission: Path) -> None:
    done = run("check", "submission", "--problem", "dann", "--data", course, "--report", "github=-", cwd=submission)
    commands = [line for line in done.stdout.splitlines() if line.startswith("::")]
    assert len(commands) == 1 and commands[0].startswith(
        "::error file=submission/dann/usps-svhn.csv,title=missing-deliverable::"
    )


def test_paths_are_those_of_the_current_folder(course: Path, submission: Path) -> None:
    def path(place: str | Path, cwd: Path) -> str:
        done = run("check", place, "--problem", "dann", "--data", course, "--report", "github=-", cwd=cwd)
        return done.stdout.rpartition("file=")[2].partition(",")[0]

    inner = submission / "submission"
    assert path(inner, submission) == "submission/dann/usps-svhn.csv"
    assert path(".", inner) == "dann/usps-svhn.csv"
    assert path(inner, submission.parent / "..").endswith("submission/dann/usps-svhn.csv")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("junit", "expected KIND=PATH"),
        ("junit=", "expected KIND=PATH"),
        ("juni=x", "expected one of json, .* Did you mean 'junit'"),
        ("junit=none/x.xml", "there is no folder none"),
        ("junit=.", "that is a folder"),
        ("classroom50=x.json", "CLASSROOM, ASSIGNMENT, OWNER"),
    ],
)
def test_what_is_refused_before_any_work(given: str, said: str, submission: Path) -> None:
    done = run("check", "submission", "--report", given, cwd=submission)
    assert done.returncode == 2 and re.search(said, done.stderr.replace("\n", " ")) and not done.stdout
    assert "Traceback" not in done.stderr


def test_a_page_for_both_verbs(course: Path, submission: Path) -> None:
    shutil.copytree(GOOD / "acgan", submission / "submission" / "acgan")
    options = ("--problem", "acgan", "--data", course, "--report", "html=page.html")
    # Without the cache: another test wants these digits to need torch.
    assert run("score", "submission", "--no-cache", *options, cwd=submission).returncode == 0
    page = (submission / "page.html").read_text()
    assert "data:image/webp;base64," in page and "DLCV fall 2021, homework 2" in page and " read as " in page
    assert "r1: 91 %" in page  # a reported result
    assert run("check", "submission", *options, cwd=submission).returncode == 0
    page = (submission / "page.html").read_text()
    assert "data:image/webp" not in page and "Digit generation with an ACGAN" in page
