"""t-SNE plots: groups that lie apart stay apart, and the same input gives the same picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from reference_models.core import tsne


def test_two_groups_stay_apart(tmp_path: Path) -> None:
    rng = np.random.RandomState(0)
    source, target = (rng.normal(center, 0.1, (30, 8)).astype(np.float32) for center in (0, 5))
    points = tsne.embed(np.concatenate([source, target]))
    centers = points[:30].mean(0), points[30:].mean(0)
    spread = max(points[:30].std(), points[30:].std())
    assert np.linalg.norm(centers[0] - centers[1]) > 2 * spread
    classes = np.arange(60) % 10
    for name in "ab":
        paths = tsne.both(source, target, classes, ("usps", "svhn"), "DANN", tmp_path / name)
        assert [path.name for path in paths] == [f"{name}_class.png", f"{name}_domain.png"]
    assert (tmp_path / "a_domain.png").read_bytes() == (tmp_path / "b_domain.png").read_bytes()
    assert (tmp_path / "a_class.png").read_bytes() != (tmp_path / "a_domain.png").read_bytes()
