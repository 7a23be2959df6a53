"""Later editions are files alone: each is read, and passes a whole submission in the miniature course."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import grader
from fixtures.digits import mnistm, svhn
from fixtures.faces import face
from fixtures.hw4 import grid
from grader.assignment import load_assignment
from grader.metrics import METRICS
from grader.results import MeasureResult, ScoreReport
from tests.conftest import GOOD


def _copied(names: str, source: Path, to: Path) -> None:
    to.mkdir(parents=True, exist_ok=True)
    for path in source.glob(names):
        shutil.copy(path, to / path.name)


def _predictions(top: Path, **files: str) -> None:
    (top / "dann").mkdir()
    for name, source in files.items():
        shutil.copy(GOOD / "dann" / f"{source}.csv", top / "dann" / f"{name.replace('_', '-')}.csv")


def _faces(top: Path, data: Path) -> None:
    """Ten faces, and what DDIM makes of them: the same but for a level here and there."""
    rng = np.random.default_rng(0)
    for folder in (top / "ddim", data / "face" / "GT"):
        folder.mkdir(parents=True)
    for i in range(10):
        pixels = np.asarray(face(f"ddim {i}").resize((256, 256))).astype(int)
        Image.fromarray(pixels.astype(np.uint8)).save(data / "face" / "GT" / f"{i:02}.png")
        near = np.clip(pixels + rng.integers(-3, 4, pixels.shape), 0, 255)
        Image.fromarray(near.astype(np.uint8)).save(top / "ddim" / f"{i:02}.png")


def _fall2020(top: Path, data: Path) -> None:
    del data
    for path in ("VAE/fig1_4.png", "GAN/fig2_2.png"):
        (top / path).parent.mkdir(parents=True)
        grid([face(f"{path} {i}") for i in range(32)], 8).save(top / path)
    _predictions(top, usps_mnistm="svhn-mnistm", mnistm_svhn="usps-svhn", svhn_usps="mnistm-usps")


def _fall2022(top: Path, data: Path) -> None:
    _copied("*.png", GOOD / "gan", top / "gan")
    _copied("*.png", GOOD / "acgan", top / "diffusion")
    _predictions(top, mnistm_svhn="usps-svhn", mnistm_usps="mnistm-usps")
    shutil.copy(data / "digits" / "usps" / "test.csv", data / "digits" / "usps" / "val.csv")


def _fall2023(top: Path, data: Path) -> None:
    _fall2022(top, data)
    shutil.rmtree(top / "gan")
    _faces(top, data)


def _fall2024(top: Path, data: Path) -> None:
    del data
    _copied("?_0[0-4]?.png", GOOD / "acgan", top / "diffusion" / "mnistm")
    _copied("?_050.png", GOOD / "acgan", top / "diffusion" / "mnistm")
    _drawn(svhn, "house", top / "diffusion" / "svhn")


def _drawn(draw: Callable[[int, str], Image.Image], name: str, folder: Path) -> None:
    """Fifty of each digit."""
    folder.mkdir(parents=True, exist_ok=True)
    for digit, n in itertools.product(range(10), range(1, 51)):
        draw(digit, f"{name} {digit} {n}").save(folder / f"{digit}_{n:03}.png", compress_level=1)


EDITIONS: dict[str, Callable[[Path, Path], None]] = {
    "dlcv-fall2020-hw3": _fall2020,
    "dlcv-fall2022-hw2": _fall2022,
    "dlcv-fall2023-hw2": _fall2023,
    "dlcv-fall2024-hw2": _fall2024,
}
ONE_GONE = {
    "dlcv-fall2020-hw3": ("dann/svhn-usps.csv", "missing-deliverable"),
    "dlcv-fall2022-hw2": ("diffusion/7_033.png", "missing-images"),
    "dlcv-fall2023-hw2": ("ddim/04.png", "missing-counterparts"),
    "dlcv-fall2024-hw2": ("diffusion/svhn/0_050.png", "missing-images"),
}


def _made(edition: str, tmp_path: Path, course: Path) -> tuple[Path, Path]:
    top, data = tmp_path / "submission", tmp_path / "data"
    top.mkdir()
    shutil.copytree(course / "digits", data / "digits", ignore=shutil.ignore_patterns("*.png"))
    for domain in ("mnistm", "svhn"):  # the later editions keep all pictures of a domain in one folder
        shutil.copytree(course / "digits" / domain / "test", data / "digits" / domain / "data")
        shutil.copy(data / "digits" / domain / "test.csv", data / "digits" / domain / "val.csv")
    EDITIONS[edition](top, data)
    return top, data


@pytest.mark.parametrize("edition", EDITIONS)
def test_a_whole_submission_passes_and_a_gap_is_found(edition: str, tmp_path: Path, course: Path) -> None:
    top, data = _made(edition, tmp_path, course)
    whole = grader.check(top, edition, data=data)
    assert [f for f in whole.findings if f.severity == "error"] == [] and whole.state == "pass"
    path, rule = ONE_GONE[edition]
    (top / path).unlink()
    gone = grader.check(top, edition, data=data)
    assert [f.rule for f in gone.findings if f.severity == "error"] == [rule]


@pytest.mark.parametrize("edition", EDITIONS)
def test_what_is_for_orientation_gives_no_points(edition: str) -> None:
    """Points of single values were not published: nobody fails by a number that a course has not set."""
    work = load_assignment(edition)
    measures = [m for p in work.problems for m in p.measures]
    assert measures and all(b.points == 0 for m in measures for b in m.baselines)
    assert {m.problem for m in work.manual} == {p.id for p in work.problems}
    assert all(b.op == METRICS[m.metric].op for m in measures for b in m.baselines)


def test_baselines_as_the_courses_state_them() -> None:
    def values(edition: str) -> dict[str, list[float]]:
        measures = [m for p in load_assignment(edition).problems for m in p.measures if m.baselines]
        return {m.id: [b.value for b in m.baselines] for m in measures}

    fall2022, fall2023, fall2024 = (values(f"dlcv-fall{year}-hw2") for year in (2022, 2023, 2024))
    assert fall2022["fid"] == [30, 27] and fall2022["face_share"] == [0.85, 0.90]
    assert fall2022["digit_accuracy"] == [0.80, 0.88]
    for found in (fall2022, fall2023):
        assert found["target_accuracy.mnistm-svhn"] == [0.40] and found["target_accuracy.mnistm-usps"] == [0.76]
    assert fall2023["digit_accuracy"] == fall2024["digit_accuracy.mnistm"] == [0.90, 0.95]
    assert fall2023["reconstruction_mse"] == pytest.approx([20 / 255**2], rel=1e-5)
    assert fall2023["psnr"] == pytest.approx([-10 * np.log10(20 / 255**2)], abs=5e-3)


def test_faces_that_are_to_be_met_are_no_copies(tmp_path: Path, course: Path) -> None:
    top, data = _made("dlcv-fall2023-hw2", tmp_path, course)
    report = grader.score(top, "dlcv-fall2023-hw2", problems=["ddim"], data=data)
    (verdict,) = report.problems
    pairs = [
        [np.asarray(Image.open(f / f"{i:02}.png"), float) for f in (top / "ddim", data / "face/GT")] for i in range(10)
    ]
    by_hand = np.mean([((a - b) ** 2).mean() for a, b in pairs])
    mse, psnr = verdict.measures
    assert mse.value is not None and mse.value * 255**2 == pytest.approx(by_hand) and 2 < by_hand < 6
    assert mse.baselines[0].passed and psnr.baselines[0].passed
    assert verdict.findings == () and verdict.state == "pass"
    shutil.copy(data / "face/GT/03.png", top / "ddim/03.png")
    again = grader.score(top, "dlcv-fall2023-hw2", problems=["ddim"], data=data)
    (finding,) = again.problems[0].findings
    assert finding.rule == "copied-images" and finding.count == 1  # the same pixels are none of a network's


def _measures(report: ScoreReport) -> dict[str, MeasureResult]:
    return {m.id: m for verdict in report.problems for m in verdict.measures}


def test_both_halves_of_2024_are_measured(tmp_path: Path, course: Path) -> None:
    top, data = _made("dlcv-fall2024-hw2", tmp_path, course)
    report = grader.score(top, "dlcv-fall2024-hw2", problems=["diffusion"], data=data)
    found = _measures(report)
    for domain in ("mnistm", "svhn"):
        accuracy = found[f"digit_accuracy.{domain}"]
        assert accuracy.value is not None and accuracy.value >= 0.9, domain
    taken = found["domain_accuracy.svhn"]
    assert taken.value is not None and taken.value >= 0.9
    assert found["digit_accuracy.mnistm"].provenance["judge"] == "digit_classifier"
    assert found["digit_accuracy.svhn"].provenance["judge"] == "svhn_digits"
    assert report.state == "pass" and not [f for f in report.findings if f.severity == "error"]


def test_digits_of_the_other_domain_are_no_house_numbers(tmp_path: Path, course: Path) -> None:
    """Handwriting in the folder of house numbers passed, since nothing looked at it."""
    top, data = _made("dlcv-fall2024-hw2", tmp_path, course)
    _drawn(mnistm, "other", top / "diffusion" / "svhn")
    report = grader.score(top, "dlcv-fall2024-hw2", problems=["diffusion"], data=data)
    taken = _measures(report)["domain_accuracy.svhn"]
    assert taken.value is not None and taken.value < 0.05
    assert taken.details["taken_for_source_count"] > 475


def test_one_folder_handed_in_as_two(tmp_path: Path, course: Path) -> None:
    top, data = _made("dlcv-fall2024-hw2", tmp_path, course)
    shutil.rmtree(top / "diffusion" / "svhn")
    shutil.copytree(top / "diffusion" / "mnistm", top / "diffusion" / "svhn")
    report = grader.check(top, "dlcv-fall2024-hw2", data=data)
    (finding,) = [f for f in report.findings if f.severity == "error"]
    assert (finding.rule, finding.count, finding.path) == ("duplicate-images", 500, "diffusion/svhn")
    assert finding.message.startswith("500 images in diffusion/svhn/ are in diffusion/mnistm/ as well.")
    assert report.state == "fail"


@pytest.mark.parametrize("edition", ["dlcv-fall2022-hw2", "dlcv-fall2023-hw2"])
def test_digits_that_have_collapsed_are_told(edition: str, tmp_path: Path, course: Path) -> None:
    top, data = _made(edition, tmp_path, course)
    rng = np.random.default_rng(0)
    one = np.asarray(Image.open(top / "diffusion" / "3_001.png")).astype(int)
    for n in range(1, 101):
        noisy = np.clip(one + rng.integers(-4, 5, one.shape), 0, 255).astype(np.uint8)
        Image.fromarray(noisy).save(top / "diffusion" / f"3_{n:03}.png")
    (verdict,) = grader.score(top, edition, problems=["diffusion"], data=data).problems
    (finding,) = [f for f in verdict.findings if f.rule == "low-diversity"]
    assert finding.count == 1 and finding.examples[0].startswith("label 3: ")
