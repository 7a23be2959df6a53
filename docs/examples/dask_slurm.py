"""Workers on a SLURM cluster for `grader batch`.

    python dask_slurm.py 16 --data /course/hw2_data --submissions /course/handed-in --results /course/results

Submissions, data and results must lie where every node sees them under the same path.
"""

from __future__ import annotations

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


def main() -> int:
    """Starts so many jobs, and grades with them."""
    jobs, options = int(sys.argv[1]), sys.argv[2:]
    values = dict(zip(options[::2], options[1::2], strict=True))
    with SLURMCluster(**SETTINGS) as cluster:
        cluster.scale(jobs=jobs)
        command = [sys.executable, "-m", "grader", "batch", values["--submissions"], "-o", values["--results"]]
        command += ["--data", values["--data"], "--dask", cluster.scheduler_address]
        return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    raise SystemExit(main())
