"""CycleGAN: the published counts, the pool, a step, both directions, what is handed in."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from grader.errors import CannotMeasure
from reference_models import cyclegan
from reference_models.core.models import Model
from reference_models.core.pool import Pool
from reference_models.core.runs import Machine
from reference_models.core.settings import as_json
from reference_models.cyclegan import Trainer, drawn_by, load_domain, networks
from reference_models.cyclegan_networks import PRESETS, Discriminator, Generator

TINY = replace(PRESETS["cpu"], width=4, d_width=4, blocks=1, batch=2, images=8, handed_in=5, judged=4)
CPU = Machine(torch.device("cpu"), bfloat16=False)


def test_the_networks_have_the_published_parameters_but_for_idle_biases() -> None:
    # 11,378,179 and 2,764,737 in the authors' program, whose convolutions before an instance norm have a bias.
    settings = replace(PRESETS["horse2zebra"], width=64, d_width=64)
    for network, published in ((Generator(settings), 11_378_179), (Discriminator(settings), 2_764_737)):
        idle = 0
        modules = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d | nn.InstanceNorm2d)]
        for conv, norm in pairwise(modules):
            if isinstance(norm, nn.InstanceNorm2d) and not isinstance(conv, nn.InstanceNorm2d):
                idle += conv.out_channels
        assert sum(p.numel() for p in network.parameters()) + idle == published


def test_a_picture_keeps_its_size() -> None:
    pictures = torch.zeros(1, 3, 28, 28)
    for _, network, _ in networks(TINY)[:2]:
        assert network(pictures).shape == pictures.shape
    with pytest.raises(ValueError, match="that four divides, found 30"):
        networks(replace(TINY, side=30))


def test_the_pool_gives_back_what_came_before() -> None:
    torch.manual_seed(0)
    pool, seen = Pool(4), []
    for step in range(50):
        seen += pool.swap(torch.full((2, 1, 1, 1), float(step))).flatten().tolist()
    assert len(seen) == 100 and seen[:4] == [0, 0, 1, 1] and len(pool.kept) == 4
    late = [step // 2 - value for step, value in enumerate(seen)]
    assert 0.3 < np.mean([age > 0 for age in late[4:]]) < 0.7  # half of them are older
    other = Pool(4)
    other.load_state_dict(pool.state_dict())
    assert torch.equal(torch.stack(other.kept), torch.stack(pool.kept))
    assert torch.equal(Pool(0).swap(torch.ones(1, 1, 1, 1)), torch.ones(1, 1, 1, 1))


@pytest.mark.parametrize("preset", PRESETS)
def test_a_step_moves_all_four_networks(preset: str) -> None:
    torch.manual_seed(0)
    small = {"width": 4, "d_width": 4, "blocks": 1, "batch": 2, "side": 32}
    trainer = Trainer(replace(PRESETS[preset], **small), None, 0, CPU)  # type: ignore[arg-type]
    both = [*trainer.generators, *trainer.discriminators]
    before = [[p.detach().clone() for p in network.parameters()] for network in both]
    values = trainer.update(0)
    assert set(values) == {"loss_g", "cycle", "identity", "loss_d"} and all(np.isfinite(v) for v in values.values())
    for network, old in zip(both, before, strict=True):
        moved = [not torch.equal(a, b) for a, b in zip(old, network.parameters(), strict=True) if a.dim() > 1]
        assert all(moved)
    assert set(trainer.validate()) == {"fd_first", "fd_second"}


def test_the_rate_falls_to_nothing_in_the_second_half() -> None:
    trainer = Trainer(replace(TINY, images=20), None, 0, CPU)
    rates = []
    for step in (0, 4, 5, 9):
        trainer._set_rate(step)
        rates.append(trainer.optimizers[0].param_groups[0]["lr"])
    assert rates == pytest.approx([2e-4, 2e-4, 2e-4, 4e-5])


def test_domains_are_read_from_folders(course: Path, tmp_path: Path) -> None:
    assert load_domain(TINY, TINY.first, course, "test", 3).shape == (3, 3, 28, 28)
    photos = replace(PRESETS["horse2zebra"], side=32, crop=1.25)
    (tmp_path / "horse2zebra" / "trainA").mkdir(parents=True)
    for i in range(2):
        Image.new("RGB", (60, 50), (i, 0, 0)).save(tmp_path / "horse2zebra" / "trainA" / f"{i}.jpg")
    assert load_domain(photos, photos.first, tmp_path, "train").shape == (2, 3, 40, 40)
    with pytest.raises(CannotMeasure, match="needs the folder horse2zebra/testA of pictures"):
        load_domain(photos, photos.first, tmp_path, "test")


def test_what_is_handed_in(course: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    (tmp_path / "log.jsonl").write_text('{"step": 1, "cycle": 1.0}\n{"step": 2, "cycle": 0.5}\n')
    weights = {
        f"{name}.{key}": value
        for name in ("first_to_second", "second_to_first")
        for key, value in Generator(TINY).state_dict().items()
    }
    model = Model(tmp_path, {"settings": json.loads(json.dumps(as_json(TINY)))}, weights)
    assert "5 pictures" in cyclegan.generate([model], tmp_path, course)
    names = [f"{i:03d}.png" for i in range(1, 6)]
    assert [sorted(p.name for p in (tmp_path / "style" / side).iterdir()) for side in ("input", "output")] == [
        names
    ] * 2
    before, after = drawn_by(model, course)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "style" / "input" / "002.png")), before[1])
    assert before.shape == after.shape and not np.array_equal(before, after)
    assert not np.array_equal(drawn_by(model, course, backwards=True)[1], after)
    assert len(cyclegan.figures([model], tmp_path, course)) == 2
    with pytest.raises(CannotMeasure, match="pass --data DIR"):
        cyclegan.generate([model], tmp_path, None)
