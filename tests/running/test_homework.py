"""`grader run` from the command line: scripts as the courses publish them, to points."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from grader.assignment import load_assignment
from grader.errors import UsageError
from grader.references.data import Data
from grader.running import sandbox
from grader.running.homework import Homework, Options, check_places
from tests.cli.test_cli import _run as grader
from tests.conftest import GOOD, ROOT

# Writes the good submission's table of this target, which lies in the repository.
SCRIPT = 'python3 predict.py "$1" "$2" "$3"\n'
PREDICT = """
import os, shutil, sys
images, target, place = sys.argv[1:]
print(len(os.listdir(images)), "pictures of", target)
shutil.copy("answers/" + os.path.basename(place), place)
"""


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    top = tmp_path / "student"
    shutil.copytree(GOOD / "dann", top / "answers")
    (top / "hw2_p3.sh").write_text(SCRIPT)
    (top / "predict.py").write_text(PREDICT)
    return top


def _run(repository: Path, course: Path, *options: str) -> tuple[int, dict[str, Any], dict[str, Any], str]:
    """Exit code, score, run.json and stderr of a run of the third problem."""
    home = repository.parent
    words: list[str | Path] = [
        "run",
        repository,
        "--problem",
        "dann",
        "--data",
        course,
        "-o",
        home / "out",
        "--time",
        "0.2",
        *options,
    ]
    done = grader(*words, "--report", f"json={home / 'score.json'}", cwd=home)
    assert "Traceback" not in done.stderr, done.stderr
    record = json.loads((home / "out.run" / "run.json").read_text())
    schema = json.loads((ROOT / "docs" / "schemas" / "run-1.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(record)
    return done.returncode, json.loads((home / "score.json").read_text()), record, done.stderr


def _rules(score: dict[str, Any]) -> list[str]:
    found = [*score["findings"], *(f for p in score["problems"] for f in p["findings"])]
    return [f["rule"] for f in found if f["rule"] != "reference-count"]


@pytest.mark.sandbox
def test_a_good_repository_twice(repository: Path, course: Path) -> None:
    code, score, record, _ = _run(repository, course, "--twice")
    assert code == 0 and score["points"] == 9 and _rules(score) == []
    assert "Both runs wrote the same bytes." in score["notes"]
    assert [c["state"] for c in record["calls"]] == ["ok"] * 6
    assert [c["attempt"] for c in record["calls"]] == [1, 1, 1, 2, 2, 2]
    logs = repository.parent / "out.run"
    assert (logs / "01-hw2_p3.out.txt").read_text() == "100 pictures of usps\n"
    assert sorted(os.listdir(repository.parent / "out" / "dann")) == [  # noqa: PTH208
        *("mnistm-usps.csv", "svhn-mnistm.csv", "usps-svhn.csv")
    ]


@pytest.mark.sandbox
def test_another_result_costs_half(repository: Path, course: Path) -> None:
    change = (
        "lines = open(place).read().split('\\n')\n"
        "wrong = int.from_bytes(os.urandom(4), 'big') % 50 if target == 'svhn' else 0\n"
        "lines[1:1 + wrong] = [l[:-1] + str((int(l[-1]) + 1) % 10) for l in lines[1:1 + wrong]]\n"
        "open(place, 'w').write('\\n'.join(lines))\n"
    )
    (repository / "predict.py").write_text(PREDICT + change)
    for _ in range(5):  # two runs draw the same number once in fifty times
        for name in ("out", "out.run"):
            shutil.rmtree(repository.parent / name, ignore_errors=True)
        _, score, _, _ = _run(repository, course, "--twice")
        (problem,) = score["problems"]
        if problem["findings"] and "takes 50% of" in problem["findings"][0]["message"]:
            break
    assert _rules(score) == ["not-reproducible"]
    assert problem["points"] == problem["would_earn"] / 2
    told = problem["findings"][0]["message"]
    assert "1 of 3 files differ" in told and "target_accuracy.usps-svhn" in told


@pytest.mark.sandbox
def test_other_bytes_with_equal_measures_cost_nothing(repository: Path, course: Path) -> None:
    lines = "\nimport random\nhead, *rows = open(place).read().split()\nrandom.shuffle(rows)\n"
    (repository / "predict.py").write_text(PREDICT + lines + "open(place, 'w').write('\\n'.join([head, *rows]))\n")
    code, score, _, _ = _run(repository, course, "--twice")
    assert _rules(score) == ["not-reproducible"] and score["points"] == 9 and code == 0


@pytest.mark.sandbox
def test_too_slow_for_one_target(repository: Path, course: Path) -> None:
    (repository / "hw2_p3.sh").write_text(SCRIPT + '[ "$2" != svhn ] || sleep 60\n')
    code, score, record, _ = _run(repository, course, "--time", "0.02")
    assert code == 1 and [c["state"] for c in record["calls"]] == ["ok", "ok", "timed-out"]
    assert _rules(score) == ["run-timed-out"] and (score["points"], score["problems"][0]["would_earn"]) == (6, 9)


@pytest.mark.sandbox
def test_what_an_ended_call_wrote_for_another_one_is_void_too(repository: Path, course: Path) -> None:
    all_at_once = "mkdir -p /homework/submission/dann; cp answers/*.csv /homework/submission/dann; sleep 60\n"
    (repository / "hw2_p3.sh").write_text(f'if [ "$2" = usps ]; then {all_at_once.strip()}; fi\n')
    code, score, record, _ = _run(repository, course, "--time", "0.02")
    assert code == 1 and record["calls"][0]["state"] == "timed-out"
    assert (score["points"], score["problems"][0]["would_earn"]) == (0, 9)


@pytest.mark.sandbox
def test_an_optional_script_that_is_ended_is_a_warning(repository: Path, course: Path) -> None:
    (repository / "hw2_bonus.sh").write_text("sleep 60\n")
    code, score, _, _ = _run(repository, course, "--time", "0.02")
    assert code == 0 and score["state"] == "pass" and score["points"] == 9
    assert set(_rules(score)) == {"run-timed-out"}


@pytest.mark.sandbox
def test_folders_in_folders_without_end(repository: Path, course: Path) -> None:
    place = os.open(repository, os.O_RDONLY)
    for _ in range(1500):
        os.mkdir("d", dir_fd=place)
        inner = os.open("d", os.O_RDONLY, dir_fd=place)
        os.close(place)
        place = inner
    os.close(place)
    try:
        code, score, record, _ = _run(repository, course)
    finally:
        # pytest clears old folders by recursion, so this one would end a later session; `rm` doesn't recurse.
        subprocess.run(["rm", "-rf", repository / "d"], check=True)
    assert code == 1 and {c["state"] for c in record["calls"]} == {"could-not-start"} and score["points"] == 0
    assert "too deep" in record["calls"][0]["reason"]


@pytest.mark.sandbox
def test_a_script_that_fails_and_one_that_links(repository: Path, course: Path) -> None:
    trick = 'import os, sys\nos.symlink("/etc/passwd", sys.argv[3])\nopen("/homework/submission/x", "w").close()\n'
    (repository / "predict.py").write_text(trick + "sys.exit(3)\n")
    code, score, record, _ = _run(repository, course)
    assert code == 1 and {c["exit_code"] for c in record["calls"]} == {3} and score["points"] == 0
    assert set(_rules(score)) == {"run-failed", "run-output-refused", "empty-submission"}
    assert ["dann/mnistm-usps.csv", "a link"] in record["calls"][0]["refused"]
    assert ["x", "lies in no folder of dann"] in record["calls"][0]["refused"]
    assert not list((repository.parent / "out").iterdir())


@pytest.mark.sandbox
def test_a_script_that_is_not_there(repository: Path, course: Path) -> None:
    (repository / "hw2_p3.sh").rename(repository / "HW2_p3.sh")
    code, score, record, _ = _run(repository, course)
    assert code == 1 and "missing-script" in _rules(score) and record["calls"] == []


COURSE = """
schema = "grader/assignment/1"
id = "hw"
title = "Homework"
[[problem]]
id = "gan"
title = "GAN"
[[problem.deliverable]]
id = "log"
kind = "log"
path = "samples/log.csv"
columns = ["step", "loss"]
[[repository.script]]
path = "download.sh"
fetch = true
[[repository.script]]
problem = "gan"
path = "run.sh"
runs = [[]]
collects = ["samples/log.csv"]
"""


@pytest.mark.sandbox
def test_what_is_written_beside_the_script_and_fetched(tmp_path: Path) -> None:
    """The committed earlier copy isn't taken; what the download brings is there for the others, and not on disk."""
    (tmp_path / "hw.toml").write_text(COURSE)
    top = tmp_path / "student"
    (top / "samples").mkdir(parents=True)
    (top / "samples" / "log.csv").write_text("old")
    (top / "download.sh").write_text("test -e /etc/resolv.conf && cp /etc/resolv.conf weights; echo 1 >> weights")
    (top / "run.sh").write_text(
        "test -e samples/log.csv && exit 9\nprintf 'step,loss\\n1,2\\n2,1\\n' > samples/log.csv\nls"
    )
    data: list[str | Path] = ["--assignment", tmp_path / "hw.toml", "--data", tmp_path / "none"]
    words: list[str | Path] = ["run", top, *data, "-o", tmp_path / "out"]
    (tmp_path / "none").mkdir()
    done = grader(*words, "--fetch", cwd=tmp_path)
    record = json.loads((tmp_path / "out.run" / "run.json").read_text())
    assert [(c["script"], c["state"], c["network"]) for c in record["calls"]] == [
        ("download.sh", "ok", True),
        ("run.sh", "ok", False),
    ]
    assert "weights" in (tmp_path / "out.run" / "02-run.out.txt").read_text()
    assert (tmp_path / "out" / "samples" / "log.csv").read_text().startswith("step,loss") and done.returncode == 0
    assert not (top / "weights").exists()
    words[-1] = tmp_path / "again"
    done = grader(*words, cwd=tmp_path)
    assert "download.sh was not run: --fetch allows it the network." in " ".join(done.stdout.split())


def test_places_that_are_refused(tmp_path: Path) -> None:
    top = tmp_path / "student"
    (top / "hw2_data").mkdir(parents=True)
    out, logs = tmp_path / "out", tmp_path / "out.run"
    nothing = Data(None, "hw2_data")
    check_places(top, nothing, out, logs)
    with pytest.raises(UsageError, match="whose scripts would see the labels"):
        check_places(top, Data(top / "hw2_data", "hw2_data"), out, logs)
    with pytest.raises(UsageError, match="lies inside of the repository"):
        check_places(top, nothing, top / "out", logs)
    with pytest.raises(UsageError, match="no such folder"):
        check_places(tmp_path / "absent", nothing, out, logs)
    with pytest.raises(UsageError, match="There is no folder"):
        check_places(top, nothing, tmp_path / "a" / "b", logs)
    (tmp_path / "system" / "labels").mkdir(parents=True)
    (tmp_path / "data" / "digits").mkdir(parents=True)
    shown = [tmp_path / "system"]
    for home in (tmp_path / "system", tmp_path / "system" / "labels"):
        with pytest.raises(UsageError, match="scripts see as a whole"):
            check_places(top, Data(home, "x"), out, logs, shown=shown)
    with pytest.raises(UsageError, match="scripts see as a whole"):
        check_places(top, nothing, tmp_path / "system" / "out", logs, shown=shown)
    data = Data(tmp_path / "data", "x")
    check_places(top, data, out, logs, shown=shown, labels=["digits/test.csv"])
    (tmp_path / "system" / "labels" / "test.csv").touch()
    (tmp_path / "data" / "digits" / "test.csv").symlink_to(tmp_path / "system" / "labels" / "test.csv")
    with pytest.raises(UsageError, match="scripts see as a whole"):
        check_places(top, data, out, logs, shown=shown, labels=["digits/test.csv"])
    assert Path("/usr") in sandbox.shown_trees(())
    out.mkdir()
    check_places(top, nothing, out, logs)
    (out / "x").touch()
    with pytest.raises(UsageError, match="is there already"):
        check_places(top, nothing, out, logs)


def test_without_bubblewrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done = grader("run", tmp_path, "-o", tmp_path.parent / "x", cwd=tmp_path, PATH=str(tmp_path))
    assert done.returncode == 2 and "apt install bubblewrap" in done.stderr and "Traceback" not in done.stderr
    broken = tmp_path / "bwrap"
    broken.write_text("#!/bin/sh\necho 'bwrap: No permissions to create a new namespace' >&2\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    sandbox.find_sandbox.cache_clear()
    try:
        with pytest.raises(UsageError, match="No permissions to create a new namespace"):
            sandbox.find_sandbox()
        monkeypatch.setattr(sys, "platform", "darwin")
        sandbox.find_sandbox.cache_clear()
        with pytest.raises(UsageError, match="needs Linux"):
            sandbox.find_sandbox()
    finally:
        sandbox.find_sandbox.cache_clear()


def test_python_environments(tmp_path: Path) -> None:
    assert sandbox.python_environments(None)[0] == Path(sys.prefix)
    assert Path(sys.prefix) in sandbox.python_environments(Path(sys.prefix))
    with pytest.raises(UsageError, match="no Python that starts"):
        sandbox.python_environments(tmp_path)


def test_scripts_that_nobody_can_call_are_not_held_against_a_student(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grader.running.homework.find_sandbox", lambda: sandbox.Sandbox("/usr/bin/bwrap", "0", 0, ()))
    earlier = load_assignment("dlcv-fall2020-hw3")
    homework = Homework(tmp_path, earlier, earlier, Data(None, "x"), Options())
    assert homework.scored == ("vae", "gan")
    (note,) = homework.notes
    assert note.startswith("hw3_p3.sh, hw3_p4.sh: not run and not scored")
    runs = {s.path: s.runs for s in homework.scripts}
    assert runs == {"hw3_p1.sh": (("{out}/VAE/fig1_4.png",),), "hw3_p2.sh": (("{out}/GAN/fig2_2.png",),)}
    with pytest.raises(UsageError, match="doesn't say how its scripts are called"):
        Homework(tmp_path, earlier, earlier.only(["dann"]), Data(None, "x"), Options())


def test_what_an_assignment_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grader.running.homework.find_sandbox", lambda: sandbox.Sandbox("/usr/bin/bwrap", "0", 0, ()))
    later = load_assignment("dlcv-fall2022-hw2")
    with pytest.raises(UsageError, match="doesn't say how its scripts are called"):
        Homework(tmp_path, later, later, Data(None, "x"), Options())
    default = load_assignment()
    with pytest.raises(UsageError, match="pass --data DIR"):
        Homework(tmp_path, default, default, Data(None, "x"), Options())
    with pytest.raises(UsageError, match="nothing to download"):
        Homework(tmp_path, default, default.only(["gan"]), Data(None, "x"), Options(fetch=True))
