"""Text to image: a conditional GAN with the matching-aware loss (GAN-CLS, Reed et al., ICML 2016) on anime faces.

Pictures are float32 ``(n, 3, 64, 64)`` in [-1, 1], noise is float ``(n, z)``, texts are float ``(n, 23)``: one of
twelve colours of hair, then one of eleven colours of eyes.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from grader.assignment import load_assignment
from grader.judges.anime_tags import EYES, HAIR
from grader.references.data import Data
from grader.references.tags import asked_tags
from reference_models.core.anime import INNER, Anime, load_anime, made_up_anime
from reference_models.core.augment import flip, translation
from reference_models.core.data import to_pixels, to_range
from reference_models.core.gan import Adversaries, draw, fixed_noise
from reference_models.core.judging import Distance, Pictures
from reference_models.core.models import Model
from reference_models.core.runs import Machine, Values

ASSIGNMENT = "mlds-spring2018-hw3"
PROBLEM = "text2image"
COLOURS = len(HAIR) + len(EYES)
NOISE_SEED = 1  # of the faces that are handed in; validation looks at those of seed 0


@dataclass(frozen=True)
class Settings:
    """Each trick is a switch. `width` and `d_width` count the channels at 32 x 32 of either network.

    `joint_norm`: BatchNorm behind the convolution in which picture and text meet, as reported. Its output is one place
    a picture, so that it takes away what all pictures of a batch have in common: being generated, for one.
    `reads`: weight of heads of the discriminator that tell the colours, as in ACGAN; 0 for none, as reported. They see
    what the matching-aware loss passes over: an eye is a few pixels. `one_wrong`: a text that doesn't fit a real
    picture differs in one colour alone, else in one or both. `augment`: shifts of real and generated pictures
    (DiffAugment without its colours, which the text speaks of). `average`: decay of the generator's average a step,
    0 for none. `spread`: standard deviation of the noise of what is handed in.
    """

    z: int = 100
    width: int = 64
    d_width: int = 64
    joint_norm: bool = False
    reads: float = 0.3
    one_wrong: bool = True
    rate: float = 2e-4
    d_rate: float = 0.0
    betas: tuple[float, float] = (0.5, 0.999)
    batch: int = 64
    images: int = 1_000_000  # real images that the discriminator sees
    flips: bool = True
    augment: bool = True
    leak: float = 0.2
    average: float = 0.999
    spread: float = 1.0
    validations: int = 20  # in a whole run
    judged: int = 500  # generated pictures in each of them


PRESETS = {
    "gpu": Settings(images=4_000_000),
    "cpu": Settings(width=48, d_width=48, images=320_000),
    # A student's report: what it wrote, with the loss on logits instead of after a sigmoid (the same function).
    # Thirty epochs of 36,740 pictures.
    "report1": Settings(
        joint_norm=True, reads=0, one_wrong=False, flips=False, augment=False, average=0, images=1_102_200
    ),
}


class Generator(nn.Module):
    """Noise and text, ``(n, z)`` and ``(n, 23)``, to pictures: 4 → 8 → 16 → 32 → 64, BatchNorm, LeakyReLU, Tanh.

    >>> Generator(Settings()).body[1]
    ConvTranspose2d(123, 512, kernel_size=(4, 4), stride=(1, 1), bias=False)
    """

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        w = settings.width
        channels = (settings.z + COLOURS, 8 * w, 4 * w, 2 * w, w)
        parts: list[nn.Module] = [nn.Unflatten(1, (channels[0], 1, 1))]
        for i, (before, after) in enumerate(pairwise(channels)):
            up = nn.ConvTranspose2d(before, after, 4, 2 if i else 1, 1 if i else 0, bias=False)
            parts += [up, nn.BatchNorm2d(after), nn.LeakyReLU(settings.leak, inplace=True)]
        self.body = nn.Sequential(*parts, nn.ConvTranspose2d(w, 3, 4, 2, 1), nn.Tanh())
        self.apply(_initialise)

    def forward(self, noise: Tensor, text: Tensor) -> Tensor:
        result: Tensor = self.body(torch.cat([noise, text.to(noise.dtype)], 1))
        return result


class Discriminator(nn.Module):
    """Pictures 64 → 32 → 16 → 8 → 4; the text joins there, repeated at each place: 512 + 23 channels → 512 → 1."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        w, leak = settings.d_width, settings.leak
        parts: list[nn.Module] = []
        for before, after in pairwise((3, w, 2 * w, 4 * w, 8 * w)):
            parts += [nn.Conv2d(before, after, 4, 2, 1), nn.BatchNorm2d(after), nn.LeakyReLU(leak, inplace=True)]
        self.body = nn.Sequential(*parts)
        norm = nn.BatchNorm2d(8 * w) if settings.joint_norm else nn.Identity()
        self.joint = nn.Sequential(nn.Conv2d(8 * w + COLOURS, 8 * w, 4), norm, nn.LeakyReLU(leak), nn.Flatten())
        self.fits = nn.Linear(8 * w, 1)
        self.colours = nn.Conv2d(8 * w, COLOURS, 4) if settings.reads else None
        self.apply(_initialise)

    def forward(self, pictures: Tensor, *texts: Tensor) -> tuple[Tensor, ...]:
        """For each text the logits ``(n,)`` of a real picture that it fits; then those of the colours, ``(n, 23)``."""
        seen = self.body(pictures)
        found = []
        for text in texts:
            everywhere = text.to(seen.dtype)[:, :, None, None].expand(-1, -1, *seen.shape[2:])
            found.append(self.fits(self.joint(torch.cat([seen, everywhere], 1))).flatten())
        if self.colours is not None:
            found.append(self.colours(seen).flatten(1))
        return tuple(found)


def _initialise(module: nn.Module) -> None:
    """As in DCGAN: N(0, 0.02) for convolutions, N(1, 0.02) for BatchNorm."""
    if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
        nn.init.normal_(module.weight, 0, 0.02)
    elif isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1, 0.02)


def networks(settings: Settings) -> list[tuple[str, nn.Module, *tuple[Tensor, ...]]]:
    """Each network with its name and a batch of its inputs."""
    noise, text, pictures = torch.zeros(1, settings.z), torch.zeros(1, COLOURS), torch.zeros(1, 3, 64, 64)
    return [
        ("generator", Generator(settings), noise, text),
        ("discriminator", Discriminator(settings), pictures, text),
    ]


def encode(hair: Tensor, eyes: Tensor) -> Tensor:
    """Texts from indices of colours, int64 ``(n,)`` each.

    >>> encode(torch.tensor([8]), torch.tensor([10])).nonzero().tolist()
    [[0, 8], [0, 22]]
    """
    return torch.cat([F.one_hot(hair, len(HAIR)), F.one_hot(eyes, len(EYES))], 1).float()


def other_text(hair: Tensor, eyes: Tensor, one: bool) -> tuple[Tensor, Tensor]:
    """Colours that differ in one, or (not `one`) in one or both, from those given."""
    n = len(hair)
    new_hair = (hair + torch.randint(1, len(HAIR), (n,))) % len(HAIR)
    new_eyes = (eyes + torch.randint(1, len(EYES), (n,))) % len(EYES)
    which = torch.randint(0, 2 if one else 3, (n,))
    return torch.where(which != 1, new_hair, hair), torch.where(which != 0, new_eyes, eyes)


class Trainer(Adversaries[Generator]):
    """Trains both networks on tagged faces; validates by the distance of generated faces to the held-out ones.

    The last weights count: the distance follows textures, and says nothing of the colours.
    """

    selection, final = None, "last"

    def __init__(self, settings: Settings, data: Path | None, seed: int, machine: Machine) -> None:
        held_out = made_up_anime(8) if data is None else load_anime(data, "validation")
        self.train: Anime = made_up_anime(8) if data is None else load_anime(data, "train")
        super().__init__(settings, Generator(settings), Discriminator(settings), len(self.train), seed, machine)
        self.settings = settings
        n = settings.judged if data else 16
        self.noise = fixed_noise(n, settings.z, seed=0)
        rows = torch.arange(n) % len(held_out)
        self.wanted = encode(held_out.hair[rows], held_out.eyes[rows])
        self.distance = Distance.to(to_pixels(to_range(held_out.images)), machine.device)

    def update(self, step: int) -> Values:
        """One step of the discriminator, then one of the generator against it."""
        settings, device = self.settings, self.machine.device
        rows = self.batches(step)
        hair, eyes = self.train.hair[rows], self.train.eyes[rows]
        real = to_range(self.train.images[rows].to(device))
        real = flip(real) if settings.flips else real
        right, wrong = encode(hair, eyes).to(device), encode(*other_text(hair, eyes, settings.one_wrong)).to(device)
        noise = torch.randn(len(real), settings.z).to(device)
        with self.machine.autocast():
            fake = self.generator(noise, right)
            fits, misfits, *told_real = self.discriminator(self._augment(real), right, wrong)
            made, *_ = self.discriminator(self._augment(fake.detach()), right)
        d_loss = _real(fits) + (_fake(made) + _fake(misfits)) / 2
        self.teach_discriminator(d_loss + settings.reads * _colours(told_real, hair, eyes))
        with self.machine.autocast():
            said, *told_fake = self.discriminator(self._augment(fake), right)
        g_loss = _real(said)
        self.teach_generator(g_loss + settings.reads * _colours(told_fake, hair, eyes))
        values = {"loss_d": float(d_loss.detach()), "loss_g": float(g_loss.detach())}
        values |= {"says_fits": float((fits > 0).float().mean()), "says_misfits": float((misfits > 0).float().mean())}
        if told_fake:
            values |= _shares("real", told_real[0], hair, eyes) | _shares("fake", told_fake[0], hair, eyes)
        return values

    def _augment(self, images: Tensor) -> Tensor:
        return translation(images.float()) if self.settings.augment else images

    def validate(self) -> Values:
        """The distance of the pictures that the kept weights make of the held-out faces' texts."""
        return {"fd_validation": self.distance.of(draw(self.kept, self.noise, self.wanted))}


def _real(logits: Tensor) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits.float(), torch.ones(len(logits), device=logits.device))


def _fake(logits: Tensor) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits.float(), torch.zeros(len(logits), device=logits.device))


def _colours(told: list[Tensor], hair: Tensor, eyes: Tensor) -> Tensor:
    """Cross-entropies of both colours, 0 without heads that tell them."""
    if not told:
        return torch.zeros(())
    logits = told[0].float()
    of_hair = F.cross_entropy(logits[:, : len(HAIR)], hair.to(logits.device))
    return of_hair + F.cross_entropy(logits[:, len(HAIR) :], eyes.to(logits.device))


def _shares(of: str, logits: Tensor, hair: Tensor, eyes: Tensor) -> Values:
    right_hair = logits[:, : len(HAIR)].argmax(1).cpu() == hair
    right_eyes = logits[:, len(HAIR) :].argmax(1).cpu() == eyes
    return {f"hair_{of}": float(right_hair.float().mean()), f"eyes_{of}": float(right_eyes.float().mean())}


def belongs(model: Model, measure: str) -> bool:  # noqa: ARG001
    """Whether a measure of the problem is of this model."""
    return True


def wanted_tags(data: Path | None) -> list[tuple[str, str]]:
    """Colours of hair and eyes of the faces that are handed in, by the grader's own reading of the list.

    `testing_tags.txt` of the data, or the published tags. Raises BadReference for a list that can't be used.
    """
    (problem,) = load_assignment(ASSIGNMENT).only([PROBLEM]).problems
    spec = next(m for m in problem.measures if m.metric == "hair_accuracy")
    return list(asked_tags(Data(data, INNER), spec.tags, spec.published_tags, 25).pairs)


def pictures_of(model: Model, tags: list[tuple[str, str]], seed: int = NOISE_SEED) -> Pictures:
    """A face for each pair of colours, uint8 ``(n, 64, 64, 3)``."""
    settings = model.settings(Settings)
    text = encode(torch.tensor([HAIR.index(h) for h, _ in tags]), torch.tensor([EYES.index(e) for _, e in tags]))
    noise = settings.spread * fixed_noise(len(tags), settings.z, seed)
    return draw(model.fill(Generator(settings)), noise, text)


def generate(models: list[Model], out: Path, data: Path | None) -> str:
    """Writes `samples/cgan.png`; says so."""
    from reference_models.core import plots

    plots.subplots(pictures_of(models[0], wanted_tags(data)), 5, out / "samples" / "cgan.png")
    return f"{out / 'samples' / 'cgan.png'}: 25 faces of the colours asked for"


def figures(models: list[Model], out: Path, data: Path | None) -> list[Path]:
    """`text2image_curves.png`; `text2image_faces.png`, the faces that are handed in, at their own size."""
    from reference_models.core import plots

    panels = {
        "losses": ["loss_d", "loss_g"],
        "share that D takes for a fitting text": ["says_fits", "says_misfits"],
        "colours that D reads": ["hair_real", "eyes_real", "hair_fake", "eyes_fake"],
        "distance to validation faces": ["fd_validation"],
    }
    across = f"steps of {models[0].settings(Settings).batch} images"
    paths = [out / "text2image_curves.png", out / "text2image_faces.png"]
    plots.curves(models[0].log(), panels, across, paths[0])
    plots.grid(pictures_of(models[0], wanted_tags(data)), 5, paths[1])
    return paths
