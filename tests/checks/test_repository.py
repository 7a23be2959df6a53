from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

import grader
from grader.checks import parsing
from tests.conftest import GOOD

PDF = b"%PDF-1.5\n"


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    shutil.copytree(GOOD / "dann", tmp_path / "dann")
    for name in ("hw2_p1.sh", "hw2_p2.sh", "hw2_p3.sh"):
        (tmp_path / name).write_text("#!/bin/bash\n# mkdir is not used\npython3 p.py $1\n")
    (tmp_path / "hw2_r10922001.pdf").write_bytes(PDF)
    return tmp_path


def _findings(repo: Path, problem: str = "dann") -> list[grader.Finding]:
    return list(grader.check(repo, problems=[problem], with_repository=True).findings)


def test_a_good_repository(repo: Path) -> None:
    assert _findings(repo) == []


def test_scripts_are_only_looked_at_on_request(repo: Path) -> None:
    (repo / "hw2_p3.sh").unlink()
    assert grader.check(repo, problems=["dann"]).findings == ()


def test_missing_script_and_its_likely_name(repo: Path) -> None:
    (repo / "hw2_p3.sh").rename(repo / "HW2_P3.sh")
    (finding,) = _findings(repo)
    assert finding.rule == "missing-script" and finding.help == "Rename HW2_P3.sh to hw2_p3.sh."


def test_optional_script_is_checked_if_it_is_there(repo: Path) -> None:
    (repo / "hw2_bonus.sh").write_text("rm x\n")
    assert [f.rule for f in _findings(repo)] == ["forbidden-command"]


def test_rules_with_lines(repo: Path) -> None:
    script = "cd src\nCUDA_VISIBLE_DEVICES=0 python p.py /home/me/w.pth\ncurl -O x\ncd ..\n# rm\necho 'rm'\n"
    (repo / "hw2_p3.sh").write_text(script)
    found = {(f.rule, f.line, f.count) for f in _findings(repo)}
    assert found == {
        ("forbidden-command", 1, 2),
        ("forbidden-command", 2, 1),
        ("use-instead", 2, 1),
        ("absolute-path", 2, 1),
        ("use-instead", 3, 1),
    }


def test_many_paths_are_a_few_findings(repo: Path) -> None:
    (repo / "hw2_p3.sh").write_text("".join(f"ls /home/me/{i}\n" for i in range(100)))
    *single, rest = _findings(repo)
    assert [f.line for f in single] == list(range(1, 21)) and {f.rule for f in (*single, rest)} == {"absolute-path"}
    assert rest.message == "hw2_p3.sh has 80 more of these: /home/me/20, /home/me/21, /home/me/22 and 77 more."
    assert rest.count == 80 and rest.line == 21


def test_evals_within_evals_are_refused(repo: Path) -> None:
    (repo / "hw2_p3.sh").write_text('eval "$(' * 3000 + ":" + ')"' * 3000)
    assert [f.actual for f in _findings(repo) if f.actual == "evals of evals"] == ["evals of evals"]


def test_of_many_reports_a_few_are_read(repo: Path) -> None:
    for i in range(30):
        (repo / f"hw2_a{i}.pdf").write_bytes(b"no")
    assert [f.rule for f in _findings(repo)] == ["not-a-pdf"] * 3


def test_syntax_error_names_the_line(repo: Path) -> None:
    (repo / "hw2_p3.sh").write_text("python3 p.py $1\nif true; then\n  ls\n")
    (finding,) = _findings(repo)
    assert finding.rule == "shell-syntax" and "unexpected end of file" in finding.actual


def test_the_script_is_parsed_and_not_run(repo: Path, tmp_path: Path) -> None:
    (repo / "hw2_p3.sh").write_text(f"touch {tmp_path}/ran\n")
    _findings(repo)
    assert not (tmp_path / "ran").exists()


def test_windows_line_ends(repo: Path) -> None:
    (repo / "hw2_p3.sh").write_bytes(b"if true; then\r\n  python3 p.py\r\nfi\r\n")
    assert [(f.rule, f.actual) for f in _findings(repo)] == [("shell-syntax", "CRLF")]


def test_scripts_that_are_no_text(repo: Path) -> None:
    (repo / "hw2_p3.sh").write_bytes(b"\0\0")
    assert [f.rule for f in _findings(repo)] == ["unreadable"]
    (repo / "hw2_p3.sh").unlink()
    (repo / "hw2_p3.sh").symlink_to("hw2_p1.sh")
    assert [f.rule for f in _findings(repo)] == ["not-a-regular-file"]


def test_without_bash_a_note_says_what_was_not_checked(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    (repo / "hw2_p3.sh").write_text("if\n")
    report = grader.check(repo, problems=["dann"], with_repository=True)
    assert any("bash is not on this machine" in note for note in report.notes)


def test_reports(repo: Path) -> None:
    (repo / "hw2_r10922001.pdf").write_bytes(b"PK\x03\x04")
    assert [f.rule for f in _findings(repo)] == ["not-a-pdf"]
    (repo / "hw2_r10922001.pdf").rename(repo / "report.pdf")
    (finding,) = _findings(repo)
    assert finding.rule == "missing-report" and finding.actual == "report.pdf"
    (repo / "report.pdf").unlink()
    assert [f.actual for f in _findings(repo)] == ["no PDF"]
    (repo / "hw2_r10922001.pdf").symlink_to("elsewhere")
    assert [f.rule for f in _findings(repo)] == ["missing-report"]


def test_a_parser_that_comes_to_no_end(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two limits: the processor's time, and behind it the clock, for systems that know no other."""
    (repo / "hw2_p3.sh").write_text("a=(" * 20_000)
    said = [f.actual for f in _findings(repo) if f.message.endswith("can't be parsed.")]
    assert said == ["the parser was ended, after 3 seconds at most"]
    monkeypatch.setattr(parsing, "_WAIT", 0.5)
    said = [f.actual for f in _findings(repo) if f.message.endswith("can't be parsed.")]
    assert said == ["the parser took more than 0.5 seconds"]


def test_a_parser_that_is_not_there_is_no_fault_of_the_script(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for program in ("/nonexistent/python", shutil.which("false")):
        monkeypatch.setattr(sys, "executable", program)
        with pytest.raises(parsing.CannotParse):
            grader.check(repo, problems=["dann"], with_repository=True)
