"""The solutions of mlds-spring2018-hw3 that come with the project: generated again exactly, checked, scored."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import grader
from reference_models import anime_gan, cyclegan, gan_variants, text2image, tips
from reference_models.core.measured import pixels_of
from reference_models.core.models import published

ASSIGNMENT = "mlds-spring2018-hw3"
FAMILIES: dict[str, Any] = {
    "anime_gan": anime_gan,
    "text2image": text2image,
    "gan_variants": gan_variants,
    "tips": tips,
    "cyclegan": cyclegan,
}


@pytest.fixture(scope="module")
def made(course: Path, course_hw3: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """What each solution hands in, in a folder of its own; the digits are those of the other homework."""
    folders = {family: tmp_path_factory.mktemp(family) for family in FAMILIES}
    for family, folder in folders.items():
        FAMILIES[family].generate(published(family), folder, course if family == "cyclegan" else course_hw3)
    return folders


@pytest.fixture(scope="module")
def submission(made: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All of it together."""
    out = tmp_path_factory.mktemp("solutions") / "submission"
    for folder in made.values():
        shutil.copytree(folder, out, dirs_exist_ok=True)
    return out


@pytest.mark.parametrize("family", [name for name in FAMILIES if name != "cyclegan"])  # which draws the data's digits
def test_faces_are_drawn_again_pixel_by_pixel(family: str, made: dict[str, Path]) -> None:
    for model in published(family):
        if model.config["preset"] not in getattr(FAMILIES[family], "BESIDE", ()):
            assert json.loads((model.folder / "metrics.json").read_text())["pixels_sha256"] == pixels_of(made[family])


def test_what_is_handed_in_is_as_asked_for(submission: Path, course_hw3: Path) -> None:
    found = grader.check(submission, ASSIGNMENT, data=course_hw3)
    told = [f for f in found.findings if f.rule not in ("reference-count", "same-files")]
    assert found.state == "pass" and not told, told


def test_colours_are_as_asked_for(submission: Path, course_hw3: Path) -> None:
    report = grader.score(submission, ASSIGNMENT, problems=["text2image"], data=course_hw3, device="cpu")
    taken = {m.id: m for verdict in report.problems for m in verdict.measures}
    values = {name: taken[name].value for name in ("hair_accuracy", "eye_accuracy")}
    assert values == {"hair_accuracy": pytest.approx(0.96), "eye_accuracy": pytest.approx(0.92)}
    assert taken["hair_accuracy"].provenance["judge_known"] is True
    assert taken["face_count.text2image"].state == "skipped"  # the cascade is not ours to ship


def test_comparisons_have_their_intervals() -> None:
    for family, most in (("gan_variants", 4), ("tips", 3)):
        table = json.loads((published(family)[0].folder.parent / "seeds.json").read_text())[family]
        assert table["seeds"] == 100 and len(table["differences"]) == most
        for row in table["differences"].values():
            with_it, without = ({m["training_seed"]: m for m in table["models"][row[s]]} for s in ("with", "without"))
            for found in row["trainings"]:
                low, high = found["interval"]
                shares = [side[found["training_seed"]]["hits"] / 2500 for side in (with_it, without)]
                assert low <= found["difference"] <= high
                assert found["difference"] == pytest.approx(shares[0] - shares[1], abs=1e-4)
            assert row["mean"] == pytest.approx(np.mean([r["difference"] for r in row["trainings"]]), abs=1e-4)


def test_a_hundred_seeds_meet_the_goals() -> None:
    for family in ("anime_gan", "text2image"):
        table = json.loads((published(family)[0].folder / "seeds.json").read_text())[family]
        ((model,),) = table["models"].values()
        assert table["seeds"] == 100 and model["faces"]["mean"] >= 24
    assert model["hair"]["share"] >= 0.8 and model["eyes"]["share"] >= 0.6
