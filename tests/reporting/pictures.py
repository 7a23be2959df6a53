"""Images for the tests of the HTML page: a folder of faces with any names, and digits by label."""

from __future__ import annotations

import dataclasses
import random
from typing import Any

from grader.assignment import ImagesSpec, load_assignment
from grader.assignment.names import NameField, NameFormat
from grader.checks.images import CheckedImages, Pictures
from grader.reporting.outcomes import About
from grader.results import MeasureResult, ScoreReport
from tests.reporting.reports import ABOUT, finding, measure, score, verdict

DIGITS = NameFormat("{digit}_{number:03}.png", (NameField("digit", 0, 9), NameField("number", 1, 100, 3)))
MISREAD = {"0_003.png": "5", "7_012.png": "1"}
HOSTILE_NAME = "\u202e\"><img src=x onerror=alert(1)> '{{7*7}}.png"


def images(
    names: list[str], size: tuple[int, int], form: NameFormat | None = None, mode: Any = "RGB", seed: int = 1
) -> CheckedImages:
    """Noise under these names: nothing is harder to compress."""
    made = random.Random(seed)
    pixels = tuple(made.randbytes(size[0] * size[1] * len(mode)) for _ in names)
    path, label = ("acgan", "digit") if form else ("gan", "")
    spec = ImagesSpec("digits" if form else "faces", path, len(names), size, mode, "PNG", form, label, True)
    return CheckedImages(spec, tuple(names), pixels, ())


def digits(without: tuple[str, ...] = ()) -> CheckedImages:
    """A thousand digits, but for some."""
    return images([name for name in DIGITS.all_names() if name not in without], (28, 28), DIGITS)


def digit_accuracy(misread: dict[str, str]) -> MeasureResult:
    """The measure of a thousand digits of which these were misread."""
    classes = [str(i) for i in range(10)]
    confusion = [[0] * 10 for _ in classes]
    for name in DIGITS.all_names():
        confusion[int(name[0])][int(misread.get(name, name[0]))] += 1
    details = {
        "classes": classes,
        "confusion": confusion,
        "unjudged": [0] * 10,
        "per_class": {c: confusion[int(c)][int(c)] / 100 for c in classes},
        "misread": misread,
    }
    made = measure("digit_accuracy", value=1 - len(misread) / 1000)
    about = {"protocol": "course-classifier", "n": 1000, "judge_known": True, "versions": {"torch": "2"}}
    return dataclasses.replace(made, details=details, provenance=about)


def whole(pictures: Pictures | None = None, misread: dict[str, str] = MISREAD) -> tuple[ScoreReport, About]:
    """A score of faces and digits with findings of both severities that name images, and what a page shows with it."""
    if pictures is None:
        faces = images([HOSTILE_NAME, *(f"{i:04d}.png" for i in range(1, 150))], (64, 64))
        pictures = {("gan", "faces"): faces, ("acgan", "digits"): digits(without=("3_001.png",))}
    alike = finding(
        severity="warning",
        rule="near-duplicates",
        problem="acgan",
        deliverable="digits",
        images=(("1_007.png", "1_010.png"), ("nowhere.png",)),
    )
    shares = {"share_of_reference": {"0": 0.5, "1": 1.25}, "remark": "88 % of real images'"}
    varied = dataclasses.replace(measure("diversity", points=0, value=20.0), details=shares)
    report = score(
        verdict("gan", "skipped", measure("fid", "skipped", None, earned=0), measure("vendi_score", points=0, value=6)),
        verdict("acgan", "fail", digit_accuracy(misread), varied, findings=(finding(), alike)),
        verdict("dann", "pass", measure("target_accuracy.usps-svhn", value=0.6)),
    )
    assignment = load_assignment("dlcv-fall2021-hw2")
    return report, dataclasses.replace(ABOUT, assignment=assignment, pictures=pictures)
