"""The scripts for clusters that the documentation shows."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fixtures.klass.course import assignment_text
from grader.batch.entries import read_entries
from tests.batch.small import batch, compared, make_class
from tests.conftest import ROOT

EXAMPLES = ROOT / "docs" / "examples"


def test_the_array_script_grades_a_class_in_parts(course: Path, tmp_path: Path) -> None:
    """What SLURM would do: the script once for each number, with the environment that it sets."""
    submissions = make_class(tmp_path / "class", 8)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "grader").write_text(f'#!/bin/sh\nexec {sys.executable} -m grader "$@"\n')
    (tmp_path / "bin" / "grader").chmod(0o755)
    places = {"SUBMISSIONS": str(submissions), "DATA": str(course), "RESULTS": str(tmp_path / "r")}
    for number in (2, 1):
        of_slurm = {"SLURM_ARRAY_TASK_ID": str(number), "SLURM_ARRAY_TASK_COUNT": "2", "USER": "ta"}
        path = {"PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "TMPDIR": str(tmp_path)}
        words = ["bash", str(EXAMPLES / "slurm_array.sh"), "--problem", "dann"]
        done = subprocess.run(words, env=os.environ | places | of_slurm | path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert batch(submissions, tmp_path / "whole", course).returncode == 0
    assert compared(tmp_path / "r") == compared(tmp_path / "whole") and len(compared(tmp_path / "r")) == 8


@pytest.fixture
def recipe() -> Any:
    """The script for SLURM and Dask, as a module."""
    pytest.importorskip("dask_jobqueue")
    spec = importlib.util.spec_from_file_location("dask_slurm", EXAMPLES / "dask_slurm.py")
    assert spec is not None and spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def test_the_dask_recipe_asks_slurm_for_one_thread_each(
    recipe: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    jobqueue: Any = importlib.import_module("dask_jobqueue")
    monkeypatch.chdir(tmp_path)
    job = jobqueue.slurm.SLURMJob("tcp://10.0.0.1:8786", "0", config_name=None, **{**_DEFAULTS, **recipe.SETTINGS})
    lines = job.job_script().splitlines()
    assert lines[0].startswith("#!") and {"#SBATCH -n 1", "#SBATCH --cpus-per-task=1", "#SBATCH --mem=4G"} <= set(lines)
    assert "#SBATCH -t 04:00:00" in lines and "export OMP_NUM_THREADS=1" in lines
    (worker,) = [line for line in lines if "distributed.cli.dask_worker" in line]
    assert worker.startswith(f"{sys.executable} -m") and "--nthreads 1" in worker and "tcp://10.0.0.1:8786" in worker


def test_the_dask_recipe_grades_with_every_option(
    recipe: Any, course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a cluster of this machine in SLURM's place: all else is the script's."""
    distributed: Any = importlib.import_module("distributed")
    asked: list[int] = []

    class Cluster:
        def __init__(self, **settings: Any) -> None:
            assert settings == recipe.SETTINGS
            self._own = distributed.LocalCluster(
                n_workers=0, threads_per_worker=1, dashboard_address=None, host="127.0.0.1"
            )
            self.scheduler_address = self._own.scheduler_address

        def scale(self, jobs: int) -> None:
            asked.append(jobs)
            self._own.scale(jobs)

        def __enter__(self) -> Cluster:
            return self

        def __exit__(self, *_: object) -> None:
            self._own.close()

    monkeypatch.setattr(recipe, "SLURMCluster", Cluster)
    submissions = make_class(tmp_path / "class", 4)
    (tmp_path / "late.toml").write_text(assignment_text(20, whole_data=False))  # a quarter off from the third day on
    (tmp_path / "times.csv").write_text("student,time\ns000,2026-11-08T12:00:00+08:00\n")
    words = [submissions, "-o", tmp_path / "r", "--data", course, "--assignment", tmp_path / "late.toml"]
    words += ["--problem", "dann", "--times", tmp_path / "times.csv"]
    assert recipe.main(["2", *map(str, words)]) == 0 and asked == [2]
    assert len(read_entries(tmp_path / "r")) == 4
    points = {s["student"]: s["total"] for s in json.loads((tmp_path / "r" / "class.json").read_text())["students"]}
    assert points["s000"] == 0.75 * points["s001"] > 0  # what the assignment and the table of times say


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], "JOBS"),
        (["many", "class", "-o", "r"], "invalid int value: 'many'"),
        (["0", "class", "-o", "r"], "at least one job"),
        (["4"], "SUBMISSIONS -o RESULTS"),
        (["4", "class", "-o", "r", "--dask=local"], "its workers are the jobs"),
        (["4", "class", "-o", "r", "--shard", "1/2"], "its workers are the jobs"),
    ],
)
def test_the_dask_recipe_says_how_it_is_called(
    words: list[str], told: str, recipe: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        recipe.main(words)
    error = capsys.readouterr().err
    assert ended.value.code == 2 and told in error
    assert error.startswith("usage: dask_slurm.py JOBS SUBMISSIONS -o RESULTS [any other option of grader batch]")


# What SLURMCluster adds of its own.
_DEFAULTS = {"job_name": "dask-worker", "shebang": "#!/usr/bin/env bash"}
