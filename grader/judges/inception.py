"""The two Inception networks: the one of FID (2015, 1008 classes) and torchvision's (ImageNet, 1000 classes)."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from grader.judges import torchvision_shim  # noqa: F401  (must come before torchvision and torch_fidelity)
from grader.judges.weights import Weights, fill, load_weights

from torchvision.models import inception_v3  # isort: skip
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3  # isort: skip

BATCH = 50
SIDE = 299
Images = NDArray[np.uint8]
Done = Callable[[int, int], None]


class _FidNetwork(FeatureExtractorInceptionV3):  # type: ignore[misc]
    """torch-fidelity's layers; how a picture becomes their input belongs to the protocol, not to the network."""

    def __init__(self) -> None:
        # The peer's constructor wants a file to load from; ours are loaded, verified, afterwards.
        nothing = io.BytesIO()
        torch.save({}, nothing)
        nothing.seek(0)
        super().__init__("fid", ["2048"], feature_extractor_weights_path=nothing)

    def load_state_dict(self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Any:
        return super().load_state_dict(state_dict, strict, assign) if state_dict else None

    def forward(self, images: Tensor) -> Tensor:
        """float32 ``(n, 3, 299, 299)`` in [-1, 1] to the pooled features ``(n, 2048)``."""
        stem = [self.Conv2d_1a_3x3, self.Conv2d_2a_3x3, self.Conv2d_2b_3x3, self.MaxPool_1]
        stem += [self.Conv2d_3b_1x1, self.Conv2d_4a_3x3, self.MaxPool_2]
        middle = [self.Mixed_5b, self.Mixed_5c, self.Mixed_5d, self.Mixed_6a]
        middle += [self.Mixed_6b, self.Mixed_6c, self.Mixed_6d, self.Mixed_6e]
        x = images
        for layer in (*stem, *middle, self.Mixed_7a, self.Mixed_7b, self.Mixed_7c, self.AvgPool):
            x = layer(x)
        return x.flatten(1)


def fid_network(given: Mapping[str, Path]) -> tuple[nn.Module, Weights]:
    """The network of FID, filled with the weights of the judge `inception`."""
    weights = load_weights("inception", given)
    network = _FidNetwork()
    fill(network, weights, "inception")
    return network, weights


def score_network(given: Mapping[str, Path]) -> tuple[nn.Module, Weights]:
    """torchvision's inception_v3, filled with the weights of the judge `torchvision_inception`."""
    weights = load_weights("torchvision_inception", given)
    network: nn.Module = inception_v3(weights=None, transform_input=False, aux_logits=True, init_weights=False)
    fill(network, weights, "torchvision_inception")
    return network, weights


def _enlarged(images: Images, device: torch.device) -> Tensor:
    """uint8 ``(n, h, w, 3)`` to float32 ``(n, 3, 299, 299)`` in [-1, 1]: half-pixel bilinear, no antialiasing."""
    x = torch.from_numpy(images).to(device).permute(0, 3, 1, 2).to(torch.float32) / 255
    return 2 * F.interpolate(x, size=(SIDE, SIDE), mode="bilinear", align_corners=False) - 1


def _run(network: nn.Module, images: Images, device: torch.device, done: Done) -> Tensor:
    network.to(device)
    parts = []
    with torch.inference_mode():
        for start in range(0, len(images), BATCH):
            parts.append(network(_enlarged(images[start : start + BATCH], device)).cpu().to(torch.float64))
            done(min(start + BATCH, len(images)), len(images))
    return torch.cat(parts)


def fid_features(network: nn.Module, images: Images, device: torch.device, done: Done) -> NDArray[np.float64]:
    """Pooled features, float64 ``(n, 2048)``, by the protocol pytorch-fid."""
    return np.asarray(_run(network, images, device, done).numpy())


def class_probabilities(network: nn.Module, images: Images, device: torch.device, done: Done) -> NDArray[np.float64]:
    """Softmax over the 1000 ImageNet classes, float64 ``(n, 1000)``, by the protocol torchvision-is."""
    return np.asarray(_run(network, images, device, done).softmax(1).numpy())
