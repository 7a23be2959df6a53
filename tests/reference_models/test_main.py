"""The command line of the reference models."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from click.testing import CliRunner
from PIL import Image
from safetensors.torch import load_file

from reference_models.__main__ import FAMILIES, family, main

SMALL = ["--set", "width=8", "--set", "batch=20", "--set", "images=60", "--set", "validations=1", "--set", "judged=20"]


def invoke(*arguments: str) -> tuple[int, str]:
    ended = CliRunner().invoke(main, list(arguments), catch_exceptions=False)
    return ended.exit_code, ended.output


@pytest.mark.parametrize(
    ("name", "preset", "counts"),
    [
        ("dcgan", "report0", ["3,576,704", "2,765,696"]),
        ("acgan_faces", "report0", ["3,576,704", "2,772,864"]),
        ("vae", "report0", ["7,677,792"]),
        ("dann", "report2", ["242,570"]),
    ],
)
def test_summaries_print_the_counts_of_the_reports(name: str, preset: str, counts: list[str]) -> None:
    code, told = invoke("summary", name, "--preset", preset)
    assert code == 0 and all(count in told for count in counts)
    assert invoke("list")[1].count("presets:") == len(FAMILIES)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_dry_run_trains_two_steps_of_each_family(name: str) -> None:
    preset = ["--preset", "cpu"] if "cpu" in family(name).PRESETS else []  # else the first one
    code, told = invoke("train", name, *preset, "--dry-run")
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


@pytest.fixture(scope="module")
def dann_run(course: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short run of an adaptation."""
    run = tmp_path_factory.mktemp("runs") / "dann"
    short = ["--set", "steps=2", "--set", "batch=8", "--set", "direction=usps-svhn", "--set", "validations=1"]
    assert invoke("train", "dann", "--preset", "cpu", *short, "--data", str(course), "--out", str(run))[0] == 0
    return run


def test_from_a_run_to_weights_predictions_and_figures(dann_run: Path, course: Path, tmp_path: Path) -> None:
    for verb in ("generate", "figures"):
        arguments = ["--run", str(dann_run), "--data", str(course), "--out", str(tmp_path / verb)]
        assert invoke(verb, "dann", *arguments)[0] == 0
    assert (tmp_path / "generate" / "dann" / "usps-svhn.csv").exists()
    assert len(list((tmp_path / "figures").glob("*.png"))) == 3
    assert invoke("publish", str(dann_run), "--out", str(tmp_path / "weights"))[0] == 0
    names = ["config.json", "log.jsonl", "weights.safetensors"]
    assert sorted(path.name for path in (tmp_path / "weights").iterdir()) == names


def failed(*arguments: str) -> str:
    """What a process says that ends with an error; it must be one line."""
    command = [sys.executable, "-m", "reference_models", *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 1 and ended.stderr.startswith("error: "), ended.stderr
    assert len(ended.stderr.splitlines()) == 1
    return ended.stderr


def test_errors_are_one_line(dann_run: Path, course: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    small = tmp_path / "small" / "digits" / "svhn" / "test"
    small.mkdir(parents=True)
    for i in range(3):
        Image.new("RGB", (32, 32)).save(small / f"{i}.png")
    run, data, out = ["--run", str(dann_run)], ["--data", str(course)], ["--out", str(tmp_path / "out")]
    assert "needs face/train" in failed("train", "dcgan", "--data", str(tmp_path), *out)
    assert "expected a run of uda, found one of dann" in failed("generate", "uda", *run, *data, *out)
    assert "28x28, found 32x32" in failed("generate", "dann", *run, "--data", str(tmp_path / "small"), *out)
    assert "Not a directory" in failed("generate", "dann", *run, *data, "--out", str(tmp_path / "file"))
    assert "no network" in failed("summary", "acgan", "--set", "condition=joined", "--set", "z=5")
    assert "another --out" in failed("train", "dann", *data, "--out", str(dann_run))
