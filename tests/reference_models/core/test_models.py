"""Trained models: published from a run, read again, used in float64."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from reference_models.core import models
from reference_models.core.models import Model, ModelError, load, pixels_digest, publish, published


@dataclass(frozen=True)
class Settings:
    width: int = 2
    betas: tuple[float, float] = (0.5, 0.9)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A finished run of a linear layer."""
    folder = tmp_path / "run"
    folder.mkdir()
    config = {"family": "line", "settings": {"width": 3, "betas": [0.0, 0.9]}, "seed": 1}
    (folder / "settings.json").write_text(json.dumps(config))
    (folder / "log.jsonl").write_text('{"step": 1, "loss": 2.0}\n')
    for name, value in (("best", 0.1), ("last", 0.2)):
        save_file({"weight": torch.full((1, 1), value), "bias": torch.zeros(1)}, folder / f"{name}.safetensors")
    return folder


def test_publishing_halves_the_precision(run: Path, tmp_path: Path) -> None:
    out = publish(run, tmp_path / "weights" / "line", "best")
    model = load(out)
    assert model.weights["weight"].dtype == torch.float16
    assert model.config["weights"] == "best" and model.log() == [{"step": 1, "loss": 2.0}]
    network = model.fill(nn.Linear(1, 1))
    assert network.weight.dtype == torch.float64 and network.weight.item() == float(np.float16(0.1))
    assert not network.weight.requires_grad and not network.training


def test_eight_bits_are_a_step_of_each_row(run: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    weights = {"weight": torch.randn(5, 4, 3, 3) * torch.tensor([1e-3, 1, 10, 1, 0]).view(-1, 1, 1, 1)}
    weights |= {"bias": torch.randn(5), "steps": torch.tensor(3)}
    save_file(weights, run / "best.safetensors")
    found = load(publish(run, tmp_path / "eight", "best", 8)).weights
    step = weights["weight"].flatten(1).abs().amax(1).view(-1, 1, 1, 1) / 127
    assert ((found["weight"] - weights["weight"]).abs() <= 0.6 * step + 1e-6).all()
    assert torch.equal(found["bias"], weights["bias"].half()) and set(found) == set(weights)
    publish(run, tmp_path / "sixteen", "best")
    small, large = ((tmp_path / name / "weights.safetensors").stat().st_size for name in ("eight", "sixteen"))
    assert small < large


def test_a_run_stands_in_for_a_published_model(run: Path) -> None:
    assert load(run).weights["weight"].item() == pytest.approx(0.1)
    assert load(run, "last").weights["weight"].item() == pytest.approx(0.2)
    config = json.loads((run / "settings.json").read_text())
    (run / "settings.json").write_text(json.dumps(config | {"final": "last"}))
    assert load(run).weights["weight"].item() == pytest.approx(0.2)


def test_settings_come_back_as_their_dataclass(run: Path) -> None:
    assert load(run).settings(Settings) == Settings(3, (0.0, 0.9))


def test_what_cant_be_used(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ModelError, match="expected a trained model"):
        load(tmp_path / "nothing")
    with pytest.raises(ModelError, match="weights of another network"):
        load(run).fill(nn.Linear(2, 1))
    with pytest.raises(ModelError, match="settings of another version"):
        Model(run, {"settings": {"depth": 1}}, {}).settings(Settings)
    (run / "last.safetensors").unlink()
    with pytest.raises(ModelError, match="has not ended"):
        publish(run, tmp_path / "out", "best")
    (run / "best.safetensors").write_bytes(b"damaged")
    with pytest.raises(ModelError, match="expected a trained model"):
        load(run)
    for content in ("[]", "{}", '{"settings": []}', "no json"):
        (run / "settings.json").write_text(content)
        with pytest.raises(ModelError, match="expected a trained model"):
            load(run)
    monkeypatch.setattr(models, "HOME", tmp_path / "none")
    with pytest.raises(ModelError, match="pass it with --run"):
        published("line")


def test_published_models_come_in_order(run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "HOME", tmp_path / "weights")
    for name in ("b", "a"):
        publish(run, tmp_path / "weights" / "line" / name, "last")
    assert [model.folder.name for model in published("line")] == ["a", "b"]


def test_the_digest_tells_pictures_apart() -> None:
    pictures = np.zeros((2, 3, 4, 3), np.uint8)
    other = pictures.copy()
    other[1, 2, 3, 2] = 1
    assert pixels_digest(pictures) == pixels_digest(pictures.copy()) != pixels_digest(other)
    assert pixels_digest(pictures) != pixels_digest(pictures.reshape(2, 4, 3, 3))
