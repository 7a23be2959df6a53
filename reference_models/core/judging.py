"""The grader's own measures, for validation during a training."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from grader.judges.features import Extractor
from grader.metrics.fid import Gaussian, frechet_distance, gaussian

PROTOCOL = "efficientnet-lite0"
Pictures = NDArray[np.uint8]


def efficientnet_features(pictures: Pictures, device: torch.device) -> NDArray[np.float64]:
    """Features of pictures uint8 ``(n, h, w, 3)``, float64 ``(n, 1280)``. The network is loaded for each call."""
    run = Extractor({}, device.type, None).run(PROTOCOL, pictures, lambda *_: None)
    return next(iter(run.outputs.values())).astype(np.float64)


@dataclass(frozen=True)
class Distance:
    """The Fréchet distance of EfficientNet-Lite0 features to a fixed set of real pictures."""

    real: Gaussian
    device: torch.device

    @classmethod
    def to(cls, pictures: Pictures, device: torch.device) -> Distance:
        """The distance to these pictures, at least two."""
        return cls(gaussian(efficientnet_features(pictures, device)), device)

    def of(self, pictures: Pictures) -> float:
        """The distance of these."""
        return frechet_distance(gaussian(efficientnet_features(pictures, self.device)), self.real)
