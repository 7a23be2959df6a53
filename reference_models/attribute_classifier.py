"""Trains the grader's own judge `attributes`, which tells the thirteen attributes of a face.

    python -m reference_models.attribute_classifier --data hw4_data --run runs/attributes

EfficientNet-Lite0 with ImageNet weights learns on. The test part is read once, after the last step. A run continues
where it stopped; it leaves `attributes.safetensors` and `log.jsonl` in its folder.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from grader.judges import torchvision_shim  # noqa: F401  # before torchvision, which comes with the network
from grader.judges.attributes import ATTRIBUTES
from grader.judges.engines import prepare
from grader.judges.networks import AttributeReader
from grader.judges.protocols import PROTOCOLS
from reference_models.core.commands import run_command
from reference_models.core.faces import Faces, load_attributes, load_test_faces
from reference_models.core.finetuning import Tuner, hide, move, recolour, train_judge
from reference_models.core.runs import Machine, Tell, Values

PROTOCOL = PROTOCOLS["face-attributes"]
SMOOTHING = 0.05


def augment(images: Tensor) -> Tensor:
    """uint8 ``(n, 3, h, w)`` to the network's input: turned, scaled, shifted, mirrored, recoloured, a part grey."""
    return hide(recolour(move(images, PROTOCOL.side), 0.3, 0.3, 0.3), PROTOCOL)


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


class Trainer(Tuner[AttributeReader]):
    """Learns the thirteen answers at once."""

    def __init__(self, data: Path, epochs: int, rate: float, seed: int, machine: Machine) -> None:
        self.faces, self.held_out = load_attributes(data), load_attributes(data, held_out=True)
        super().__init__(AttributeReader(), len(self.faces), epochs, rate, seed, machine)

    def update(self, step: int) -> Values:
        """One step."""
        rows = self.batches(step)
        wanted = self.faces.attributes[rows].float()
        told = self.ask(augment(self.faces.images[rows]), step)["logits"]
        loss = F.binary_cross_entropy_with_logits(told, wanted * (1 - SMOOTHING) + SMOOTHING / 2)
        self.descend(loss)
        return {"loss": float(loss.detach()), "right": float(((told > 0) == (wanted > 0)).float().mean())}

    def validate(self) -> Values:
        """Accuracies on the held-out faces."""
        found = dict(zip(ATTRIBUTES, accuracies(self.average.network, self.held_out).tolist(), strict=True))
        return {"validation": sum(found.values()) / len(found)} | {a: found[a] for a in ("Smiling", "Male")}


def test(network: AttributeReader, data: Path, tell: Tell) -> None:
    """Tells the accuracies on the test faces."""
    for name, share in zip(ATTRIBUTES, accuracies(network, load_test_faces(data)), strict=True):
        tell(f"test {name} {share:.4f}")


def main() -> None:
    """The command line: see the module's text."""
    train_judge(__doc__, "attributes", Trainer, test, 18)


if __name__ == "__main__":
    run_command(main)
