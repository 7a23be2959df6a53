"""Rate and distortion: principal components against scikit-learn, a run's point against what it hands in."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from grader.references.pictures import list_pictures, read_pictures
from reference_models import vae
from reference_models.core.models import load
from reference_models.core.runs import Machine, fit
from reference_models.core.settings import as_json
from reference_models.rate_distortion import draw, pca_psnr, point


def test_components_are_those_of_a_peer() -> None:
    chance = np.random.RandomState(0)
    train, test = chance.rand(30, 12) @ chance.rand(12, 12), chance.rand(9, 12)
    found = pca_psnr(train, test, (2, 5, 50))
    assert sorted(found) == [2, 5]  # there are no 50
    for k, psnr in found.items():
        peer = PCA(k, svd_solver="full").fit(train)
        rest = test - peer.inverse_transform(peer.transform(test))
        assert psnr == pytest.approx(-10 * math.log10((rest**2).mean()))


def test_a_point_is_what_the_pictures_say(course: Path, tmp_path: Path) -> None:
    settings = vae.Settings(width=4, latent=6, batch=4, images=8, validations=1, beta=2)
    torch.manual_seed(0)
    trainer = vae.Trainer(settings, None, 0, Machine(torch.device("cpu"), bfloat16=False))
    fit(trainer, tmp_path / "run", {"settings": as_json(settings)}, 0, lambda _: None)
    found = point(tmp_path / "run", course)
    assert found["beta"] == 2 and found["n"] == 100 and float(found["kl"]) > 0
    vae.generate([load(tmp_path / "run")], tmp_path, course)
    made = read_pictures(list_pictures(tmp_path / "vae" / "reconstruction")) / 255
    real = read_pictures(list_pictures(course / "face" / "test")) / 255
    # Pictures in a file are rounded to whole levels, which adds about 1/12 of a level squared.
    assert float(found["mse"]) == pytest.approx(float(((made - real) ** 2).mean()), abs=1e-5)
    draw([found, found | {"sigma": 0.7}], {64: 20.0}, tmp_path / "curve.png")
    assert (tmp_path / "curve.png").stat().st_size > 5000
