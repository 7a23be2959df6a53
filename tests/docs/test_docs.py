"""The documentation: every command in it runs, every link leads somewhere, the pages can be built."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from reference_models.core.models import published
from tests.conftest import GOOD, ROOT

PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
TOO_LONG = 300  # seconds
# What these do needs the internet, or hours: there, that the command and its options exist.
_NOT_HERE = (
    *("weights fetch", "--preset cpu --data", "--preset horse2zebra", "reference_models prepare"),
    "reference_models.rate_distortion",
)
_SLOW = ("reference_models generate", "reference_models figures")
# Not ours.
_OTHERS = ("pip ", "make ", "mkdir ", "export ", "git ", "docker ", "sbatch ")


def commands(page: Path) -> list[str]:
    """The lines after `$ ` in a page's console blocks, without comments."""
    blocks = re.findall(r"^```console\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    lines = [line[2:].strip() for block in blocks for line in block.splitlines() if line.startswith("$ ")]
    return [line for line in lines if not line.startswith(_OTHERS)]


COMMANDS = list(dict.fromkeys(command for page in PAGES for command in commands(page)))


@pytest.fixture(scope="module")
def place(course: Path, course_hw3: Path, course_hw4: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as the pages presume it."""
    home = tmp_path_factory.mktemp("docs")
    shutil.copytree(GOOD, home / "submission")
    shutil.copytree(course, home / "hw2_data")
    shutil.copytree(course_hw4, home / "hw4_data")
    shutil.copytree(course_hw3, home / "mlds_data")
    (home / "reports").mkdir()
    shutil.copytree(GOOD / "dann", home / "submissions" / "ada" / "dann")
    (home / "roster.csv").write_text("student,name\nada,Ada Lovelace\n")
    (home / "manual.csv").write_text('student,problem,title,points\nada,dann,"Problem 3, discussion",7\n')
    shutil.copytree(published("dcgan")[0].folder, home / "runs" / "dcgan")
    return home


def _run(command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    words = shlex.split(command, comments=True)
    if words[0] == "grader":
        words[:1] = [sys.executable, "-m", "grader"]
    elif words[0] == "python":
        words[0] = sys.executable
    if any(part in command for part in _NOT_HERE):
        words = [*words, "--help"]
    env = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "100"}
    return subprocess.run(words, cwd=cwd, env=env, capture_output=True, text=True, timeout=TOO_LONG)


def test_there_are_commands() -> None:
    assert len(COMMANDS) > 10 and all(c.startswith(("grader ", "python -m reference_models")) for c in COMMANDS)


def _marked(command: str) -> object:
    return pytest.param(command, marks=pytest.mark.slow) if any(part in command for part in _SLOW) else command


@pytest.mark.parametrize("command", [_marked(command) for command in COMMANDS])
def test_commands_run(command: str, place: Path) -> None:
    done = _run(command, place)
    assert "Traceback" not in done.stderr and "Usage:" not in done.stderr, done.stderr
    # A submission that falls short, and weights that aren't here, are no fault of the page.
    assert done.returncode in (0, 1, 3), done.stderr


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if not target.startswith(("http://", "https://", "#")):
            assert (page.parent / target.partition("#")[0]).exists(), f"{page.name}: {target}"


def test_the_pages_can_be_built(tmp_path: Path) -> None:
    """Broken links between pages and to headings are errors."""
    build = [sys.executable, "-m", "sphinx", "-W", "-q", "-b", "html", "-d", str(tmp_path / "doctrees")]
    done = subprocess.run([*build, "docs", str(tmp_path / "site")], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "site" / "commands.html").read_text()
    for told in ("grader check", "--report", "KIND=PATH", "reference_models", "--dry-run"):
        assert told in page
