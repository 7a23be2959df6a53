"""Points without work: for each known trick, what it earns (nothing) and the finding that it leaves."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
import unicodedata
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import grader
from grader.assignment import ImagesSpec, load_assignment
from grader.results import ScoreReport
from tests.conftest import GOOD

# The folders that the homework's own problem searches for copies.
_SEARCHED = json.dumps(
    next(
        d for d in load_assignment("dlcv-fall2021-hw2").problems[1].deliverables if isinstance(d, ImagesSpec)
    ).copies_of
)
EACH = 10  # images of each digit, and ten digits
DIGITS = f"""schema = "grader/assignment/1"
id = "digits"
title = "Digits"
data_folder = "hw2_data"
[[problem]]
id = "acgan"
title = "Digits"
[[problem.deliverable]]
id = "digits"
kind = "images"
path = "acgan"
count = {10 * EACH}
size = [28, 28]
label = "digit"
copies_of = {_SEARCHED}
[problem.deliverable.names]
template = "{{digit}}_{{number:03}}.png"
digit = [0, 9]
number = [1, {EACH}]
[[problem.measure]]
id = "digit_accuracy"
deliverable = "digits"
[[baseline]]
measure = "digit_accuracy"
name = "simple"
value = 0.5
points = 10
source = "made up"
"""
TABLE = "dann/mnistm-usps.csv"
Cheat = Callable[[Path, Path], None]


@pytest.fixture
def top(tmp_path: Path) -> Path:
    """An honest submission of digits, and the assignment beside it."""
    (tmp_path / "s" / "acgan").mkdir(parents=True)
    for digit in range(10):
        for number in range(1, EACH + 1):
            shutil.copy(GOOD / "acgan" / f"{digit}_{number:03}.png", tmp_path / "s" / "acgan")
    (tmp_path / "digits.toml").write_text(DIGITS)
    return tmp_path


def _score(top: Path, course: Path, submission: str = "s") -> ScoreReport:
    return grader.score(top / submission, top / "digits.toml", data=course, cache=False)


def _rules(report: ScoreReport) -> set[str]:
    return {f.rule for f in (*report.findings, *(f for p in report.problems for f in p.findings))}


def _of(digit: int, course: Path, part: str, domain: str = "mnistm") -> list[Path]:
    with open(course / "digits" / domain / f"{part}.csv", newline="") as f:
        names = [name for name, label in list(csv.reader(f))[1:] if label == str(digit)]
    return [course / "digits" / domain / part / name for name in names]


def _fill(top: Path, image: Callable[[int, int], Image.Image]) -> None:
    for digit in range(10):
        for number in range(1, EACH + 1):
            image(digit, number).save(top / "s" / "acgan" / f"{digit}_{number:03}.png")


def _opened(path: Path) -> Image.Image:
    with Image.open(path) as image:
        return image.convert("RGB")


def _copies_of_training(top: Path, course: Path) -> None:
    _fill(top, lambda digit, number: _opened(_of(digit, course, "train")[number % len(_of(digit, course, "train"))]))


def _copies_of_test(top: Path, course: Path) -> None:
    _fill(top, lambda digit, number: _opened(_of(digit, course, "test")[number % len(_of(digit, course, "test"))]))


def _copies_of_another_domain(domain: str) -> Cheat:
    """Digits of a domain that the course hands out for another problem: the judge reads those as well."""

    def cheat(top: Path, course: Path) -> None:
        def image(digit: int, number: int) -> Image.Image:
            found = [path for part in ("train", "test") for path in _of(digit, course, part, domain)]
            return _opened(found[number % len(found)])

        _fill(top, image)

    return cheat


def _gray_copies(top: Path, course: Path) -> None:
    def image(digit: int, number: int) -> Image.Image:
        found = _of(digit, course, "train")
        return _opened(found[number % len(found)]).convert("L").convert("RGB")

    _fill(top, image)


def _brighter_copies(top: Path, course: Path) -> None:
    def image(digit: int, number: int) -> Image.Image:
        found = _of(digit, course, "train")
        return _opened(found[number % len(found)]).point(lambda level: min(255, level + 3))

    _fill(top, image)


def _one_image_of_each_digit(top: Path, course: Path) -> None:  # noqa: ARG001
    _fill(top, lambda digit, _: _opened(GOOD / "acgan" / f"{digit}_001.png"))


def _one_image_with_noise(top: Path, course: Path) -> None:  # noqa: ARG001
    generator = np.random.default_rng(0)

    def image(digit: int, _: int) -> Image.Image:
        pixels = np.asarray(_opened(GOOD / "acgan" / f"{digit}_001.png")).astype(int)
        return Image.fromarray((pixels + generator.integers(-2, 3, pixels.shape)).clip(0, 255).astype(np.uint8))

    _fill(top, image)


def _one_image_only(top: Path, course: Path) -> None:  # noqa: ARG001
    _fill(top, lambda *_: _opened(GOOD / "acgan" / "3_001.png"))


def _black(top: Path, course: Path) -> None:  # noqa: ARG001
    _fill(top, lambda *_: Image.new("RGB", (28, 28)))


def _easy_digits_only(top: Path, course: Path) -> None:  # noqa: ARG001
    for path in (top / "s" / "acgan").iterdir():
        if path.name[0] != "1":
            path.unlink()


def _names_in_other_digits(top: Path, course: Path) -> None:  # noqa: ARG001
    """More images under names that int() would read as well."""
    folder = top / "s" / "acgan"
    for number in range(1, EACH + 1):
        for digit in range(10):
            if digit != 1:
                (folder / f"{digit}_{number:03}.png").unlink()
            wide = unicodedata.lookup(f"FULLWIDTH DIGIT {unicodedata.name(str(digit)).split()[-1]}")
            shutil.copy(folder / f"1_{number:03}.png", folder / f"{wide}_{number:03}.png")


def _names_of_other_capitals(top: Path, course: Path) -> None:  # noqa: ARG001
    for path in list((top / "s" / "acgan").iterdir()):
        shutil.copy(path, path.with_suffix(".PNG"))


CHEATS: dict[str, tuple[Cheat, str]] = {
    "training images": (_copies_of_training, "copied-images"),
    "test images": (_copies_of_test, "copied-images"),
    "training images, brighter": (_brighter_copies, "copied-images"),
    "images of usps": (_copies_of_another_domain("usps"), "copied-images"),
    "images of svhn": (_copies_of_another_domain("svhn"), "copied-images"),
    "training images in gray": (_gray_copies, "copied-images"),
    "one image of each digit": (_one_image_of_each_digit, "duplicate-images"),
    "one image of each digit with noise": (_one_image_with_noise, "near-duplicates"),
    "one image": (_one_image_only, "duplicate-images"),
    "black images": (_black, "constant-image"),
    "easy digits alone": (_easy_digits_only, "missing-images"),
    "names in other digits": (_names_in_other_digits, "misnamed"),
    "names twice": (_names_of_other_capitals, "clashing-names"),
}


def test_honest_digits_earn_their_points(top: Path, course: Path) -> None:
    report = _score(top, course)
    assert report.points == 10 and _rules(report) <= {"near-duplicates"} and report.state == "pass"


@pytest.mark.parametrize("name", CHEATS)
def test_images_without_a_generator(name: str, top: Path, course: Path) -> None:
    cheat, rule = CHEATS[name]
    cheat(top, course)
    report = _score(top, course)
    assert rule in _rules(report), _rules(report)
    assert report.points == 0 and report.state == "fail"


def test_shuffled_labels_are_chance(top: Path, course: Path) -> None:
    folder = top / "s" / "acgan"
    paths = sorted(folder.iterdir())
    contents = [path.read_bytes() for path in paths]
    for path, content in zip(paths, contents[7 * EACH :] + contents[: 7 * EACH], strict=True):
        path.write_bytes(content)
    report = _score(top, course)
    (measure,) = report.problems[0].measures
    assert measure.value is not None and measure.value < 0.3 and report.points == 0 and report.state == "fail"
    (found,) = [f for f in report.problems[0].findings if f.rule == "at-chance"]
    # Each digit's images are another digit's, and the finding says which.
    assert found.count == 10 and found.examples[0] == "0 is read as 7"


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_one_name_twice_in_a_zip(top: Path, course: Path) -> None:
    with zipfile.ZipFile(top / "s.zip", "w") as z:
        for path in sorted((top / "s" / "acgan").iterdir()):
            z.write(path, f"acgan/{path.name}")
        z.write(top / "s" / "acgan" / "1_001.png", "acgan/0_001.png")
    report = _score(top, course, "s.zip")
    assert _rules(report) == {"bad-archive"} and report.points == 0 and report.state == "fail"


# ---- predictions ----


def _labels(course: Path) -> dict[str, str]:
    with open(course / "digits" / "usps" / "test.csv", newline="") as f:
        return dict(row for row in list(csv.reader(f))[1:])


def _rows(case: str, truth: dict[str, str]) -> list[tuple[str, str]]:
    rows = list(truth.items())
    cases = {
        "sure rows only": rows[: len(rows) // 20],
        "no rows": [],
        "every row for every label": [(name, str(label)) for name in truth for label in range(10)],
        "a wrong and a right row": [row for name, label in rows for row in ((name, label), (name, label))],
        "not a number": [(name, "nan") for name in truth],
        "infinite": [(name, "inf") for name in truth],
        "true": [(name, "True") for name in truth],
        "a list of labels": [(name, "[0,1,2,3,4,5,6,7,8,9]") for name in truth],
        "digits of another script": [(name, chr(0x0660 + int(label))) for name, label in rows],
        "labels as floats": [(name, f"{label}.0") for name, label in rows],
        "names with a blank": [(f"{name} ", label) for name, label in rows],
        "names in capitals": [(name.upper(), label) for name, label in rows],
        "shuffled": [(name, str((int(label) + 1 + i % 9) % 10)) for i, (name, label) in enumerate(rows)],
        "one label": [(name, "0") for name in truth],
    }
    return cases[case]


RULES = {
    "sure rows only": "csv-missing-rows",
    "no rows": "csv-missing-rows",
    "every row for every label": "csv-doubled-rows",
    "a wrong and a right row": "csv-doubled-rows",
    "not a number": "csv-bad-label",
    "infinite": "csv-bad-label",
    "true": "csv-bad-label",
    "a list of labels": "csv-bad-label",
    "digits of another script": "csv-bad-label",
    "labels as floats": "csv-bad-label",
    "names with a blank": "csv-unknown-rows",
    "names in capitals": "csv-unknown-rows",
    "shuffled": "at-chance",
    "one label": "at-chance",
}


@pytest.mark.parametrize("case", RULES)
def test_predictions_without_a_network(case: str, course: Path, tmp_path: Path) -> None:
    shutil.copytree(GOOD / "dann", tmp_path / "dann")
    with open(tmp_path / TABLE, "w", newline="") as f:
        csv.writer(f).writerows([("image_name", "label"), *_rows(case, _labels(course))])
    (verdict,) = grader.score(tmp_path, problems=["dann"], data=course).problems
    measure = next(m for m in verdict.measures if m.deliverable == "mnistm-usps")
    assert measure.points == 0 and measure.state == "fail"
    assert measure.value is None or measure.value < 0.3
    assert RULES[case] in {f.rule for f in verdict.findings}


# ---- what is placed beside the deliverables ----

PLANTED = {
    "score.json": json.dumps({"schema": "grader/score/1", "state": "pass", "points": 1000.0}),
    "results.json": json.dumps({"score": 1000, "tests": []}),
    "grader.toml": "points = 1000",
    "dlcv-fall2021-hw2.toml": 'schema = "grader/assignment/1"',
}
CODE = "open({marker!r}, 'w').write('this ran')\nraise SystemExit(0)\n"


def test_results_and_configuration_that_a_student_wrote(course: Path, tmp_path: Path) -> None:
    (tmp_path / "acgan").mkdir()
    before = grader.score(tmp_path, problems=["acgan"], data=course)
    for name, text in PLANTED.items():
        (tmp_path / name).write_text(text)
    after = grader.score(tmp_path, problems=["acgan"], data=course)
    (found,) = [f for f in after.findings if f.rule == "foreign-file"]
    assert found.count == len(PLANTED) and after.points == 0 and after.state == "fail"
    kept = tuple(f for f in after.findings if f.rule != "foreign-file")
    same = replace(after, findings=kept, submission_digest=before.submission_digest, empty=before.empty)
    assert [p.state for p in same.problems] == [p.state for p in before.problems]


def test_labels_that_a_student_wrote(course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The predictions agree with labels in the submission, which are not those of the course."""
    shutil.copytree(GOOD / "dann", tmp_path / "dann")
    truth = _labels(course)
    for path in (tmp_path / TABLE, tmp_path / "hw2_data" / "digits" / "usps" / "test.csv"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("image_name,label\n" + "".join(f"{name},0\n" for name in truth))
    monkeypatch.chdir(tmp_path)
    for data in (None, course):
        report = grader.score(".", problems=["dann"], data=data)
        measure = next(m for m in report.problems[0].measures if m.deliverable == "mnistm-usps")
        assert measure.points == 0 and "foreign-file" in _rules(report)


def test_no_code_of_the_submission_is_imported(course: Path, tmp_path: Path) -> None:
    """Modules named like those that the grader imports lie in the folder in which it is started."""
    shutil.copytree(GOOD / "dann", tmp_path / "dann")
    marker = tmp_path / "marker"
    for name in ("numpy", "PIL", "click", "rich", "json", "csv", "torch", "sitecustomize", "usercustomize", "conftest"):
        (tmp_path / f"{name}.py").write_text(CODE.format(marker=str(marker)))
    command = [sys.executable, "-m", "grader", "check", ".", "--problem", "dann", "--data", str(course)]
    environment = os.environ | {"PYTHONPATH": str(Path(grader.__file__).parent.parent), "PYTHONSAFEPATH": ""}
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120)
    assert not marker.exists() and done.returncode == 0, done.stdout + done.stderr
