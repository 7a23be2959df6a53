"""What trainers of the grader's own judges share: EfficientNet-Lite0 with ImageNet weights learns on.

Pictures are uint8 ``(n, 3, h, w)``, the network's input float32 ``(n, 3, side, side)``.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F

from grader.judges.networks import EfficientNetLite
from grader.judges.protocols import Protocol
from grader.judges.states import fill
from grader.judges.weights import find_weights
from reference_models.core.data import Batches
from reference_models.core.ema import Average
from reference_models.core.runs import Machine, Stateful, Tell, choose_machine, fit

BATCH, DECAY = 32, 0.998


J = TypeVar("J", bound=nn.Module)  # a judge's module, whose `network` is the EfficientNet within


def pretrained(judge: J) -> J:
    """The judge with ImageNet weights, but for its new last layer."""
    whole = EfficientNetLite()
    inner: Any = judge.network
    fill(whole.network, find_weights("efficientnet_lite0", {}))
    kept = {name: value for name, value in whole.network.state_dict().items() if not name.startswith("_fc.")}
    inner.load_state_dict(kept, strict=False)
    return judge.requires_grad_(True)


def move(images: Tensor, side: int) -> Tensor:
    """uint8 pictures turned, scaled, shifted and mirrored by chance, float32 ``(n, 3, side, side)`` in 0..255."""
    n = len(images)
    angle, scale = torch.empty(n).uniform_(-0.2, 0.2), torch.empty(n).uniform_(-0.15, 0.15).exp()
    mirror = torch.where(torch.rand(n) < 0.5, -1.0, 1.0)
    cos, sin, shift = angle.cos() * scale, angle.sin() * scale, torch.empty(n, 2).uniform_(-0.12, 0.12)
    grid = torch.stack([cos * mirror, -sin, shift[:, 0], sin * mirror, cos, shift[:, 1]], 1).view(n, 2, 3)
    place = F.affine_grid(grid, [n, 3, side, side], align_corners=False)
    return F.grid_sample(images.float(), place, "bicubic", padding_mode="reflection", align_corners=False)


def recolour(images: Tensor, light: float, contrast: float, colour: float) -> Tensor:
    """Pictures in 0..255 with other light, contrast and saturation, each by up to that share; hues stay."""
    n = len(images)
    by_light, by_contrast, by_colour = (
        torch.empty(n, 1, 1, 1).uniform_(-most, most) for most in (light, contrast, colour)
    )
    gray = images.mean(1, keepdim=True)
    images = gray + (images - gray) * (1 + by_colour)
    middle = images.mean((2, 3), keepdim=True)
    return ((images - middle) * (1 + by_contrast) + middle + 100 * by_light).clamp(0, 255)


def hide(images: Tensor, recipe: Protocol) -> Tensor:
    """Half of the pictures with a square of a third of the side hidden; then the range of the network's input."""
    n, side = len(images), images.shape[-1]
    x, y = torch.randint(0, side, (2, n, 1, 1, 1))
    across, down = torch.arange(side).view(1, 1, 1, side), torch.arange(side).view(1, 1, side, 1)
    hidden = ((across - x).abs() < side // 6) & ((down - y).abs() < side // 6) & (torch.rand(n, 1, 1, 1) < 0.5)
    return (images.masked_fill(hidden, recipe.offset) - recipe.offset) / recipe.scale


class Tuner(Generic[J]):
    """AdamW with a one-cycle cosine rate, and an average of the weights, which is what is kept.

    A judge's trainer adds `update` and `validate`.
    """

    selection, final = None, "last"

    def __init__(self, judge: J, n: int, epochs: int, rate: float, seed: int, machine: Machine) -> None:
        """`n`: how many pictures there are; `rate`: the highest."""
        self.machine, self.rate = machine, rate
        self.batches = Batches(n, BATCH, seed)
        self.every = max(1, n // BATCH)
        self.steps = epochs * self.every
        layout: dict[str, Any] = {"memory_format": torch.channels_last}
        self.network = pretrained(judge).to(**layout)
        self.average = Average(self.network, DECAY)
        self.optimizer = torch.optim.AdamW(self.network.parameters(), rate, weight_decay=0.02)
        self.parts: dict[str, Stateful] = {
            "network": self.network,
            "average": self.average,
            "optimizer": self.optimizer,
        }

    def ask(self, images: Tensor, step: int) -> dict[str, Tensor]:
        """What the learning network says of its input, with the step's rate set."""
        progress = step / self.steps
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate * min(1.0, progress / 0.1) * 0.5 * (1 + math.cos(math.pi * progress))
        self.network.train()
        with self.machine.autocast():
            told = self.network(images.contiguous(memory_format=torch.channels_last))
        return {name: logits.float() for name, logits in told.items()}

    def descend(self, loss: Tensor) -> None:
        """One step down, and the average's."""
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        self.average.update(self.network)

    def weights(self) -> dict[str, Tensor]:
        """The average's."""
        inner: Any = self.average.network
        return dict(inner.network.state_dict())

    def publish(self, path: Path) -> J:
        """Writes the kept weights in half precision; returns the judge with these, as they are published."""
        half = {n: t.half() if t.is_floating_point() else t for n, t in self.weights().items()}
        save_file({name: tensor.contiguous() for name, tensor in half.items()}, path)
        inner: Any = self.average.network
        inner.network.load_state_dict(half)
        return self.average.network


def train_judge(
    about: str,
    name: str,
    trainer: Callable[[Path, int, float, int, Machine], Any],
    test: Callable[[Any, Path, Tell], None],
    epochs: int,
) -> None:
    """A judge's command line: trains to the end, writes `NAME.safetensors`, then reads the test part once.

    trainer: from data, epochs, rate, seed and machine. test: tells of the published judge on the test part of the data.
    """
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the course's data folder")
    parser.add_argument("--run", type=Path, required=True, help="where checkpoints and the result go")
    parser.add_argument("--epochs", type=int, default=epochs)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rate", type=float, default=1e-3, help="the highest")
    given = parser.parse_args()
    torch.manual_seed(given.seed)
    machine = choose_machine(torch.device("cpu"), "float32")  # quicker than bfloat16 for depthwise convolutions
    made = trainer(given.data, given.epochs, given.rate, given.seed, machine)
    settings = {"epochs": given.epochs, "rate": given.rate, "seed": given.seed, "final": "last", "settings": {}}

    def tell(line: str) -> None:
        print(line, flush=True)

    fit(made, given.run, settings, given.seed, tell)
    test(made.publish(given.run / f"{name}.safetensors"), given.data, tell)
