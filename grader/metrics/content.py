"""Does an output still show what its input shows? Cosines of features, beside those of other inputs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Content:
    """`value`: mean cosine of each output and its input, with the interval of that mean; None for one output.

    `others`: mean cosine of outputs and other inputs; `nearest`: share of the outputs whose own input is nearer than
    every other one. Both None where there is one input alone.
    """

    value: float
    interval: tuple[float, float] | None
    others: float | None
    nearest: float | None


def content(outputs: Array, inputs: Array) -> Content:
    """Compares features ``(n, d)`` of outputs with those of their inputs, row by row. Raises ValueError."""
    from scipy.stats import t

    n = len(outputs)
    if outputs.ndim != 2 or outputs.shape != inputs.shape or not n:
        raise ValueError(f"expected features of as many outputs as inputs, found {outputs.shape} and {inputs.shape}")
    cosine = _unit(outputs) @ _unit(inputs).T
    own = np.diagonal(cosine)
    value = float(own.mean())
    if n == 1:
        return Content(value, None, None, None)
    half = float(t.ppf(0.975, n - 1) * own.std(ddof=1) / np.sqrt(n))
    apart = ~np.eye(n, dtype=np.bool_)
    nearest = float((own > np.where(apart, cosine, -np.inf).max(1)).mean())
    return Content(value, (max(-1.0, value - half), min(1.0, value + half)), float(cosine[apart].mean()), nearest)


def _unit(features: Array) -> Array:
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    return np.asarray(features / np.where(lengths > 0, lengths, 1))
