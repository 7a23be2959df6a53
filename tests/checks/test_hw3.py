"""The third homework: its good submission has no finding, each mutation the one that it must."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image

import grader
from fixtures.faces import face
from fixtures.hw3 import MUTATIONS, OPTIONS, OUTPUTS, mutate
from grader.assignment import Assignment, FigureSpec, ImagesSpec, LogSpec, load_assignment
from grader.checks.figures import CheckedFigure, as_images
from grader.checks.images import CheckedImages
from grader.inspection import Inspection
from grader.references.data import find_data
from grader.submission import open_submission

HOMEWORK = "mlds-spring2018-hw3"


@pytest.fixture(scope="module")
def homework() -> Assignment:
    return load_assignment(HOMEWORK)


@pytest.mark.parametrize("name", MUTATIONS)
def test_mutation_gives_its_finding(name: str, tmp_path: Path, course_hw3: Path, good_hw3: Path) -> None:
    mutation = mutate(name, good_hw3, tmp_path)
    report = grader.check(tmp_path, HOMEWORK, problems=[mutation.problem], data=course_hw3)
    found = {f.rule: f for f in report.findings}
    assert mutation.rule in found, report.findings
    assert found[mutation.rule].count == mutation.count
    assert sorted(f.rule for f in report.findings if f.severity == "error") == sorted(mutation.errors)
    for f in report.findings:
        assert f.message and f.expected and f.actual and f.help and f.problem == mutation.problem


def test_the_good_submission_has_no_finding(course_hw3: Path, good_hw3: Path) -> None:
    report = grader.check(good_hw3, HOMEWORK, data=course_hw3)
    assert report.findings == () and report.notes == ()


def test_points_and_deliverables_are_the_published_ones(homework: Assignment) -> None:
    points = {p.id: sum(b.points for m in p.measures for b in m.baselines) for p in homework.problems}
    assert points == {"gan": 2, "text2image": 1, "variants": 0, "style_transfer": 0}
    assert {p: sum(m.points for m in homework.manual if m.problem == p) for p in points} == {
        "gan": 3,
        "text2image": 4,
        "variants": 0,
        "style_transfer": 2,
    }
    assert {
        m.id: [(b.value, b.op) for b in m.baselines] for p in homework.problems for m in p.measures if m.baselines
    } == {
        "face_count.gan": [(20, "ge")],
        "face_count.text2image": [(20, "ge")],
    }
    (hair,) = [m for m in homework.problems[1].measures if m.id == "hair_accuracy"]
    assert len(hair.published_tags) == 25 and hair.tags == "testing_tags.txt"
    assert [hair.published_tags[i] for i in (0, 9, 14, 15, 24)] == [
        "blue hair blue eyes",
        "blue hair green eyes",
        "blue hair red eyes",
        "green hair blue eyes",
        "green hair red eyes",
    ]
    for problem in homework.problems[:2]:
        (samples,) = problem.deliverables
        assert isinstance(samples, FigureSpec) and (samples.grid, samples.tile) == ((5, 5), (64, 64))


def test_published_tags_are_those_of_the_file(homework: Assignment, course_hw3: Path) -> None:
    told = [line.split(",")[1] for line in (course_hw3 / "testing_tags.txt").read_text().splitlines()]
    tagged = [m for p in homework.problems for m in p.measures if m.published_tags]
    assert tagged and all(list(m.published_tags) == told for m in tagged)


def test_choices_are_written_out(homework: Assignment) -> None:
    variants = homework.problems[2]
    assert [(c.id, c.least, len(c.options)) for c in variants.choices] == [("comparison", 1, 3), ("tips", 3, 10)]
    assert variants.choices[1].deliverables["tip9"] == (
        "tip9_with",
        "tip9_without",
        "tip9_with_log",
        "tip9_without_log",
    )
    assert len(variants.deliverables) == 4 * 13 and not any(d.required for d in variants.deliverables)
    by_id = {d.id: d for d in variants.deliverables}
    assert by_id["wgan_gp_with"] == FigureSpec(
        "wgan_gp_with", "variants/wgan_gp/with.png", (5, 5), (64, 64), False, alike=True
    )
    assert by_id["tip1_without_log"] == LogSpec(
        "tip1_without_log", "variants/tip1/without.csv", ("step", "generator", "discriminator"), 2, False
    )
    measured = {m.id: (m.deliverable, m.against) for m in variants.measures}
    assert len(measured) == 13 and measured["face_count_change.tip17"] == ("tip17_with", "tip17_without")


def test_what_is_said_of_choices(tmp_path: Path, course_hw3: Path, good_hw3: Path) -> None:
    shutil.copytree(good_hw3 / "variants", tmp_path / "variants")
    (tmp_path / "variants" / "tip1" / "with.png").unlink()
    findings = grader.check(tmp_path, HOMEWORK, problems=["variants"], data=course_hw3).findings
    missing, few = findings
    assert (missing.rule, missing.path) == ("missing-deliverable", "variants/tip1/with.png")
    assert few.message == "Tips: 2 are there, at least 3 are asked for. One counts when all its files are there."
    assert few.path == "variants" and few.actual == "whole: tip5, tip17; begun: tip1 (3 of 4 files)"
    assert few.expected.startswith("at least 3 of tip1, tip2, ") and "variants/tip1/without.csv" in few.help
    shutil.rmtree(tmp_path / "variants")
    (tmp_path / "README.md").write_text("nothing yet")
    findings = grader.check(tmp_path, HOMEWORK, problems=["variants"], data=course_hw3).findings
    assert [(f.rule, f.actual) for f in findings] == [("too-few-options", "none of them")] * 2


def test_a_log_tells_from_where_on_losses_diverge(tmp_path: Path, course_hw3: Path, good_hw3: Path) -> None:
    mutate("losses-that-diverge", good_hw3, tmp_path)
    report = grader.check(tmp_path, HOMEWORK, problems=["variants"], data=course_hw3)
    (finding,) = report.findings
    assert finding.message == "From step 1000 on, losses in variants/tip1/with.csv are not finite."
    assert (finding.line, finding.actual, report.state) == (12, "1000,nan,inf", "pass")


def test_an_absent_bonus_is_no_fault_and_said(tmp_path: Path, course_hw3: Path, good_hw3: Path) -> None:
    shutil.copytree(good_hw3, tmp_path / "mine")
    shutil.rmtree(tmp_path / "mine" / "style")
    report = grader.check(tmp_path / "mine", HOMEWORK, data=course_hw3)
    assert report.findings == ()
    assert report.notes == ("Nothing was handed in for style_transfer: it is optional, so nothing is missing.",)


def _looked(top: Path, homework: Assignment) -> Inspection:
    with open_submission(top) as view:
        inspection = Inspection(view, find_data(None, homework.data_folder), set(), True, {})
        for problem in homework.problems:
            inspection.look_at(problem)
    return inspection


def test_images_of_any_one_size_have_it(homework: Assignment, good_hw3: Path) -> None:
    checked = _looked(good_hw3, homework).checked
    for name in ("input", "output"):
        part = checked["style_transfer", name]
        assert isinstance(part.spec, ImagesSpec) and (part.spec.size, part.spec.count) == ((64, 64), OUTPUTS)
        assert isinstance(part, CheckedImages) and [len(p) for p in part.pixels] == [64 * 64 * 3] * OUTPUTS


def test_what_is_kept_of_figures(homework: Assignment, good_hw3: Path) -> None:
    checked = _looked(good_hw3, homework).checked
    whole = checked["gan", "samples"]
    assert isinstance(whole, CheckedFigure)
    assert whole.size == (640, 480) and len(whole.pixels) == 640 * 480 * 3 and len(whole.tiles) == 25
    tiles = as_images(whole)
    assert tiles.names[:2] == ("row 1, column 1", "row 1, column 2") and tiles.names[-1] == "row 5, column 5"
    assert (tiles.spec.count, tiles.spec.size, tiles.spec.copies_of) == (25, (64, 64), ("extra_data/images",))
    assert tiles.pixels == whole.tiles and tiles.spec.place == "samples/gan.png"
    kept = {
        key for key, part in checked.items() if isinstance(part, CheckedFigure) and part.tiles and key[0] == "variants"
    }
    assert kept == {("variants", f"{o}_{part}") for o in OPTIONS for part in ("with", "without")}


def test_sizes_that_no_image_should_have(tmp_path: Path, course_hw3: Path, good_hw3: Path) -> None:
    shutil.copytree(good_hw3 / "style", tmp_path / "style")
    for part in ("input", "output"):
        for path in (tmp_path / "style" / part).iterdir():
            face(path.name).resize((8, 8)).save(path)
    findings = grader.check(tmp_path, HOMEWORK, problems=["style_transfer"], data=course_hw3).findings
    assert [(f.rule, f.count, f.actual) for f in findings] == [("wrong-size", OUTPUTS, "8x8 (12)")] * 2
    assert findings[0].expected == "one size for all, 16 to 1024 pixels a side"


def test_the_size_is_the_one_that_most_have(tmp_path: Path, course_hw3: Path, good_hw3: Path) -> None:
    mutate("sizes-mixed", good_hw3, tmp_path)
    (finding,) = grader.check(tmp_path, HOMEWORK, problems=["style_transfer"], data=course_hw3).findings
    assert finding.examples == ("001.png", "002.png") and finding.actual == "96x96 (2)"
    assert finding.expected == "64x64 pixels, which most have"
    assert finding.message == "2 images in style/input/ are not 64x64."


def test_a_picture_that_is_no_grid_is_warned_of(tmp_path: Path, course_hw3: Path) -> None:
    (tmp_path / "samples").mkdir()
    face("alone").resize((640, 480), Image.Resampling.BICUBIC).save(tmp_path / "samples" / "gan.png")
    report = grader.check(tmp_path, HOMEWORK, problems=["gan"], data=course_hw3)
    (finding,) = report.findings
    assert (finding.rule, finding.severity) == ("no-grid", "warning")
    assert finding.expected == "5 images in each of 5 rows, of one size, evenly spaced"
    assert "plt.subplots(5, 5)" in finding.help
    assert report.notes == ()  # no word of a person who looks at it instead


def test_a_check_reads_the_tags_of_the_data(good_hw3: Path, tmp_path: Path) -> None:
    (tmp_path / "testing_tags.txt").write_text("1,grey hair blue eyes\n")
    report = grader.check(good_hw3, HOMEWORK, data=tmp_path)
    (finding,) = [f for f in report.findings if f.rule == "broken-tags"]
    assert "unknown colour of hair: 'grey'" in finding.actual and finding.severity == "warning"
    assert report.state == "pass" and finding.problem == "text2image"


def test_an_option_under_another_spelling_is_suggested(tmp_path: Path, course_hw3: Path, good_hw3: Path) -> None:
    shutil.copytree(good_hw3 / "variants", tmp_path / "variants")
    (tmp_path / "variants" / "wgan_gp").rename(tmp_path / "variants" / "WGAN-GP")
    (tmp_path / "variants" / "tip17").rename(tmp_path / "variants" / "Tip 17")
    gans, tips = grader.check(tmp_path, HOMEWORK, problems=["variants"], data=course_hw3).findings
    assert gans.message.startswith("Other GANs: none is there, at least 1 is asked for.")
    assert gans.actual == "under another name: variants/WGAN-GP/ (looks like wgan_gp)"
    assert tips.actual == "whole: tip1, tip5; under another name: variants/Tip 17/ (looks like tip17)"
    assert gans.help.startswith("Rename variants/WGAN-GP/ (looks like wgan_gp).")


@pytest.mark.parametrize("name", ["with_log.csv", "With.csv", "log-with.csv", "with_losses.CSV", "with.txt"])
def test_a_log_under_another_spelling_is_suggested(name: str, tmp_path: Path, course_hw3: Path, good_hw3: Path) -> None:
    shutil.copytree(good_hw3 / "variants", tmp_path / "variants")
    (tmp_path / "variants" / "tip1" / "with.csv").rename(tmp_path / "variants" / "tip1" / name)
    found = grader.check(tmp_path, HOMEWORK, problems=["variants"], data=course_hw3).findings
    assert [f.rule for f in found] == ["misnamed", "too-few-options"]
    assert found[0].help == "If it is this log, rename it to variants/tip1/with.csv." and found[0].actual.endswith(name)


def test_another_log_is_not_taken_for_one_that_is_missing(tmp_path: Path, course_hw3: Path, good_hw3: Path) -> None:
    shutil.copytree(good_hw3 / "variants", tmp_path / "variants")
    (tmp_path / "variants" / "tip1" / "with.csv").rename(tmp_path / "variants" / "tip1" / "notes.csv")
    found = grader.check(tmp_path, HOMEWORK, problems=["variants"], data=course_hw3).findings
    assert [f.rule for f in found] == ["missing-deliverable", "too-few-options"]
