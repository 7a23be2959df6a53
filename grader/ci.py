"""What the GitHub action runs: `python -P -m grader.ci` grades by the inputs in the environment and reports to GitHub.

Inputs are variables `INPUT_…`, which action.yml fills; GitHub sets GITHUB_OUTPUT, GITHUB_STEP_SUMMARY and RUNNER_TEMP.
A submission's text reaches the log only while workflow commands are off, and no output of the step but numbers, a state
and paths that the grader chose. `-P` keeps Python from importing modules that lie in the student's folder.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grader.errors import UsageError
from grader.text import number

SUMMARY_LIMIT = 1 << 20  # bytes that GitHub takes for a step
MOST_ANNOTATIONS = 10
_GRADER = (sys.executable, "-P", "-m", "grader")
_EXIT_USAGE, _EXIT_ERROR = 2, 3
_STATES = {"pass", "fail", "skipped", "error"}
# Which exit codes of the grader fail the step.
_CODES = (0, 1, 2, 3, 5)
_FAILING: dict[str, tuple[int, ...]] = {"never": (), "error": (2, 3), "fail": _CODES}
_COMMANDS = ("::error ", "::warning ", "::notice ")


@dataclass(frozen=True)
class Inputs:
    """What the workflow asked for. `options`: further arguments of the command, in its own words.

    `fetch`: whether missing weights are downloaded first.
    """

    command: str
    fail_on: str
    options: tuple[str, ...]
    fetch: bool


def read_inputs(env: Mapping[str, str]) -> Inputs:
    """The inputs as arguments of the command line. Raises UsageError for a value that no input takes.

    >>> read_inputs({"INPUT_PROBLEMS": "gan, acgan", "INPUT_DATA": "hw2_data"}).options
    ('--problem=gan', '--problem=acgan', '--data=hw2_data')
    """
    command = _choice(env, "command", ("check", "score"))
    fail_on = _choice(env, "fail-on", ("fail", "error", "never"))
    problems = [f"--problem={name}" for name in _names(env, "problems")]
    options = [*problems, *_given(env, "assignment", "data")]
    options += ["--hidden"] * _switch(env, "hidden")
    options += [f"--report={line}" for line in _lines(env, "reports")]
    if command == "score":
        options += [f"--reference={line}" for line in _lines(env, "references")]
        options += [f"--judge={line}" for line in _lines(env, "judges")]
        options += ["--allow-skipped"] * _switch(env, "allow-skipped")
    else:
        options += ["--with-repository"] * _switch(env, "with-repository")
    # After `--` a submission that begins with a dash is no option.
    submission = ["--", _get(env, "submission")] if _get(env, "submission") else []
    return Inputs(command, fail_on, (*options, *submission), command == "score" and _switch(env, "fetch-weights"))


def missing_judges(env: Mapping[str, str]) -> list[str]:
    """Judges whose weights the measures need and no input names; none where the assignment can't be read."""
    from grader.assignment import DEFAULT, load_assignment
    from grader.judges.needed import downloads

    try:
        work = load_assignment(_get(env, "assignment") or DEFAULT).only(_names(env, "problems"))
    except UsageError:
        return []  # the command itself says it
    given = {line.partition("=")[0] for line in _lines(env, "judges")}
    return [name for name in downloads(work) if name not in given]


def _get(env: Mapping[str, str], name: str) -> str:
    return env.get(f"INPUT_{name.upper().replace('-', '_')}", "").strip()


def _names(env: Mapping[str, str], name: str) -> list[str]:
    return _get(env, name).replace(",", " ").split()


def _lines(env: Mapping[str, str], name: str) -> list[str]:
    return [line.strip() for line in _get(env, name).splitlines() if line.strip()]


def _given(env: Mapping[str, str], *names: str) -> list[str]:
    return [f"--{name}={_get(env, name)}" for name in names if _get(env, name)]


def _choice(env: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    found = _get(env, name) or choices[0]
    if found not in choices:
        raise UsageError(f"The input {name} is {found!r}; expected one of {', '.join(choices)}.")
    return found


def _switch(env: Mapping[str, str], name: str) -> bool:
    return _choice(env, name, ("false", "true")) == "true"


def main() -> int:
    """Grades, reports, and returns the exit code of the step."""
    try:
        inputs = read_inputs(os.environ)
    except UsageError as e:
        print(_error(str(e)), flush=True)
        _write_outputs("error", None, None)
        return _EXIT_USAGE
    # In the step's folder for temporary files, so that later steps can upload what lies there.
    folder = Path(tempfile.mkdtemp(prefix="grader-", dir=os.environ.get("RUNNER_TEMP") or None))
    places = {kind: folder / name for kind, name in _FILES.items()}
    reports = [f"--report={kind}={path}" for kind, path in places.items()]
    with commands_off():
        if inputs.fetch and (judges := missing_judges(os.environ)):
            _run([*_GRADER, "weights", "fetch", *judges])  # what can't be fetched is skipped; the report says so
        code = _run([*_GRADER, inputs.command, *reports, *inputs.options])
    code = code if code in _CODES else _EXIT_ERROR  # killed
    if not _annotate(places["github"]):
        print(_error(f"The grader ended with exit code {code} and without a report; the log above says why."))
    sys.stdout.flush()
    _summarize(places["markdown"])
    _report_outputs(places)
    return code if code in _FAILING[inputs.fail_on] else 0


_FILES = {"github": "annotations.txt", "markdown": "summary.md", "json": "report.json"}


def _run(command: list[str]) -> int:
    """Runs a command whose output goes to the log; a program that can't be started is an error of ours."""
    try:
        return subprocess.run(command, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False).returncode
    except OSError as e:
        print(f"{command[0]} can't be run: {e.strerror}", flush=True)
        return _EXIT_ERROR


@contextmanager
def commands_off() -> Iterator[None]:
    """Until this ends, no line of the log is a workflow command for GitHub; nobody can guess the word that ends it."""
    word = secrets.token_hex(16)
    print(f"::stop-commands::{word}", flush=True)
    try:
        yield
    finally:
        # The first end of line is for a text that broke off in the middle of one.
        print(f"\n::{word}::", flush=True)


def _annotate(path: Path) -> bool:
    """Prints the annotations; False where the grader wrote none."""
    found = [line for line in _text(path).split("\n") if line.startswith(_COMMANDS)][:MOST_ANNOTATIONS]
    for line in found:
        print(line)
    return bool(found)


def _error(message: str) -> str:
    escaped = message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    return f"::error title=grader::{escaped}"


def _summarize(markdown: Path) -> None:
    place = os.environ.get("GITHUB_STEP_SUMMARY")
    text = _text(markdown)
    if not place or not text:
        return
    path = Path(place)
    free = SUMMARY_LIMIT - (path.stat().st_size if path.exists() else 0)
    if len(text.encode()) > free:
        text = "The summary is too large to be shown here; it is among the reports.\n"
    if len(text.encode()) <= free:
        with open(path, "a", encoding="utf-8", newline="\n") as f:
            f.write(text)


def _report_outputs(places: Mapping[str, Path]) -> None:
    try:
        report: Mapping[str, Any] = json.loads(_text(places["json"]))
    except ValueError:
        _write_outputs("error", None, None)
        return
    paths = {"report": places["json"], "summary": places["markdown"]}
    _write_outputs(str(report["state"]), report.get("points"), report.get("max_points"), paths)


def _write_outputs(
    state: str, points: float | None, most: float | None, paths: Mapping[str, Path] | None = None
) -> None:
    """The step's outputs. Points are empty for a check, and where nothing could be graded: that is not 0."""
    place = os.environ.get("GITHUB_OUTPUT")
    if not place:
        return
    values = {"state": state if state in _STATES else "error"}
    values |= {name: "" if n is None else number(float(n)) for name, n in (("points", points), ("max-points", most))}
    values |= {name: str((paths or {}).get(name, "")) for name in ("report", "summary")}
    with open(place, "a", encoding="utf-8", newline="\n") as f:
        for name, value in values.items():
            # A value of several lines would be further outputs; a word that nobody knows ends it instead.
            end = secrets.token_hex(16)
            f.write(f"{name}<<{end}\n{value}\n{end}\n")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""


if __name__ == "__main__":
    sys.exit(main())
