"""From a run to what is handed in and drawn."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from grader.errors import CannotMeasure, UsageError
from reference_models import dann, uda
from reference_models.core.data import load_digits
from reference_models.core.models import Model, load
from reference_models.core.runs import fit
from reference_models.core.settings import as_json
from reference_models.dann_deliverables import figures, generate, network
from reference_models.dann_networks import predict
from tests.reference_models.test_dann import MACHINE, SHORT, read

SHORT_UDA = replace(uda.PRESETS["cpu"], steps=3, batch=8, direction="mnistm-usps")


def trained(family: ModuleType, settings: Any, course: Path, run: Path) -> Model:
    torch.manual_seed(0)
    trainer = family.Trainer(settings, course, 0, MACHINE)
    config = {"family": family.__name__.rpartition(".")[2], "settings": as_json(settings)}
    fit(trainer, run, config, 0, lambda _: None)
    return load(run)


@pytest.fixture(scope="module")
def models(course: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Model]:
    """Both families and a bound, trained for three steps."""
    home = tmp_path_factory.mktemp("runs")
    bound = replace(SHORT, method="source-only")
    runs = [(dann, SHORT, "dann"), (dann, bound, "bound"), (uda, SHORT_UDA, "uda")]
    return [trained(family, settings, course, home / name) for family, settings, name in runs]


def test_predictions_need_no_labels(models: list[Model], course: Path, tmp_path: Path) -> None:
    handed = tmp_path / "handed"  # as students have it: the test parts without labels
    for domain in ("svhn", "usps"):
        shutil.copytree(course / "digits" / domain / "test", handed / "digits" / domain / "test")
    told = generate(models, tmp_path / "out", handed)
    assert "usps-svhn.csv: 100 predictions" in told
    places = ["dann/improved/mnistm-usps.csv", "dann/source_only/usps-svhn.csv", "dann/usps-svhn.csv"]
    assert sorted(str(p.relative_to(tmp_path / "out")) for p in (tmp_path / "out").glob("**/*.csv")) == places
    rows = read(tmp_path / "out" / "dann" / "usps-svhn.csv")
    net = network(models[0])
    assert next(net.parameters()).dtype == torch.float64
    assert rows[0] == ["image_name", "label"]
    assert [row[0] for row in rows[1:]] == sorted(p.name for p in (handed / "digits" / "svhn" / "test").iterdir())
    predicted = predict(net, load_digits(course, "svhn", "test").images)
    assert predicted.dtype == torch.int64 and [int(row[1]) for row in rows[1:]] == predicted.tolist()


def test_a_run_logs_what_selects_and_nothing_that_needs_a_target_label(models: list[Model]) -> None:
    for model in models:
        row = json.loads((model.folder / "log.jsonl").read_text().splitlines()[-1])
        assert {"error", "target_uncertainty"} <= set(row) and not any("accuracy" in name for name in row)


def test_figures_by_class_and_by_domain(models: list[Model], course: Path, tmp_path: Path) -> None:
    drawn = figures(models[:1], tmp_path, course)
    names = ["dann_usps-svhn_curves.png", "dann_usps-svhn_tsne_class.png", "dann_usps-svhn_tsne_domain.png"]
    assert [path.name for path in drawn] == names
    assert all(np.asarray(Image.open(path)).std() > 5 for path in drawn)


def test_without_data(models: list[Model], tmp_path: Path) -> None:
    for verb in (generate, figures):
        with pytest.raises(UsageError, match="pass --data"):
            verb(models, tmp_path, None)
    with pytest.raises(CannotMeasure, match="digits/svhn/test"):
        generate(models, tmp_path, tmp_path)
