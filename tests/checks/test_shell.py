from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.checks.shell import TooNested, uses


def _used(script: str, kind: str = "command") -> list[tuple[str, int]]:
    return [(u.word, u.line) for u in uses(script) if u.kind == kind]


@pytest.mark.parametrize(
    "script",
    [
        "# rm -rf x",
        "echo 'rm x'",
        'echo "please rm x; mkdir y"',
        "python3 p.py --note 'sudo rm x'",
        "cat <<EOF\nrm x\ncp a b\nEOF",
        "cat <<'EOF'\n$(rm x)\nEOF",
        "python3 rm.py mkdir_out --cp 3 # cp",
        "for f in rm mv; do echo $f; done",
        "rmdir_like=3",
        "case $1 in rm) true;; esac",
    ],
)
def test_words_that_run_nothing(script: str) -> None:
    assert not {w for w, _ in _used(script)} & {"rm", "mkdir", "cp", "mv", "sudo"}


@pytest.mark.parametrize(
    ("script", "word", "line"),
    [
        ("\n\nrm x", "rm", 3),
        ("A=1 rm x", "rm", 1),
        ("true && rm x || false", "rm", 1),
        ("if true; then\n  rm x\nfi", "rm", 2),
        ("x=$(rm y)", "rm", 1),
        ("x=`rm y`", "rm", 1),
        ('echo "$(rm y)"', "rm", 1),
        ("cat <<EOF\n$(rm x)\nEOF", "rm", 2),
        ("sudo rm x", "rm", 1),
        ("env A=1 rm x", "rm", 1),
        ("ls | xargs rm", "rm", 1),
        ("find . -exec rm {} \\;", "rm", 1),
        ("\\rm x", "rm", 1),
        ("'rm' x", "rm", 1),
        ('r"m" x', "rm", 1),
        ("/bin/rm x", "rm", 1),
        ("(rm x)", "rm", 1),
        ("f() { rm x; }", "rm", 1),
        ("bash -c 'true\nrm x'", "rm", 2),
        ('eval "rm x"', "rm", 1),
        ("python3 -m pip install x", "pip", 1),
        ("diff <(rm x) y", "rm", 1),
    ],
)
def test_commands_that_run(script: str, word: str, line: int) -> None:
    assert (word, line) in _used(script)


def test_variables_that_are_set() -> None:
    script = "A=1\nB=2 ls\nexport C=3\nexport D\nunset E\nenv F=1 ls\necho $G"
    assert [w for w, _ in _used(script, "variable")] == ["A", "B", "C", "D", "E", "F"]


@pytest.mark.parametrize(
    ("script", "paths"),
    [
        ("python3 a.py /home/me/x", ["/home/me/x"]),
        ('python3 a.py --w "/home/me/x y"', ["/home/me/x y"]),
        ("python3 a.py --w=/home/me/x", ["/home/me/x"]),
        ("python3 a.py ~/x", ["~/x"]),
        ('python3 a.py "$HOME/x"', ["$HOME/x"]),
        ("W=/home/me/x", ["/home/me/x"]),
        ("ls > /tmp/log", ["/tmp/log"]),
        ("[ -f /etc/x ]", ["/etc/x"]),
        ("ls > /dev/null 2>&1", []),
        ("python3 a.py $1 ./x ../y z/w", []),
        ("wget https://example.org/x", []),
        ("echo /tmp; sed 's/a/b/' x; awk '/x/' y", []),
        ("#!/bin/bash", []),
    ],
)
def test_absolute_paths(script: str, paths: list[str]) -> None:
    assert [w for w, _ in _used(script, "path")] == paths


@given(st.text(max_size=60))
def test_any_text_is_parsed(script: str) -> None:
    for use in uses(script):
        assert 1 <= use.line <= script.count("\n") + 1


def test_letters_beyond_latin_1_do_not_end_the_process() -> None:
    """In a process of its own, and often: what lies beside the parser's tables decides whether it ends."""
    code = "import grader.checks.shell as s; [s.uses('\\x1b&\\xff{\\U001032df\\xd64\\x8eau') for _ in range(3000)]"
    for _ in range(5):
        assert subprocess.run([sys.executable, "-c", code], timeout=120).returncode == 0


def test_names_in_any_script_are_kept() -> None:
    assert [u.word for u in uses("/tmp/größe x; r\u00e9m y; 数据 z")] == ["größe", "/tmp/größe", "rém", "数据"]


def test_deep_nesting_ends() -> None:
    assert "rm" in {u.word for u in uses("$(" * 200 + "rm x" + ")" * 200)}
    uses("$(" * 2000 + "rm x" + ")" * 2000)  # ends, whatever it finds
    quoted = "rm x"
    for _ in range(8):
        quoted = "bash -c " + "'" + quoted.replace("'", "'\\''") + "'"
    assert _used(quoted)[0] == ("bash", 1)


@pytest.mark.parametrize(
    "script",
    [
        *(
            "'r'm x",
            "r''m x",
            "$'rm' x",
            "alias r=rm",
            "trap 'rm -rf tmp' EXIT",
            "eval rm x",
            "coproc rm x",
        ),
        *("bash -ec 'rm x'", "setsid rm x", "timeout 5 rm x", "nice -n 3 rm x", "xargs -n 1 rm", "sudo -n rm x"),
    ],
)
def test_disguises(script: str) -> None:
    assert "rm" in {word for word, _ in _used(script)}


@pytest.mark.parametrize(
    "script",
    [
        *("cp=1; echo $cp", "timeout 600 python3 t.py --mode cp", "find data -name cp", "command -v cp"),
        *("env A=1 python3 t.py cp", "xargs python3 cp"),
    ],
)
def test_words_that_only_look_like_commands(script: str) -> None:
    assert "cp" not in {word for word, _ in _used(script)}


@pytest.mark.parametrize(
    "script",
    ["tr '/' '_'", "cut -d '/' -f1", "IFS=/ read x", "[[ $1 == /* ]]", 'M="/ means root"', "case $1 in /*) :;; esac"],
)
def test_slashes_that_are_no_paths(script: str) -> None:
    assert _used(script, "path") == []


def test_evals_within_evals_have_an_end() -> None:
    assert ("rm", 1) in _used("eval \"eval 'rm x'\"")
    with pytest.raises(TooNested):
        uses('eval "$(' * 3000 + ":" + ')"' * 3000)


def test_a_word_of_kilobytes_is_no_path_and_hides_no_command() -> None:
    assert _used("ls /" + "a" * 2000, "path") == []
    assert [word for word, _ in _used('"$(' * 2000 + "rm x" + ')"' * 2000)].count("rm") == 1
