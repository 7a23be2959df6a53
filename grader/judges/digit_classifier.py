"""The judge of generated digits: the network that the course's staff published for the ACGAN problem."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


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
