"""What the grader says of published models: `metrics.json` beside the weights."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from grader.grading import score
from grader.references.pictures import list_pictures, read_pictures
from grader.results import MeasureResult
from reference_models.core.models import Model, ModelError, pixels_digest


def measure(
    submission: Path, assignment: str, problem: str, data: Path, judges: Mapping[str, Path]
) -> list[MeasureResult]:
    """The measures of what was generated that could be taken here."""
    report = score(submission, assignment, problems=[problem], data=data, judges=judges, device="cpu")
    return [m for verdict in report.problems for m in verdict.measures if m.value is not None]


def pixels_of(submission: Path) -> dict[str, str]:
    """The digest of each folder of pictures, by which it shows that they were made again exactly."""
    folders = sorted({path.parent for path in submission.rglob("*.png")})
    return {
        folder.relative_to(submission).as_posix(): pixels_digest(read_pictures(list_pictures(folder, least=1)))
        for folder in folders
    }


def write_metrics(
    model: Model, measures: Iterable[MeasureResult], pixels: Mapping[str, str], *, handed_in: bool = True
) -> Path:
    """Writes `metrics.json`: value, interval and provenance of each measure, the training, the digest of the pictures.

    A model that is not handed in has no measure but the least distance to the held-out pictures in its training.
    Raises ModelError, and leaves the file, if it holds a measure that could not be taken now.
    """
    path = model.folder / "metrics.json"
    found: dict[str, Any] = {"measures": [_measure(m) for m in measures], "training": _training(model)}
    if not handed_in:
        found["measures"] = [_validation(model)]
    found["pixels_sha256"] = dict(pixels)
    before = json.loads(path.read_text())["measures"] if path.exists() else []
    lost = {_judged(m) for m in before} - {_judged(m) for m in found["measures"]}
    if lost or not found["measures"]:
        names = ", ".join(sorted(" ".join(pair).strip() for pair in lost)) or "any measure"
        raise ModelError(f"{path}: could not take {names}. Pass the --data and every --judge of the last time.")
    path.write_text(json.dumps(found, indent=2, sort_keys=True) + "\n")
    return path


def _judged(measure: Mapping[str, Any]) -> tuple[str, str]:
    return measure["id"], measure["provenance"].get("judge_sha256", "")[:8]


def _measure(measure: MeasureResult) -> dict[str, Any]:
    interval = None if measure.interval is None else [round(bound, 6) for bound in measure.interval]
    value = None if measure.value is None else round(measure.value, 6)
    about = {"id": measure.id, "value": value, "interval": interval, "n": measure.n}
    return about | {"provenance": measure.provenance}


def _validation(model: Model) -> dict[str, Any]:
    name = str(model.config["selection"])
    value = min(row[name] for row in model.log() if name in row)
    about = {"id": name, "value": round(value, 6), "interval": None, "n": model.config["settings"]["judged"]}
    return about | {"provenance": {"protocol": "efficientnet-lite0", "reference": "held-out pictures of the training"}}


def _training(model: Model) -> dict[str, Any]:
    """Seed, device, selection, steps and minutes, out of the run's settings and its log.

    `steps`: those behind the published weights; `run_steps`: all of the run.
    """
    rows = model.log()
    last, name = rows[-1], str(model.config.get("selection"))
    kept = {key: model.config.get(key) for key in ("seed", "device", "bfloat16")}
    chosen, selection = last, "last step"
    if model.config.get("weights") == "best":
        chosen, selection = min((row for row in rows if name in row), key=lambda row: row[name]), f"least {name}"
    # On a CPU other programs share the wall's clock.
    time = "cpu_seconds" if kept["device"] == "cpu" else "seconds"
    minutes = {time.replace("seconds", "minutes"): round(last[time] / 60, 1)} if time in last else {}
    steps = {"steps": int(chosen["step"]), "run_steps": int(last["step"])}
    return kept | {"selection": selection} | steps | minutes
