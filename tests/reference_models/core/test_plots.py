"""Pictures for reports: what is drawn where."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from reference_models.core import plots


def test_a_grid_holds_every_picture_at_its_place(tmp_path: Path) -> None:
    pictures = np.stack([np.full((4, 6, 3), 10 * i, np.uint8) for i in range(5)])
    plots.grid(pictures, 3, tmp_path / "grid.png", scale=2)
    got = np.asarray(Image.open(tmp_path / "grid.png"))
    assert got.shape == (2 * (2 * 6 + 2), 2 * (3 * 8 + 2), 3)
    assert (got[:4] == 255).all() and (got[4:12, 4:16] == 0).all()
    assert (got[16:24, 20:32] == 40).all() and (got[16:24, 36:] == 255).all()


def test_rows_have_names(tmp_path: Path) -> None:
    pictures = np.full((4, 64, 64, 3), 120, np.uint8)
    plots.grid(pictures, 2, tmp_path / "plain.png", scale=1)
    plots.grid(pictures, 2, tmp_path / "named.png", scale=1, names=["first", "another"])
    plain, named = (np.asarray(Image.open(tmp_path / f"{name}.png")) for name in ("plain", "named"))
    margin = named.shape[1] - plain.shape[1]
    assert margin > 20 and np.array_equal(named[:, margin:], plain)
    dark = named[:, :margin].max(2).min(1) < 100  # rows of pixels with letters in them
    assert dark[2:66].any() and dark[68:132].any() and not dark[:20].any()


def test_curves_and_points_are_the_same_each_time(tmp_path: Path) -> None:
    rows = [{"step": 1.0, "loss": 2.0}, {"step": 2.0, "loss": 1.0, "fd": 3.0}]
    points = np.random.RandomState(0).rand(20, 2)
    for name in "ab":
        plots.curves(rows, {"losses": ["loss"], "distance": ["fd", "absent"]}, "steps", tmp_path / f"{name}_curves.png")
        plots.scatter(
            points, [i % 2 for i in range(20)], ["source", "target"], "t-SNE", tmp_path / f"{name}_points.png"
        )
    for kind in ("curves", "points"):
        assert (tmp_path / f"a_{kind}.png").read_bytes() == (tmp_path / f"b_{kind}.png").read_bytes()
        assert np.asarray(Image.open(tmp_path / f"a_{kind}.png")).shape[1] > 500


def test_points_are_coloured_by_group(tmp_path: Path) -> None:
    groups = [0] * 50 + [1] * 50
    plots.scatter(np.random.RandomState(0).rand(100, 2), groups, ["source", "target"], "t-SNE", tmp_path / "p.png")
    colors = {tuple(c) for c in np.asarray(Image.open(tmp_path / "p.png").convert("RGB")).reshape(-1, 3).tolist()}
    assert {(31, 119, 180), (255, 127, 14)} <= colors  # the first two of matplotlib's tab10
