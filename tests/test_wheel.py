"""The wheel: what is in it, and that it works alone, outside of the checkout."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import click
import pytest

from tests.conftest import GOOD, ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    (found,) = out.glob("*.whl")
    return found


def test_contents(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "grader/assignments/dlcv-fall2021-hw2.toml" in names
    assert "grader/baselines/dlcv-fall2021-hw2.toml" in names
    assert "grader/judges/weights/digit_classifier.safetensors" in names
    assert "grader/judges/weights/digit_classifier.md" in names
    assert {f"grader/templates/{name}" for name in ("course/score.yml", "submission/gitignore")} <= set(names)
    assert {f"grader/templates/gradescope/{name}" for name in ("setup.sh", "run_autograder", "run.py")} <= set(names)
    top = {name.partition("/")[0] for name in names}
    assert top == {"grader", f"vision_grader-{wheel.name.split('-')[1]}.dist-info"}


def test_requirements_are_light(wheel: Path) -> None:
    archive = zipfile.ZipFile(wheel)
    (metadata,) = (n for n in archive.namelist() if n.endswith("METADATA"))
    lines = archive.read(metadata).decode().splitlines()
    required = [line.split(": ")[1] for line in lines if line.startswith("Requires-Dist") and "extra ==" not in line]
    assert {re.split(r"[<>=;\s]", r)[0] for r in required} == {
        *("click", "rich", "numpy", "pillow", "jinja2"),
        *("tree-sitter", "tree-sitter-bash"),
    }


def test_works_outside_of_the_checkout(wheel: Path, tmp_path: Path, course: Path) -> None:
    """An empty environment with the wheel and its light requirements, which are borrowed from this one."""
    venv.create(tmp_path / "venv", with_pip=False)
    site = next((tmp_path / "venv").glob("lib/python3*/site-packages"))
    zipfile.ZipFile(wheel).extractall(site)
    borrowed = Path(click.__file__).parent.parent
    packages = ["click", "rich", "pygments", "markdown_it", "mdurl", "PIL", "pillow.libs", "numpy", "numpy.libs"]
    found = [borrowed / name for name in (*packages, "tree_sitter", "tree_sitter_bash", "jinja2", "markupsafe")]
    for source in (*(path for path in found if path.exists()), *borrowed.glob("numpy-*.dist-info")):
        (site / source.name).symlink_to(source)
    python = tmp_path / "venv" / "bin" / "python"
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("PYTHON", "COVERAGE"))}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(python), "-P", "-m", "grader", *arguments]
        return subprocess.run(
            command, capture_output=True, text=True, cwd=tmp_path, env=clean, timeout=120, check=False
        )

    assert run("check", str(GOOD), "--data", str(course), "--report", "html=page.html").returncode == 0
    assert "<h1>dlcv-fall2021-hw2</h1>" in (tmp_path / "page.html").read_text()
    assert run("baselines").returncode == 0
    scored = run("score", str(GOOD), "--problem", "dann", "--data", str(course), "--format", "json")
    assert scored.returncode == 0 and json.loads(scored.stdout)["points"] == 9
    without = run("score", str(GOOD), "--problem", "acgan", "--data", str(course))
    assert without.returncode == 3 and "pip install 'vision-grader[score]'" in without.stdout
    where = subprocess.run(
        [str(python), "-P", "-c", "import grader; print(grader.__file__)"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=clean,
        check=True,
    )
    assert str(tmp_path) in where.stdout
