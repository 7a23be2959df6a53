"""Hidden mode: nothing that a student can see holds a name, label or path of the course's data.

The made-up course has names, labels and a folder that occur nowhere else, so that a text holds one only by a leak.
"""

from __future__ import annotations

import base64
import dataclasses
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from rich.console import Console

import grader
from grader.checks.rules import RULES
from grader.reporting import KINDS, render
from grader.reporting.hidden import HARMLESS, REWRITTEN, hide
from grader.reporting.terminal import render_check, render_score
from tests.cli.test_cli import _run as run
from tests.conftest import GOOD
from tests.reporting.reports import EVIL, FAIR, finding
from tests.reporting.test_renderers import IN_CLASSROOM

FOLDER, NAME = "coursefolder", "zzsecret"
LABELS = ("734003", "734004", "734005")  # the assignment allows 734000 to 734009, and the student writes 734008
SECRETS = (FOLDER, NAME, *LABELS)
ASSIGNMENT = """
schema = "grader/assignment/1"
id = "made-up"
title = "Made up"
source = "a test"
data_folder = "course_data"
baselines = "baselines.toml"
[[problem]]
id = "pictures"
title = "Pictures"
[[problem.deliverable]]
id = "made"
kind = "images"
path = "made"
count = 12
size = [32, 32]
copies_of = ["pictures/train"]
[[problem.deliverable]]
id = "rebuilt"
kind = "images"
path = "rebuilt"
size = [32, 32]
one_for_each = "numbered"
[problem.deliverable.names]
template = "{number:06}.png"
number = [734000, 734099]
[[problem.measure]]
id = "fd_efficientnet_lite0"
deliverable = "made"
protocol = "efficientnet-lite0"
reference = "pictures/test"
[[problem]]
id = "table"
title = "A table"
[[problem.deliverable]]
id = "answers"
kind = "table"
path = "table/answers.csv"
labels = [734000, 734009]
answers = "labels/answers.csv"
answers_count = 20
[[problem.measure]]
id = "target_accuracy.answers"
deliverable = "answers"
"""
BASELINES = """
schema = "grader/baselines/1"
[[baseline]]
measure = "target_accuracy.answers"
name = "simple"
value = 0.5
points = 2
source = "a test"
"""


def _pictures(folder: Path, names: list[str], seed: int) -> None:
    folder.mkdir(parents=True)
    for i, name in enumerate(names):
        noise = np.random.default_rng([seed, i]).integers(0, 256, (32, 32, 3), np.uint8)
        Image.fromarray(noise).save(folder / name)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A course with secrets in `coursefolder/`, an assignment, and a submission with every mistake that names them."""
    data = tmp_path / FOLDER
    secrets = [f"{NAME}{i:02}.png" for i in range(20)]
    for part, seed in (("train", 1), ("test", 2)):
        _pictures(data / "pictures" / part, secrets, seed)
    rows = [f"{name},{LABELS[i % 3]}" for i, name in enumerate(secrets)]
    (data / "labels").mkdir()
    (data / "labels" / "answers.csv").write_text("\n".join(["image_name,label", *rows]) + "\n")
    _pictures(tmp_path / "submission" / "made", [f"own{i}.png" for i in range(12)], 1)  # copies of train
    _pictures(data / "numbered", [f"{label}.png" for label in LABELS], 3)
    _pictures(tmp_path / "submission" / "rebuilt", ["734008.png"], 4)  # one too many, and three missing
    (tmp_path / "submission" / "table").mkdir()
    table = "image_name,label\nmine.png,734008\n"  # one unknown row, and twenty missing ones
    (tmp_path / "submission" / "table" / "answers.csv").write_text(table)
    (tmp_path / "made.toml").write_text(ASSIGNMENT)
    (tmp_path / "baselines.toml").write_text(BASELINES)
    return tmp_path


def _as_it_is(_: Path) -> None:
    pass


def _broken_labels(data: Path) -> None:
    with open(data / "labels" / "answers.csv", "a") as f:
        f.write(f"{NAME}99.png,{LABELS[0]}.5\n")


def _no_labels(data: Path) -> None:
    (data / "labels" / "answers.csv").unlink()


def _broken_pictures(data: Path) -> None:
    for part in ("train", "test"):
        (data / "pictures" / part / f"{NAME}03.png").write_bytes(b"no picture")


def _no_pictures(data: Path) -> None:
    (data / "pictures").rename(data / "elsewhere")


DAMAGES = [_as_it_is, _broken_labels, _no_labels, _broken_pictures, _no_pictures]


def _texts(report: grader.CheckReport | grader.ScoreReport) -> dict[str, str]:
    """Every kind of report and the terminal's text, as plain as they can be had."""
    found = {kind: render(kind, report, IN_CLASSROOM) for kind in KINDS}
    found["classroom-legacy"] = base64.b64decode(found["classroom-legacy"]).decode()
    for kind in ("classroom50", "classroom-legacy", "gradescope", "codabench", "prairielearn"):
        found[kind] = json.dumps(json.loads(found[kind]), ensure_ascii=False)
    console = Console(file=io.StringIO(), width=1000)
    if isinstance(report, grader.ScoreReport):
        render_score(report, console)
    else:
        render_check(report, console)
    assert isinstance(console.file, io.StringIO)
    return found | {"terminal": console.file.getvalue()}


def _leaks(texts: dict[str, str]) -> set[tuple[str, str]]:
    return {(kind, secret) for kind, text in texts.items() for secret in SECRETS if secret in text}


@pytest.mark.parametrize("damage", DAMAGES)
def test_no_report_of_a_score_tells(damage: Callable[[Path], None], place: Path) -> None:
    damage(place / FOLDER)
    report = grader.score(place / "submission", place / "made.toml", data=place / FOLDER, device="cpu")
    assert _leaks(_texts(report)), "without hidden mode this course must show, or the test proves nothing"
    hidden = hide(report)
    assert _leaks(_texts(hidden)) == set()
    assert (hidden.state, hidden.points, hidden.max_points) == (report.state, report.points, report.max_points)
    assert hide(hidden).problems == hidden.problems


@pytest.mark.parametrize("damage", [_as_it_is, _broken_labels])
def test_no_report_of_a_check_tells(damage: Callable[[Path], None], place: Path) -> None:
    damage(place / FOLDER)
    report = grader.check(place / "submission", place / "made.toml", data=place / FOLDER)
    assert _leaks(_texts(report))
    assert _leaks(_texts(hide(report))) == set()


def test_what_stays_is_of_use(place: Path) -> None:
    hidden = hide(grader.score(place / "submission", place / "made.toml", data=place / FOLDER, device="cpu"))
    found = {f.rule: f for p in hidden.problems for f in p.findings}
    rebuilt, beyond = found["missing-counterparts"], found["extra-images"]
    assert rebuilt.actual == "no image for 3 pictures" and rebuilt.examples == () and rebuilt.count == 3
    assert rebuilt.expected == "3 images, named as the pictures of numbered/ are"
    assert beyond.examples == ("734008.png",)
    copied, missing, unknown = (found[r] for r in ("copied-images", "csv-missing-rows", "csv-unknown-rows"))
    assert copied.examples[0] == "own0.png" and copied.count == 12
    assert missing.message == "20 of 20 test images have no row in table/answers.csv." and missing.examples == ()
    assert unknown.actual == "line 2: mine.png" and unknown.examples == ("mine.png",)
    accuracy = hidden.problems[1].measures[0]
    assert accuracy.value == 0 and accuracy.details == {} and accuracy.provenance["reference"] == "labels/answers.csv"


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("verb", ["check", "score"])
def test_the_command_says_nothing_either(verb: str, damage: Callable[[Path], None], place: Path) -> None:
    damage(place / FOLDER)
    kinds = [kind for kind in KINDS if kind != "classroom50"]
    reports = [part for kind in kinds for part in ("--report", f"{kind}=out-{kind}")]
    command = (verb, "submission", "--assignment", "made.toml", "--problem", "table", "--data", FOLDER)
    done = run(*command, "--hidden", *reports, "-o", "out.json", cwd=place)
    assert done.returncode in (0, 1, 3) and "Traceback" not in done.stderr
    texts = {path.name: path.read_text() for path in place.glob("out*")}
    texts["out-classroom-legacy"] = base64.b64decode(texts["out-classroom-legacy"]).decode()
    assert len(texts) == len(kinds) + 1
    assert _leaks(texts | {"stdout": done.stdout, "stderr": done.stderr}) == set()


def test_an_error_that_ends_the_run_is_not_told(place: Path) -> None:
    (place / FOLDER / f"{NAME}.npz").write_text("no reference")
    options = ("--assignment", "made.toml", "--reference", f"{FOLDER}/{NAME}.npz")
    plain, hidden = (run("score", "submission", *options, *more, cwd=place) for more in ((), ("--hidden",)))
    assert plain.returncode == hidden.returncode == 2 and NAME in plain.stderr
    assert _leaks({"stderr": hidden.stderr, "stdout": hidden.stdout}) == set()
    assert "not the submission's fault" in hidden.stderr
    gone = run("score", "submission", "--assignment", "made.toml", "--data", f"{FOLDER}/x", "--hidden", cwd=place)
    assert gone.returncode == 2 and FOLDER not in gone.stderr
    nothing = run("score", "no-such-folder", "--assignment", "made.toml", "--hidden", cwd=place)
    assert nothing.returncode == 2 and "No such folder or zip: no-such-folder" in nothing.stderr


def test_a_submission_is_no_link_to_the_data(place: Path) -> None:
    (place / "repository").mkdir()
    (place / "repository" / "submission").symlink_to(f"../{FOLDER}")
    (place / "link").symlink_to("repository")
    (place / FOLDER / "work").mkdir()
    inner = place / "repository" / "submission"
    for path in ("repository/submission", "link/submission", inner, inner / "work", "repository/submission/work"):
        done = run("check", path, "--assignment", "made.toml", "--hidden", cwd=place)
        assert done.returncode == 2 and "is a link" in done.stderr and NAME not in done.stderr + done.stdout
    assert run("check", "submission", "--assignment", "made.toml", "--hidden", cwd=place).returncode == 0


def test_every_rule_was_looked_at() -> None:
    assert HARMLESS | set(REWRITTEN) == set(RULES) and not HARMLESS & set(REWRITTEN)


def test_what_nobody_looked_at_is_left_out() -> None:
    new = dataclasses.replace(finding(f"{NAME} {FOLDER}"), rule="new-rule", deliverable="digits")
    strange = dataclasses.replace(FAIR, findings=(new,), notes=(f"see {NAME}", "The judge x is not known."))
    verdict = strange.problems[1]
    measure = dataclasses.replace(
        verdict.measures[0], details={"new": NAME, "remark": "ok"}, provenance={"new": NAME, "reference_pixels": "00"}
    )
    problem = dataclasses.replace(verdict, measures=(measure,))
    hidden = hide(dataclasses.replace(strange, problems=(problem,)))
    assert not _leaks({"json": hidden.to_json()})
    assert hidden.notes == ("The judge x is not known.", "1 note for the course left out.")
    assert hidden.problems[0].measures[0].details == {"remark": "ok"}
    assert hidden.problems[0].measures[0].provenance == {}


def test_hostile_texts_are_no_obstacle(course: Path) -> None:
    assert hide(EVIL).state == EVIL.state
    done = run("check", GOOD, "--data", course, "--hidden")
    assert done.returncode == 0
