"""Tips with and without, on DCGAN's networks: what each changes, what is handed in."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from reference_models import tips
from reference_models.core.models import Model, ModelError
from reference_models.core.runs import Machine
from reference_models.core.settings import as_json
from reference_models.tips import PRESETS, Discriminator, Generator, Trainer

CPU = Machine(torch.device("cpu"), bfloat16=False)
TINY = {name: replace(settings, width=4, batch=4, z=8) for name, settings in PRESETS.items()}


@pytest.mark.parametrize("preset", PRESETS)
def test_a_step_moves_every_weight(preset: str) -> None:
    torch.manual_seed(0)
    trainer = Trainer(TINY[preset], None, 0, CPU)
    networks = trainer.generator, trainer.discriminator
    before = [p.clone() for network in networks for p in network.parameters()]
    assert all(np.isfinite(value) for value in trainer.update(0).values())
    after = [p for network in networks for p in network.parameters()]
    # A bias before a BatchNorm has no gradient but rounding.
    assert all(not torch.equal(a, b) for a, b in zip(before, after, strict=True) if a.dim() > 1)


@pytest.mark.parametrize("preset", PRESETS)
def test_sizes(preset: str) -> None:
    made = Generator(TINY[preset])(torch.zeros(3, 8))
    assert made.shape == (3, 3, 64, 64) and Discriminator(TINY[preset])(made).shape == (3,)


def test_tip_1_left_out_means_pictures_from_0_to_1() -> None:
    torch.manual_seed(0)
    made = Generator(TINY["tip1-without"])(torch.randn(4, 8))
    assert made.min() > -1 and made.max() < 1
    network = Discriminator(TINY["tip1-without"]).eval()
    seen: list[torch.Tensor] = []
    network.body[0].register_forward_hook(lambda _m, inputs, _o: seen.append(inputs[0]))
    network(torch.stack([torch.full((3, 64, 64), -1.0), torch.ones(3, 64, 64)]))
    assert (float(seen[0].min()), float(seen[0].max())) == (0, 1)


def test_tip_5_left_out_brings_sparse_gradients() -> None:
    def kinds(preset: str) -> set[type[nn.Module]]:
        made = Generator(TINY[preset]), Discriminator(TINY[preset])
        return {type(module) for network in made for module in network.modules()}

    sparse, base = kinds("tip5-without"), kinds("base")
    assert {nn.ReLU, nn.MaxPool2d} <= sparse and nn.LeakyReLU not in sparse
    assert nn.LeakyReLU in base and not {nn.ReLU, nn.MaxPool2d, nn.Upsample} & base
    strided = [
        m for m in Discriminator(TINY["tip5-without"]).modules() if isinstance(m, nn.Conv2d) and m.stride != (1, 1)
    ]
    assert not strided


def test_tip_17_keeps_dropout_after_training() -> None:
    torch.manual_seed(0)
    noise = torch.randn(2, 8)
    with_it, without = (Generator(TINY[preset]).eval() for preset in ("tip17-with", "base"))
    assert not torch.equal(with_it(noise), with_it(noise))
    assert torch.equal(without(noise), without(noise))


def test_all_end_after_as_many_pictures_and_none_is_selected() -> None:
    assert Trainer.final == "last"
    assert len({(s.images, s.batch, s.width, s.rate) for s in PRESETS.values()}) == 1


def test_what_is_handed_in(tmp_path: Path) -> None:
    torch.manual_seed(0)
    models = []
    for preset, settings in TINY.items():
        folder = tmp_path / preset
        folder.mkdir()
        (folder / "log.jsonl").write_text('{"step": 20, "loss_d": 0.5, "loss_g": 1.0}\n')
        config = {"preset": preset, "settings": dict(as_json(settings))}
        models.append(Model(folder, config, Generator(settings).state_dict()))
    tips.generate(models, tmp_path, None)
    home = tmp_path / "variants"
    assert sorted(p.name for p in home.iterdir()) == ["tip1", "tip17", "tip5"]
    # The base follows tips 1 and 5 and does without 17.
    assert (home / "tip1" / "with.png").read_bytes() == (home / "tip5" / "with.png").read_bytes()
    assert (home / "tip1" / "with.png").read_bytes() == (home / "tip17" / "without.png").read_bytes()
    assert (home / "tip1" / "with.png").read_bytes() != (home / "tip1" / "without.png").read_bytes()
    # Dropout goes on, by a seed of its own: the same faces each time.
    assert np.array_equal(tips.pictures_of(models[3], 2), tips.pictures_of(models[3], 2))
    assert [m.config["preset"] for m in models if tips.belongs(m, "face_count_change.tip17")] == ["base", "tip17-with"]
    with pytest.raises(ModelError, match="found none of base, tip1-without"):
        tips.generate([], tmp_path, None)
