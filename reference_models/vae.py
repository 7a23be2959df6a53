"""Variational autoencoder (Kingma and Welling, ICLR 2014) of faces at 64 x 64: reconstructions and random faces.

Pictures are float32 ``(n, 3, 64, 64)`` in [-1, 1], latents are float ``(n, latent)``. The likelihood is Gaussian with
one standard deviation for all values, so that minus the evidence lower bound (ELBO) of a picture is, in nats,

    6144 * log(2 * pi * sigma^2) + squared error / (2 * sigma^2) + KL

with the squared error summed over the 12,288 values in [-1, 1] and the KL summed over the latents.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reference_models.core.augment import flip
from reference_models.core.data import Batches, to_pixels, to_range
from reference_models.core.deliverables import write_pictures
from reference_models.core.ema import Average
from reference_models.core.faces import load_test_faces, split_faces
from reference_models.core.gan import draw, fixed_noise
from reference_models.core.judging import Distance, Pictures
from reference_models.core.models import Model, ModelError
from reference_models.core.runs import Machine, Stateful, Values

ASSIGNMENT = "dlcv-spring2018-hw4"
PROBLEM = "vae"
VALUES = 3 * 64 * 64  # numbers in a picture
SHOWN = "Male"  # the attribute that colours the latents
NOISE_SEED = 1  # of the faces that are handed in; validation looks at those of seed 0


@dataclass(frozen=True)
class Settings:
    """Each trick is a switch. `width` counts the channels at 32 x 32.

    `sigma`: the likelihood's standard deviation for values in [-1, 1]; 0 for the best one, which is the root of the
    mean squared error (Rybkin et al., ICML 2021). `beta`: weight of the KL; the ELBO has 1 (Higgins et al., ICLR 2017).
    `shift`: pixels by which training photos move at most. `average`: decay of the weights' average a step, 0 for none.
    `fitted`: random faces come from the normal distribution that fits the latents of the training photos (Ghosh et al.,
    ICLR 2020) instead of N(0, 1), which they fill badly where the rate is high.
    """

    latent: int = 512
    width: int = 32
    sigma: float = 0.0
    beta: float = 1.0
    rate: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.999)
    cosine: bool = True  # the rate falls to 0 over the run
    leak: float = 0.2
    batch: int = 64
    images: int = 4_000_000
    flips: bool = True
    shift: int = 0
    average: float = 0.999
    fitted: bool = True
    validations: int = 10  # in a whole run
    final: Literal["best", "last"] = "best"


# Reports of students. Their losses in the terms above: a squared error summed over values in [-1, 1] plus KL is
# sigma^2 = 1/2; a mean squared error plus 0.01 times a mean KL is the same with a beta of 0.01 * 12288 / 512 = 0.24.
_REPORT0 = Settings(sigma=math.sqrt(0.5), batch=100, flips=False, average=0, cosine=False, fitted=False)
PRESETS = {
    "gpu": Settings(),
    "cpu": Settings(images=450_000),
    "report0": _REPORT0,
    "report3": replace(_REPORT0, beta=0.24, rate=2e-4, betas=(0.5, 0.999), batch=64, leak=0.01),
    "report4": replace(_REPORT0, batch=64),
}


class Encoder(nn.Module):
    """Pictures to mean and log-variance of their latents, two of ``(n, latent)``."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        w = settings.width
        parts: list[nn.Module] = []
        for before, after in pairwise((3, w, 2 * w, 4 * w, 8 * w)):
            parts += [nn.Conv2d(before, after, 4, 2, 1), nn.BatchNorm2d(after), nn.LeakyReLU(settings.leak)]
        self.body = nn.Sequential(*parts, nn.Flatten())
        self.mean, self.log_variance = (nn.Linear(8 * w * 16, settings.latent) for _ in range(2))

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        x = self.body(pictures)
        return self.mean(x), self.log_variance(x)


class Decoder(nn.Sequential):
    """Latents to pictures."""

    def __init__(self, settings: Settings) -> None:
        w = settings.width
        parts: list[nn.Module] = [nn.Linear(settings.latent, 8 * w * 16), nn.Unflatten(1, (8 * w, 4, 4))]
        for before, after in pairwise((8 * w, 4 * w, 2 * w, w)):
            up = nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False)
            parts += [up, nn.BatchNorm2d(after), nn.LeakyReLU(settings.leak)]
        super().__init__(*parts, nn.ConvTranspose2d(w, 3, 4, 2, 1, bias=False), nn.Tanh())


class Network(nn.Module):
    """Both, and what is measured and not learnt by descent: the likelihood's variance, where random latents come from.

    >>> sum(p.numel() for p in Network(Settings()).parameters())
    7677792
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.encoder, self.decoder = Encoder(settings), Decoder(settings)
        self.variance: Tensor
        self.register_buffer("variance", torch.tensor(settings.sigma**2 or 0.1))
        self.prior_mean: Tensor
        self.register_buffer("prior_mean", torch.zeros(settings.latent))
        self.prior_factor: Tensor
        self.register_buffer("prior_factor", torch.eye(settings.latent))

    def forward(self, pictures: Tensor) -> Tensor:
        """The reconstruction from the mean of the latents."""
        result: Tensor = self.decoder(self.encoder(pictures)[0])
        return result

    @torch.no_grad()
    def fit_prior(self, faces: Tensor) -> None:
        """Takes mean and covariance of the latents of faces uint8 ``(n, 3, 64, 64)``, each with its own variance."""
        weight = self.encoder.mean.weight
        found = [self.encoder(to_range(few).to(weight.device, weight.dtype)) for few in faces.split(100)]
        means = torch.cat([mean for mean, _ in found]).double()
        variances = torch.cat([log_variance for _, log_variance in found]).double().exp().mean(0)
        centred = means - means.mean(0)
        covariance = centred.T @ centred / len(means) + torch.diag(variances)
        self.prior_mean.copy_(means.mean(0))
        self.prior_factor.copy_(torch.linalg.cholesky(covariance))

    def random(self, noise: Tensor) -> Pictures:
        """Faces uint8 ``(n, 64, 64, 3)`` from normal noise ``(n, latent)``."""
        here = noise.to(self.prior_factor.device, self.prior_factor.dtype)
        return draw(self.decoder, self.prior_mean + here @ self.prior_factor.T)


def kl_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """From N(mean, exp(log_variance)) to N(0, 1), summed over the latents, in nats: ``(n, latent)`` twice to ``(n,)``.

    >>> kl_divergence(torch.tensor([[1.0, 0.0]]), torch.zeros(1, 2))
    tensor([0.5000])
    """
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1)


def elbo(error: Tensor, kl: Tensor, variance: Tensor) -> Tensor:
    """The evidence lower bound in nats; `error`: squared, summed over a picture's values."""
    return -0.5 * VALUES * torch.log(2 * math.pi * variance) - error / (2 * variance) - kl


class Trainer:
    """Minimises minus the ELBO, the KL weighed by beta; validates on photos that were held out."""

    selection = "loss_validation"

    def __init__(self, settings: Settings, data: Path | None, seed: int, machine: Machine) -> None:
        faces, held_out = split_faces(data)
        self.settings, self.machine, self.final = settings, machine, settings.final
        self.faces, self.held_out = faces.to(machine.device), held_out.to(machine.device)
        self.batches = Batches(len(faces), settings.batch, seed)
        self.steps = settings.images // min(settings.batch, len(faces))
        self.every = max(1, self.steps // settings.validations)
        layout: dict[str, Any] = {"device": machine.device, "memory_format": torch.channels_last}
        self.network = Network(settings).to(**layout)
        self.average = Average(self.network, settings.average)
        self.optimizer = torch.optim.Adam(self.network.parameters(), settings.rate, settings.betas)
        self.distance = Distance.to(to_pixels(to_range(held_out)), machine.device)
        self.parts: dict[str, Stateful] = {
            "network": self.network,
            "average": self.average,
            "optimizer": self.optimizer,
        }

    def update(self, step: int) -> Values:
        """One step on a batch."""
        settings = self.settings
        real = to_range(self.faces[self.batches(step).to(self.faces.device)])
        real = _shifted(flip(real) if settings.flips else real, settings.shift)
        if settings.cosine:
            for group in self.optimizer.param_groups:
                group["lr"] = settings.rate * 0.5 * (1 + math.cos(math.pi * step / self.steps))
        with self.machine.autocast():
            mean, log_variance = self.network.encoder(real)
        mean, log_variance = mean.float(), log_variance.float()
        with self.machine.autocast():
            latent = mean + torch.randn(mean.shape).to(mean.device) * (0.5 * log_variance).exp()
            made = self.network.decoder(latent)
        error = (made.float() - real).square().sum((1, 2, 3)).mean()
        kl = kl_divergence(mean, log_variance).mean()
        variance = self.network.variance
        if not settings.sigma:
            variance = error / VALUES  # the best one for this batch, and its descent
            self.network.variance.lerp_(variance.detach(), 1 / min(step + 1, 100))
        loss = -elbo(error, settings.beta * kl, variance)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        if settings.average:
            self.average.update(self.network)
        return {"mse": float(error.detach()) / VALUES / 4, "kl": float(kl.detach()), "loss": float(loss.detach())}

    @property
    def kept(self) -> Network:
        """The network whose pictures count: the average where there is one."""
        network: Network = self.average.network if self.settings.average else self.network
        return network

    def validate(self) -> Values:
        """Of the held-out photos, and the distance that random faces have to them."""
        self.network.eval()
        found = describe(self.kept, self.held_out, self.settings.beta)
        if self.settings.fitted:
            self.kept.fit_prior(self.faces)
        noise = fixed_noise(min(1000, 2 * len(self.held_out)), self.settings.latent, seed=0)
        fd = self.distance.of(self.kept.random(noise))
        self.network.train()
        return {f"{name}_validation": value for name, value in found.items()} | {"fd_validation": fd}

    def weights(self) -> dict[str, Tensor]:
        """The kept network's."""
        return self.kept.state_dict()


@torch.no_grad()
def describe(network: Network, faces: Tensor, beta: float = 1.0) -> Values:
    """Faces uint8 ``(n, 3, 64, 64)`` to the mean of: MSE on [0, 1] and PSNR in dB of the mean latents' pictures, KL,
    and ELBO in nats with one sample of the latents a picture; `loss` is minus the ELBO with the KL weighed by beta.
    """
    weight = network.encoder.mean.weight
    noise = fixed_noise(len(faces), network.encoder.mean.out_features, seed=2)
    rows = []
    for start in range(0, len(faces), 100):
        real = to_range(faces[start : start + 100]).to(weight.device, weight.dtype)
        mean, log_variance = network.encoder(real)
        sample = mean + noise[start : start + 100].to(weight) * (0.5 * log_variance).exp()
        errors = [(network.decoder(z) - real).square().sum((1, 2, 3)) for z in (mean, sample)]
        kl = kl_divergence(mean, log_variance)
        bounds = [elbo(errors[1], weight_of_kl * kl, network.variance) for weight_of_kl in (1.0, beta)]
        rows.append(torch.stack([errors[0] / VALUES / 4, kl, *bounds]))
    mse, kl_mean, bound, weighed = torch.cat(rows, 1).double().mean(1).tolist()
    return {"mse": mse, "psnr": -10 * math.log10(mse), "kl": kl_mean, "elbo": bound, "loss": -weighed}


def _shifted(images: Tensor, most: int) -> Tensor:
    if not most:
        return images
    x, y = torch.randint(0, 2 * most + 1, (2,)).tolist()
    return F.pad(images, (most,) * 4, "reflect")[:, :, y : y + 64, x : x + 64]


def networks(settings: Settings) -> list[tuple[str, nn.Module, Tensor]]:
    """The network with its name and a batch of its input."""
    return [("vae", Network(settings), torch.zeros(1, 3, 64, 64))]


def belongs(model: Model, measure: str) -> bool:  # noqa: ARG001
    """Whether a measure of the problem is of this model."""
    return True


def random_faces(model: Model, count: int = 1000) -> Pictures:
    """The first of the 1000 random faces that are handed in, uint8 ``(count, 64, 64, 3)``."""
    settings = model.settings(Settings)
    return _network(model).random(fixed_noise(1000, settings.latent, NOISE_SEED)[:count])


@torch.no_grad()
def encode(model: Model, faces: Tensor) -> Tensor:
    """Faces uint8 ``(n, 3, 64, 64)`` to the means of their latents, float64 ``(n, latent)``."""
    encoder = _network(model).encoder
    return torch.cat([encoder(to_range(few).double())[0] for few in faces.split(100)])


def _network(model: Model) -> Network:
    return model.fill(Network(model.settings(Settings))).eval()


def _reconstructions(model: Model, faces: Tensor) -> Pictures:
    return draw(_network(model).decoder, encode(model, faces))


def generate(models: list[Model], out: Path, data: Path | None) -> str:
    """Writes `vae/random/0001.png` to `1000.png` and `vae/reconstruction/` with a picture for each test face; says so.

    Raises ModelError without data, CannotMeasure or BadReference for other data.
    """
    if data is None:
        raise ModelError("a vae reconstructs the course's test faces: pass --data")
    faces = load_test_faces(data)
    pictures = _reconstructions(models[0], faces.images)
    write_pictures(out / "vae" / "reconstruction", faces.names, pictures)
    write_pictures(out / "vae" / "random", [f"{i + 1:04d}.png" for i in range(1000)], random_faces(models[0]))
    mse = float(np.square(pictures / 255 - faces.images.permute(0, 2, 3, 1).numpy() / 255).mean())
    told = f"MSE {mse:.5f} on [0, 1], PSNR {-10 * math.log10(mse):.2f} dB"
    return f"{out / 'vae'}: {len(faces)} reconstructions ({told}) and 1000 random faces"


def figures(models: list[Model], out: Path, data: Path | None) -> list[Path]:
    """`fig1_2.jpg`, learning curves, and `fig1_4.jpg`, 32 random faces; with data also `fig1_3.jpg`, ten test faces
    above their reconstructions, and `fig1_5.jpg`, t-SNE of the test faces' latents by attribute.
    """
    from reference_models.core import plots, tsne

    model, paths = models[0], [out / f"fig1_{i}.jpg" for i in (2, 4, 3, 5)]
    panels = {
        "reconstruction, MSE on [0, 1]": ["mse", "mse_validation"],
        "KL, nats a picture": ["kl", "kl_validation"],
        "ELBO, nats a picture": ["elbo_validation"],
    }
    plots.curves(model.log(), panels, f"steps of {model.settings(Settings).batch} images", paths[0])
    plots.grid(random_faces(model, 32), 8, paths[1], scale=1)
    if data is None:
        return paths[:2]
    faces = load_test_faces(data)
    ten = faces.images[:10]
    both = np.concatenate([ten.permute(0, 2, 3, 1).numpy(), _reconstructions(model, ten)])
    plots.grid(both, 10, paths[2], scale=1)
    points = tsne.embed(encode(model, faces.images).float().numpy())
    title = f"latents of {len(faces)} test faces (t-SNE), by {SHOWN}"
    plots.scatter(points, faces.of(SHOWN).tolist(), [f"not {SHOWN}", SHOWN], title, paths[3])
    return paths
