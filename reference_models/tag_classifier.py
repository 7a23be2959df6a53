"""Trains the grader's own judge `anime_tags`, which tells the colours of an anime face's hair and eyes.

    python -m reference_models.tag_classifier --data mlds_data --run runs/anime_tags

EfficientNet-Lite0 with ImageNet weights learns on, on pictures as small as tiles of a figure. The test part is read
once, after the last step. A run continues where it stopped; it leaves `anime_tags.safetensors` and `log.jsonl` in its
folder.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from grader.judges import torchvision_shim  # noqa: F401  # before torchvision, which comes with the network
from grader.judges.engines import prepare
from grader.judges.networks import TagReader
from grader.judges.protocols import PROTOCOLS
from reference_models.core.anime import Anime, Part, load_anime
from reference_models.core.commands import run_command
from reference_models.core.finetuning import Tuner, hide, move, recolour, train_judge
from reference_models.core.runs import Machine, Tell, Values

PROTOCOL = PROTOCOLS["anime-tags"]
SMOOTHING = 0.1  # some tags are wrong
SIDES = (40, 48, 64, 80, 96)  # of what is enlarged to the network's input: tiles of a figure are small


def augment(images: Tensor) -> Tensor:
    """uint8 ``(n, 3, h, w)`` to the network's input: made small, turned, scaled, shifted, mirrored, a part grey.

    Light, contrast and saturation change less than for photos: colours are what is to be told.
    """
    side = SIDES[int(torch.randint(len(SIDES), ()))]
    small = F.interpolate(images.float(), size=(side, side), mode="bicubic", antialias=True, align_corners=False)
    return hide(recolour(move(small, PROTOCOL.side), 0.1, 0.15, 0.15), PROTOCOL)


@torch.no_grad()
def accuracies(network: TagReader, faces: Anime) -> tuple[float, float]:
    """The shares of faces whose colour of hair, and of eyes, is told, by the grader's protocol."""
    network.eval()
    hair = eyes = 0
    for start in range(0, len(faces), 50):
        few = slice(start, start + 50)
        told = network(prepare(PROTOCOL, faces.images[few].permute(0, 2, 3, 1).numpy(), torch.device("cpu")))
        hair += int((told["hair"].argmax(1) == faces.hair[few]).sum())
        eyes += int((told["eyes"].argmax(1) == faces.eyes[few]).sum())
    return hair / len(faces), eyes / len(faces)


class Trainer(Tuner[TagReader]):
    """Learns both colours at once."""

    def __init__(self, data: Path, epochs: int, rate: float, seed: int, machine: Machine) -> None:
        self.faces = load_anime(data, "train", 96)
        self.held_out = load_anime(data, "validation", 64)
        super().__init__(TagReader(), len(self.faces), epochs, rate, seed, machine)

    def update(self, step: int) -> Values:
        """One step."""
        rows = self.batches(step)
        told = self.ask(augment(self.faces.images[rows]), step)
        hair, eyes = self.faces.hair[rows], self.faces.eyes[rows]
        loss = F.cross_entropy(told["hair"], hair, label_smoothing=SMOOTHING)
        loss = loss + F.cross_entropy(told["eyes"], eyes, label_smoothing=SMOOTHING)
        self.descend(loss)
        right = {"hair": told["hair"].argmax(1) == hair, "eyes": told["eyes"].argmax(1) == eyes}
        return {"loss": float(loss.detach())} | {name: float(r.float().mean()) for name, r in right.items()}

    def validate(self) -> Values:
        """Accuracies on the held-out faces."""
        hair, eyes = accuracies(self.average.network, self.held_out)
        return {"validation_hair": hair, "validation_eyes": eyes}


def test(network: TagReader, data: Path, tell: Tell) -> None:
    """Tells the accuracies on the test faces at the sides that tiles of a figure have."""
    parts: tuple[Part, ...] = ("validation", "test")
    for part in parts:
        for side in (96, 64, 40):
            hair, eyes = accuracies(network, load_anime(data, part, side))
            tell(f"{part} at {side}x{side}: hair {hair:.4f}, eyes {eyes:.4f}")


def main() -> None:
    """The command line: see the module's text."""
    train_judge(__doc__, "anime_tags", Trainer, test, 20)


if __name__ == "__main__":
    run_command(main)
