"""Pictures for reports: grids of images, learning curves, scatter plots. PNG or JPEG, by the path's ending."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Pictures = NDArray[np.uint8]
_JPEG: dict[str, Any] = {"quality": 95, "subsampling": 0}  # colours at full size: pixels of neighbours don't mix


def grid(pictures: Pictures, columns: int, path: Path, scale: int = 2, names: Sequence[str] = ()) -> None:
    """Images uint8 ``(n, h, w, 3)`` row by row, two white pixels between them, each pixel `scale` wide.

    names: of the rows, written to the left of them.
    """
    n, height, width, _ = pictures.shape
    rows = -(-n // columns)
    sheet = np.full((rows * (height + 2) + 2, columns * (width + 2) + 2, 3), 255, np.uint8)
    for i, picture in enumerate(pictures):
        top, left = (i // columns) * (height + 2) + 2, (i % columns) * (width + 2) + 2
        sheet[top : top + height, left : left + width] = picture
    image = Image.fromarray(sheet)
    larger = image.resize((image.width * scale, image.height * scale), Image.Resampling.NEAREST)
    if names:
        larger = _named(larger, names, (height + 2) * scale, scale)
    larger.save(path, **_JPEG if path.suffix == ".jpg" else {})


def _named(image: Image.Image, names: Sequence[str], step: int, top: int) -> Image.Image:
    """The image with a margin on its left that names its rows, each `step` pixels high."""
    font = ImageFont.load_default(max(9, step // 8))
    margin = int(max(font.getlength(name) for name in names)) + step // 4
    whole = Image.new("RGB", (image.width + margin, image.height), "white")
    whole.paste(image, (margin, 0))
    draw = ImageDraw.Draw(whole)
    for i, name in enumerate(names):
        draw.text((step // 8, top + i * step + step // 2), name, "black", font, anchor="lm")
    return whole


def subplots(pictures: Pictures, columns: int, path: Path) -> None:
    """Images uint8 ``(n, h, w, 3)`` as a homework's own script draws them: a subplot each, without axes, 640 x 480."""
    rows = -(-len(pictures) // columns)
    figure = Figure(figsize=(6.4, 4.8), dpi=100)
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for axis in axes:
        axis.axis("off")
    for axis, picture in zip(axes, pictures, strict=False):
        axis.imshow(picture)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Software": None})


def curves(rows: Sequence[Mapping[str, float]], panels: Mapping[str, Sequence[str]], across: str, path: Path) -> None:
    """One panel a title, with a line for each of its columns over the column `step`; `across` labels that axis."""
    figure = Figure(figsize=(5 * len(panels), 3.6), layout="constrained")
    axes = figure.subplots(1, len(panels), squeeze=False)
    for axis, (title, names) in zip(axes[0], panels.items(), strict=True):
        for name in names:
            points = [(row["step"], row[name]) for row in rows if name in row]
            if points:
                axis.plot(*zip(*points, strict=True), label=name.replace("_", " "), linewidth=1.2)
        axis.set(title=title, xlabel=across)
        axis.grid(alpha=0.3)
        if axis.lines:
            axis.legend(frameon=False)
    _save(figure, path)


def scatter(points: NDArray[np.float64], groups: Sequence[int], names: Sequence[str], title: str, path: Path) -> None:
    """Points float64 ``(n, 2)`` coloured by group, with a legend."""
    figure = Figure(figsize=(6, 5), layout="constrained")
    axis = figure.subplots()
    colors = matplotlib.colormaps["tab10"].colors  # type: ignore[attr-defined]  # a ListedColormap has them
    for group, name in enumerate(names):
        chosen = points[np.asarray(groups) == group]
        axis.scatter(chosen[:, 0], chosen[:, 1], s=5, color=colors[group], label=name, linewidths=0)
    axis.set(title=title, xticks=[], yticks=[])
    axis.legend(frameon=False, markerscale=3, loc="center left", bbox_to_anchor=(1, 0.5))
    _save(figure, path)


def _save(figure: Figure, path: Path) -> None:
    if path.suffix == ".jpg":
        figure.savefig(path, dpi=110, pil_kwargs=_JPEG)
    else:
        figure.savefig(path, dpi=110, metadata={"Software": None})  # the same bytes for the same input
