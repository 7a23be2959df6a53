"""The scripts for clusters that the documentation shows."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

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


def test_the_dask_recipe_asks_slurm_for_one_thread_each(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    jobqueue = pytest.importorskip("dask_jobqueue")
    monkeypatch.chdir(tmp_path)
    spec = importlib.util.spec_from_file_location("dask_slurm", EXAMPLES / "dask_slurm.py")
    assert spec is not None and spec.loader is not None
    recipe = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(recipe)
    job = jobqueue.slurm.SLURMJob("tcp://10.0.0.1:8786", "0", config_name=None, **{**_DEFAULTS, **recipe.SETTINGS})
    lines = job.job_script().splitlines()
    assert lines[0].startswith("#!") and {"#SBATCH -n 1", "#SBATCH --cpus-per-task=1", "#SBATCH --mem=4G"} <= set(lines)
    assert "#SBATCH -t 04:00:00" in lines and "export OMP_NUM_THREADS=1" in lines
    (worker,) = [line for line in lines if "distributed.cli.dask_worker" in line]
    assert worker.startswith(f"{sys.executable} -m") and "--nthreads 1" in worker and "tcp://10.0.0.1:8786" in worker


# What SLURMCluster adds of its own.
_DEFAULTS = {"job_name": "dask-worker", "shebang": "#!/usr/bin/env bash"}
