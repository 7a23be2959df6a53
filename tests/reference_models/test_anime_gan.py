"""GAN of anime faces: the report's counts, convolutions as Keras pads them, each switch, what is handed in."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.signal import correlate2d
from torch import nn

from reference_models import anime_gan
from reference_models.anime_gan import PRESETS, Discriminator, Double, Generator, Same, Settings, Trainer, Transposed
from reference_models.core.models import Model
from reference_models.core.runs import Machine
from reference_models.core.settings import as_json
from reference_models.core.summary import layers

TINY = replace(PRESETS["cpu"], width=8, d_width=4, z=6, batch=4, images=8)


def test_the_networks_have_the_parameters_of_the_report() -> None:
    settings = PRESETS["report1"]
    generator, discriminator = Generator(settings), Discriminator(settings)
    assert anime_gan.keras_count(generator) == 3_706_819
    assert anime_gan.keras_count(discriminator) == 712_673
    means_and_variances = sum(2 * m.num_features for m in generator.modules() if isinstance(m, nn.BatchNorm2d))
    assert means_and_variances == 384  # what Keras calls not trainable
    found = [layer.parameters for layer in layers(generator, torch.zeros(1, 100)) if layer.parameters]
    assert found == [100 * 32_768 + 32_768, 128 * 128 * 16 + 128, 256, 128 * 64 * 16 + 64, 128, 64 * 3 * 16 + 3]


def test_the_discriminator_passes_the_sizes_of_the_report() -> None:
    seen = layers(Discriminator(PRESETS["report1"]), torch.zeros(1, 3, 64, 64))
    convolutions = [layer.shape for layer in seen if layer.kind == "Same"]
    assert convolutions == [(32, 32, 32), (64, 16, 16), (128, 9, 9), (256, 9, 9)]
    assert [layer.shape for layer in seen if layer.kind == "ZeroPad2d"] == [(64, 17, 17)]


@pytest.mark.parametrize(("side", "stride"), [(9, 1), (16, 2), (17, 2), (8, 1)])
def test_convolutions_are_padded_as_keras_does(side: int, stride: int) -> None:
    torch.manual_seed(0)
    layer = Same(1, 1, stride).double()
    picture = torch.randn(1, 1, side, side, dtype=torch.float64)
    out = -(-side // stride)
    missing = (out - 1) * stride + 4 - side  # TensorFlow's rule: the smaller half comes first
    padded = np.pad(picture[0, 0].numpy(), (missing // 2, missing - missing // 2))
    assert layer.bias is not None
    whole = correlate2d(padded, layer.weight.detach()[0, 0].numpy(), "valid") + float(layer.bias.detach()[0])
    got = layer(picture).detach()[0, 0].numpy()
    assert got.shape == (out, out) and np.allclose(got, whole[::stride, ::stride], atol=1e-12)


def test_a_transposed_convolution_is_cut_as_keras_does() -> None:
    # The gradient of a convolution that is padded with one row before and two behind.
    layer, forward = Transposed(1, 1).double(), Same(1, 1).double()
    with torch.no_grad():
        forward.weight.copy_(layer.weight)
    shown = torch.zeros(1, 1, 7, 7, dtype=torch.float64, requires_grad=True)
    given = torch.randn(1, 1, 7, 7, dtype=torch.float64)
    forward(shown).backward(given)
    assert shown.grad is not None and layer.bias is not None
    assert torch.allclose(layer(given) - layer.bias, shown.grad)


def test_doubling_and_convolution_in_one_step_is_the_same_function() -> None:
    torch.manual_seed(0)
    once, plain = Double(3, 5).double(), Transposed(3, 5).double()
    plain.load_state_dict(once.state_dict())
    x = torch.randn(2, 3, 6, 7, dtype=torch.float64)
    wanted = plain(nn.Upsample(scale_factor=2)(x))
    assert torch.allclose(once(x), wanted, atol=1e-12) and wanted.shape == (2, 5, 12, 14)
    grads = [torch.autograd.grad(y.square().sum(), layer.weight)[0] for y, layer in ((once(x), once), (wanted, plain))]
    assert torch.allclose(grads[0], grads[1])


@pytest.mark.parametrize("preset", PRESETS)
def test_a_step_moves_every_weight(preset: str) -> None:
    torch.manual_seed(0)
    settings = replace(PRESETS[preset], width=8, d_width=4, batch=4)
    trainer = Trainer(settings, None, 0, Machine(torch.device("cpu"), bfloat16=False))
    before = {n: p.clone() for net in ("generator", "discriminator") for n, p in _named(trainer, net)}
    values = trainer.update(0)
    assert all(np.isfinite(value) for value in values.values())
    after = {n: p for net in ("generator", "discriminator") for n, p in _named(trainer, net)}
    assert all(not torch.equal(before[n], after[n]) for n in before if before[n].dim() > 1)


def _named(trainer: Trainer, network: str) -> list[tuple[str, torch.Tensor]]:
    return [(f"{network}.{name}", p.detach()) for name, p in getattr(trainer, network).named_parameters()]


def test_a_penalised_gradient_is_refused_here() -> None:
    with pytest.raises(ValueError, match="has no BatchNorm: see gan_variants"):
        Discriminator(replace(TINY, loss="wgan-gp"))


def test_what_is_handed_in(tmp_path: Path) -> None:
    torch.manual_seed(0)
    (tmp_path / "log.jsonl").write_text('{"step": 1, "loss_d": 1.0}\n{"step": 2, "loss_d": 0.5}\n')
    config = {"settings": json.loads(json.dumps(as_json(TINY)))}
    model = Model(tmp_path, config, Generator(TINY).state_dict())
    assert anime_gan.generate([model], tmp_path, None).endswith("25 faces")
    with Image.open(tmp_path / "samples" / "gan.png") as sheet:
        assert sheet.size == (640, 480)
    assert [p.name for p in anime_gan.figures([model], tmp_path, None)] == [
        "anime_gan_curves.png",
        "anime_gan_faces.png",
    ]
    near, far = (anime_gan.pictures_of(_spread(model, s), 4).astype(float) for s in (0.01, 3.0))
    assert near.std(0).mean() < far.std(0).mean()  # less noise, faces that are more alike
    assert np.array_equal(anime_gan.pictures_of(model, 3), anime_gan.pictures_of(model, 25)[:3])


def _spread(model: Model, spread: float) -> Model:
    return replace(model, config={"settings": {**model.config["settings"], "spread": spread}})


def test_settings_of_the_command_line_are_known() -> None:
    assert Settings().width == 128 and PRESETS["cpu"].width == 64
