"""Precision and recall (Kynkäänniemi et al., NeurIPS 2019), density and coverage (Naeem et al., ICML 2020)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Manifold:
    """All in [0, 1] but density, which is 1 for equal distributions and can be larger."""

    precision: float
    recall: float
    density: float
    coverage: float


def manifold(generated: Array, real: Array, neighbours: int = 3, density_neighbours: int = 5) -> Manifold:
    """Compares two sets of features by balls around each point out to its k-th neighbour in the same set.

    generated ``(n, d)``, real ``(m, d)``, more rows than neighbours. precision: generated points inside a real ball;
    recall: real points inside a generated ball (k = 3). density: how many real balls hold a generated point, over k;
    coverage: real balls that hold a generated point (k = 5).
    """
    least = max(neighbours, density_neighbours) + 1
    if generated.ndim != 2 or generated.shape[1:] != real.shape[1:] or min(len(generated), len(real)) < least:
        raise ValueError(f"expected matrices of one width with {least} rows or more")
    across = _distances(generated, real)
    of_generated, of_real = _distances(generated, generated), _distances(real, real)
    real_ball, generated_ball = _radius(of_real, neighbours), _radius(of_generated, neighbours)
    wide_ball = _radius(of_real, density_neighbours)
    inside = across < wide_ball
    return Manifold(
        precision=float((across <= real_ball).any(1).mean()),
        recall=float((generated_ball >= across.T).any(1).mean()),
        density=float(inside.sum(1).mean() / density_neighbours),
        coverage=float((across.min(0) < wide_ball).mean()),
    )


def _distances(a: Array, b: Array) -> Array:
    """Euclidean distances ``(n, m)``, the common mean subtracted first: less cancellation in |x|² - 2xy + |y|²."""
    centre = b.mean(0)
    x, y = a - centre, b - centre
    squares = np.square(x).sum(1)[:, None] + np.square(y).sum(1) - 2 * x @ y.T
    found = np.sqrt(np.maximum(squares, 0))
    if a is b:
        np.fill_diagonal(found, 0)
    return np.asarray(found)


def _radius(distances: Array, k: int) -> Array:
    """Distance of each point to its k-th neighbour, itself not counted."""
    return np.asarray(np.partition(distances, k, axis=1)[:, k])
