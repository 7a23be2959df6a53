#!/bin/bash
# One part of a class for each task of a SLURM array:
#   sbatch --array=1-16 --export=ALL,SUBMISSIONS=/course/handed-in,DATA=/course/hw2_data,RESULTS=/course/results slurm_array.sh
# and when all have ended: grader class "$RESULTS" -o /course/class
#SBATCH --job-name=grader
#SBATCH --cpus-per-task=1
#SBATCH --mem=4G
#SBATCH --time=04:00:00
#SBATCH --requeue
set -euo pipefail
export OMP_NUM_THREADS=1
# SQLite and network file systems don't go together: each node keeps its own features.
export GRADER_CACHE="${GRADER_CACHE:-${TMPDIR:-/tmp}/grader-$USER}"
grader batch "$SUBMISSIONS" -o "$RESULTS" --assignment "${ASSIGNMENT:-dlcv-fall2021-hw2}" --data "$DATA" \
  --workers 1 --shard "$SLURM_ARRAY_TASK_ID/$SLURM_ARRAY_TASK_COUNT" "$@"
