"""The feature networks by judge: filled, BatchNorm folded into the convolutions, outputs by name.

Each takes float32 ``(n, 3, side, side)`` in its own range and gives `features` and `logits`, float32 ``(n, …)``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from grader.judges.anime_tags import EYES, HAIR
from grader.judges.attributes import ATTRIBUTES
from grader.judges.digit_classifier import DigitClassifier
from grader.judges.states import fill
from grader.judges.svhn_digits import HouseNumberClassifier
from grader.judges.weights import Weights

Outputs = dict[str, Tensor]


def _efficientnet(classes: int) -> Any:
    """EfficientNet-Lite0 (Apache-2.0)."""
    from efficientnet_lite_pytorch import EfficientNet

    network: Any = EfficientNet.from_name("efficientnet-lite0", num_classes=classes)
    # The same function at twice the speed: equal borders belong to the convolution, not to a copy of its input.
    for module in network.modules():
        pad = getattr(module, "static_padding", None)
        if isinstance(pad, nn.ZeroPad2d) and len(set(pad.padding)) == 1:
            module.padding, module.static_padding = pad.padding[:2], nn.Identity()
        elif isinstance(module, nn.ReLU6):
            module.inplace = True
    return network


class EfficientNetLite(nn.Module):
    """EfficientNet-Lite0 with the ImageNet weights of the package that carries them."""

    def __init__(self) -> None:
        super().__init__()
        self.network = _efficientnet(1000)

    def forward(self, images: Tensor) -> Outputs:
        """Input in [-1, 1]. `features` ``(n, 1280)``: the last convolution's output, averaged over the picture."""
        return {"features": self.network.extract_features(images).mean((2, 3))}


class AttributeReader(nn.Module):
    """EfficientNet-Lite0 that learnt to tell a face's attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.network = _efficientnet(len(ATTRIBUTES))

    def forward(self, images: Tensor) -> Outputs:
        """Input in [-1, 1]. `logits` ``(n, 13)``, above 0 for an attribute that is there."""
        features = self.network.extract_features(images).mean((2, 3))
        return {"logits": self.network._fc(self.network._dropout(features))}


class TagReader(nn.Module):
    """EfficientNet-Lite0 that learnt to tell the colours of an anime face's hair and eyes."""

    def __init__(self) -> None:
        super().__init__()
        self.network = _efficientnet(len(HAIR) + len(EYES))

    def forward(self, images: Tensor) -> Outputs:
        """Input in [-1, 1]. `hair` ``(n, 12)`` and `eyes` ``(n, 11)``: logits in the order of `HAIR` and `EYES`."""
        features = self.network.extract_features(images).mean((2, 3))
        told = self.network._fc(self.network._dropout(features))
        return {"hair": told[:, : len(HAIR)], "eyes": told[:, len(HAIR) :]}


class DigitReader(nn.Module):
    """A network that reads digits."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Outputs:
        """Input in [-1, 1]. `logits` ``(n, 10)``."""
        return {"logits": self.network(images)}


# Names of a convolution and the BatchNorm after it: in both Inceptions, then in EfficientNet's blocks and ends.
_PAIRS = (
    ("conv", "bn"),
    *(("_expand_conv", "_bn0"), ("_depthwise_conv", "_bn1"), ("_project_conv", "_bn2")),
    *(("_conv_stem", "_bn0"), ("_conv_head", "_bn1")),
)


def _fid_inception() -> nn.Module:
    from grader.judges.inception import FidInception  # brings torchvision, which takes a second

    return FidInception()


def _score_inception() -> nn.Module:
    from grader.judges.inception import ScoreInception

    return ScoreInception()


_NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "inception": _fid_inception,
    "torchvision_inception": _score_inception,
    "efficientnet_lite0": EfficientNetLite,
    "digit_classifier": lambda: DigitReader(DigitClassifier()),
    "svhn_digits": lambda: DigitReader(HouseNumberClassifier()),
    "attributes": AttributeReader,
    "anime_tags": TagReader,
}


def build_network(judge: str, weights: Weights) -> nn.Module:
    """The judge's network on the CPU, filled and folded."""
    network = _NETWORKS[judge]()
    fill(getattr(network, "network", network), weights)
    fold_batch_norm(network)
    return network


def fold_batch_norm(network: nn.Module) -> None:
    """Multiplies each BatchNorm into the convolution before it: the same function with half of the memory traffic."""
    for module in network.modules():
        for conv_name, norm_name in _PAIRS:
            conv, norm = getattr(module, conv_name, None), getattr(module, norm_name, None)
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(module, conv_name, fuse_conv_bn_eval(conv, norm))
                setattr(module, norm_name, nn.Identity())
