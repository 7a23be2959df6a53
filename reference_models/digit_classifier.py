"""Trains the grader's own judges of digits: `digit_classifier` on MNIST-M, `svhn_digits` on SVHN.

    python -m reference_models.digit_classifier --data hw2_data --run runs/digit_classifier
    python -m reference_models.digit_classifier --judge svhn_digits --data hw2_data --run runs/svhn_digits

The last tenth of the training images is the validation part; the test part is read once, after the last epoch.
A run continues where it stopped. It leaves `<judge>.safetensors` and `log.jsonl` in the run folder.
"""

from __future__ import annotations

import argparse
import copy
import csv
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F

from grader.judges.digit_classifier import DigitClassifier, to_network
from grader.judges.svhn_digits import HouseNumberClassifier
from reference_models.core.commands import run_command

BATCH = 128


@dataclass(frozen=True)
class Recipe:
    """How a judge of digits is trained. `peak`: the highest learning rate. `follow`: the moving average's share a step.

    `published`: the precision of the weights that come with the grader.
    """

    domain: str
    network: Callable[[], nn.Module]
    epochs: int
    peak: float
    follow: float
    decay: float
    published: torch.dtype


RECIPES = {
    "digit_classifier": Recipe("mnistm", DigitClassifier, 250, 4e-3, 0.001, 1e-4, torch.float32),
    "svhn_digits": Recipe("svhn", HouseNumberClassifier, 32, 4e-3, 0.005, 0.02, torch.float16),
}


def load_part(data: Path, domain: str, part: str) -> tuple[Tensor, Tensor]:
    """Images float32 ``(n, 3, 28, 28)`` in [-1, 1] and labels int64 ``(n,)`` of ``digits/<domain>/<part>``."""
    home = data / "digits" / domain
    with open(home / f"{part}.csv", newline="") as f:
        rows = list(csv.DictReader(f))
    pixels = np.stack([np.asarray(Image.open(home / part / row["image_name"]).convert("RGB")) for row in rows])
    return to_network(torch.from_numpy(pixels)), torch.tensor([int(row["label"]) for row in rows])


def augment(images: Tensor, generator: torch.Generator) -> Tensor:
    """Random rotation, scale, shear and shift, then a random linear change of intensity, inverted half of the time."""
    n = len(images)

    def uniform(low: float, high: float) -> Tensor:
        return torch.empty(n).uniform_(low, high, generator=generator)

    angle, shear, log_scale = uniform(-0.26, 0.26), uniform(-0.2, 0.2), uniform(-0.17, 0.17)
    cos, sin = torch.cos(angle) * log_scale.exp(), torch.sin(angle) * log_scale.exp()
    rows = [torch.stack([cos, shear - sin, uniform(-0.11, 0.11)], 1), torch.stack([sin, cos, uniform(-0.11, 0.11)], 1)]
    grid = F.affine_grid(torch.stack(rows, 1), list(images.shape), align_corners=False)
    moved = F.grid_sample(images, grid, padding_mode="reflection", align_corners=False)
    sign = torch.where(uniform(0, 1) < 0.5, -1.0, 1.0)
    gain, offset = (sign * uniform(0.7, 1.2)).view(n, 1, 1, 1), uniform(-0.15, 0.15).view(n, 1, 1, 1)
    return (moved * gain + offset).clamp(-1, 1)


@torch.inference_mode()
def accuracy(network: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Fraction of images read as their label."""
    network.eval()
    told = torch.cat([network(few).argmax(1) for few in images.split(500)])
    return float((told == labels).float().mean())


def follow(average: nn.Module, network: nn.Module, share: float) -> None:
    """Brings the moving average a step nearer; what BatchNorm counts is an average already."""
    with torch.no_grad():
        for kept, new in zip(average.parameters(), network.parameters(), strict=True):
            kept.lerp_(new, share)
        for counted, now in zip(average.buffers(), network.buffers(), strict=True):
            counted.copy_(now)


def publish(network: nn.Module, precision: torch.dtype, path: Path) -> None:
    """Writes the weights, and leaves the network with those that were written."""
    state = {n: t.to(precision) if t.is_floating_point() else t for n, t in network.state_dict().items()}
    save_file(state, path)
    network.load_state_dict(state)


def train(judge: str, data: Path, run: Path, epochs: int, seed: int, peak: float) -> None:
    """AdamW with a one-cycle cosine schedule and an exponential moving average, which is what is kept."""
    recipe = RECIPES[judge]
    run.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    images, labels = load_part(data, recipe.domain, "train")
    held = len(images) // 10
    held_images, held_labels = images[-held:], labels[-held:]
    images, labels = images[:-held], labels[:-held]
    network = recipe.network()
    average = copy.deepcopy(network)
    steps = math.ceil(len(images) / BATCH)
    optimizer = torch.optim.AdamW(network.parameters(), peak, weight_decay=recipe.decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, peak, epochs * steps, pct_start=0.05)
    parts: dict[str, Any] = {"network": network, "average": average, "optimizer": optimizer, "schedule": schedule}
    first = 0
    if (run / "last.pt").exists():
        state = torch.load(run / "last.pt", weights_only=True)
        first = state["epoch"]
        for name, part in parts.items():
            part.load_state_dict(state[name])
    began = time.monotonic()
    for epoch in range(first, epochs):
        generator = torch.Generator().manual_seed(seed * 100_003 + epoch)
        torch.manual_seed(seed * 100_003 + epoch)  # of dropout
        network.train()
        total = 0.0
        for chosen in torch.randperm(len(images), generator=generator).split(BATCH):
            loss = F.cross_entropy(network(augment(images[chosen], generator)), labels[chosen])
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            schedule.step()
            total += float(loss.detach()) * len(chosen)
            follow(average, network, recipe.follow)
        mean, right = total / len(images), accuracy(average, held_images, held_labels)
        left = (time.monotonic() - began) / (epoch + 1 - first) * (epochs - epoch - 1) / 60
        told = f"epoch {epoch + 1}/{epochs} loss {mean:.4f} validation {right:.4f} left {left:.1f} min"
        print(told, flush=True)
        with open(run / "log.jsonl", "a") as log:
            log.write(json.dumps({"epoch": epoch + 1, "loss": mean, "validation": right}) + "\n")
        torch.save({"epoch": epoch + 1} | {name: part.state_dict() for name, part in parts.items()}, run / "last.tmp")
        (run / "last.tmp").replace(run / "last.pt")
    publish(average, recipe.published, run / f"{judge}.safetensors")
    print(f"test accuracy {accuracy(average, *load_part(data, recipe.domain, 'test')):.4f} on {data}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--judge", choices=RECIPES, default="digit_classifier")
    parser.add_argument("--data", type=Path, required=True, help="the course's data folder, with digits/<domain>")
    parser.add_argument("--run", type=Path, required=True, help="where checkpoints and the result go")
    parser.add_argument("--epochs", type=int, help="default: as the published weights were trained")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--peak", type=float, help="highest learning rate; default: as published")
    given = parser.parse_args()
    recipe = RECIPES[given.judge]
    train(given.judge, given.data, given.run, given.epochs or recipe.epochs, given.seed, given.peak or recipe.peak)


if __name__ == "__main__":
    run_command(main)
