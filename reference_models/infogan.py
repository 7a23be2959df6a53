"""InfoGAN (Chen et al., NeurIPS 2016) of faces at 64 x 64: codes that nobody labelled find what faces differ in.

Pictures are float32 ``(n, 3, 64, 64)`` in [-1, 1], noise is float ``(n, z)``. Codes are float
``(n, codes + continuous)``: first the categorical ones, whole numbers from 0, then the continuous ones in [-1, 1].
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reference_models import dcgan
from reference_models.core.augment import diff_augment, flip
from reference_models.core.data import to_pixels, to_range
from reference_models.core.deliverables import write_labels, write_pictures
from reference_models.core.faces import split_faces
from reference_models.core.gan import Adversaries, draw, fixed_noise
from reference_models.core.judging import Distance
from reference_models.core.losses import discriminator_loss, generator_loss
from reference_models.core.models import Model
from reference_models.core.runs import Machine, Values

ASSIGNMENT = "dlcv-spring2018-hw4"
PROBLEM = "infogan"
ROWS = 20
NOISE_SEED = 1  # of the faces that are handed in; validation looks at those of seed 0
HIDDEN = 128  # numbers in the layer that the codes' heads share


@dataclass(frozen=True)
class Settings:
    """Each trick is a switch. `width` and `d_width` count the channels at 32 x 32.

    `codes`: categorical ones, of `values` values each. `continuous`: codes in [-1, 1]. `info`: weight of the codes'
    loss. `average`: decay of the generator's average a step, 0 for none.
    """

    z: int = 64
    codes: int = 5
    values: int = 10
    continuous: int = 0
    width: int = 64
    d_width: int = 64
    info: float = 1.0
    rate: float = 2e-4
    d_rate: float = 0.0
    betas: tuple[float, float] = (0.5, 0.999)
    batch: int = 64
    images: int = 4_000_000  # real images that the discriminator sees
    flips: bool = True
    augment: bool = True
    average: float = 0.999
    validations: int = 10  # in a whole run
    judged: int = 1000  # generated pictures in each of them

    @property
    def inputs(self) -> int:
        """Numbers that the generator takes."""
        return self.z + self.codes * self.values + self.continuous


# The paper's setting for handwritten digits: one code of ten values, two continuous ones.
_DIGITS: dict[str, Any] = {"z": 62, "codes": 1, "continuous": 2}
PRESETS = {
    "gpu": Settings(),
    "cpu": Settings(width=48, d_width=48, images=192_000),
    "continuous": Settings(**_DIGITS),
    "cpu-continuous": Settings(**_DIGITS, width=48, d_width=48, images=192_000),
    "report3": Settings(flips=False, augment=False, average=0.0, images=12_000_000),
}


class Generator(nn.Module):
    """Noise and codes to pictures: DCGAN's generator, with the codes as further noise."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.codes, self.values = settings.codes, settings.values
        self.body = dcgan.Generator(replace(dcgan.PRESETS["cpu"], z=settings.inputs, width=settings.width))

    def forward(self, noise: Tensor, codes: Tensor) -> Tensor:
        of_each = [F.one_hot(codes[:, i].long(), self.values) for i in range(self.codes)]
        result: Tensor = self.body(torch.cat([noise, *of_each, codes[:, self.codes :]], 1).to(noise.dtype))
        return result


class Discriminator(nn.Module):
    """Pictures to logits: of being real ``(n,)``, and what the codes are, ``(n, codes * values + continuous)``.

    All but the last convolution is shared, as in the paper; the codes' heads have a layer of their own.
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        *body, source, _ = dcgan.Discriminator(replace(dcgan.PRESETS["cpu"], width=settings.d_width))
        self.body, self.source = nn.Sequential(*body), source
        self.told = nn.Sequential(
            nn.Flatten(),
            nn.Linear(settings.d_width * 8 * 16, HIDDEN, bias=False),
            nn.BatchNorm1d(HIDDEN),
            nn.LeakyReLU(0.2),
            nn.Linear(HIDDEN, settings.codes * settings.values + settings.continuous),
        )

    def forward(self, pictures: Tensor) -> tuple[Tensor, Tensor]:
        x = self.body(pictures)
        return self.source(x).flatten(), self.told(x)


def random_codes(settings: Settings, n: int, seed: int | None = None) -> Tensor:
    """Codes float32 ``(n, codes + continuous)``, by torch's chance or, the same everywhere, by a seed."""
    shapes = (n, settings.codes), (n, settings.continuous)
    if seed is None:
        return torch.cat([torch.randint(0, settings.values, shapes[0]).float(), torch.rand(shapes[1]) * 2 - 1], 1)
    chance = np.random.RandomState(seed)
    drawn = [chance.randint(0, settings.values, shapes[0]), chance.uniform(-1, 1, shapes[1])]
    return torch.from_numpy(np.concatenate(drawn, 1)).float()


def code_loss(told: Tensor, codes: Tensor, settings: Settings) -> Tensor:
    """Cross-entropy of each categorical code, squared error of each continuous one, summed over the codes.

    Up to constants it is minus the paper's bound on the mutual information: the codes' entropy doesn't change, and a
    continuous code's likelihood is normal with one variance.
    """
    v = settings.values
    of_each = [F.cross_entropy(told[:, i * v : (i + 1) * v], codes[:, i].long()) for i in range(settings.codes)]
    told_numbers, numbers = told[:, settings.codes * v :], codes[:, settings.codes :]
    return torch.stack([*of_each, *(told_numbers - numbers).square().mean(0)]).sum()


def read_codes(told: Tensor, settings: Settings) -> Tensor:
    """The most likely codes, float ``(n, codes + continuous)``."""
    v = settings.values
    of_each = [told[:, i * v : (i + 1) * v].argmax(1) for i in range(settings.codes)]
    return torch.cat([torch.stack(of_each, 1), told[:, settings.codes * v :]], 1)


class Trainer(Adversaries[Generator]):
    """Trains both networks on faces; validates by the distance of generated faces to the held-out ones."""

    selection = "fd_validation"

    def __init__(self, settings: Settings, data: Path | None, seed: int, machine: Machine) -> None:
        faces, held_out = split_faces(data)
        super().__init__(settings, Generator(settings), Discriminator(settings), len(faces), seed, machine)
        self.settings = settings
        self.faces = faces.to(machine.device)
        judged = settings.judged if data else 16
        self.noise, self.codes = fixed_noise(judged, settings.z, seed=0), random_codes(settings, judged, seed=0)
        self.distance = Distance.to(to_pixels(to_range(held_out)), machine.device)

    def update(self, step: int) -> Values:
        """One step of the discriminator with the codes' heads, then one of the generator: against it, and with them."""
        settings = self.settings
        real = to_range(self.faces[self.batches(step).to(self.faces.device)])
        noise = torch.randn(len(real), settings.z).to(real.device)
        codes = random_codes(settings, len(real)).to(real.device)
        with self.machine.autocast():
            fake = self.generator(noise, codes)
            said_real, _ = self.discriminator(self._augment(flip(real) if settings.flips else real))
            said_fake, told = self.discriminator(self._augment(fake.detach()))
        d_loss = discriminator_loss(said_real.float(), said_fake.float(), "bce")
        self.teach_discriminator(d_loss + settings.info * code_loss(told.float(), codes, settings))
        with self.machine.autocast():
            said, told = self.discriminator(self._augment(fake))
        g_loss, info = generator_loss(said.float(), "bce"), code_loss(told.float(), codes, settings)
        self.teach_generator(g_loss + settings.info * info)
        return {
            "loss_d": float(d_loss.detach()),
            "loss_g": float(g_loss.detach()),
            "code_loss": float(info.detach()),
            "says_real": float((said_real > 0).float().mean()),
            "says_fake": float((said_fake > 0).float().mean()),
        }

    def _augment(self, images: Tensor) -> Tensor:
        return diff_augment(images.float()) if self.settings.augment else images

    def validate(self) -> Values:
        """The distance of the pictures that the kept weights make, and the share of their codes that is read."""
        pictures = draw(self.kept, self.noise, self.codes)
        read = answers(self.discriminator, self.settings, pictures)[:, : self.settings.codes]
        right = (read == self.codes[:, : self.settings.codes]).float().mean()
        return {"fd_validation": self.distance.of(pictures), "reads_codes": float(right)}

    def weights(self) -> dict[str, Tensor]:
        """The kept generator's and the discriminator's, which reads the codes."""
        parts = {"generator": self.kept, "discriminator": self.discriminator}
        return {f"{part}.{name}": t for part, of in parts.items() for name, t in of.state_dict().items()}


@torch.no_grad()
def answers(discriminator: nn.Module, settings: Settings, pictures: np.ndarray[Any, np.dtype[np.uint8]]) -> Tensor:
    """The codes that are read from pictures uint8 ``(n, 64, 64, 3)``, float ``(n, codes + continuous)`` on the CPU."""
    weight = next(discriminator.parameters())
    was_training = discriminator.training
    discriminator.eval()
    read = []
    for start in range(0, len(pictures), 100):
        few = torch.from_numpy(pictures[start : start + 100]).permute(0, 3, 1, 2)
        told = discriminator(few.to(weight.device, weight.dtype) / 127.5 - 1)[1]
        read.append(read_codes(told, settings).float().cpu())
    discriminator.train(was_training)
    return torch.cat(read)


def networks(settings: Settings) -> list[tuple[str, nn.Module, *tuple[Tensor, ...]]]:
    """Each network with its name and a batch of its inputs."""
    noise, codes = torch.zeros(1, settings.z), torch.zeros(1, settings.codes + settings.continuous)
    discriminator = Discriminator(settings)
    return [
        ("generator", Generator(settings), noise, codes),
        ("discriminator", discriminator, torch.zeros(1, 3, 64, 64)),
    ]


class Both(nn.Module):
    """What is published: the generator, and the discriminator, which reads the codes."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.generator, self.discriminator = Generator(settings), Discriminator(settings)


def enumerated(settings: Settings, rows: int = ROWS) -> tuple[Tensor, Tensor, list[str]]:
    """Noise, codes and file names of what is handed in: every value of every code, for each of the rows.

    Within a row nothing but the one code differs. Values of a continuous code go from -1 to 1 in as many steps.
    """
    noise = fixed_noise(rows, settings.z, NOISE_SEED)
    of_row = random_codes(settings, rows, NOISE_SEED)
    codes, names = [], []
    for code in range(settings.codes + settings.continuous):
        for value in range(settings.values):
            chosen = of_row.clone()
            chosen[:, code] = value if code < settings.codes else 2 * value / (settings.values - 1) - 1
            codes.append(chosen)
            names += [f"c{code}_v{value}_r{row}.png" for row in range(rows)]
    return noise.repeat(len(codes), 1), torch.cat(codes), names


def belongs(model: Model, measure: str) -> bool:  # noqa: ARG001
    """Whether a measure of the problem is of this model."""
    return True


def generate(models: list[Model], out: Path, data: Path | None) -> str:  # noqa: ARG001  # a GAN needs no data
    """Writes `infogan/c0_v0_r0.png` and so on, and `infogan/codes.csv` with the codes that are read; says so."""
    settings = models[0].settings(Settings)
    networks = models[0].fill(Both(settings))
    noise, codes, names = enumerated(settings)
    pictures = draw(networks.generator, noise, codes)
    write_pictures(out / "infogan", names, pictures)
    read = answers(networks.discriminator, settings, pictures)
    read[:, settings.codes :] = ((read[:, settings.codes :].clamp(-1, 1) + 1) / 2 * (settings.values - 1)).round()
    of_each = len(names) // (settings.codes + settings.continuous)
    labels = {name: int(read[i, i // of_each]) for i, name in enumerate(names)}
    write_labels(out / "infogan" / "codes.csv", labels)
    count = settings.codes + settings.continuous
    return f"{out / 'infogan'}: {len(names)} faces, {count} codes of {settings.values} values in {ROWS} rows"


def figures(models: list[Model], out: Path, data: Path | None) -> list[Path]:  # noqa: ARG001
    """`fig4_1.jpg` and `fig4_2.jpg`: the two codes that change a face most, a value a column; `infogan_curves.png`."""
    from reference_models.core import plots

    settings = models[0].settings(Settings)
    noise, codes, _ = enumerated(settings, rows=10)
    pictures = draw(models[0].fill(Both(settings)).generator, noise, codes)
    sheets = pictures.reshape(-1, settings.values, 10, *pictures.shape[1:]).swapaxes(1, 2)
    change = sheets.astype(np.float64).var(2).mean((1, 2, 3, 4))  # between the values, within a row
    paths = [out / name for name in ("fig4_1.jpg", "fig4_2.jpg", "infogan_curves.png")]
    for code, path in zip(np.argsort(-change), paths[:2], strict=False):
        plots.grid(sheets[code].reshape(-1, *pictures.shape[1:]), settings.values, path, scale=1)
    panels = {
        "losses": ["loss_d", "loss_g", "code_loss"],
        "share that D takes for real": ["says_real", "says_fake"],
        "share of codes that is read": ["reads_codes"],
        "distance to validation faces": ["fd_validation"],
    }
    plots.curves(models[0].log(), panels, f"steps of {settings.batch} images", paths[2])
    return [path for path in paths if path.exists()]
