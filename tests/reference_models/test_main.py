"""The command line of the reference models."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from safetensors.torch import load_file

from reference_models.__main__ import FAMILIES, main

SMALL = ["--set", "width=8", "--set", "batch=20", "--set", "images=60", "--set", "validations=1", "--set", "judged=20"]


def invoke(*arguments: str) -> tuple[int, str]:
    ended = CliRunner().invoke(main, list(arguments), catch_exceptions=False)
    return ended.exit_code, ended.output


@pytest.mark.parametrize(
    ("name", "preset", "counts"),
    [
        ("dcgan", "report0", ["3,576,704", "2,765,696"]),
        ("acgan", "report0", ["3,576,704", "2,772,864"]),
        ("dann", "report2", ["242,570"]),
    ],
)
def test_summaries_print_the_counts_of_the_reports(name: str, preset: str, counts: list[str]) -> None:
    code, told = invoke("summary", name, "--preset", preset)
    assert code == 0 and all(count in told for count in counts)
    assert invoke("list")[1].count("presets:") == len(FAMILIES)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_dry_run_trains_two_steps_of_each_family(name: str) -> None:
    code, told = invoke("train", name, "--preset", "cpu", "--dry-run")
    assert code == 0 and "step 2/2" in told


def test_a_run_on_the_miniature_course_is_repeatable(course: Path, tmp_path: Path) -> None:
    for run in ("one", "two"):
        code, told = invoke(
            "train", "dcgan", *SMALL, "--data", str(course), "--out", str(tmp_path / run), "--seed", "4"
        )
        assert code == 0 and "step 3/3" in told and "fd_validation" in told
    one, two = (load_file(tmp_path / run / "last.safetensors") for run in ("one", "two"))
    assert all(torch.equal(one[name], two[name]) for name in one)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--preset", "report9"], "expected one of gpu, cpu, spectral, report0"),
        (["--dry-run", "--set", "z=many"], "z: expected int, found 'many'"),
        ([], "expected --data and --out, or --dry-run"),
        (["--data", "nowhere", "--out", "run"], "'nowhere' does not exist"),
    ],
)
def test_wrong_arguments(arguments: list[str], told: str) -> None:
    code, output = invoke("train", "dcgan", *arguments)
    assert code == 2 and told in output


def test_an_error_is_one_line(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "reference_models", "train", "dcgan", "--data", str(tmp_path), "--out", "run"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 1 and ended.stderr.startswith("error: needs face/train")
    assert "Traceback" not in ended.stderr
