"""The models that come with the project: complete, small, described, and the same results on every machine."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from grader.references.pictures import list_pictures, read_pictures
from reference_models import acgan, dcgan
from reference_models.__main__ import FAMILIES
from reference_models.core.measured import pixels_of
from reference_models.core.models import HOME, published
from tests.conftest import GOOD

FOLDERS = sorted(path.parent for path in HOME.glob("**/config.json"))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda p: str(p.relative_to(HOME)))
def test_each_model_is_complete_and_its_card_names_its_file(folder: Path) -> None:
    weights = folder / "weights.safetensors"
    assert weights.stat().st_size <= 16 << 20
    card = next(p / "README.md" for p in (folder, folder.parent) if (p / "README.md").exists()).read_text()
    assert hashlib.sha256(weights.read_bytes()).hexdigest() in card
    assert "Licence" in card and "Trained on" in card
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["measures"] and {"seed", "device", "selection", "steps"} <= set(metrics["training"])
    assert json.loads((folder / "config.json").read_text())["family"] in FAMILIES


def test_all_of_them_are_small() -> None:
    assert sum(path.stat().st_size for path in HOME.glob("**/*")) <= 40 << 20


def test_each_trained_family_has_some() -> None:
    several = {"dann": 3, "uda": 3, "gan_variants": 5, "tips": 4}
    assert {family: len(published(family)) for family in FAMILIES} == {f: several.get(f, 1) for f in FAMILIES}


def test_faces_are_drawn_again_pixel_by_pixel() -> None:
    made = dcgan.pictures_of(published("dcgan")[0], 50)
    assert np.array_equal(made, read_pictures(list_pictures(GOOD / "gan")[:50]))


def test_digits_are_drawn_again_pixel_by_pixel(tmp_path: Path) -> None:
    model = published("acgan")[0]
    acgan.generate([model], tmp_path, None)
    assert pixels_of(tmp_path) == json.loads((model.folder / "metrics.json").read_text())["pixels_sha256"]
