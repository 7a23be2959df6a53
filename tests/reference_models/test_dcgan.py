"""DCGAN's networks against the layer tables that courses' reports print."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from grader.references.data import BadReference
from reference_models import dcgan
from reference_models.core.losses import generator_loss
from reference_models.core.runs import Machine
from reference_models.core.summary import layers
from reference_models.dcgan import PRESETS, Settings, Trainer


def _counts(name: str, preset: str) -> list[int]:
    found = {title: layers(net, batch) for title, net, batch in dcgan.networks(dcgan.PRESETS[preset])}
    return [layer.parameters for layer in found[name] if layer.parameters]


def test_the_generator_has_the_parameters_of_the_reports() -> None:
    counts = _counts("generator", "report0")
    assert sum(counts) == 3_576_704
    assert counts == [819_200, 1024, 2_097_152, 512, 524_288, 256, 131_072, 128, 3072]


def test_the_discriminators_have_the_parameters_of_the_reports() -> None:
    assert _counts("discriminator", "report0") == [3072, 128, 131_072, 256, 524_288, 512, 2_097_152, 1024, 8192]
    assert _counts("discriminator", "report2") == [3072, 131_072, 256, 524_288, 512, 2_097_152, 1024, 8192]


def test_a_linear_first_stage_differs_in_the_noise_alone() -> None:
    plain = _counts("generator", "report2")
    assert _counts("generator", "report2-linear") == [plain[0], 2 * 512 * 16, *plain[2:]]
    assert _counts("generator", "report2-z1024")[0] == 1024 * 512 * 16
    assert _counts("generator", "report2-z1024")[1:] == _counts("generator", "report2")[1:]


@pytest.mark.parametrize("preset", dcgan.PRESETS)
def test_the_table_counts_every_parameter(preset: str) -> None:
    for title, network, _ in dcgan.networks(dcgan.PRESETS[preset]):
        assert sum(_counts(title, preset)) == sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize("preset", dcgan.PRESETS)
def test_shapes_and_ranges(preset: str) -> None:
    settings = dcgan.PRESETS[preset]
    torch.manual_seed(0)
    generator, discriminator = dcgan.Generator(settings), dcgan.Discriminator(settings)
    pictures = generator(torch.randn(3, settings.z))
    assert pictures.shape == (3, 3, 64, 64) and pictures.abs().max() <= 1
    logits = discriminator(pictures)
    assert logits.shape == (3,)
    generator_loss(logits, settings.loss).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in generator.parameters() if p.dim() > 1)


def test_weights_begin_as_in_the_paper() -> None:
    torch.manual_seed(0)
    convolutions = [m for m in dcgan.Generator(dcgan.PRESETS["report2"]).modules() if hasattr(m, "kernel_size")]
    for module in convolutions:
        assert float(module.weight.detach().std()) == pytest.approx(0.02, rel=0.05)  # type: ignore[operator]


def test_spectral_normalisation_bounds_each_convolution() -> None:
    torch.manual_seed(0)
    network = dcgan.Discriminator(dcgan.PRESETS["spectral"])
    pictures = torch.randn(4, 3, 64, 64)
    for _ in range(30):  # the power iteration takes one step a pass
        network(pictures)
    network.eval()
    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d):
            assert float(torch.linalg.matrix_norm(module.weight.detach().flatten(1), 2)) == pytest.approx(1, rel=0.05)


def trained(steps: int, seed: int = 3, **changes: Any) -> Trainer:
    """A small trainer on made-up faces after some steps."""
    torch.manual_seed(seed)
    settings = replace(Settings(width=8), **changes)
    trainer = Trainer(settings, None, seed, Machine(torch.device("cpu"), bfloat16=False))
    for step in range(steps):
        torch.manual_seed(step)
        trainer.update(step)
    return trainer


@pytest.mark.parametrize("preset", PRESETS)
def test_two_steps_move_every_weight(preset: str) -> None:
    changes = {k: v for k, v in vars(PRESETS[preset]).items() if k != "width"}
    before, after = trained(0, **changes), trained(2, **changes)
    for network in ("generator", "discriminator"):
        for (name, old), new in zip(
            getattr(before, network).named_parameters(), getattr(after, network).parameters(), strict=True
        ):
            if old.dim() > 1:  # biases may see gradients that cancel
                assert not torch.equal(old, new), f"{network} {name}"


def test_the_same_seed_gives_the_same_weights() -> None:
    one, two, other = trained(2), trained(2), trained(2, seed=4)
    assert all(torch.equal(a, b) for a, b in zip(one.weights().values(), two.weights().values(), strict=True))
    assert not torch.equal(next(iter(one.weights().values())), next(iter(other.weights().values())))


def test_validation_measures_both_generators() -> None:
    values = trained(1).validate()
    assert set(values) == {"fd_validation", "fd_last_weights"} and min(values.values()) > 0
    assert set(trained(0, average=0.0).validate()) == {"fd_validation"}


def test_faces_of_another_size_are_refused(tmp_path: Path) -> None:
    (tmp_path / "face" / "train").mkdir(parents=True)
    for i in range(4):
        Image.new("RGB", (32, 32)).save(tmp_path / "face" / "train" / f"{i}.png")
    with pytest.raises(BadReference, match="expected faces of 64x64, found 32x32"):
        Trainer(Settings(), tmp_path, 0, Machine(torch.device("cpu"), bfloat16=False))
