from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from torch_fidelity.metric_prc import calculate_precision_recall_full

from grader.metrics.manifold import manifold


def _plain(generated: np.ndarray, real: np.ndarray, k: int) -> tuple[float, float]:
    """Density and coverage from their definitions, with scipy's distances and loops."""
    across = cdist(generated, real)
    radius = np.sort(cdist(real, real), axis=1)[:, k]
    density = sum(across[j, i] < radius[i] for j in range(len(generated)) for i in range(len(real)))
    covered = sum(any(across[j, i] < radius[i] for j in range(len(generated))) for i in range(len(real)))
    return density / (k * len(generated)), covered / len(real)


@pytest.mark.parametrize(("n", "m", "d"), [(30, 40, 5), (50, 20, 12), (10, 10, 2)])
def test_agrees_with_torch_fidelity_and_the_definitions(n: int, m: int, d: int) -> None:
    rng = np.random.default_rng(n)
    generated, real = rng.normal(size=(n, d)) * 0.8, rng.normal(size=(m, d))
    found = manifold(generated, real)
    theirs = calculate_precision_recall_full(torch.from_numpy(generated), torch.from_numpy(real), neighborhood=3)
    assert (found.precision, found.recall) == pytest.approx(theirs)
    assert (found.density, found.coverage) == pytest.approx(_plain(generated, real, 5))


def test_far_apart_and_equal() -> None:
    rng = np.random.default_rng(1)
    a = rng.normal(size=(40, 4))
    apart = manifold(a + 1000, a)
    assert (apart.precision, apart.recall, apart.density, apart.coverage) == (0, 0, 0, 0)
    same = manifold(a, a)
    assert (same.precision, same.recall, same.coverage) == (1, 1, 1) and same.density == pytest.approx(1)


def test_collapse_has_precision_without_recall() -> None:
    rng = np.random.default_rng(2)
    real = rng.normal(size=(200, 4))
    found = manifold(real[:1] + rng.normal(size=(200, 4)) * 1e-3, real)
    assert found.precision == 1 and found.recall < 0.05 and found.coverage < 0.1


def test_too_few_points() -> None:
    with pytest.raises(ValueError, match="6 rows or more"):
        manifold(np.zeros((5, 3)), np.zeros((50, 3)))
