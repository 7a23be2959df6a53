"""Workers on a SLURM cluster for `grader batch`.

    python dask_slurm.py JOBS SUBMISSIONS -o RESULTS [any other option of grader batch]
    python dask_slurm.py 16 /course/handed-in -o /course/results --data /course/hw2_data --times /course/times.csv

Submissions, data and results must lie where every node sees them under the same path.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from typing import Any

from dask_jobqueue import SLURMCluster

# One process a job, with one thread: what `grader batch` reckons with. 4 GiB is its limit of 3 and what Dask needs.
SETTINGS: dict[str, Any] = {
    "cores": 1,
    "processes": 1,
    "memory": "4GiB",
    "walltime": "04:00:00",
    "death_timeout": 120,
    "python": sys.executable,
    "job_script_prologue": [
        "export OMP_NUM_THREADS=1",
        # SQLite and network file systems don't go together: each node keeps its own features.
        'export GRADER_CACHE="${TMPDIR:-/tmp}/grader-$USER"',
    ],
}


def main(words: list[str] | None = None) -> int:
    """Starts so many jobs, and grades with them; returns the exit code of `grader batch`."""
    parser = argparse.ArgumentParser(
        usage="dask_slurm.py JOBS SUBMISSIONS -o RESULTS [any other option of grader batch]",
        description="Grades a class by workers on a SLURM cluster.",
        allow_abbrev=False,
    )
    parser.add_argument("jobs", type=int, metavar="JOBS", help="so many jobs of SLURM, each one worker")
    given, options = parser.parse_known_args(words)
    if given.jobs < 1:
        parser.error("JOBS: at least one job")
    if not options:
        parser.error("what `grader batch` needs is missing: SUBMISSIONS -o RESULTS")
    if any(option.split("=")[0] in ("--dask", "--workers", "--shard") for option in options):
        parser.error("--dask, --workers and --shard are set by this script: its workers are the jobs")
    with SLURMCluster(**SETTINGS) as cluster:
        cluster.scale(jobs=given.jobs)
        command = [sys.executable, "-m", "grader", "batch", *options, "--dask", cluster.scheduler_address]
        return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    raise SystemExit(main())
