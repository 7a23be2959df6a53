"""CycleGAN (Zhu et al., ICCV 2017): pictures of one domain drawn in the style of another, learnt without pairs.

Pictures are float32 ``(n, 3, side, side)`` in [-1, 1].
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from grader.errors import CannotMeasure
from grader.references.data import BadReference
from grader.references.pictures import list_pictures, read_picture
from reference_models.core.augment import flip
from reference_models.core.data import Batches, to_pixels, to_range, to_tensor
from reference_models.core.deliverables import write_pictures
from reference_models.core.judging import Distance, Pictures
from reference_models.core.models import Model
from reference_models.core.pool import Pool
from reference_models.core.runs import Machine, Stateful, Values
from reference_models.cyclegan_networks import PRESETS as PRESETS
from reference_models.cyclegan_networks import Generator, Settings
from reference_models.cyclegan_networks import networks as networks

ASSIGNMENT = "mlds-spring2018-hw3"
PROBLEM = "style_transfer"


def load_domain(settings: Settings, which: str, data: Path, part: str, most: int | None = None) -> Tensor:
    """The first pictures of a domain, uint8 ``(n, 3, side, side)``; larger by `crop` for training.

    Raises CannotMeasure for a folder that isn't there, BadReference for pictures that can't be read.
    """
    relative = which.format(part=part)
    folder = next((home / relative for home in (data, data / "hw2_data") if (home / relative).is_dir()), None)
    if folder is None:
        raise CannotMeasure(f"needs the folder {relative} of pictures, which is not under {data}")
    side = round(settings.side * settings.crop) if part == "train" else settings.side
    size = side, side
    pictures = []
    for path in list_pictures(folder)[:most]:
        picture = Image.fromarray(read_picture(path))
        pictures.append(np.asarray(picture if picture.size == size else picture.resize(size, Image.Resampling.BICUBIC)))
    return to_tensor(np.stack(pictures))


class Trainer:
    """Two generators and two discriminators: least squares, a cycle back to the picture, and the identity."""

    selection, final = None, "last"

    def __init__(self, settings: Settings, data: Path | None, seed: int, machine: Machine) -> None:
        self.settings, self.machine = settings, machine
        folders = settings.first, settings.second
        if data is None:
            side = round(settings.side * settings.crop)
            self.domains = [torch.randint(0, 256, (8, 3, side, side), dtype=torch.uint8) for _ in folders]
            self.held_out = [d[:, :, : settings.side, : settings.side] for d in self.domains]
        else:
            whole = [load_domain(settings, folder, data, "train") for folder in folders]
            if min(map(len, whole)) < 4:
                raise BadReference(f"expected four pictures or more in {folders[0]} and in {folders[1]}")
            # The last tenth, or as many as are looked at, is for validation.
            held = [min(settings.judged, max(2, len(d) // 10)) for d in whole]
            self.domains = [d[:-h] for d, h in zip(whole, held, strict=True)]
            self.held_out = [_middle(d[-h:], settings.side) for d, h in zip(whole, held, strict=True)]
        least = min(map(len, self.domains))
        self.batches = [Batches(len(d), settings.batch, 2 * seed + i) for i, d in enumerate(self.domains)]
        self.steps = settings.images // min(settings.batch, least)
        self.every = max(1, self.steps // settings.validations)
        layout: dict[str, Any] = {"device": machine.device, "memory_format": torch.channels_last}
        made = [network.to(**layout) for _, network, _ in networks(settings)]
        self.generators, self.discriminators = made[:2], made[2:]
        self.pools = [Pool(settings.pool) for _ in folders]
        self.optimizers = [
            torch.optim.Adam([p for n in pair for p in n.parameters()], settings.rate, settings.betas)
            for pair in (self.generators, self.discriminators)
        ]
        names = "first_to_second", "second_to_first", "d_first", "d_second"
        self.parts: dict[str, Stateful] = dict(zip(names, made, strict=True))
        self.parts |= {"pool_first": self.pools[0], "pool_second": self.pools[1]}
        self.parts |= {"generator_optimizer": self.optimizers[0], "discriminator_optimizer": self.optimizers[1]}
        self.distances = [Distance.to(to_pixels(to_range(d)), machine.device) for d in self.held_out]

    def update(self, step: int) -> Values:
        """One step of both generators, then one of both discriminators."""
        self._set_rate(step)
        real = [self._batch(i, step) for i in (0, 1)]
        for network in self.discriminators:
            network.requires_grad_(False)
        with self.machine.autocast():
            fake = [self.generators[1 - i](real[1 - i]) for i in (0, 1)]  # drawn as domain i
            back = [self.generators[1 - i](fake[1 - i]) for i in (0, 1)]
            same = [self.generators[1 - i](real[i]) for i in (0, 1)]
            said = [self.discriminators[i](fake[i]) for i in (0, 1)]
        adversarial = _sum(_towards(s, 1) for s in said)
        cycle = _sum(F.l1_loss(b.float(), r) for b, r in zip(back, real, strict=True))
        identity = _sum(F.l1_loss(s.float(), r) for s, r in zip(same, real, strict=True))
        self._descend(0, adversarial + self.settings.cycle * cycle + self.settings.identity * identity)
        for network in self.discriminators:
            network.requires_grad_(True)
        shown = [self.pools[i].swap(fake[i].detach().float()) for i in (0, 1)]
        with self.machine.autocast():
            of_real = [self.discriminators[i](real[i]) for i in (0, 1)]
            of_fake = [self.discriminators[i](shown[i]) for i in (0, 1)]
        d_loss = _sum((_towards(r, 1) + _towards(f, 0)) / 2 for r, f in zip(of_real, of_fake, strict=True))
        self._descend(1, d_loss)
        found = {"loss_g": adversarial, "cycle": cycle, "identity": identity, "loss_d": d_loss}
        return {name: float(value.detach()) for name, value in found.items()}

    def _set_rate(self, step: int) -> None:
        begin = self.settings.decay * self.steps
        left = 1.0 if step < begin else (self.steps - step) / (self.steps - begin)
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = self.settings.rate * left

    def _batch(self, i: int, step: int) -> Tensor:
        pictures, side = self.domains[i][self.batches[i](step)], self.settings.side
        if pictures.shape[-1] > side:
            down, right = (int(torch.randint(pictures.shape[-1] - side + 1, ())) for _ in range(2))
            pictures = pictures[:, :, down : down + side, right : right + side]
        real = to_range(pictures.to(self.machine.device))
        return flip(real) if self.settings.flips else real

    def _descend(self, which: int, loss: Tensor) -> None:
        self.optimizers[which].zero_grad(set_to_none=True)
        loss.backward()
        self.optimizers[which].step()

    def validate(self) -> Values:
        """Distances of what either generator draws of held-out pictures to those of the other domain."""
        drawn = [to_pictures(self.generators[1 - i], self.held_out[1 - i]) for i in (0, 1)]
        first, second = (self.distances[i].of(drawn[i]) for i in (0, 1))
        return {"fd_first": first, "fd_second": second}

    def weights(self) -> dict[str, Tensor]:
        """Both generators', each name begins with the direction."""
        both = zip(("first_to_second", "second_to_first"), self.generators, strict=True)
        return {f"{name}.{key}": value for name, network in both for key, value in network.state_dict().items()}


def _sum(parts: Iterable[Tensor]) -> Tensor:
    return torch.stack(list(parts)).sum()


def _towards(logits: Tensor, wanted: float) -> Tensor:
    return (logits.float() - wanted).square().mean()


def _middle(pictures: Tensor, side: int) -> Tensor:
    edge = (pictures.shape[-1] - side) // 2
    return pictures[:, :, edge : edge + side, edge : edge + side]


@torch.no_grad()
def to_pictures(generator: torch.nn.Module, pictures: Tensor) -> Pictures:
    """Pictures uint8 ``(n, 3, h, w)`` drawn in the other style, uint8 ``(n, h, w, 3)``, by the weights' own type."""
    weight = next(generator.parameters())
    parts = [to_range(few).to(weight.device, weight.dtype) for few in pictures.split(50)]
    return np.concatenate([to_pixels(generator(few)) for few in parts])


def belongs(model: Model, measure: str) -> bool:  # noqa: ARG001
    """Whether a measure of the problem is of this model."""
    return True


def drawn_by(model: Model, data: Path, backwards: bool = False) -> tuple[Pictures, Pictures]:
    """Test pictures of the first domain and how they are drawn as the second, uint8 ``(n, side, side, 3)`` each.

    `backwards`: those of the second domain as the first.
    """
    settings = model.settings(Settings)
    name = "second_to_first" if backwards else "first_to_second"
    weights = {k.removeprefix(f"{name}."): v for k, v in model.weights.items() if k.startswith(f"{name}.")}
    generator = Model(model.folder, model.config, weights).fill(Generator(settings))
    folder = settings.second if backwards else settings.first
    pictures = load_domain(settings, folder, data, "test", settings.handed_in)
    return to_pixels(to_range(pictures)), to_pictures(generator, pictures)


def generate(models: list[Model], out: Path, data: Path | None) -> str:
    """Writes `style/input/001.png` … and, with the same names, `style/output/`; says so. Raises CannotMeasure."""
    if data is None:
        raise CannotMeasure("needs test pictures to draw in another style: pass --data DIR")
    before, after = drawn_by(models[0], data)
    names = [f"{i + 1:03d}.png" for i in range(len(before))]
    for folder, pictures in (("input", before), ("output", after)):
        write_pictures(out / "style" / folder, names, pictures)
    return f"{out / 'style'}: {len(names)} pictures in input/ and output/"


def figures(models: list[Model], out: Path, data: Path | None) -> list[Path]:
    """`cyclegan_curves.png`; with data `cyclegan_pictures.png`: eight of either domain above what is drawn of them."""
    from reference_models.core import plots

    panels = {
        "losses": ["loss_d", "loss_g"],
        "cycle and identity": ["cycle", "identity"],
        "distance to held-out pictures": ["fd_first", "fd_second"],
    }
    across = f"steps of {models[0].settings(Settings).batch} images"
    paths = [out / "cyclegan_curves.png"]
    plots.curves(models[0].log(), panels, across, paths[0])
    if data is not None:
        rows = [part[:8] for backwards in (False, True) for part in drawn_by(models[0], data, backwards)]
        paths.append(out / "cyclegan_pictures.png")
        plots.grid(np.concatenate(rows), 8, paths[1])
    return paths
