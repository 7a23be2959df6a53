"""What a verdict depends on, and what not."""

from __future__ import annotations

import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from grader.assignment import Assignment, load_assignment
from grader.batch.digests import find_ground, submission_digest
from grader.errors import SubmissionRefused
from grader.references.data import find_data
from tests.conftest import GOOD


@pytest.fixture
def work() -> Assignment:
    return load_assignment("dlcv-fall2021-hw2")


@pytest.fixture
def submission(tmp_path: Path) -> Path:
    shutil.copytree(GOOD / "dann", tmp_path / "s" / "dann")
    (tmp_path / "s" / "notes").mkdir()
    (tmp_path / "s" / "notes" / "a.txt").write_text("one")
    return tmp_path / "s"


def test_a_submission_is_known_by_what_is_graded(submission: Path, work: Assignment, tmp_path: Path) -> None:
    before = submission_digest(submission, work)
    assert submission_digest(shutil.copytree(submission, tmp_path / "again"), work) == before
    (submission / "notes" / "a.txt").write_text("two")  # no deliverable: its content is never read
    (submission / "dann" / ".DS_Store").write_text("what a file manager leaves")
    assert submission_digest(submission, work) == before
    found = {before}
    table = submission / "dann" / "usps-svhn.csv"
    table.write_text(table.read_text().replace(",1\n", ",2\n", 1))
    found.add(submission_digest(submission, work))
    (submission / "score.json").touch()  # a name alone makes a finding
    found.add(submission_digest(submission, work))
    table.rename(submission / "dann" / "usps_svhn.csv")
    found.add(submission_digest(submission, work))
    (submission / "dann" / "mnistm-usps.csv").unlink()
    (submission / "dann" / "mnistm-usps.csv").symlink_to(table)
    found.add(submission_digest(submission, work))
    assert len(found) == 5


def test_a_zip_is_known_by_its_bytes(submission: Path, work: Assignment, tmp_path: Path) -> None:
    path = tmp_path / "s.zip"
    with zipfile.ZipFile(path, "w") as z:
        z.write(submission / "dann" / "usps-svhn.csv", "dann/usps-svhn.csv")
    before = submission_digest(path, work)
    path.write_bytes(path.read_bytes() + b"\0")
    assert submission_digest(path, work) != before
    path.unlink()
    path.symlink_to(tmp_path / "elsewhere.zip")
    (tmp_path / "elsewhere.zip").touch()
    with pytest.raises(SubmissionRefused, match="can't be read"):
        submission_digest(path, work)


def test_a_problem_is_graded_again_for_what_concerns_it(work: Assignment, course: Path, tmp_path: Path) -> None:
    data = shutil.copytree(course, tmp_path / "hw2_data")

    def keys(assignment: Assignment = work) -> dict[str, str]:
        return find_ground(assignment, find_data(data, work.data_folder), {}).keys("digest")

    before = keys()
    assert set(before) == {"gan", "acgan", "dann"} and keys() == before

    def changed(assignment: Assignment = work) -> set[str]:
        now = keys(assignment)
        return {problem for problem in now if now[problem] != before[problem]}

    first, second, third = work.problems
    measure = second.measures[0]
    easier = replace(measure, baselines=tuple(replace(b, value=0.1) for b in measure.baselines))
    other = replace(second, measures=(easier, *second.measures[1:]))
    assert changed(replace(work, problems=(first, other, third))) == {"acgan"}
    assert changed(replace(work, digest="another comment")) == set()
    labels = data / "digits" / "usps" / "test.csv"
    labels.write_text(labels.read_text().replace(",1\n", ",2\n", 1))
    assert changed() == {"dann"}
    next((data / "face" / "test").iterdir()).unlink()
    assert changed() == {"gan", "dann"}


def test_a_judge_is_part_of_it(work: Assignment, course: Path, tmp_path: Path) -> None:
    data = find_data(course, work.data_folder)
    (tmp_path / "w").write_bytes(b"weights")
    before, after = (find_ground(work, data, j).keys("x") for j in ({}, {"digit_classifier": tmp_path / "w"}))
    assert {p for p in before if before[p] != after[p]} == {"acgan"}
