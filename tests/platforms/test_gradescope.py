"""The zip for Gradescope: its bytes, and its scripts as Gradescope runs them, in a folder in place of /autograder."""

from __future__ import annotations

import importlib.util
import io
import json
import shutil
import stat
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType
from typing import Any

import jsonschema
import pytest

from grader import __version__
from grader.assignment import load_assignment
from grader.errors import UsageError
from grader.platforms.gradescope import build_autograder
from tests.cli.test_cli import _run as run
from tests.conftest import GOOD, ROOT
from tests.reporting.test_hidden import ASSIGNMENT, BASELINES

SCHEMA = json.loads((ROOT / "tests" / "reporting" / "schemas" / "gradescope.json").read_text())
TOO_LONG = 120


def _install(root: Path, content: bytes) -> None:
    """What Gradescope does with a zip, with this Python in place of the one that setup.sh would make."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        archive.extractall(root / "source")
    shutil.copy(root / "source" / "run_autograder", root / "run_autograder")
    (root / "run_autograder").chmod(0o755)
    (root / "submission").mkdir()
    _python(root, f'PYTHONPATH="{ROOT}" exec "{sys.executable}" "$@"')


def _python(root: Path, line: str) -> None:
    place = root / "venv" / "bin" / "python"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(f"#!/bin/sh\n{line}\n")
    place.chmod(0o755)


def _grade(root: Path) -> dict[str, Any]:
    """Runs run_autograder in a clean environment; the valid result."""
    done = subprocess.run(
        [root / "run_autograder"],
        env={"AUTOGRADER_ROOT": str(root), "PATH": "/usr/bin:/bin"},
        cwd="/",
        capture_output=True,
        text=True,
        timeout=TOO_LONG,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads((root / "results" / "results.json").read_text())
    jsonschema.Draft202012Validator(SCHEMA).validate(result)
    return result


@pytest.fixture
def root(tmp_path: Path, course: Path) -> Path:
    """An autograder for problem 3 with the data in it."""
    place = tmp_path / "auto grader"
    place.mkdir()
    _install(place, build_autograder("dlcv-fall2021-hw2", problems=["dann"], data=course).to_bytes())
    return place


def test_a_submission_is_scored(root: Path) -> None:
    shutil.copytree(GOOD / "dann", root / "submission" / "dann", ignore=shutil.ignore_patterns("improved"))
    result = _grade(root)
    assert result["score"] == 9 and result["extra_data"]["state"] == "pass"
    assert [row["name"] for row in result["leaderboard"]] == [
        "target_accuracy.mnistm-usps %",
        "target_accuracy.svhn-mnistm %",
        "target_accuracy.usps-svhn %",
    ]


def test_a_folder_around_the_submission_is_looked_into(root: Path) -> None:
    shutil.copytree(GOOD / "dann", root / "submission" / "submission" / "dann")
    assert _grade(root)["score"] == 9


def test_an_empty_submission_is_the_students_fault(root: Path) -> None:
    _earlier(root, 7)
    result = _grade(root)
    assert result["score"] == 0 and "There is nothing in the submission." in result["tests"][0]["output"]


def test_no_name_of_the_data_is_shown(root: Path) -> None:
    shutil.copytree(GOOD / "dann", root / "submission" / "dann", ignore=shutil.ignore_patterns("improved"))
    table = root / "submission" / "dann" / "usps-svhn.csv"
    table.write_text("".join(li for li in table.read_text().splitlines(keepends=True) if li[:5] != "00042"))
    text = json.dumps(_grade(root))
    assert "1 of 100 test images has no row" in text and "00042" not in text and str(root) not in text


def _earlier(root: Path, score: object, **more: object) -> None:
    earlier = [
        {"submission_time": "2026-11-01T10:00:00-08:00", "score": 1.0},
        {"submission_time": "2026-11-03T10:00:00-08:00", "score": score, **more},
        {"submission_time": "2026-11-02T10:00:00-08:00", "score": 2.0},
    ]
    (root / "submission_metadata.json").write_text(json.dumps({"previous_submissions": earlier}))


def test_a_crash_costs_no_points(root: Path) -> None:
    (root / "source" / "settings.json").write_text(json.dumps({"arguments": ["--no-such-option"], "minutes": 9}))
    assert _grade(root)["score"] == 0
    _earlier(root, 7.5)
    result = _grade(root)
    assert result["score"] == 7.5 and result["extra_data"]["state"] == "error"
    assert "not your submission's fault" in result["output"] and "last submission, 7.5" in result["output"]


@pytest.mark.parametrize(
    ("newest", "failed", "kept"),
    [("7", False, 7), (None, False, 2), ("x", False, 2), (float("nan"), False, 2), (-1, False, 2), (7, True, 2)],
)
def test_metadata_of_every_kind(newest: object, failed: bool, kept: float, root: Path) -> None:
    """The newest score that is one, of a submission that was graded without an error."""
    (root / "source" / "settings.json").write_text(json.dumps({"arguments": ["--no-such-option"], "minutes": 9}))
    _earlier(root, newest, autograder_error=failed)
    assert _grade(root)["score"] == kept
    (root / "submission_metadata.json").write_text("[1, 2")
    assert _grade(root)["score"] == 0


def _runner() -> ModuleType:
    """run.py as it is in the package."""
    place = ROOT / "grader" / "templates" / "gradescope" / "run.py"
    spec = importlib.util.spec_from_file_location("gradescope_run", place)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_newest_score_that_counts() -> None:
    def last(*submissions: object) -> object:
        return _runner().last_score({"previous_submissions": list(submissions)})

    new, old = {"submission_time": "2026-11-02", "score": 3}, {"submission_time": "2026-11-01", "score": "4.5"}
    assert last(new, old) == last(old, new) == 3
    assert last(old, new | {"autograder_error": True}) == 4.5
    assert last(old, new | {"score": None}, "x", None, {"score": -1}, {"score": "inf"}) == 4.5
    assert (
        last() is None
        and _runner().last_score({}) is None
        and _runner().last_score({"previous_submissions": 3}) is None
    )


def test_a_grader_that_writes_something_else(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runner, results = _runner(), root / "results"
    results.mkdir()
    for written in ("", "{", "[]", '{"tests": 3}'):

        def grade(*_: object, text: str = written, **__: object) -> None:
            (results / "grader.json").write_text(text)
            raise FileNotFoundError("no python")

        monkeypatch.setattr(runner.subprocess, "run", grade)
        runner.main(root)
        found = json.loads((results / "results.json").read_text())
        jsonschema.Draft202012Validator(SCHEMA).validate(found)
        assert found["extra_data"] == {"state": "error"} and not (results / "grader.json").exists()


def test_what_takes_too_long_is_ended(root: Path) -> None:
    (root / "source" / "settings.json").write_text(json.dumps({"arguments": [], "minutes": 0}))
    result = _grade(root)
    assert result["extra_data"]["state"] == "error" and result["tests"] == []


def test_without_python_there_is_a_result(root: Path) -> None:
    (root / "results").mkdir()
    (root / "results" / "results.json").write_text("of the last run")
    _python(root, "exit 127")
    result = _grade(root)
    assert result["score"] == 0 and "could not start" in result["output"]


def test_skipped_measures_do_not_lower_a_score(tmp_path: Path) -> None:
    _install(tmp_path, build_autograder("dlcv-fall2021-hw2", problems=["dann"]).to_bytes())
    shutil.copytree(GOOD / "dann", tmp_path / "submission" / "dann")
    _earlier(tmp_path, 6)
    result = _grade(tmp_path)
    assert result["extra_data"]["state"] == "skipped" and result["score"] == 6


def test_the_same_bytes_and_modes(course: Path) -> None:
    first, second = (build_autograder("dlcv-fall2021-hw2", problems=["dann"], data=course).to_bytes() for _ in range(2))
    assert first == second
    infos = {info.filename: info for info in zipfile.ZipFile(io.BytesIO(first)).infolist()}
    assert {n for n, i in infos.items() if i.external_attr >> 16 & stat.S_IXUSR} == {"setup.sh", "run_autograder"}
    assert set(infos) == {
        *("setup.sh", "run_autograder", "run.py", "settings.json"),
        *(f"data/digits/{domain}/test.csv" for domain in ("mnistm", "svhn", "usps")),
    }


def test_an_assignment_file_goes_in(tmp_path: Path) -> None:
    (tmp_path / "made.toml").write_text(ASSIGNMENT)
    (tmp_path / "baselines.toml").write_text(BASELINES)
    built = build_autograder(str(tmp_path / "made.toml"))
    (tmp_path / "out").mkdir()
    _install(tmp_path / "out", built.to_bytes())
    inside = load_assignment(tmp_path / "out" / "source" / "assignment" / "assignment.toml")
    assert inside == load_assignment(tmp_path / "made.toml")
    assert built.skipped == [
        "fd_efficientnet_lite0: needs pictures/test",
        "target_accuracy.answers: needs labels/answers.csv",
    ]
    arguments = json.loads(built.files["settings.json"])["arguments"]
    assert arguments == ["--hidden", "--assignment=assignment/assignment.toml"]


def test_references_stand_in_for_pictures(course: Path) -> None:
    reference = ROOT / "fixtures" / "references" / "face-test.efficientnet-lite0.npz"
    built = build_autograder("dlcv-fall2021-hw2", problems=["gan"], references=[reference])
    assert built.files["references/1.npz"] == reference.read_bytes()
    with_data = build_autograder("dlcv-fall2021-hw2", problems=["gan"], data=course)
    assert len([n for n in with_data.files if n.startswith("data/face/test/")]) == 100
    with pytest.raises(UsageError, match="which no measure here uses"):
        build_autograder("dlcv-fall2021-hw2", problems=["dann"], references=[reference])


def _stub(folder: Path, name: str, text: str) -> None:
    folder.mkdir(exist_ok=True, parents=True)
    (folder / name).write_text(f"#!/bin/bash\n{text}\n")
    (folder / name).chmod(0o755)


@pytest.mark.parametrize("old", [False, True])
def test_setup(old: bool, tmp_path: Path) -> None:
    """With stubs that write down what they are asked to do."""
    wheel = tmp_path / f"vision_grader-{__version__}-py3-none-any.whl"
    wheel.write_bytes(b"a wheel")
    content = build_autograder("dlcv-fall2021-hw2", problems=["gan"], wheel=wheel).to_bytes()
    _install(tmp_path, content)
    log = tmp_path / "log"
    python = (
        f'[ "$1" = -c ] && exit {{code}}; echo "python $*" >> {log}; '
        f'[ "$2" = venv ] && mkdir -p "$3/bin" && cp "$0" "$3/bin/python"; exit 0'
    )
    for name in ("python3.13", "python3.12", "python3.11", "python3"):
        _stub(tmp_path / "stubs", name, python.format(code=int(old)))
    _stub(tmp_path / "stubs", "apt-get", f'echo "apt-get $*" >> {log}')
    subprocess.run(
        ["/bin/bash", tmp_path / "source" / "setup.sh"],
        env={"AUTOGRADER_ROOT": str(tmp_path), "PATH": f"{tmp_path / 'stubs'}:/usr/bin:/bin"},
        check=True,
        timeout=TOO_LONG,
    )
    lines = log.read_text().splitlines()
    assert [line for line in lines if "apt-get install" in line] == (
        ["apt-get install -y python3.11 python3.11-venv"] if old else []
    )
    venv, install, *rest = (line for line in lines if line.startswith("python"))
    assert venv == f"python -m venv {tmp_path}/venv"
    assert install.endswith(f"whl/cpu ./{wheel.name}[score]")
    assert rest == [
        "python -P -m grader weights fetch inception",
        "python -P -m grader weights fetch torchvision_inception",
        "python -P -m grader assignments show dlcv-fall2021-hw2",
    ]


def test_the_version_is_pinned() -> None:
    whole, csv_only = (build_autograder("dlcv-fall2021-hw2", problems=p).files["setup.sh"] for p in ([], ["dann"]))
    assert f"'vision-grader[score]=={__version__}'" in whole.decode()
    assert f"cpu vision-grader=={__version__}" in csv_only.decode()


def test_cascades_bring_their_extra(tmp_path: Path) -> None:
    text = (ROOT / "grader/assignments/dlcv-fall2022-hw2.toml").read_text()
    (tmp_path / "own.toml").write_text(text.replace("baselines = ", "# "))
    setup = build_autograder(str(tmp_path / "own.toml"), problems=["gan"]).files["setup.sh"].decode()
    assert f"'vision-grader[score,faces]=={__version__}'" in setup


def test_the_command(tmp_path: Path, course: Path) -> None:
    done = run("export", "gradescope", "--problem", "dann", "--data", course, cwd=tmp_path)
    assert done.returncode == 0 and done.stdout == "autograder.zip: 7 files, 0.0 MiB.\n" and not done.stderr
    told = run("export", "gradescope", "--problem", "dann", "-o", "b.zip", cwd=tmp_path).stdout
    assert "will be skipped" in told and "target_accuracy.usps-svhn: needs digits/svhn/test.csv" in told
    (tmp_path / "my.whl").touch()
    for options, said in (
        (["--wheel", "my.whl"], "as `python -m build` names it"),
        (["--assignment", "none.toml"], "can't be read"),
        (["--data", "none"], "does not exist"),
        (["--reference", "none.npz"], "can't be read"),
        (["--judge", "inception=none"], "no such file"),
        (["--minutes", "50"], "1<=x<=40"),
        (["-o", "no/such.zip"], "there is no folder"),
    ):
        wrong = run("export", "gradescope", *options, cwd=tmp_path)
        assert wrong.returncode == 2 and said in wrong.stderr and "Traceback" not in wrong.stderr
