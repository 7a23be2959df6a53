"""Figures beside published weights."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fixtures.make import write_table
from grader.assignment import DEFAULT
from grader.references.data import read_labels
from reference_models.core.measured import measure, write_metrics
from reference_models.core.models import Model, ModelError


def test_metrics_are_the_graders(course: Path, tmp_path: Path) -> None:
    truth = read_labels(course / "digits/usps/test.csv", ("image_name", "label"), (0, 9))
    wrong = [(name, (label + (i < 25)) % 10) for i, (name, label) in enumerate(truth.items())]
    write_table_in(tmp_path / "out" / "dann" / "mnistm-usps.csv", wrong)
    measures = measure(tmp_path / "out", DEFAULT, "dann", course, {})
    assert [m.id for m in measures if m.value is not None] == ["target_accuracy.mnistm-usps"]
    log = '{"step": 3, "error": 0.5}\n{"step": 6, "error": 0.25}\n{"step": 9, "error": 0.75}\n'
    (tmp_path / "log.jsonl").write_text(log + '{"step": 10, "seconds": 240, "cpu_seconds": 120}\n')
    config = {"seed": 3, "device": "cpu", "bfloat16": True, "selection": "error", "weights": "best", "settings": {}}
    found = json.loads(write_metrics(Model(tmp_path, config, {}), measures, {"gan": "f00d"}).read_text())
    assert found["measures"][0]["value"] == 0.75 and found["measures"][0]["n"] == 100
    assert found["measures"][0]["provenance"]["reference"] == "digits/usps/test.csv"
    expected = {
        "seed": 3,
        "device": "cpu",
        "bfloat16": True,
        "selection": "least error",
        "steps": 6,
        "run_steps": 10,
        "cpu_minutes": 2.0,
    }
    assert found["training"] == expected
    last = write_metrics(Model(tmp_path, {**config, "weights": "last", "device": "cuda"}, {}), measures, {})
    training = json.loads(last.read_text())["training"]
    assert found["pixels_sha256"] == {"gan": "f00d"}
    with pytest.raises(ModelError, match=r"could not take target_accuracy\.mnistm-usps"):
        write_metrics(Model(tmp_path, config, {}), [], {})
    assert json.loads(last.read_text())["measures"] == found["measures"]  # nothing is lost
    assert training["selection"] == "last step" and training["steps"] == training["run_steps"] == 10
    assert training["minutes"] == 4.0 and "cpu_minutes" not in training


def write_table_in(path: Path, rows: list[tuple[str, int]]) -> None:
    path.parent.mkdir(parents=True)
    write_table(path, rows)
