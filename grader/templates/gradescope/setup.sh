#!/usr/bin/env bash
# Gradescope runs this once, as root, when it builds the image. What fails here is seen by the course; whatever slipped
# through would be seen by every student.
set -euo pipefail
root="${AUTOGRADER_ROOT:-/autograder}"
cd "$root/source"

python=""
for name in python3.13 python3.12 python3.11 python3; do
  if command -v "$name" > /dev/null && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    python="$name"
    break
  fi
done
if [ -z "$python" ]; then
  python=python3.11
  apt-get update
  apt-get install -y python3.11 python3.11-venv
elif ! "$python" -c 'import ensurepip' 2> /dev/null; then
  apt-get update
  apt-get install -y "$python-venv"
fi

"$python" -m venv "$root/venv"
# The second index has builds of torch without CUDA, which are a tenth as large.
"$root/venv/bin/python" -P -m pip install --disable-pip-version-check --no-cache-dir \
  --extra-index-url https://download.pytorch.org/whl/cpu @REQUIREMENT@
export GRADER_CACHE="$root/cache"
for judge in @JUDGES@; do
  "$root/venv/bin/python" -P -m grader weights fetch "$judge"
done
"$root/venv/bin/python" -P -m grader assignments show @ASSIGNMENT@
