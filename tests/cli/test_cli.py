"""The command as a real process: exit codes, streams, what is imported, what is left behind."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fixtures.mutations import mutate
from tests.conftest import GOOD, ROOT

TOO_LONG = 120


def _run(*arguments: str | Path, cwd: Path | None = None, **env: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "grader", *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, cwd=cwd, env=os.environ | env, timeout=TOO_LONG, check=False
    )


def test_check_passes(course: Path) -> None:
    done = _run("check", GOOD, "--data", course)
    assert done.returncode == 0 and done.stderr == "" and done.stdout.startswith("PASS  dlcv-fall2021-hw2")


def test_exit_codes(course: Path, tmp_path: Path) -> None:
    mutate("hyphen", tmp_path / "bad")
    (tmp_path / "empty").mkdir()
    assert _run("check", tmp_path / "bad", "--problem", "acgan").returncode == 1
    assert _run("check", tmp_path / "bad", "--problem", "acgan", "--exit-zero").returncode == 0
    assert _run("check", tmp_path / "bad").returncode == 1  # gan and dann are missing
    assert _run("check", tmp_path / "empty").returncode == 5
    assert _run("check", tmp_path / "empty", "--exit-zero").returncode == 0
    assert _run("score", GOOD, "--problem", "dann", "--data", course).returncode == 0
    assert _run("score", GOOD, "--problem", "gan", "--data", course).returncode == 3
    assert _run("score", GOOD, "--problem", "gan", "--data", course, "--allow-skipped").returncode == 0
    assert _run("score", tmp_path / "bad", "--problem", "acgan", "--allow-skipped").returncode == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["check", "no/such/folder"], "No such folder or zip"),
        (["check", ".", "--problem", "gann"], "Did you mean 'gan'?"),
        (["check", ".", "--assignment", "dlcv"], "No assignment 'dlcv'"),
        (["check", ".", "--assignment", "none.toml"], "can't be read"),
        (["check", ".", "--data", "none"], "--data: no such folder: none"),
        (["check", ".", "--formt", "json"], "No such option"),
        (["score", ".", "--judge", "digit_classifier"], "expected NAME=PATH"),
        (["score", ".", "--judge", "digits=x"], "no such judge"),
        (["score", ".", "--device", "tpu"], "tpu"),
        (["explain", "misnamd"], "Did you mean 'misnamed'?"),
        (["assignments", "validate", "x.txt"], "ends in .toml"),
        (["assignments", "show", "x"], "No assignment"),
        (["frobnicate"], "No such command"),
    ],
)
def test_wrong_usage_is_code_2_with_one_clear_sentence(arguments: list[str], said: str, tmp_path: Path) -> None:
    done = _run(*arguments, cwd=tmp_path)
    assert done.returncode == 2 and said in done.stderr and done.stdout == ""
    assert "Traceback" not in done.stderr


def test_a_wrong_judge_file(course: Path, tmp_path: Path) -> None:
    (tmp_path / "w.pth").write_bytes(b"nothing")
    judge = f"digit_classifier={tmp_path / 'w.pth'}"
    done = _run("score", GOOD, "--problem", "acgan", "--data", course, "--judge", judge)
    assert done.returncode == 2 and "can't be read: expected a .safetensors file" in done.stderr


def test_json_alone_on_stdout_and_the_same_in_the_file(course: Path, tmp_path: Path) -> None:
    for verb in ("check", "score"):
        out = tmp_path / f"{verb}.json"
        done = _run(verb, GOOD, "--problem", "dann", "--data", course, "--format", "json", "-o", out)
        assert done.returncode == 0 and done.stderr == ""
        assert json.loads(done.stdout)["schema"] == f"grader/{verb}/1"
        assert out.read_text() == done.stdout
    assert sorted(p.name for p in tmp_path.iterdir()) == ["check.json", "score.json"]


def test_a_report_that_cannot_be_written(course: Path, tmp_path: Path) -> None:
    done = _run("check", GOOD, "--data", course, "-o", tmp_path / "none" / "x.json")
    assert done.returncode == 2 and "there is no folder" in done.stderr


def test_default_submission(course: Path, tmp_path: Path) -> None:
    shutil.copytree(GOOD / "dann", tmp_path / "submission" / "dann")
    assert _run("check", "--problem", "dann", "--data", course, cwd=tmp_path).returncode == 0
    assert _run("check", "--problem", "dann", "--data", course, cwd=tmp_path / "submission").returncode == 0


@pytest.mark.parametrize(
    "arguments", [["--help"], ["check", "--help"], ["check", str(GOOD)], ["explain"], ["baselines"]]
)
def test_no_torch_is_imported(arguments: list[str], tmp_path: Path) -> None:
    heavy = "{'torch', 'torchvision', 'scipy', 'numpy'} & set(sys.modules)"
    code = (
        f"import sys; sys.argv = ['grader', *{arguments!r}]\ntry:\n    from grader.cli import main; main()\nfinally:\n"
    )
    code += f"    print(sorted({heavy}), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, timeout=TOO_LONG)
    assert done.returncode == 0 and done.stderr.strip() == "[]", done.stderr


def test_without_the_extra_a_score_says_how_to_install_it(course: Path, tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise ModuleNotFoundError(\"No module named 'torch'\", name='torch')")
    # Features that are kept would need no torch either.
    paths: dict[str, Any] = {"PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}", "GRADER_CACHE": str(tmp_path / "cache")}
    done = _run("score", GOOD, "--problem", "acgan", "--data", course, **paths)
    assert done.returncode == 3 and "pip install" in done.stdout and "[score]" in done.stdout
    assert "Traceback" not in done.stderr
    # Predictions need no torch.
    assert _run("score", GOOD, "--problem", "dann", "--data", course, **paths).returncode == 0


def test_an_interruption_leaves_no_file_and_no_traceback(course: Path, tmp_path: Path) -> None:
    # The signal arrives while a measure is taken: the child sends it to itself there, and waits until it is handled,
    # since another thread may have been given it.
    code = (
        "import signal, sys, threading\n"
        "from grader import verdicts\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # a background job is started with it ignored
        "def interrupted(*_):\n"
        "    signal.raise_signal(signal.SIGINT)\n"
        "    threading.Event().wait(60)\n"
        "verdicts.measure = interrupted\n"
        "from grader.cli import main\n"
        f"sys.argv = ['grader', 'score', {str(GOOD)!r}, '--data', {str(course)!r}, '-o', 'r.json']\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, timeout=TOO_LONG)
    assert done.returncode == 130 and "Interrupted" in done.stderr and "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_bug_shows_no_traceback_unless_asked(tmp_path: Path) -> None:
    code = (
        "import sys\nimport grader.grading\n"
        "def broken(*a, **k): raise RuntimeError('oops')\n"
        "grader.grading.check = broken\nfrom grader.cli import main\nsys.argv = ['grader', 'check', '.']\nmain()\n"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=TOO_LONG)
    assert done.returncode == 3 and "oops" in done.stderr and "Traceback" not in done.stderr
    env = os.environ | {"GRADER_DEBUG": "1"}
    asked = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, timeout=TOO_LONG, env=env)
    assert "Traceback" in asked.stderr


def test_a_reader_that_goes_away() -> None:
    # 0 where all was written before the reader went.
    command = f"{sys.executable} -m grader explain | head -1; test ${{PIPESTATUS[0]}} != 1 || echo falls short"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, cwd=ROOT, timeout=TOO_LONG)
    assert done.stdout.startswith("empty-submission") and "Traceback" not in done.stderr
    assert "falls short" not in done.stdout


def test_a_terminal_without_utf8(course: Path) -> None:
    done = _run("score", GOOD, "--problem", "dann", "--data", course, PYTHONIOENCODING="ascii", LC_ALL="C")
    assert done.returncode == 0 and "Traceback" not in done.stderr


@pytest.mark.parametrize("columns", ["60", "100", "200"])
def test_no_line_is_wider_than_the_terminal_or_100(columns: str, course: Path, tmp_path: Path) -> None:
    mutate("index-column", tmp_path)
    for verb in ("check", "score"):
        done = _run(verb, tmp_path, "--data", course, COLUMNS=columns)
        assert max(map(len, done.stdout.splitlines())) <= min(int(columns), 100)


def test_no_colour_outside_of_a_terminal(course: Path) -> None:
    assert "\x1b" not in _run("score", GOOD, "--problem", "dann", "--data", course).stdout


def test_names_with_control_characters_do_not_reach_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "gan").mkdir()
    (tmp_path / "gan" / "\x1b]0;evil\x07.png").write_bytes(b"x")
    (tmp_path / "gan" / "[red]\u202e.txt").write_bytes(b"x")
    done = _run("check", tmp_path, "--problem", "gan")
    assert done.returncode == 1
    assert not {"\x1b", "\x07", "\u202e"} & set(done.stdout) and "\\x1b]0;evil\\x07.png" in done.stdout
    assert "[red]\\u202e.txt" in done.stdout


def test_fifo_in_place_of_a_file_ends_at_once(tmp_path: Path, course: Path) -> None:
    (tmp_path / "dann").mkdir()
    os.mkfifo(tmp_path / "dann" / "mnistm-usps.csv")
    process = subprocess.Popen(
        [sys.executable, "-m", "grader", "check", str(tmp_path), "--problem", "dann", "--data", str(course)],
        stdout=subprocess.PIPE,
    )
    deadline = time.monotonic() + TOO_LONG
    out, _ = process.communicate(timeout=max(1, deadline - time.monotonic()))
    assert process.returncode == 1 and b"not-a-regular-file" in out


def test_explain(golden: Callable[[str, str], None]) -> None:
    listed = _run("explain").stdout
    assert "zero-based-numbers" in listed and len(listed.splitlines()) >= 30
    golden("explain.txt", _run("explain", "zero-based-numbers").stdout)


def test_assignments_and_baselines(golden: Callable[[str, str], None], tmp_path: Path) -> None:
    listed = _run("assignments", "list").stdout.splitlines()
    known = [path.stem for path in sorted((ROOT / "grader" / "assignments").glob("*.toml"))]
    assert [line.split(maxsplit=1)[0] for line in listed] == known and "dlcv-fall2024-hw2" in known
    assert len({line.index(line.split(maxsplit=1)[1]) for line in listed}) == 1  # titles stand in one column
    shown = _run("assignments", "show", "dlcv-fall2021-hw2").stdout
    golden("assignment.txt", "".join(line for line in shown.splitlines(True) if not line.startswith("Digest")))
    golden("baselines.txt", _run("baselines").stdout)
    golden("baselines-acgan.txt", _run("baselines", "--problem", "acgan").stdout)
    own = tmp_path / "own.toml"
    shutil.copy(ROOT / "grader/assignments/dlcv-fall2021-hw2.toml", own)
    done = _run("assignments", "validate", own)
    assert done.returncode == 0 and "is valid: dlcv-fall2021-hw2, 3 problems" in done.stdout
    own.write_text(own.read_text().replace("count = 1000", "cuont = 1000", 1))
    done = _run("assignments", "validate", own)
    assert done.returncode == 2 and "'count'" in done.stderr and "'cuont'" in done.stderr


def test_text_reports(golden: Callable[[str, str], None], course: Path, tmp_path: Path) -> None:
    golden("check-good.txt", _run("check", GOOD, "--data", course).stdout)
    mutate("zero-based", tmp_path)
    mutate("float-labels", tmp_path)
    golden("check-bad.txt", _run("check", tmp_path, "--data", course).stdout)
    golden("score-good.txt", _run("score", GOOD, "--data", course, "--problem", "acgan", "--problem", "dann").stdout)
    golden("score-bad.txt", _run("score", tmp_path, "--data", course).stdout)


def test_version() -> None:
    assert _run("--version").stdout == f"grader, version {__import__('grader').__version__}\n"


def test_where_a_report_can_go(course: Path, tmp_path: Path) -> None:
    shutil.copytree(GOOD / "dann", tmp_path / "s" / "dann")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    for folder in (elsewhere, tmp_path, tmp_path / "s"):
        (folder / "old.json").write_text("old")
        (folder / "link.json").symlink_to("old.json")
    (tmp_path / "linked").symlink_to(elsewhere)
    os.mkfifo(tmp_path / "pipe.json")
    os.mkfifo(elsewhere / "pipe.json")
    here = tmp_path / "here"
    here.mkdir()

    def check(*output: str) -> subprocess.CompletedProcess[str]:
        return _run("check", tmp_path / "s", "--problem", "dann", "--data", course, "-o", *output, cwd=here)

    assert check("../elsewhere/link.json").returncode == 0  # a place of one's own: a link keeps pointing where it does
    assert (elsewhere / "link.json").is_symlink() and "grader/check/1" in (elsewhere / "old.json").read_text()
    assert check("/dev/null").returncode == 0 and Path("/dev/null").is_char_device()
    wrong = {".": "that is a folder", "none/x.json": "there is no folder none", "": "-o"}
    wrong |= {"../elsewhere/pipe.json": "can't be written", "../s/link.json": "that is a link"}
    for place, said in wrong.items():
        done = check(place)
        assert done.returncode == 2 and said in done.stderr
    here = tmp_path  # a student's own repository: whatever lies there may be prepared
    prepared = {"link.json": "that is a link", "linked/new.json": "lies behind one", "pipe.json": "no regular file"}
    for place, said in prepared.items():
        for done in (check(place), check(str(tmp_path / place)), check("/dev/null", "--report", f"markdown={place}")):
            assert done.returncode == 2 and said in done.stderr and done.stdout == ""
    assert (tmp_path / "old.json").read_text() == "old"
    archive = shutil.make_archive(str(tmp_path / "s"), "zip", tmp_path / "s")
    done = _run("check", archive, "-o", archive)
    assert done.returncode == 2 and "would overwrite it" in done.stderr


def test_empty_arguments_are_unset_variables(tmp_path: Path) -> None:
    for arguments in (["check", ""], ["check", ".", "--data", ""]):
        done = _run(*arguments, cwd=tmp_path)
        assert done.returncode == 2 and "it is empty" in done.stderr


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_stdout_that_is_closed_or_full(unbuffered: str, course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)  # a buffered output fails later than one that isn't
    command = f"{sys.executable} -m grader check {GOOD} --data {course}"
    closed = subprocess.run(["bash", "-c", f"{command} >&-"], capture_output=True, text=True, timeout=TOO_LONG)
    assert closed.returncode == 0 and closed.stderr == ""
    if Path("/dev/full").exists():
        full = subprocess.run(["bash", "-c", f"{command} >/dev/full"], capture_output=True, text=True, timeout=TOO_LONG)
        assert full.returncode == 3 and "No space left" in full.stderr and "Traceback" not in full.stderr


def test_a_terminal_of_no_width(course: Path) -> None:
    assert "PASS" in _run("check", GOOD, "--data", course, COLUMNS="0").stdout


def test_folder_names_with_control_characters(tmp_path: Path) -> None:
    shutil.copytree(GOOD / "acgan", tmp_path / "ev\x1b[31mil")
    done = _run("check", tmp_path, "--problem", "acgan")
    assert done.returncode == 1 and "\x1b" not in done.stdout and "misplaced" in done.stdout


def test_paths_with_control_characters_in_an_error(tmp_path: Path) -> None:
    done = _run("check", tmp_path / "\x1b[31m\n::error::x")
    assert done.returncode == 2 and done.stderr.count("\n") == 1 and "\\x1b[31m\\n::error::x" in done.stderr
