"""Trains the grader's own judge `attributes`, which tells the thirteen attributes of a face.

    python -m reference_models.attribute_classifier --data hw4_data --run runs/attributes

EfficientNet-Lite0 with ImageNet weights learns on. The test part is read once, after the last step. A run continues
where it stopped; it leaves `attributes.safetensors` and `log.jsonl` in its folder.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional as F

from grader.judges import torchvision_shim  # noqa: F401  # before torchvision, which comes with the network
from grader.judges.attributes import ATTRIBUTES
from grader.judges.engines import prepare
from grader.judges.networks import AttributeReader, EfficientNetLite
from grader.judges.protocols import PROTOCOLS
from grader.judges.states import fill
from grader.judges.weights import find_weights
from reference_models.core.commands import run_command
from reference_models.core.data import Batches
from reference_models.core.ema import Average
from reference_models.core.faces import Faces, load_attributes, load_test_faces
from reference_models.core.runs import Machine, Stateful, Tell, Values, choose_machine, fit

PROTOCOL = PROTOCOLS["face-attributes"]
BATCH, DECAY, SMOOTHING = 32, 0.998, 0.05


def pretrained() -> AttributeReader:
    """The network with ImageNet weights, but for its new last layer."""
    network, whole = AttributeReader(), EfficientNetLite()
    fill(whole.network, find_weights("efficientnet_lite0", {}))
    kept = {name: value for name, value in whole.network.state_dict().items() if not name.startswith("_fc.")}
    network.network.load_state_dict(kept, strict=False)
    return network.requires_grad_(True)


def augment(images: Tensor) -> Tensor:
    """uint8 ``(n, 3, h, w)`` to the network's input: turned, scaled, shifted, mirrored, recoloured, a part grey."""
    n, side = len(images), PROTOCOL.side
    angle, scale = torch.empty(n).uniform_(-0.2, 0.2), torch.empty(n).uniform_(-0.15, 0.15).exp()
    mirror = torch.where(torch.rand(n) < 0.5, -1.0, 1.0)
    cos, sin, shift = angle.cos() * scale, angle.sin() * scale, torch.empty(n, 2).uniform_(-0.12, 0.12)
    grid = torch.stack([cos * mirror, -sin, shift[:, 0], sin * mirror, cos, shift[:, 1]], 1).view(n, 2, 3)
    place = F.affine_grid(grid, [n, 3, side, side], align_corners=False)
    moved = F.grid_sample(images.float(), place, "bicubic", padding_mode="reflection", align_corners=False)
    light, contrast, colour = (torch.empty(n, 1, 1, 1).uniform_(-0.3, 0.3) for _ in range(3))
    gray = moved.mean(1, keepdim=True)
    moved = gray + (moved - gray) * (1 + colour)
    middle = moved.mean((2, 3), keepdim=True)
    moved = ((moved - middle) * (1 + contrast) + middle + 100 * light).clamp(0, 255)
    x, y = torch.randint(0, side, (2, n, 1, 1, 1))
    across, down = torch.arange(side).view(1, 1, 1, side), torch.arange(side).view(1, 1, side, 1)
    hidden = ((across - x).abs() < side // 6) & ((down - y).abs() < side // 6) & (torch.rand(n, 1, 1, 1) < 0.5)
    return (moved.masked_fill(hidden, PROTOCOL.offset) - PROTOCOL.offset) / PROTOCOL.scale


@torch.no_grad()
def accuracies(network: AttributeReader, faces: Faces) -> Tensor:
    """The share of faces whose attribute is told, float64 ``(13,)``, by the grader's protocol."""
    network.eval()
    right = torch.zeros(len(ATTRIBUTES), dtype=torch.float64)
    for start in range(0, len(faces), 50):
        few = slice(start, start + 50)
        told = network(prepare(PROTOCOL, faces.images[few].permute(0, 2, 3, 1).numpy(), torch.device("cpu")))
        right += ((told["logits"] > 0) == (faces.attributes[few] > 0)).sum(0)
    return right / len(faces)


class Trainer:
    """AdamW with a one-cycle cosine rate, and an average of the weights, which is what is kept."""

    selection, final = None, "last"

    def __init__(self, data: Path, epochs: int, rate: float, seed: int, machine: Machine) -> None:
        self.faces, self.held_out = load_attributes(data), load_attributes(data, held_out=True)
        self.machine, self.rate = machine, rate
        self.batches = Batches(len(self.faces), BATCH, seed)
        self.every = len(self.faces) // BATCH
        self.steps = epochs * self.every
        layout: dict[str, Any] = {"memory_format": torch.channels_last}
        self.network = pretrained().to(**layout)
        self.average = Average(self.network, DECAY)
        self.optimizer = torch.optim.AdamW(self.network.parameters(), rate, weight_decay=0.02)
        self.parts: dict[str, Stateful] = {
            "network": self.network,
            "average": self.average,
            "optimizer": self.optimizer,
        }

    def update(self, step: int) -> Values:
        rows = self.batches(step)
        wanted = self.faces.attributes[rows].float()
        progress = step / self.steps
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate * min(1.0, progress / 0.1) * 0.5 * (1 + math.cos(math.pi * progress))
        self.network.train()
        with self.machine.autocast():
            images = augment(self.faces.images[rows]).contiguous(memory_format=torch.channels_last)
            told = self.network(images)["logits"]
        told = told.float()
        target = wanted * (1 - SMOOTHING) + SMOOTHING / 2
        loss = F.binary_cross_entropy_with_logits(told, target)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        self.average.update(self.network)
        return {"loss": float(loss.detach()), "right": float(((told > 0) == (wanted > 0)).float().mean())}

    def validate(self) -> Values:
        found = dict(zip(ATTRIBUTES, accuracies(self.average.network, self.held_out).tolist(), strict=True))
        return {"validation": sum(found.values()) / len(found)} | {a: found[a] for a in ("Smiling", "Male")}

    def weights(self) -> dict[str, Tensor]:
        return dict(self.average.network.network.state_dict())


def train(trainer: Trainer, data: Path, run: Path, settings: dict[str, Any], seed: int, tell: Tell) -> None:
    """To the end; then the weights in half precision, as they are published, and their accuracies on the test part."""
    fit(trainer, run, settings, seed, tell)
    network = trainer.average.network
    half = {n: t.half() if t.is_floating_point() else t for n, t in network.network.state_dict().items()}
    save_file({name: tensor.contiguous() for name, tensor in half.items()}, run / "attributes.safetensors")
    network.network.load_state_dict(half)
    for name, share in zip(ATTRIBUTES, accuracies(network, load_test_faces(data)), strict=True):
        tell(f"test {name} {share:.4f}")


def main() -> None:
    """The command line: see the module's text."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the course's data folder")
    parser.add_argument("--run", type=Path, required=True, help="where checkpoints and the result go")
    parser.add_argument("--epochs", type=int, default=18)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rate", type=float, default=1e-3, help="the highest")
    given = parser.parse_args()
    torch.manual_seed(given.seed)
    machine = choose_machine(torch.device("cpu"), "float32")  # quicker than bfloat16 for depthwise convolutions
    trainer = Trainer(given.data, given.epochs, given.rate, given.seed, machine)
    settings = {"epochs": given.epochs, "rate": given.rate, "seed": given.seed, "final": "last", "settings": {}}
    train(trainer, given.data, given.run, settings, given.seed, lambda line: print(line, flush=True))


if __name__ == "__main__":
    run_command(main)
