"""Five losses on one pair of networks: whose turn it is, what the critics lack, what is handed in."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from reference_models import gan_variants
from reference_models.core.models import Model, ModelError
from reference_models.core.runs import Machine
from reference_models.core.settings import as_json
from reference_models.dcgan import Discriminator, Generator
from reference_models.gan_variants import PRESETS, Trainer

CPU = Machine(torch.device("cpu"), bfloat16=False)


def trainer(preset: str) -> Trainer:
    torch.manual_seed(0)
    return Trainer(replace(PRESETS[preset], width=4, batch=4, z=8), None, 0, CPU)


def test_all_have_the_same_generator_and_one_critic_has_no_norm() -> None:
    shapes = [[tuple(p.shape) for p in Generator(s).parameters()] for s in PRESETS.values()]
    assert all(shape == shapes[0] for shape in shapes)
    with_norm = {
        name for name, s in PRESETS.items() if any(isinstance(m, nn.BatchNorm2d) for m in Discriminator(s).modules())
    }
    assert with_norm == {"ns", "lsgan", "wgan", "hinge"}
    with pytest.raises(ValueError, match="give norm=none"):
        Discriminator(replace(PRESETS["wgan-gp"], norm="batch"))


@pytest.mark.parametrize("preset", PRESETS)
def test_the_generator_waits_for_its_turn(preset: str) -> None:
    made = trainer(preset)
    turns = []
    for step in range(10):
        before = [p.clone() for p in made.generator.parameters()]
        critic = [p.clone() for p in made.discriminator.parameters()]
        values = made.update(step)
        assert all(np.isfinite(v) for v in values.values())
        assert any(not torch.equal(a, b) for a, b in zip(critic, made.discriminator.parameters(), strict=True))
        moved = any(not torch.equal(a, b) for a, b in zip(before, made.generator.parameters(), strict=True))
        assert moved == ("loss_g" in values)
        turns.append(moved)
    every = 3 if preset.startswith("wgan") else 1
    assert turns == [(step + 1) % every == 0 for step in range(10)]


def test_the_critic_of_wgan_is_clipped_and_that_of_wgan_gp_penalised() -> None:
    clipped, penalised = trainer("wgan"), trainer("wgan-gp")
    clipped.update(0)
    assert max(float(p.abs().max().detach()) for p in clipped.discriminator.parameters()) <= 0.01
    assert penalised.update(0)["penalty"] > 0 and "penalty" not in clipped.update(1)


def model(folder: Path, preset: str, settings: Any, generator: nn.Module) -> Model:
    folder.mkdir(exist_ok=True)
    rows = [f'{{"step": {i}, "loss_d": {i}.5, "loss_g": 1.0}}\n' for i in (20, 40)]
    (folder / "log.jsonl").write_text("".join(rows) + '{"step": 60, "loss_d": 1.0}\n')
    return Model(folder, {"preset": preset, "settings": dict(as_json(settings))}, generator.state_dict())


def variants(tmp_path: Path) -> list[Model]:
    torch.manual_seed(0)
    small = {name: replace(s, width=4, z=8) for name, s in PRESETS.items()}
    return [model(tmp_path / name, name, s, Generator(s)) for name, s in small.items()]


def test_what_is_handed_in(tmp_path: Path) -> None:
    gan_variants.generate(variants(tmp_path), tmp_path, None)
    files = sorted(p.relative_to(tmp_path / "variants").as_posix() for p in (tmp_path / "variants").rglob("*.*"))
    sides = ("with.csv", "with.png", "without.csv", "without.png")
    assert files == [f"{option}/{side}" for option in ("lsgan", "wgan", "wgan_gp") for side in sides]
    with open(tmp_path / "variants" / "wgan" / "with.csv", newline="") as f:
        assert list(csv.reader(f)) == [
            ["step", "generator", "discriminator"],
            ["20", "1.0", "20.5"],
            ["40", "1.0", "40.5"],
        ]
    sheets = [tmp_path / "variants" / option / "without.png" for option in ("lsgan", "wgan")]
    assert sheets[0].read_bytes() == sheets[1].read_bytes()
    with Image.open(sheets[0]) as sheet:
        assert sheet.size == (640, 480)


def test_a_model_that_is_missing_is_told(tmp_path: Path) -> None:
    few = [m for m in variants(tmp_path) if m.config["preset"] != "wgan"]
    with pytest.raises(ModelError, match="found none of wgan: train these, and pass each run's folder with --run"):
        gan_variants.generate(few, tmp_path, None)
    assert not (tmp_path / "variants").exists()


def test_a_comparison_belongs_to_both_its_sides(tmp_path: Path) -> None:
    names = [m.config["preset"] for m in variants(tmp_path) if gan_variants.belongs(m, "face_count_change.wgan_gp")]
    assert names == ["ns", "wgan-gp"]


def test_a_row_of_faces_for_each(tmp_path: Path) -> None:
    models = variants(tmp_path)
    curves, faces = gan_variants.figures(models[::-1], tmp_path, None)
    assert (curves.name, faces.name) == ("gan_variants_curves.png", "gan_variants_faces.png")
    with Image.open(faces) as sheet:
        assert sheet.height == 5 * 66 + 2 and sheet.width > 10 * 66 + 2
        first = np.asarray(sheet)[2:66, -(10 * 66) : -(9 * 66) - 2]
    assert np.array_equal(first, gan_variants.pictures_of(models[0], 1)[0])  # the presets' order, not the models'
