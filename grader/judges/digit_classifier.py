"""The judge of generated digits: the network that the course's staff published for the ACGAN problem."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from grader.judges.weights import Weights, fill, load_weights

BATCH = 500


class DigitClassifier(nn.Module):
    """Two convolutions and three linear layers, 44,674 parameters; the layer names are those of the course's file.

    Input: float32 ``(n, 3, 28, 28)`` in [-1, 1], RGB. Output: logits float32 ``(n, 10)``.

    >>> sum(p.numel() for p in DigitClassifier().parameters())
    44674
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 5)
        self.conv2 = nn.Conv2d(6, 16, 5)
        self.fc1 = nn.Linear(256, 128)
        self.fc2 = nn.Linear(128, 64)
        self.fc3 = nn.Linear(64, 10)

    def forward(self, images: Tensor) -> Tensor:
        x = F.max_pool2d(F.relu(self.conv1(images)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = F.relu(self.fc1(x.flatten(1)))
        x = F.relu(self.fc2(x))
        logits: Tensor = self.fc3(x)
        return logits


def to_network(images: Tensor) -> Tensor:
    """uint8 ``(n, 28, 28, 3)`` in 0..255 to float32 ``(n, 3, 28, 28)`` in [-1, 1], as the network was trained on."""
    return (images.permute(0, 3, 1, 2).to(torch.float32) / 255 - 0.5) / 0.5


def read_digits(
    images: NDArray[np.uint8], given: Mapping[str, Path], device: torch.device
) -> tuple[NDArray[np.int64], Weights]:
    """The digit that the judge reads in each image, int64 ``(n,)``, and the weights that it used.

    images: uint8 ``(n, 28, 28, 3)`` in 0..255, RGB.
    """
    weights = load_weights("digit_classifier", given)
    network = DigitClassifier()
    fill(network, weights, "digit_classifier")
    network.to(device)
    with torch.inference_mode():
        parts = torch.from_numpy(images).split(BATCH)
        read = [network(to_network(part.to(device))).argmax(1).cpu() for part in parts]
    return np.asarray(torch.cat(read).numpy() if read else np.zeros(0, np.int64)), weights
