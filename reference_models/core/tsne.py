"""t-SNE plots of what a network sees in two domains: by class and by domain (van der Maaten & Hinton, JMLR 2008)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reference_models.core import plots

SHOWN = 1000  # pictures of each domain


def embed(features: NDArray[np.float32]) -> NDArray[np.float64]:
    """Features ``(n, d)`` to points ``(n, 2)``, the same for the same features. Perplexity 30, or less for few."""
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    perplexity = min(30.0, (len(features) - 1) / 3)
    with threadpool_limits(1):  # the sums of several threads come in any order; on a busy machine they wait in loops
        points = TSNE(perplexity=perplexity, init="pca", random_state=0).fit_transform(features)
    result: NDArray[np.float64] = np.asarray(points, np.float64)
    return result


def both(
    source: NDArray[np.float32],
    target: NDArray[np.float32],
    classes: NDArray[np.int64],
    names: tuple[str, str],
    title: str,
    path: Path,
) -> list[Path]:
    """Two plots of one embedding, `<path>_class.png` and `<path>_domain.png`; returns their paths.

    source, target: features ``(n, d)``; `classes`: the digit of each picture, the source's first.
    """
    points = embed(np.concatenate([source, target]))
    by_class, by_domain = path.with_name(f"{path.name}_class.png"), path.with_name(f"{path.name}_domain.png")
    plots.scatter(points, classes.tolist(), [str(i) for i in range(10)], f"{title}, by class", by_class)
    domains = [0] * len(source) + [1] * len(target)
    plots.scatter(points, domains, [f"{names[0]} (source)", f"{names[1]} (target)"], f"{title}, by domain", by_domain)
    return [by_class, by_domain]
