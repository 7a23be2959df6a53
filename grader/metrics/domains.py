"""Which of two domains a picture belongs to: a logistic regression on features, fitted on pictures of both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
FOLDS = 5
PENALTY = 1.0  # of the squared weights of standardised features, beside the sum of the losses


@dataclass(frozen=True)
class Regression:
    """Features less `mean`, over `scale`, times `weights` plus `bias` are the logit of the second domain."""

    mean: Array
    scale: Array
    weights: Array
    bias: float

    def logits(self, features: Array) -> Array:
        """float64 ``(n,)`` for features ``(n, d)``; above 0 for the second domain."""
        return np.asarray((features - self.mean) / self.scale @ self.weights + self.bias)


def fit(first: Array, second: Array) -> Regression:
    """The regression that tells features ``(m, d)`` of one domain from those ``(n, d)`` of another.

    Both domains weigh the same, however many pictures they have. Raises ValueError for a domain without any.
    """
    from scipy.optimize import minimize
    from scipy.special import expit

    if first.ndim != 2 or second.ndim != 2 or first.shape[1] != second.shape[1] or not len(first) or not len(second):
        raise ValueError(f"expected features of both domains, found {first.shape} and {second.shape}")
    both = np.concatenate([first, second])
    mean, scale = both.mean(0), both.std(0)
    scale = np.where(scale > 0, scale, 1)
    x = (both - mean) / scale
    sign = np.repeat([-1.0, 1.0], [len(first), len(second)])
    share = np.repeat([len(both) / (2 * len(first)), len(both) / (2 * len(second))], [len(first), len(second)])

    def loss(theta: Array) -> tuple[float, Array]:
        margin = sign * (x @ theta[:-1] + theta[-1])
        slope = -share * sign * expit(-margin)
        value = share @ np.logaddexp(0, -margin) + 0.5 * PENALTY * theta[:-1] @ theta[:-1]
        return float(value), np.append(x.T @ slope + PENALTY * theta[:-1], slope.sum())

    found = minimize(loss, np.zeros(x.shape[1] + 1), jac=True, method="L-BFGS-B", options={"maxiter": 2000})
    return Regression(mean, scale, found.x[:-1], float(found.x[-1]))


def held_out_accuracy(first: Array, second: Array) -> float | None:
    """Balanced accuracy on pictures that the regression was not fitted on; None for fewer than `FOLDS` of a domain.

    Picture i belongs to fold i mod `FOLDS`; each fold is judged by what was fitted on the others.
    """
    if min(len(first), len(second)) < FOLDS:
        return None
    right = [0, 0]
    for k in range(FOLDS):
        rest = [np.delete(part, np.s_[k::FOLDS], axis=0) for part in (first, second)]
        told = fit(*rest)
        right[0] += int((told.logits(first[k::FOLDS]) <= 0).sum())
        right[1] += int((told.logits(second[k::FOLDS]) > 0).sum())
    return (right[0] / len(first) + right[1] / len(second)) / 2
