"""ACGAN of faces: the report's layer table, pairs that differ in the label alone, what is handed in."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from reference_models import acgan_faces
from reference_models.acgan_faces import PRESETS, Trainer
from reference_models.acgan_networks import Generator
from reference_models.core.models import Model
from reference_models.core.runs import Machine
from reference_models.core.settings import as_json
from reference_models.core.summary import Layer, layers, table

TINY = replace(PRESETS["cpu"], width=4, d_width=8, z=12, batch=4, images=8)


def _counts(found: list[Layer]) -> list[int]:
    return [layer.parameters for layer in found if layer.parameters]


def test_the_networks_have_the_parameters_of_the_report() -> None:
    found = {title: layers(network, *inputs) for title, network, *inputs in acgan_faces.networks(PRESETS["report0"])}
    generator, discriminator = _counts(found["generator"]), _counts(found["discriminator"])
    assert generator == [819_200, 1024, 2_097_152, 512, 524_288, 256, 131_072, 128, 3072]
    assert discriminator == [3072, 128, 131_072, 256, 524_288, 512, 2_097_152, 8192, 8192]
    assert (sum(generator), sum(discriminator)) == (3_576_704, 2_772_864)
    assert "3,576,704" in table("generator", found["generator"])
    assert "2,772,864" in table("discriminator", found["discriminator"])


@pytest.mark.parametrize("preset", PRESETS)
def test_a_step_of_each_preset(preset: str) -> None:
    torch.manual_seed(0)
    settings = replace(PRESETS[preset], width=4, d_width=8, batch=4)
    trainer = Trainer(settings, None, 0, Machine(torch.device("cpu"), bfloat16=False))
    before = [p.clone() for p in trainer.generator.parameters()]
    values = trainer.update(0)
    assert all(np.isfinite(value) for value in values.values())
    moved = [not torch.equal(a, b) for a, b in zip(before, trainer.generator.parameters(), strict=True) if a.dim() > 1]
    assert all(moved) and trainer.average.steps == (1 if settings.average else 0)


def test_the_generator_steps_twice_where_a_report_did() -> None:
    trainer = Trainer(replace(TINY, g_steps=2), None, 0, Machine(torch.device("cpu"), bfloat16=False))
    trainer.update(0)
    steps = [int(state["step"]) for optimizer in trainer.optimizers for state in optimizer.state.values()]
    assert set(steps[: len(list(trainer.discriminator.parameters()))]) == {1} and steps[-1] == 2


def _model(folder: Path) -> Model:
    torch.manual_seed(0)
    generator = Generator(TINY)
    for weight in generator.parameters():
        if weight.dim() > 1:
            torch.nn.init.normal_(weight, 0, 0.5)
    return Model(folder, {"settings": json.loads(json.dumps(as_json(TINY)))}, generator.state_dict())


def test_what_is_handed_in(tmp_path: Path) -> None:
    model = _model(tmp_path)
    told = acgan_faces.generate([model], tmp_path / "out", None)
    names = sorted(path.name for path in (tmp_path / "out" / "acgan").iterdir())
    assert names == [f"{value}_{i:03d}.png" for value in (0, 1) for i in range(1, 501)] and "Smiling" in told
    pairs = acgan_faces.pairs_of(model, 7)
    assert pairs.shape == (2, 7, 64, 64, 3) and not np.array_equal(pairs[0], pairs[1])
    assert np.array_equal(np.asarray(Image.open(tmp_path / "out" / "acgan" / "1_007.png")), pairs[1, 6])


def test_figures_have_the_names_and_sizes_of_the_homework(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text('{"step": 1, "loss_d": 1.0}\n{"step": 2, "loss_d": 0.5}\n')
    made = acgan_faces.figures([_model(tmp_path)], tmp_path, None)
    assert [path.name for path in made] == ["fig3_2.jpg", "fig3_3.jpg"]
    with Image.open(made[1]) as sheet:
        assert sheet.size == (662, 134) and sheet.format == "JPEG"
