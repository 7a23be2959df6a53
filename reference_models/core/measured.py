"""What the grader says of published models: `metrics.json` beside the weights."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from grader.grading import score
from grader.results import MeasureResult
from reference_models.core.models import Model


def measure(submission: Path, problem: str, data: Path, judges: Mapping[str, Path]) -> list[MeasureResult]:
    """The measures of what was generated that could be taken here."""
    report = score(submission, problems=[problem], data=data, judges=judges, device="cpu")
    return [m for verdict in report.problems for m in verdict.measures if m.value is not None]


def write_metrics(model: Model, measures: Iterable[MeasureResult]) -> Path:
    """Writes `metrics.json`: value, interval and provenance of each measure, and how the model was trained."""
    path = model.folder / "metrics.json"
    found = {"measures": [_measure(m) for m in measures], "training": _training(model)}
    path.write_text(json.dumps(found, indent=2, sort_keys=True) + "\n")
    return path


def _measure(measure: MeasureResult) -> dict[str, Any]:
    interval = None if measure.interval is None else [round(bound, 6) for bound in measure.interval]
    value = None if measure.value is None else round(measure.value, 6)
    about = {"id": measure.id, "value": value, "interval": interval, "n": measure.n}
    return about | {"provenance": measure.provenance}


def _training(model: Model) -> dict[str, Any]:
    """Seed, device, selection, steps and minutes, out of the run's settings and the last row of its log."""
    last = model.log()[-1]
    kept = {name: model.config.get(name) for name in ("seed", "device", "bfloat16")}
    selection = f"least {model.config.get('selection')}" if model.config.get("weights") == "best" else "last step"
    # On a CPU other programs share the wall's clock.
    time = "cpu_seconds" if kept["device"] == "cpu" else "seconds"
    minutes = {time.replace("seconds", "minutes"): round(last[time] / 60, 1)} if time in last else {}
    return kept | {"selection": selection, "steps": int(last["step"])} | minutes
