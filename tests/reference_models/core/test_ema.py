"""The average of weights against its closed form."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from reference_models.core.ema import Average


def test_the_average_follows_its_recursion() -> None:
    followed = nn.Linear(1, 1, bias=False)
    with torch.no_grad():
        followed.weight.fill_(0)
    average = Average(followed, 0.5)
    expected = 0.0
    for step, value in enumerate([1.0, 3.0, -2.0, 5.0], 1):
        with torch.no_grad():
            followed.weight.fill_(value)
        average.update(followed)
        decay = min(0.5, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * value
    assert average.network.weight.item() == pytest.approx(expected)
    assert not average.network.weight.requires_grad


def test_buffers_are_averaged_and_counters_copied() -> None:
    followed = nn.BatchNorm1d(1)
    average = Average(followed, 0.999)
    followed.running_mean = torch.full((1,), 11.0)
    followed.num_batches_tracked = torch.tensor(7)
    average.update(followed)
    assert float(average.network.running_mean) == pytest.approx(11 * (1 - 2 / 11))  # type: ignore[arg-type]  # a buffer
    assert int(average.network.num_batches_tracked) == 7  # type: ignore[arg-type]  # a buffer


def test_a_checkpoint_restores_it() -> None:
    followed = nn.Linear(2, 2)
    average = Average(followed, 0.9)
    for _ in range(3):
        nn.init.normal_(followed.weight)
        average.update(followed)
    again = Average(nn.Linear(2, 2), 0.9)
    again.load_state_dict(average.state_dict())
    assert again.steps == 3
    assert torch.equal(again.network.weight, average.network.weight)
