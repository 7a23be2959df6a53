"""The judge of house numbers: a network that learnt to read the digit in the middle of an SVHN picture."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional as F


class Block(nn.Module):
    """A 3x3 convolution, BatchNorm, ReLU. `conv` and `bn` are the names by which a judge's BatchNorm is folded."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(before, after, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(after)

    def forward(self, images: Tensor) -> Tensor:
        return F.relu(self.bn(self.conv(images)))


class HouseNumberClassifier(nn.Module):
    """Six convolutions and a linear layer, 298,986 parameters.

    The last layer sees where something is: a house number's neighbours reach into the picture, and don't count.
    Input: float32 ``(n, 3, 28, 28)`` in [-1, 1], RGB. Output: logits float32 ``(n, 10)``. Each picture is brought to
    mean 0 and standard deviation 1 first: house numbers differ most in light and contrast, which say nothing.

    >>> sum(p.numel() for p in HouseNumberClassifier().parameters())
    298986
    """

    def __init__(self) -> None:
        super().__init__()
        widths = (3, 32, 32, 64, 64, 128, 128)
        self.blocks = nn.ModuleList(Block(*pair) for pair in pairwise(widths))
        self.dropout = nn.Dropout(0.3)
        self.last = nn.Linear(128 * 3 * 3, 10)

    def forward(self, images: Tensor) -> Tensor:
        middle = images.mean((1, 2, 3), keepdim=True)
        spread = (images - middle).pow(2).mean((1, 2, 3), keepdim=True).sqrt()
        x = (images - middle) / (spread + 0.02)
        for i, block in enumerate(self.blocks):
            x = block(x)
            if i % 2:
                x = F.max_pool2d(x, 2)
        logits: Tensor = self.last(self.dropout(x.flatten(1)))
        return logits
