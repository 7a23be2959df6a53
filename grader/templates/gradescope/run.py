"""Scores a submission for Gradescope: `python -P run.py ROOT`, with the standard library alone.

ROOT/source/settings.json holds the arguments of `grader score`. What the machine could not do never lowers a score:
the student keeps that of the last submission, which Gradescope tells in ROOT/submission_metadata.json.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

_OURS = ("error", "skipped")


def main(root: Path) -> None:
    """Writes ROOT/results/results.json, whatever happens to the grader."""
    began = time.monotonic()
    written = root / "results" / "grader.json"
    why = _grade(root, written)
    result = _read(written)
    if result is None or not isinstance(result.get("tests"), list):
        result = _failed(why or "it wrote no report", round(time.monotonic() - began))
    if result.get("extra_data", {}).get("state") in _OURS:
        _keep_the_last_score(result, root)
    written.write_text(json.dumps(result, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    written.replace(written.with_name("results.json"))


def _grade(root: Path, report: Path) -> str:
    """Runs the grader; a sentence for the course's eyes if it did not end by itself."""
    source = root / "source"
    settings = json.loads((source / "settings.json").read_text(encoding="utf-8"))
    submission = root / "submission"
    inner = submission / "submission"
    if inner.is_dir() and not inner.is_symlink():
        submission = inner
    command = [sys.executable, "-P", "-m", "grader", "score", str(submission), *settings["arguments"]]
    command.append(f"--report=gradescope={report}")
    report.unlink(missing_ok=True)
    env = os.environ | {"GRADER_CACHE": str(root / "cache")}
    try:
        done = subprocess.run(
            command, cwd=source, env=env, stdin=subprocess.DEVNULL, timeout=60 * settings["minutes"], check=False
        )
    except subprocess.TimeoutExpired:
        return f"it took longer than {settings['minutes']} minutes"
    except OSError as e:
        return f"it can't be run: {e}"
    return f"it ended with exit code {done.returncode}"


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _failed(why: str, seconds: int) -> dict[str, Any]:
    print(f"The grader failed: {why}.", flush=True)  # hidden from students, like all of stdout
    told = "The grader could not finish. This is not your submission's fault; tell the course, which can run it again."
    return {
        "score": 0,
        "execution_time": seconds,
        "output": told,
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [],
        "extra_data": {"state": "error"},
    }


def _keep_the_last_score(result: dict[str, Any], root: Path) -> None:
    last = last_score(_read(root / "submission_metadata.json") or {})
    if last is not None and last > result.get("score", 0):
        result["score"] = last
        result["output"] += f"\nUntil it is run again, the score is that of your last submission, {last:g}."


def last_score(metadata: dict[str, Any]) -> float | None:
    """The score of the newest earlier submission that was graded without an error; None where there is none."""
    earlier = metadata.get("previous_submissions")
    usable = [s for s in earlier if isinstance(s, dict)] if isinstance(earlier, list) else []
    for submission in sorted(usable, key=lambda s: str(s.get("submission_time")), reverse=True):
        try:
            score = float(submission["score"])
        except (KeyError, TypeError, ValueError):
            continue
        if not submission.get("autograder_error") and math.isfinite(score) and score >= 0:
            return score
    return None


if __name__ == "__main__":
    main(Path(sys.argv[1]))
