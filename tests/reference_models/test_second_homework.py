"""The solutions of dlcv-spring2018-hw4 on the miniature course: generated again exactly, checked, scored."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import grader
from grader.references.pictures import list_pictures, read_pictures
from grader.results import ScoreReport
from reference_models import acgan_faces, dcgan, infogan, vae
from reference_models.core.models import pixels_digest, published
from tests.conftest import GOOD

pytestmark = (
    pytest.mark.slow
)  # a minute and a half to generate; the families' own tests and the third homework's run always
ASSIGNMENT = "dlcv-spring2018-hw4"
FAMILIES = (vae, acgan_faces, infogan)


@pytest.fixture(scope="module")
def submission(course_hw4: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the solutions hand in, figures included; the faces of the problem `gan` are those of the other homework."""
    out = tmp_path_factory.mktemp("solutions") / "submission"
    shutil.copytree(GOOD / "gan", out / "gan")
    for module in FAMILIES:
        module.generate(published(module.__name__.rpartition(".")[2]), out, course_hw4)
    for module in (*FAMILIES, dcgan):
        module.figures(published(module.__name__.rpartition(".")[2]), out, course_hw4)
    return out


@pytest.fixture(scope="module")
def report(submission: Path, course_hw4: Path) -> ScoreReport:
    return grader.score(submission, ASSIGNMENT, data=course_hw4, device="cpu")


def test_pictures_are_generated_again_pixel_by_pixel(submission: Path) -> None:
    for module in FAMILIES:
        name = module.__name__.rpartition(".")[2]
        known = json.loads((published(name)[0].folder / "metrics.json").read_text())["pixels_sha256"]
        for folder in set(known) - {"vae/reconstruction"}:  # which shows the data at hand
            made = pixels_digest(read_pictures(list_pictures(submission / folder)))
            assert made == known[folder], folder


def test_the_submission_is_as_asked_for(submission: Path, course_hw4: Path) -> None:
    found = grader.check(submission, ASSIGNMENT, data=course_hw4)
    assert found.state == "pass" and not [f for f in found.findings if f.rule != "reference-count"], found.findings


@pytest.mark.slow
def test_every_measure_is_taken_that_needs_no_download(report: ScoreReport) -> None:
    taken = {m.id: m for verdict in report.problems for m in verdict.measures}
    skipped = {name for name, m in taken.items() if m.state == "skipped"}
    assert skipped == {"fid.vae", "kid.vae", "fid.gan", "kid.gan", "inception_score.gan"}
    assert all(m.value is not None and m.state == "pass" for name, m in taken.items() if name not in skipped)


@pytest.mark.slow
def test_pairs_flip_and_codes_are_read(report: ScoreReport) -> None:
    """These pictures don't depend on the data, so that the values are those beside the weights."""
    taken = {m.id: m for verdict in report.problems for m in verdict.measures}
    for module in (acgan_faces, infogan):
        folder = published(module.__name__.rpartition(".")[2])[0].folder
        for known in json.loads((folder / "metrics.json").read_text())["measures"]:
            assert taken[known["id"]].value == pytest.approx(known["value"], abs=0.002), known["id"]
    flips, found = taken["pair_flip"].value, taken["pair_flip"].details
    assert flips is not None and flips >= 0.85 and found["attribute"] == "Smiling" and found["on"] == 1
