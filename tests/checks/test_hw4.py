"""The second homework: its good submission has no finding, each mutation the one that it must."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import grader
from fixtures.hw4 import MUTATIONS, mutate
from grader.assignment import ImagesSpec, load_assignment

HOMEWORK = "dlcv-spring2018-hw4"


@pytest.mark.parametrize("name", MUTATIONS)
def test_mutation_gives_its_finding(name: str, tmp_path: Path, course_hw4: Path, good_hw4: Path) -> None:
    mutation = mutate(name, good_hw4, tmp_path)
    report = grader.check(tmp_path, HOMEWORK, problems=[mutation.problem], data=course_hw4)
    found = {f.rule: f for f in report.findings}
    assert mutation.rule in found, report.findings
    assert found[mutation.rule].count == mutation.count
    assert sorted(f.rule for f in report.findings if f.severity == "error") == sorted(mutation.errors)
    for f in report.findings:
        assert f.message and f.expected and f.actual and f.help and f.problem == mutation.problem


def test_the_good_submission_has_no_finding(course_hw4: Path, good_hw4: Path) -> None:
    report = grader.check(good_hw4, HOMEWORK, data=course_hw4)
    assert report.findings == () and report.notes == ()


def test_copies_are_looked_for_wherever_images_are_generated() -> None:
    generated = {
        d.id: d.copies_of
        for p in load_assignment(HOMEWORK).problems
        for d in p.deliverables
        if isinstance(d, ImagesSpec) and not d.one_for_each
    }
    assert generated == dict.fromkeys(("random", "faces", "pairs", "codes"), ("train", "test"))


def test_data_that_are_not_whole_are_named_where_images_seem_too_many(
    tmp_path: Path, course_hw4: Path, good_hw4: Path
) -> None:
    shutil.copytree(course_hw4 / "test", tmp_path / "test")
    for path in sorted((tmp_path / "test").iterdir())[50:]:
        path.unlink()
    report = grader.check(good_hw4, HOMEWORK, problems=["vae"], data=tmp_path)
    assert report.state == "fail" and len(report.notes) == 1
    assert report.notes[0].startswith("test/ of the data holds 50 of the 2621 pictures that the course published: ")


def test_without_data_nothing_is_said_of_missing_reconstructions(tmp_path: Path, good_hw4: Path) -> None:
    mutate("last-batch-dropped", good_hw4, tmp_path)
    report = grader.check(tmp_path, HOMEWORK, problems=["vae"])
    assert report.findings == ()
    (note,) = report.notes
    assert note.startswith("Without the pictures (test/) missing images can't be looked for; pass --data")


def test_a_row_may_stand_as_it_is_under_each_code(tmp_path: Path, course_hw4: Path, good_hw4: Path) -> None:
    """Where the value is the one that the row has anyway, all codes show the same picture."""
    shutil.copytree(good_hw4 / "infogan", tmp_path / "infogan")
    shutil.copy(tmp_path / "infogan" / "c0_v1_r0.png", tmp_path / "infogan" / "c1_v0_r0.png")
    assert grader.check(tmp_path, HOMEWORK, problems=["infogan"], data=course_hw4).findings == ()


def test_an_absent_bonus_is_no_fault_and_said(tmp_path: Path, course_hw4: Path, good_hw4: Path) -> None:
    shutil.copytree(good_hw4, tmp_path / "mine")
    shutil.rmtree(tmp_path / "mine" / "infogan")
    for n in (1, 2):
        (tmp_path / "mine" / f"fig4_{n}.jpg").unlink()
    report = grader.check(tmp_path / "mine", HOMEWORK, data=course_hw4)
    assert report.state == "pass" and report.findings == ()
    assert report.notes == ("Nothing was handed in for infogan: it is optional, so nothing is missing.",)


def test_a_part_of_the_bonus_is_no_fault_either(tmp_path: Path, course_hw4: Path, good_hw4: Path) -> None:
    shutil.copytree(good_hw4 / "infogan", tmp_path / "infogan")
    report = grader.check(tmp_path, HOMEWORK, problems=["infogan"], data=course_hw4)
    assert report.findings == () and report.notes == ()


def test_a_plot_where_a_grid_may_stand_is_no_fault(tmp_path: Path, course_hw4: Path, good_hw4: Path) -> None:
    shutil.copytree(good_hw4 / "acgan", tmp_path / "acgan")
    for name in ("fig3_2", "fig3_3"):
        shutil.copy(good_hw4 / "fig1_2.jpg", tmp_path / f"{name}.jpg")
    report = grader.check(tmp_path, HOMEWORK, problems=["acgan"], data=course_hw4)
    assert report.findings == ()
    (note,) = report.notes
    assert note.startswith("Not taken apart into single images: fig3_3.jpg. That is no fault")


def test_references_of_another_naming_are_not_compared(tmp_path: Path, course_hw4: Path, good_hw4: Path) -> None:
    (tmp_path / "data").mkdir()
    shutil.copytree(course_hw4 / "test", tmp_path / "data" / "test")
    (tmp_path / "data" / "test" / "40003.png").rename(tmp_path / "data" / "test" / "face.png")
    report = grader.check(good_hw4, HOMEWORK, problems=["vae"], data=tmp_path / "data")
    assert report.findings == () and "are named 40000.png to 42620.png" in report.notes[0]


def test_a_test_set_with_gaps_asks_for_its_own_names(tmp_path: Path, course_hw4: Path, good_hw4: Path) -> None:
    shutil.copytree(course_hw4 / "test", tmp_path / "test")
    for n in (40010, 40020):
        (tmp_path / "test" / f"{n}.png").unlink()
    report = grader.check(good_hw4, HOMEWORK, problems=["vae"], data=tmp_path)
    (finding,) = report.findings
    assert finding.rule == "extra-images" and finding.examples == ("40010.png", "40020.png")
    assert finding.expected == "exactly 98 images, named as the pictures of test/ are"
