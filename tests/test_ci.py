"""The GitHub action: its module as the runner starts it, in a folder and with the environment that GitHub sets.

`_Job` reads log, outputs and summary by the runner's rules: a workflow command may follow blanks, its older form stands
anywhere in a line, and both are off between `::stop-commands::WORD` and `::WORD::`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from grader import __version__, ci
from grader.errors import UsageError
from tests.conftest import GOOD, ROOT
from tests.reporting.test_hidden import FOLDER, NAME, _leaks, place

__all__ = ["place"]  # a fixture

TOO_LONG = 120
TEMPLATES = ROOT / "grader" / "templates"
WORKFLOWS = sorted(TEMPLATES.rglob("*.yml"))


@dataclass(frozen=True)
class _Job:
    code: int
    log: str
    outputs: dict[str, str]
    summary: str

    @property
    def commands(self) -> list[str]:
        """What the runner would carry out."""
        found, stopped = [], ""
        for line in self.log.split("\n"):
            text = line.lstrip()
            if stopped:
                stopped = "" if text == f"::{stopped}::" else stopped
            elif text.startswith("::stop-commands::"):
                stopped = text.removeprefix("::stop-commands::")
                assert len(stopped) >= 32
            elif text.startswith("::") and "::" in text[2:]:
                found.append(text)
            elif "##[" in line:
                found.append(line)
        assert not stopped
        return found


def _read_outputs(text: str) -> dict[str, str]:
    found = {}
    lines = iter(text.split("\n")[:-1])
    for line in lines:
        equals, heredoc = line.find("="), line.find("<<")
        if heredoc < 0 or 0 <= equals < heredoc:
            name, _, value = line.partition("=")
        else:
            name, _, end = line.partition("<<")
            value = "\n".join(iter(lambda: next(lines), end))
        assert name not in found
        found[name] = value
    return found


def _act(workspace: Path, summary: str = "", **inputs: str) -> _Job:
    temp = workspace.parent / f"{workspace.name}-temp"
    temp.mkdir(exist_ok=True)
    (temp / "output").write_text("")
    (temp / "summary").write_text(summary)
    github = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_WORKSPACE": str(workspace),
        "GITHUB_OUTPUT": str(temp / "output"),
        "GITHUB_STEP_SUMMARY": str(temp / "summary"),
        "GITHUB_REPOSITORY": "class/hw2-ada",
        "GITHUB_SHA": "0" * 40,
        "RUNNER_TEMP": str(temp),
    }
    given = {f"INPUT_{name.upper()}": value for name, value in inputs.items()}
    done = subprocess.run(
        [sys.executable, "-P", "-m", "grader.ci"],
        capture_output=True,
        text=True,
        cwd=workspace,
        env=os.environ | github | given,
        timeout=TOO_LONG,
        check=False,
    )
    assert done.stderr == ""
    return _Job(
        done.returncode, done.stdout, _read_outputs((temp / "output").read_text()), (temp / "summary").read_text()
    )


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    shutil.copytree(GOOD / "dann", tmp_path / "work" / "submission" / "dann")
    return tmp_path / "work"


def test_a_score_that_passes(workspace: Path, course: Path) -> None:
    job = _act(workspace, command="score", problems="dann", data=str(course), reports="junit=grader.xml")
    assert job.code == 0
    assert {name: job.outputs[name] for name in ("state", "points", "max-points")} == {
        "state": "pass",
        "points": "9",
        "max-points": "9",
    }
    assert Path(job.outputs["report"]).is_file() and Path(job.outputs["summary"]).read_text() == job.summary
    assert "9 of 9 points" in job.summary and "PASS  dlcv-fall2021-hw2: 9 of 9 points" in job.log
    assert (workspace / "grader.xml").is_file()
    assert [c.partition(" ")[0] for c in job.commands] == ["::warning"] * 3  # the miniature course is a small one


def test_a_check_that_fails(workspace: Path) -> None:
    job = _act(workspace, problems="dann acgan")
    assert job.code == 1 and job.outputs["state"] == "fail" and job.outputs["points"] == job.outputs["max-points"] == ""
    assert job.commands[0].startswith("::error file=submission/acgan,title=missing-deliverable::")
    assert len(job.summary.encode()) <= ci.SUMMARY_LIMIT


@pytest.mark.parametrize(
    ("inputs", "codes"),
    [
        ({"problems": "dann"}, {"fail": 0, "error": 0, "never": 0}),
        ({"problems": "acgan"}, {"fail": 1, "error": 0, "never": 0}),
        ({"submission": "empty"}, {"fail": 5, "error": 0, "never": 0}),
        ({"assignment": "no-such"}, {"fail": 2, "error": 2, "never": 0}),
    ],
)
def test_when_the_step_fails(inputs: dict[str, str], codes: dict[str, int], workspace: Path) -> None:
    (workspace / "empty").mkdir()
    assert {choice: _act(workspace, fail_on=choice, **inputs).code for choice in codes} == codes


def test_a_grader_that_is_killed_is_an_error(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ci, "_run", lambda _: -9)
    monkeypatch.setenv("RUNNER_TEMP", str(workspace))
    monkeypatch.setenv("GITHUB_OUTPUT", str(workspace / "output"))
    assert ci.main() == 3
    assert _read_outputs((workspace / "output").read_text()) == {
        "state": "error",
        "points": "",
        "max-points": "",
        "report": "",
        "summary": "",
    }


def test_without_a_report_it_says_so(workspace: Path) -> None:
    job = _act(workspace, assignment="no-such")
    assert job.outputs["state"] == "error" and job.summary == ""
    assert job.commands == [
        "::error title=grader::The grader ended with exit code 2 and without a report; the log above says why."
    ]
    wrong = _act(workspace, command="grade")
    assert wrong.code == 2 and wrong.commands == [
        "::error title=grader::The input command is 'grade'; expected one of check, score."
    ]


def test_names_in_a_submission_are_no_commands(workspace: Path) -> None:
    folder = workspace / "submission" / "acgan"
    folder.mkdir()
    for name in (
        "  ::error title=pwned::x.png",
        "\n::error::x.png",
        "##[error]x.png",
        "::stop-commands::x.png",
        "\npoints=100\nstate=pass\n.png",
        "points<<x\n100\nx\n.png",
        "\r::set-output name=points::100.png",
        "::add-mask::a.png",
    ):
        (folder / name.replace("/", "_")).write_bytes(b"x")
    job = _act(workspace, problems="acgan")
    assert job.code == 1 and job.outputs["state"] == "fail" and job.outputs["points"] == ""
    assert "pwned" in job.log  # it is told, and
    assert not any("pwned" in command.partition(" ")[0] for command in job.commands)
    kinds = {re.match(r"::(\w+) (?:file=[^,:]+,)?(?:line=\d+,)?title=[\w-]+::", c) for c in job.commands}
    assert None not in kinds and 1 <= len(job.commands) <= 10
    assert {m[1] for m in kinds if m} <= {"error", "warning", "notice"}


def test_nothing_of_the_workspace_is_imported(workspace: Path) -> None:
    for name in ("grader", "json", "click", "sitecustomize"):
        (workspace / name).mkdir()
        (workspace / name / "__init__.py").write_text("raise SystemExit('imported from the workspace')")
    assert _act(workspace, problems="dann").code == 0


def test_inputs_with_the_shell_in_them(workspace: Path) -> None:
    job = _act(workspace, submission="$(touch pwned); `touch pwned`", problems="dann")
    assert job.code == 2 and not (workspace / "pwned").exists()
    dash = workspace / "--exit-zero"
    shutil.copytree(workspace / "submission", dash)
    assert _act(workspace, submission="--exit-zero", problems="acgan").code == 1


def test_a_full_summary_stays_below_the_limit(workspace: Path) -> None:
    nearly = "x" * (ci.SUMMARY_LIMIT - 100)
    job = _act(workspace, nearly, problems="dann")
    assert len(job.summary.encode()) <= ci.SUMMARY_LIMIT and "too large to be shown" in job.summary
    assert _act(workspace, "x" * ci.SUMMARY_LIMIT, problems="dann").summary == "x" * ci.SUMMARY_LIMIT


def test_a_hidden_score_tells_nothing(place: Path) -> None:
    inputs = {"assignment": "made.toml", "problems": "table", "data": FOLDER, "submission": "submission"}
    plain = _act(place, command="score", **inputs)
    assert NAME in plain.log and NAME in plain.summary
    job = _act(place, command="score", hidden="true", **inputs)
    assert job.code == plain.code == 1 and job.outputs["points"] == "0"
    told = {"log": job.log, "summary": job.summary, "outputs": str(job.outputs)}
    assert _leaks(told | {"report": Path(job.outputs["report"]).read_text()}) == set()


def test_inputs_become_options() -> None:
    env = {
        "INPUT_COMMAND": "score",
        "INPUT_PROBLEMS": "gan, dann",
        "INPUT_SUBMISSION": "my work",
        "INPUT_ASSIGNMENT": "hw.toml",
        "INPUT_REFERENCES": "a.npz\n\n b c.npz ",
        "INPUT_JUDGES": "inception=w.pth",
        "INPUT_HIDDEN": "true",
        "INPUT_ALLOW_SKIPPED": "true",
        "INPUT_WITH_REPOSITORY": "true",
        "INPUT_FETCH_WEIGHTS": "true",
    }
    found = ci.read_inputs(env)
    assert found == ci.Inputs(
        "score",
        "fail",
        (
            *("--problem=gan", "--problem=dann", "--assignment=hw.toml", "--hidden"),
            *("--reference=a.npz", "--reference=b c.npz", "--judge=inception=w.pth", "--allow-skipped"),
            *("--", "my work"),
        ),
        True,
    )
    with pytest.raises(UsageError, match=r"hidden is 'yes'; expected one of false, true"):
        ci.read_inputs({"INPUT_HIDDEN": "yes"})


def test_weights_are_fetched_for_what_is_measured() -> None:
    assert ci.missing_judges({"INPUT_PROBLEMS": "acgan,dann"}) == []
    assert ci.missing_judges({}) == ["inception", "torchvision_inception"]
    assert ci.missing_judges({"INPUT_JUDGES": "inception=x.pth"}) == ["torchvision_inception"]
    assert ci.missing_judges({"INPUT_ASSIGNMENT": "no-such"}) == []


# ---- action.yml and the templates ----


def _load(path: Path) -> dict[str, Any]:
    found = yaml.safe_load(path.read_text())
    assert isinstance(found, dict)
    return found


def _steps(document: Any) -> list[dict[str, Any]]:
    if isinstance(document, dict):
        own = [document] if "run" in document or "uses" in document else []
        return own + [step for value in document.values() for step in _steps(value)]
    return [step for item in document for step in _steps(item)] if isinstance(document, list) else []


@pytest.mark.parametrize("path", [ROOT / "action.yml", *WORKFLOWS], ids=lambda path: path.name)
def test_no_expression_reaches_a_shell(path: Path) -> None:
    steps = _steps(_load(path))
    assert steps
    for step in steps:
        assert "${{" not in str(step.get("run", ""))
        # `uses` is one with a version, and checks out without leaving a token for later steps.
        assert "run" in step or re.fullmatch(r"[\w./-]+@v[\d.]+", step["uses"])
        if step.get("uses", "").startswith("actions/checkout"):
            assert step["with"]["persist-credentials"] is False


def test_the_action_passes_every_input() -> None:
    action = _load(ROOT / "action.yml")
    *_, grade = action["runs"]["steps"]
    passed = {name: value for name, value in grade["env"].items() if name.startswith("INPUT_")}
    inputs = set(action["inputs"]) - {"python-version"}
    assert passed == {f"INPUT_{name.upper().replace('-', '_')}": f"${{{{ inputs.{name} }}}}" for name in inputs}
    assert {o["value"] for o in action["outputs"].values()} == {
        f"${{{{ steps.grade.outputs.{name} }}}}" for name in ("state", "points", "max-points", "report", "summary")
    }
    defaults = {f"INPUT_{name.upper().replace('-', '_')}": i["default"] for name, i in action["inputs"].items()}
    assert ci.read_inputs(defaults) == ci.Inputs("check", "fail", (), False)


def test_the_action_names_this_version() -> None:
    for path in (ROOT / "action.yml", *WORKFLOWS):
        assert set(re.findall(r"(?<=[-v])\d+\.\d+\.\d+", path.read_text())) <= {__version__}
    assert _load(ROOT / "action.yml")["runs"]["steps"][1]["with"]["key"].endswith(f"-{__version__}")


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_templates_give_inputs_that_the_action_has(path: Path) -> None:
    inputs = set(_load(ROOT / "action.yml")["inputs"])
    document = _load(path)
    used = [step for step in _steps(document) if step.get("uses", "").startswith("OWNER/grader@")]
    assert used and all(set(step["with"]) <= inputs for step in used)
    assert document["permissions"] == {"contents": "read"}


def test_the_course_scores_hidden_and_the_student_keeps_no_secret() -> None:
    (scored,) = (s for s in _steps(_load(TEMPLATES / "course" / "score.yml")) if s.get("uses", "").startswith("OWNER/"))
    assert scored["with"]["hidden"] is True
    assert "secrets." not in (TEMPLATES / "submission" / "grader.yml").read_text()
