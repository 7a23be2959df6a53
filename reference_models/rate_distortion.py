"""What a VAE's pictures cost: rate against distortion of finished runs on the test faces, beside principal components.

    python -m reference_models.rate_distortion runs/vae runs/vae-beta4 --data hw4_data --out figures

Rate is the KL in nats a picture; distortion is the MSE on [0, 1] of the pictures that the latents' means give, also as
PSNR in dB. A projection on principal components has no rate: it shows what as many plain numbers can carry.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from grader.judges import torchvision_shim  # noqa: F401  # before torchvision, which judges import
from reference_models.core.commands import run_command
from reference_models.core.data import to_pixels, to_range
from reference_models.core.faces import load_faces, load_test_faces
from reference_models.core.judging import Distance
from reference_models.core.models import load
from reference_models.vae import Network, Settings, describe, random_faces

COMPONENTS = (64, 128, 256, 512)
Array = NDArray[np.float64]


def pca_psnr(train: Array, test: Array, components: Sequence[int]) -> dict[int, float]:
    """PSNR in dB of test pictures ``(n, d)`` in [0, 1], projected on the first principal components of the others."""
    mean = train.mean(0)
    axes = np.linalg.svd(train - mean, full_matrices=False)[2]
    found = {}
    for k in components:
        if k <= len(axes):
            rest = (test - mean) - (test - mean) @ axes[:k].T @ axes[:k]
            found[k] = -10 * math.log10(float(np.square(rest).mean()))
    return found


def point(run: Path, data: Path) -> dict[str, float | str]:
    """One run's rate and distortion on all test faces, its bound, and the distance of 1000 random faces to them."""
    model, faces = load(run), load_test_faces(data).images
    settings = model.settings(Settings)
    found = describe(model.fill(Network(settings)).eval(), faces)
    distance = Distance.to(to_pixels(to_range(faces)), torch.device("cpu"))
    about: dict[str, float | str] = {"run": run.name, "beta": settings.beta, "sigma": settings.sigma}
    about |= {"images": float(settings.images), "n": float(len(faces)), "fd_random": distance.of(random_faces(model))}
    del found["loss"]
    return about | {name: round(value, 6) for name, value in found.items()}


def draw(points: Sequence[Mapping[str, float | str]], components: Mapping[int, float], path: Path) -> None:
    """The curve, with the components as lines across."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.5, 4.2), layout="constrained")
    axis = figure.subplots()
    for images in sorted({p["images"] for p in points}):
        same = [p for p in points if p["images"] == images and not p["sigma"]]
        ours = sorted((float(p["kl"]), float(p["psnr"]), p["beta"]) for p in same)
        axis.plot([x for x, _, _ in ours], [y for _, y, _ in ours], "o-", label=f"best variance, {images:,.0f} photos")
        for x, y, beta in ours:
            axis.annotate(f"beta {beta:g}", (x, y), xytext=(5, -12), textcoords="offset points", fontsize=8)
    for p in points:
        if p["sigma"]:
            axis.plot([float(p["kl"])], [float(p["psnr"])], "s", label=f"variance {float(p['sigma']) ** 2:.2g}")
    for k, psnr in components.items():
        axis.axhline(psnr, color="grey", linewidth=0.8, linestyle=":")
        axis.annotate(f"{k} components", (0.01, psnr), xycoords=("axes fraction", "data"), fontsize=8, va="bottom")
    axis.set(xlabel="rate: KL, nats a picture", ylabel="PSNR of test faces, dB")
    axis.legend(frameon=False, loc="lower right", bbox_to_anchor=(1, 0.08))
    figure.savefig(path, dpi=110, metadata={"Software": None})


def main() -> None:
    """The command line: see the module's text."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", type=Path, nargs="+", help="folders of finished runs of vae")
    parser.add_argument("--data", type=Path, required=True, help="the course's data folder")
    parser.add_argument("--out", type=Path, required=True, help="where the table and the figure go")
    given = parser.parse_args()
    train = to_pixels(to_range(load_faces(given.data))).reshape(-1, 64 * 64 * 3) / 255
    faces = load_test_faces(given.data).images
    components = pca_psnr(train, to_pixels(to_range(faces)).reshape(-1, 64 * 64 * 3) / 255, COMPONENTS)
    points = [point(run, given.data) for run in given.runs]
    given.out.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"points": points, "principal_components": components}, indent=2, sort_keys=True)
    (given.out / "rate_distortion.json").write_text(text + "\n")
    draw(points, components, given.out / "rate_distortion.png")
    print(text)


if __name__ == "__main__":
    run_command(main)
