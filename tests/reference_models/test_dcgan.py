"""DCGAN's networks against the layer tables that courses' reports print, and its losses against closed forms."""

from __future__ import annotations

import math

import pytest
import torch
from click.testing import CliRunner

from reference_models import dcgan
from reference_models.__main__ import main
from reference_models.core.summary import layers


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
    dcgan.generator_loss(logits, settings.loss).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in generator.parameters() if p.dim() > 1)


def test_weights_begin_as_in_the_paper() -> None:
    torch.manual_seed(0)
    convolutions = [m for m in dcgan.Generator(dcgan.PRESETS["report2"]).modules() if hasattr(m, "kernel_size")]
    for module in convolutions:
        assert float(module.weight.detach().std()) == pytest.approx(0.02, rel=0.05)  # type: ignore[union-attr,operator]


def test_spectral_normalisation_bounds_each_convolution() -> None:
    torch.manual_seed(0)
    network = dcgan.Discriminator(dcgan.PRESETS["gpu"])
    pictures = torch.randn(4, 3, 64, 64)
    for _ in range(30):  # the power iteration takes one step a pass
        network(pictures)
    network.eval()
    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d):
            assert float(torch.linalg.matrix_norm(module.weight.detach().flatten(1), 2)) == pytest.approx(1, rel=0.05)


def test_losses_in_closed_form() -> None:
    real, fake = torch.tensor([2.0, 0.5]), torch.tensor([-3.0, 0.0])
    assert float(dcgan.discriminator_loss(real, fake, "hinge")) == pytest.approx(0.25 + 0.5)
    assert float(dcgan.generator_loss(fake, "hinge")) == pytest.approx(1.5)

    def soft(x: float) -> float:
        return math.log1p(math.exp(x))

    expected = (soft(-2) + soft(-0.5)) / 2 + (soft(-3) + soft(0)) / 2
    assert float(dcgan.discriminator_loss(real, fake, "bce")) == pytest.approx(expected, rel=1e-6)
    assert float(dcgan.generator_loss(fake, "bce")) == pytest.approx((soft(3) + soft(0)) / 2, rel=1e-6)


def test_command_line() -> None:
    run = CliRunner().invoke
    assert "dcgan" in run(main, ["list"]).output
    shown = run(main, ["summary", "dcgan", "--preset", "report0"]).output
    assert "3,576,704" in shown and "2,765,696" in shown and "512x4x4" in shown
    wrong = run(main, ["summary", "dcgan", "--preset", "report9"])
    assert wrong.exit_code == 2 and "report0" in wrong.output
