"""The VAE: the report's parameters, its losses against torch's distributions, what is handed in."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.distributions import Normal, kl_divergence

from grader.errors import CannotMeasure
from reference_models import vae
from reference_models.core.data import to_range
from reference_models.core.faces import load_test_faces
from reference_models.core.gan import draw
from reference_models.core.models import Model, ModelError, load
from reference_models.core.runs import Machine, fit
from reference_models.core.settings import as_json
from reference_models.core.summary import layers, table
from reference_models.vae import PRESETS, VALUES, Network, Settings, Trainer

CPU = Machine(torch.device("cpu"), bfloat16=False)
TINY = Settings(width=4, latent=6, batch=4, images=8, validations=1)


def test_the_networks_have_the_parameters_of_the_report() -> None:
    ((title, network, batch),) = vae.networks(PRESETS["report0"])
    found = layers(network, batch)
    counts = [layer.parameters for layer in found if layer.parameters]
    encoder = [1568, 64, 32_832, 128, 131_200, 256, 524_544, 512, 2_097_664, 2_097_664]
    assert counts == [*encoder, 2_101_248, 524_288, 256, 131_072, 128, 32_768, 64, 1536]
    assert sum(counts) == sum(p.numel() for p in Network(PRESETS["cpu"]).parameters()) == 7_677_792
    assert "7,677,792" in table(title, found)


def test_the_kl_is_that_of_two_normal_distributions() -> None:
    torch.manual_seed(0)
    mean, log_variance = torch.randn(2, 5, 7).double()
    peer = kl_divergence(Normal(mean, (log_variance / 2).exp()), Normal(torch.zeros(5, 7).double(), 1.0)).sum(1)
    assert torch.allclose(vae.kl_divergence(mean, log_variance), peer)


def test_the_elbo_is_a_normal_likelihood_minus_the_kl() -> None:
    torch.manual_seed(0)
    picture, made = torch.rand(2, 3, 64, 64).double()
    variance, kl = torch.tensor(0.03).double(), torch.tensor(12.5)
    peer = Normal(made, variance.sqrt()).log_prob(picture).sum() - kl
    assert float(vae.elbo((made - picture).square().sum(), kl, variance)) == pytest.approx(float(peer))


def test_the_best_variance_gives_the_highest_bound() -> None:
    error, kl = torch.tensor(123.0), torch.tensor(1.0)
    bounds = [float(vae.elbo(error, kl, error / VALUES * factor)) for factor in (0.9, 1.0, 1.1)]
    assert bounds[1] == max(bounds)


def test_presets_of_reports_state_their_likelihood() -> None:
    """A summed squared error plus the KL is minus the ELBO for a variance of 1/2, up to a constant."""
    assert PRESETS["report0"].sigma ** 2 == pytest.approx(0.5) and PRESETS["report0"].beta == 1
    assert PRESETS["report3"].beta == pytest.approx(0.01 * VALUES / 512)


@pytest.mark.parametrize("preset", PRESETS)
def test_steps_move_every_weight_and_measure_the_variance(preset: str) -> None:
    torch.manual_seed(0)
    settings = replace(PRESETS[preset], width=4, latent=6, batch=4, images=8, shift=2)
    trainer = Trainer(settings, None, 0, CPU)
    before = {name: p.clone() for name, p in trainer.network.named_parameters()}
    errors = [4 * trainer.update(step)["mse"] for step in range(2)]
    assert all(not torch.equal(p, before[n]) for n, p in trainer.network.named_parameters() if p.dim() > 1)
    expected = 0.5 if settings.sigma else sum(errors) / 2  # the mean over the first steps
    assert float(trainer.network.variance) == pytest.approx(expected)


def test_validation_says_what_the_bound_is_made_of() -> None:
    trainer = Trainer(TINY, None, 0, CPU)
    trainer.update(0)
    found = trainer.validate()
    assert {f"{name}_validation" for name in ("mse", "psnr", "kl", "elbo", "loss", "fd")} == set(found)
    assert found["loss_validation"] == pytest.approx(-found["elbo_validation"])
    assert found["psnr_validation"] == pytest.approx(-10 * math.log10(found["mse_validation"]))
    assert trainer.network.training


def test_random_latents_come_from_the_normal_distribution_that_fits(course: Path) -> None:
    torch.manual_seed(0)
    network, faces = Network(TINY).double().eval(), load_test_faces(course).images
    with torch.no_grad():
        mean, log_variance = network.encoder(to_range(faces).double())
    network.fit_prior(faces)
    peer = np.cov(mean.numpy().T, ddof=0) + np.diag(log_variance.exp().mean(0).numpy())
    assert (network.prior_factor @ network.prior_factor.T).numpy() == pytest.approx(peer)
    assert network.prior_mean.numpy() == pytest.approx(mean.mean(0).numpy())
    noise = torch.randn(3, 6).double()
    latents = torch.from_numpy(noise.numpy() @ np.linalg.cholesky(peer).T + mean.mean(0).numpy())
    assert np.abs(network.random(noise).astype(int) - draw(network.decoder, latents)).max() <= 1


def test_without_a_fit_latents_are_standard_normal() -> None:
    trainer = Trainer(replace(TINY, fitted=False), None, 0, CPU)
    trainer.update(0)
    trainer.validate()
    assert torch.equal(trainer.kept.prior_factor, torch.eye(6)) and not trainer.kept.prior_mean.any()
    other = Trainer(TINY, None, 0, CPU)
    other.validate()
    assert not torch.equal(other.weights()["prior_factor"], torch.eye(6))


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A short run's."""
    run = tmp_path_factory.mktemp("runs") / "vae"
    torch.manual_seed(0)
    trainer = Trainer(TINY, None, 0, CPU)
    fit(trainer, run, {"settings": as_json(TINY)}, 0, lambda _: None)
    return load(run)


def test_what_is_handed_in(model: Model, course: Path, tmp_path: Path) -> None:
    told = vae.generate([model], tmp_path, course)
    made = sorted(path.name for path in (tmp_path / "vae" / "reconstruction").iterdir())
    assert made == sorted(path.name for path in (course / "face" / "test").iterdir())
    assert len(list((tmp_path / "vae" / "random").iterdir())) == 1000
    pictures = [np.asarray(Image.open(tmp_path / "vae" / "reconstruction" / name), np.float64) for name in made]
    real = [np.asarray(Image.open(course / "face" / "test" / name).convert("RGB"), np.float64) for name in made]
    mse = float(((np.stack(pictures) - np.stack(real)) ** 2).mean()) / 255**2
    assert f"MSE {mse:.5f} on [0, 1], PSNR {-10 * math.log10(mse):.2f} dB" in told
    first = np.asarray(Image.open(tmp_path / "vae" / "random" / "0003.png"))
    assert np.array_equal(first, vae.random_faces(model, 3)[2])


def test_reconstructions_need_the_data(model: Model, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="pass --data"):
        vae.generate([model], tmp_path, None)
    with pytest.raises(CannotMeasure, match="test"):
        vae.generate([model], tmp_path, tmp_path)


def test_a_picture_does_not_depend_on_its_neighbours(model: Model, course: Path) -> None:
    faces = load_test_faces(course).images
    assert torch.equal(vae.encode(model, faces[:50]), vae.encode(model, faces)[:50])


def test_figures_have_the_names_and_sizes_of_the_homework(model: Model, course: Path, tmp_path: Path) -> None:
    made = vae.figures([model], tmp_path, course)
    assert sorted(path.name for path in made) == ["fig1_2.jpg", "fig1_3.jpg", "fig1_4.jpg", "fig1_5.jpg"]
    assert np.asarray(Image.open(tmp_path / "fig1_4.jpg")).shape == (266, 530, 3)
    sheet = np.asarray(Image.open(tmp_path / "fig1_3.jpg"), np.float64)
    assert sheet.shape == (134, 662, 3)
    top = sheet[2:66, 2:66]
    real = np.asarray(Image.open(course / "face" / "test" / "40000.png").convert("RGB"), np.float64)
    assert np.abs(top - real).mean() < 4  # JPEG loses little
    assert [path.name for path in vae.figures([model], tmp_path, None)] == ["fig1_2.jpg", "fig1_4.jpg"]
