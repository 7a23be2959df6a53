"""The two Inception networks: layers from torch-fidelity and torchvision, outputs by name.

Each takes float32 ``(n, 3, 299, 299)`` in [-1, 1] and gives `features` and `logits`, float32 ``(n, …)``.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from grader.judges import torchvision_shim  # noqa: F401  (must come before torchvision and torch_fidelity)

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
