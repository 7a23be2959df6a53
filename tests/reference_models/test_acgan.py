"""ACGAN's networks against the layer table that a course report prints, its losses against closed forms, its files."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file
from torch import nn

from reference_models import acgan
from reference_models.acgan import PRESETS, Trainer, generate_digits
from reference_models.acgan_networks import Discriminator, Generator, LabelNorm, Settings
from reference_models.core import labelled
from reference_models.core.gan import draw, fixed_noise
from reference_models.core.labelled import class_loss, in_order, label_code
from reference_models.core.models import Model, load
from reference_models.core.runs import Machine, fit
from reference_models.core.settings import as_json, changed
from reference_models.core.summary import Layer, layers

CPU = Machine(torch.device("cpu"), bfloat16=False)
TINY = Settings(z=16, width=4, d_width=8, batch=20, images=60, validations=1)


def _layers(preset: str) -> dict[str, list[Layer]]:
    return {title: layers(network, *inputs) for title, network, *inputs in acgan.networks(PRESETS[preset])}


def _counts(found: list[Layer]) -> list[int]:
    return [layer.parameters for layer in found if layer.parameters]


def _randomly(settings: Settings) -> Generator:
    """A generator with weights so large that its pictures have every colour."""
    torch.manual_seed(0)
    generator = Generator(settings).double()
    for weight in generator.parameters():
        if weight.dim() > 1:
            nn.init.normal_(weight, 0, 0.5)
    return generator


@pytest.fixture(autouse=True)
def _colours(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mean colours of a picture's quarters in place of the network's features."""

    def features(pictures: np.ndarray, _: torch.device) -> np.ndarray:
        n, side = len(pictures), pictures.shape[1]
        return np.asarray(pictures.reshape(n, 2, side // 2, 2, side // 2, 3).mean((2, 4)).reshape(n, 12))

    monkeypatch.setattr(labelled, "efficientnet_features", features)


def test_the_cpu_preset_is_small() -> None:
    assert sum(_counts(_layers("cpu")["generator"])) < 1_000_000


@pytest.mark.parametrize("preset", PRESETS)
def test_the_table_counts_every_parameter(preset: str) -> None:
    found = _layers(preset)
    for title, network, *_ in acgan.networks(PRESETS[preset]):
        assert sum(_counts(found[title])) == sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize("preset", PRESETS)
def test_shapes_ranges_and_gradients(preset: str) -> None:
    settings = PRESETS[preset]
    torch.manual_seed(0)
    generator, discriminator = Generator(settings), Discriminator(settings)
    labels = torch.tensor([0, 1, 1])
    pictures = generator(torch.randn(3, settings.z), labels)
    assert pictures.shape == (3, 3, settings.side, settings.side) and pictures.abs().max() <= 1
    source, told = discriminator(pictures, labels)
    assert source.shape == (3,) and told.shape == (3, 1 if settings.pictures == "faces" else 10)
    (source.mean() + class_loss(told, labels)).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in generator.parameters() if p.dim() > 1)


@pytest.mark.parametrize("condition", ["multiplied", "joined", "norms"])
def test_the_label_changes_the_picture(condition: str) -> None:
    generator = _randomly(changed(TINY, [f"condition={condition}"]))
    noise = fixed_noise(1, TINY.z, 0).repeat(10, 1)
    assert len({picture.tobytes() for picture in draw(generator, noise, torch.arange(10))}) == 10


def test_a_multiplied_label_scales_the_noise() -> None:
    generator = _randomly(replace(TINY, condition="multiplied")).eval()
    noise, labels = fixed_noise(3, TINY.z, 0), torch.tensor([7, 0, 7])
    made = generator(noise, labels)
    scaled = noise * generator.embedding.weight[labels]
    nn.init.ones_(generator.embedding.weight)
    assert torch.equal(generator(scaled, labels), made)


def test_a_joined_label_takes_the_last_places_of_the_noise() -> None:
    generator = _randomly(replace(TINY, condition="joined")).eval()
    noise, labels = fixed_noise(2, TINY.z, 0), torch.tensor([4, 4])
    other = noise.clone()
    other[:, -10:] = 5
    assert torch.equal(generator(noise, labels), generator(other, labels))
    assert label_code(torch.tensor([0, 1]), 2).tolist() == [[-1], [1]]
    assert label_code(torch.tensor([1]), 3).tolist() == [[0, 1, 0]]


def test_a_norm_of_labels_begins_as_batch_norm() -> None:
    torch.manual_seed(0)
    norm, x = LabelNorm(5, 3), torch.randn(8, 5, 4, 4) * 3 + 1
    nn.init.ones_(norm.affine.weight[:, :5])
    assert torch.allclose(norm(x, torch.arange(8) % 3), nn.BatchNorm2d(5)(x), atol=1e-6)


def test_spectral_normalisation_bounds_all_but_the_class_head() -> None:
    network = Discriminator(PRESETS["gpu"])
    bounded = [name for name, module in network.named_modules() if hasattr(module, "parametrizations")]
    assert bounded == ["body.0", "body.2", "body.4", "body.6", "source", "projection"]
    assert not any(hasattr(module, "parametrizations") for module in Discriminator(PRESETS["report2"]).modules())


def test_a_projection_asks_for_the_label() -> None:
    torch.manual_seed(0)
    pictures, labels = torch.randn(10, 3, 28, 28), torch.arange(10)
    with_it, without = (Discriminator(replace(TINY, projection=p)).eval() for p in (True, False))
    other = labels.roll(1)
    assert not torch.allclose(with_it(pictures, labels)[0], with_it(pictures, other)[0])
    assert torch.equal(without(pictures, labels)[0], without(pictures, other)[0])
    x = with_it.body(pictures)
    expected = with_it.source(x).flatten() + with_it.projection(x)[labels, labels, 0, 0]
    assert torch.allclose(with_it(pictures, labels)[0], expected)


def test_recoloured_digits_are_digits_of_mnistm_and_most_are_left_alone() -> None:
    torch.manual_seed(0)
    ground, stroke = torch.rand(2000, 3, 28, 28) * 2 - 1, (torch.rand(28, 28) < 0.2)
    made = acgan.recolour(torch.where(stroke, -ground, ground))
    shown = torch.where(stroke, -made, made)  # the ground again
    signs, orders = set(), 0
    for old, new in zip(ground, shown, strict=True):
        sign = 1 if torch.allclose(old.sum(0), new.sum(0), atol=1e-5) else -1
        signs.add(sign)
        assert torch.allclose(old.sort(0).values, (sign * new).sort(0).values)
        orders += sign == 1 and torch.equal(old, new)
    assert signs == {1, -1} and pytest.approx(orders / 2000, abs=0.04) == 0.7 * (0.5 + 0.5 / 6)


@pytest.mark.parametrize("augment", ["none", "translation", "recolour", "diffaugment"])
def test_augmentation_is_passed_by_gradients(augment: str) -> None:
    trainer = Trainer(changed(TINY, [f"augment={augment}"]), None, 0, CPU)
    images = torch.full((4, 3, 28, 28), 0.5, requires_grad=True)
    made = trainer._augment(images)
    made.square().sum().backward()
    assert made.shape == images.shape and images.grad is not None and images.grad.abs().sum() > 0
    assert torch.equal(made, images) == (augment == "none")


def test_a_training_step_moves_both_networks_and_logs_their_losses() -> None:
    torch.manual_seed(0)
    for settings in (TINY, replace(TINY, pictures="faces", condition="joined", flips=True, augment="diffaugment")):
        trainer = Trainer(replace(settings, fakes_teach=True), None, 0, CPU)
        before = [
            {n: p.clone() for n, p in net.named_parameters()} for net in (trainer.generator, trainer.discriminator)
        ]
        values = trainer.update(0)
        assert set(values) >= {"loss_d", "loss_g", "class_loss_d", "class_loss_g", "reads_real", "reads_fake"}
        assert all(math.isfinite(value) for value in values.values())
        for net, old in zip((trainer.generator, trainer.discriminator), before, strict=True):
            assert all(not torch.equal(p, old[name]) for name, p in net.named_parameters() if p.dim() > 1)
            assert all(p.requires_grad for p in net.parameters())


def test_an_interrupted_run_ends_in_the_same_weights(tmp_path: Path) -> None:
    def train(folder: str, *stops: int) -> dict[str, torch.Tensor]:
        for steps in stops:
            torch.manual_seed(3)
            trainer = Trainer(TINY, None, 3, CPU)
            trainer.steps, trainer.every = steps, 1
            fit(trainer, tmp_path / folder, {}, 3, lambda _: None)
        return load_file(tmp_path / folder / "last.safetensors")

    whole, resumed = train("whole", 3), train("resumed", 2, 3)
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_the_report_without_tricks_keeps_the_last_weights() -> None:
    trainer = Trainer(replace(PRESETS["report2"], width=4, d_width=8), None, 0, CPU)
    assert trainer.kept is trainer.generator
    assert Trainer(TINY, None, 0, CPU).kept is not trainer.generator


def test_weights_are_selected_without_a_judge_of_digits() -> None:
    trainer = Trainer(TINY, None, 0, CPU)
    measured = trainer.validate()
    assert set(measured) == {"fd_validation", "fjd_validation", "diversity_share"}
    assert trainer.selection == "fjd_validation" and measured["fjd_validation"] >= measured["fd_validation"]


def test_drawing_is_in_float64_and_leaves_the_mode_alone() -> None:
    generator = _randomly(TINY).train()
    noise, labels = fixed_noise(250, TINY.z, 3), torch.arange(250) % 10
    pictures = draw(generator, noise, labels)
    assert pictures.shape == (250, 28, 28, 3) and pictures.dtype == np.uint8 and generator.training
    # A picture doesn't depend on those that are drawn with it.
    assert np.array_equal(draw(generator, noise[200:], labels[200:]), pictures[200:])


def test_digits_come_in_the_order_of_their_names() -> None:
    generator = _randomly(TINY).float()
    pictures, labels = generate_digits(generator, seed=5, per_class=3)
    assert labels.tolist() == [digit for digit in range(10) for _ in range(3)] and pictures.shape == (30, 28, 28, 3)
    assert next(generator.parameters()).dtype == torch.float32
    assert np.array_equal(pictures, draw(generator.double(), fixed_noise(30, TINY.z, 5), in_order(10, 3)))
    assert not np.array_equal(pictures, generate_digits(generator, seed=6, per_class=3)[0])


def _model(folder: Path, settings: Settings) -> Model:
    config = {"settings": json.loads(json.dumps(as_json(settings)))}
    return Model(folder, config, _randomly(settings).float().state_dict())


def test_what_is_handed_in(tmp_path: Path) -> None:
    told = acgan.generate([_model(tmp_path, TINY)], tmp_path / "out", None)
    files = sorted(path.name for path in (tmp_path / "out" / "acgan").iterdir())
    assert files == [f"{digit}_{i:03d}.png" for digit in range(10) for i in range(1, 101)] and "100 images" in told
    expected = generate_digits(_randomly(TINY).float(), acgan.NOISE_SEED)[0]
    assert np.array_equal(np.asarray(Image.open(tmp_path / "out" / "acgan" / "7_003.png")), expected[702])


def test_a_run_ends_in_figures(tmp_path: Path) -> None:
    settings = changed(TINY, ["z=12"])
    torch.manual_seed(1)
    trainer = Trainer(settings, None, 0, CPU)
    trainer.steps = 2
    fit(trainer, tmp_path / "run", {"settings": as_json(settings)}, 0, lambda _: None)
    made = acgan.figures([load(tmp_path / "run")], tmp_path, None)
    assert [path.name for path in made] == ["acgan_digits.png", "acgan_curves.png"]
    with Image.open(made[0]) as sheet:
        assert sheet.size == (604, 604)
