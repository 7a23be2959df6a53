"""Validation by the grader's own measure."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from grader.metrics.fid import frechet_distance, gaussian
from reference_models.core.judging import Distance, efficientnet_features


def test_the_distance_is_that_of_the_features() -> None:
    cpu = torch.device("cpu")
    rng = np.random.RandomState(0)
    dark, light = (rng.randint(low, low + 60, (6, 32, 32, 3)).astype(np.uint8) for low in (0, 190))
    distance = Distance.to(dark, cpu)
    features = [efficientnet_features(p, cpu) for p in (dark, light)]
    assert features[0].shape == (6, 1280) and features[0].dtype == np.float64
    expected = frechet_distance(gaussian(features[1]), gaussian(features[0]))
    assert distance.of(light) == pytest.approx(expected, rel=1e-6)
    assert distance.of(dark) == pytest.approx(0, abs=1e-3) and expected > 10
