"""The two verbs on the good submission and on what can go wrong around it."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

import grader
from fixtures.mutations import MUTATIONS, mutate
from grader import grading, scoring, verdicts
from grader.assignment import load_assignment
from grader.checks import rules
from grader.checks.images import CheckedImages, Pictures
from grader.checks.tables import CheckedTable
from grader.inspection import Inspection, of_images
from grader.judges import JUDGES
from grader.judges.digit_classifier import DigitClassifier
from grader.references.data import Data
from grader.results import Finding, Measurement, Verdict
from grader.submission import Limits, open_submission
from tests.conftest import GOOD, ROOT


def _valid(report: grader.CheckReport | grader.ScoreReport) -> dict[str, object]:
    """The report's JSON, validated against its schema, with no NaN or Infinity."""

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} in the JSON")

    found: dict[str, object] = json.loads(report.to_json(), parse_constant=refuse)
    name = "check-1.json" if isinstance(report, grader.CheckReport) else "score-1.json"
    schema = json.loads((ROOT / "docs" / "schemas" / name).read_text())
    jsonschema.Draft202012Validator(schema).validate(found)
    return found


def _table(path: Path) -> list[list[str]]:
    with open(path, newline="") as f:
        return list(csv.reader(f))[1:]


def test_score_of_the_good_submission(course: Path) -> None:
    report = grader.score(GOOD, data=course)
    document = _valid(report)
    states = {p.id: p.state for p in report.problems}
    assert states == {"gan": "skipped", "acgan": "pass", "dann": "pass"} and report.state == "skipped"
    assert (report.points, report.max_points, report.manual_points) == (24, 44, 62)
    assert document["points"] == 24 and document["schema"] == "grader/score/1"
    gan = report.problems[0].measures
    assert [m.state for m in gan] == ["skipped", "skipped", "pass", "pass", "pass"]
    assert all("--judge" in m.reason for m in gan[:2])
    assert gan[2].id == "fd_efficientnet_lite0" and gan[2].baselines == () and gan[2].value is not None
    directions = ("mnistm-usps", "svhn-mnistm", "usps-svhn")
    assert [m.id for m in report.problems[2].measures] == [
        *(f"target_accuracy.{direction}" for direction in directions),
        *(f"target_accuracy.improved.{direction}" for direction in directions),
    ]


def test_target_accuracy_is_a_plain_count(course: Path) -> None:
    report = grader.score(GOOD, problems=["dann"], data=course)
    for m in report.problems[0].measures:
        direction = m.id.partition(".")[2].replace(".", "/")
        answers = dict(_table(course / "digits" / direction.rpartition("-")[2] / "test.csv"))
        given = dict(_table(GOOD / "dann" / f"{direction}.csv"))
        assert m.value == sum(given[n] == label for n, label in answers.items()) / len(answers)
        assert m.n == len(answers) == 100 and m.interval is not None and m.interval[0] < m.value <= m.interval[1]
        confusion = np.array(m.details["confusion"])
        assert confusion.sum() == 100 and np.trace(confusion) == round(m.value * 100)


def test_digit_accuracy_is_that_of_the_network(course: Path) -> None:
    report = grader.score(GOOD, problems=["acgan"], data=course)
    m, *_ = report.problems[0].measures
    shipped = JUDGES["digit_classifier"].shipped
    assert shipped is not None
    network = DigitClassifier()
    network.load_state_dict(load_file(shipped))
    read = {}
    for path in (GOOD / "acgan").iterdir():
        x = torch.from_numpy(np.asarray(Image.open(path), np.float32)).permute(2, 0, 1)[None] / 127.5 - 1
        read[path.name] = str(int(network(x).argmax()))
    wrong = {name: digit for name, digit in read.items() if name[0] != digit}
    assert m.value == 1 - len(wrong) / 1000 and m.value >= 0.9
    assert wrong and m.details["misread"] == wrong
    assert m.provenance["judge_known"] is True and m.provenance["judge"] == "digit_classifier"
    assert m.standing is not None and m.standing.of == 8


def test_pictures_are_those_that_were_judged(course: Path) -> None:
    pictures: Pictures = {}
    report = grader.score(GOOD, problems=["acgan", "dann"], data=course, pictures=pictures)
    assert list(pictures) == [("acgan", "digits")]
    digits = pictures["acgan", "digits"]
    assert len(digits.names) == 1000
    for name, pixels in zip(digits.names[::97], digits.pixels[::97], strict=True):
        assert Image.open(GOOD / "acgan" / name).tobytes() == pixels
    # Which rows of a table are wrong is nowhere to be found: its labels may be hidden.
    assert all("misread" not in m.details for m in report.problems[1].measures)


def test_the_same_submission_gives_the_same_report(course: Path) -> None:
    first, second = (grader.score(GOOD, problems=["acgan", "dann"], data=course).to_json() for _ in range(2))
    assert first == second


def test_a_missing_row_counts_as_wrong(course: Path, tmp_path: Path) -> None:
    before = grader.score(GOOD, problems=["dann"], data=course).problems[0].measures[0]
    mutate("rows-missing", tmp_path)
    report = grader.score(tmp_path, problems=["dann"], data=course)
    after = report.problems[0].measures[0]
    kept = _table(tmp_path / "dann" / "mnistm-usps.csv")
    answers = dict(_table(course / "digits/usps/test.csv"))
    assert after.value == sum(answers[n] == label for n, label in kept) / 100
    assert before.value is not None and after.value < before.value and after.n == 100
    assert sum(after.details["unjudged"]) == 7


def test_a_wrong_format_earns_nothing_and_shows_what_it_would(course: Path, tmp_path: Path) -> None:
    mutate("rows-missing", tmp_path)
    verdict = grader.score(tmp_path, problems=["dann"], data=course).problems[0]
    broken, *others = verdict.measures
    assert verdict.state == "fail" and verdict.points == 6 and verdict.would_earn == 9
    assert broken.state == "fail" and broken.baselines[0].passed and broken.baselines[0].earned == 0
    assert all(m.state == "pass" and m.points == 3 for m in others if m.baselines)


@pytest.mark.parametrize("name", [n for n, m in MUTATIONS.items() if m.errors])
def test_no_mutation_with_an_error_earns_its_points(name: str, course: Path, tmp_path: Path) -> None:
    mutation = mutate(name, tmp_path)
    report = grader.score(tmp_path, problems=[mutation.problem], data=course)
    _valid(report)
    assert report.state == "fail"
    faulty = {f.deliverable for f in report.problems[0].findings if f.severity == "error"}
    paid = [m for m in report.problems[0].measures if m.deliverable in faulty and m.baselines]
    assert paid
    for m in paid:
        assert m.points == 0 and m.state in ("fail", "skipped")


def test_gray_digits_are_measured_but_not_paid(course: Path, tmp_path: Path) -> None:
    mutate("gray", tmp_path)
    m, *_ = grader.score(tmp_path, problems=["acgan"], data=course).problems[0].measures
    assert m.value is not None and m.value > 0.3 and m.points == 0
    assert m.would_earn == sum(b.points for b in m.baselines if m.value >= b.value)


def test_zero_based_names_lose_only_what_is_out_of_range(course: Path, tmp_path: Path) -> None:
    mutate("zero-based", tmp_path)
    m, *_ = grader.score(tmp_path, problems=["acgan"], data=course).problems[0].measures
    assert m.n == 1000 and m.provenance["judged"] == 990 and m.details["unjudged"] == (1,) * 10


def test_optional_tables_are_measured_without_points(course: Path, tmp_path: Path) -> None:
    shutil.copytree(GOOD / "dann", tmp_path / "dann", ignore=shutil.ignore_patterns("improved"))
    (tmp_path / "dann" / "improved").mkdir()
    shutil.copy(course / "digits/usps/test.csv", tmp_path / "dann" / "improved" / "mnistm-usps.csv")
    verdict = grader.score(tmp_path, problems=["dann"], data=course).problems[0]
    extra = [m for m in verdict.measures if m.id == "target_accuracy.improved.mnistm-usps"]
    assert len(verdict.measures) == 4 and extra[0].value == 1.0 and extra[0].baselines == ()
    assert verdict.points == 9 and verdict.max_points == 9 and verdict.state == "pass"


def test_without_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    checked = grader.check(GOOD)
    assert checked.state == "pass" and "missing and unknown rows can't be looked for" in checked.notes[0]
    scored = grader.score(GOOD, problems=["dann"])
    assert scored.state == "skipped" and scored.points == 0
    assert all("--data" in m.reason for m in scored.problems[0].measures)


def test_where_data_is_looked_for(tmp_path: Path, course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(
        course / "digits", tmp_path / "other" / "hw2_data" / "digits", ignore=shutil.ignore_patterns("*.png")
    )
    assert grader.check(GOOD, data=tmp_path / "other").notes == ()  # one level down; the csv alone suffices
    monkeypatch.setenv("GRADER_DATA", str(tmp_path / "other"))
    assert grader.check(GOOD).notes == ()
    monkeypatch.setenv("GRADER_DATA", str(tmp_path / "none"))
    with pytest.raises(grader.UsageError, match="GRADER_DATA: no such folder"):
        grader.check(GOOD)
    monkeypatch.delenv("GRADER_DATA")
    (tmp_path / "other" / "hw2_data").rename(tmp_path / "hw2_data")
    assert grader.check(GOOD).notes == ()
    with pytest.raises(grader.UsageError, match="--data: no such folder"):
        grader.check(GOOD, data="none")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name,label\n00000.png,1\n", "expected the header image_name,label"),
        ("image_name,label\n00000.png,1\n00000.png,2\n", ":3: expected a new name"),
        ("image_name,label\n00000.png,x\n", ":2: expected a new name and a label"),
        ("image_name,label\n00000.png,12\n", "outside of (0, 9)"),
        ("image_name,label\n", "no labels"),
    ],
)
def test_wrong_labels_of_the_course_are_an_error_not_a_fail(text: str, said: str, course: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    shutil.copytree(course / "digits", data / "digits", ignore=shutil.ignore_patterns("*.png"))
    (data / "digits/usps/test.csv").write_text(text)
    report = grader.score(GOOD, problems=["dann"], data=data)
    m = report.problems[0].measures[0]
    assert report.state == "error" and m.state == "error" and said in m.reason and m.points == 0
    assert report.problems[0].points == 6
    assert any(said in note for note in grader.check(GOOD, data=data).notes)


def test_reference_faces_that_are_broken(course: Path, tmp_path: Path) -> None:
    from grader.references.data import BadReference
    from grader.references.pictures import list_pictures, read_pictures

    (tmp_path / "a").mkdir()
    with pytest.raises(BadReference, match="found 0"):
        read_pictures(list_pictures(tmp_path / "a"))
    for name in ("00000.png", "00001.png"):
        shutil.copy(course / "face/test/40000.png", tmp_path / "a" / name)
    assert read_pictures(list_pictures(tmp_path / "a")).shape == (2, 64, 64, 3)
    Image.new("RGB", (32, 32)).save(tmp_path / "a" / "00002.png")
    with pytest.raises(BadReference, match="another size"):
        read_pictures(list_pictures(tmp_path / "a"))
    (tmp_path / "a" / "00001.png").write_bytes(b"broken")
    with pytest.raises(BadReference, match="can't be read"):
        read_pictures(list_pictures(tmp_path / "a"))


def test_counts_of_the_reference_are_a_warning(course: Path) -> None:
    verdict = grader.score(GOOD, problems=["dann"], data=course).problems[0]
    found = [(f.rule, f.severity, f.path) for f in verdict.findings]
    assert found == [("reference-count", "warning", f"digits/{d}/test.csv") for d in ("usps", "mnistm", "svhn")]


def test_a_failure_of_the_grader_costs_the_student_nothing_and_gives_nothing(
    course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> Measurement:
        raise MemoryError("out of memory")

    monkeypatch.setattr(verdicts, "measure", fail)
    report = grader.score(GOOD, problems=["acgan"], data=course)
    m, *_ = report.problems[0].measures
    assert report.state == "error" and m.points == 0 and "the grader failed: MemoryError" in m.reason


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_values_that_are_not_finite_never_earn(value: float, course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verdicts, "measure", lambda *_: Measurement(value, 1000))
    report = grader.score(GOOD, problems=["acgan"], data=course)
    m, *_ = report.problems[0].measures
    assert m.state == "error" and m.value is None and report.points == 0
    _valid(report)


@pytest.mark.parametrize(("value", "points", "state"), [(0.7, 10, "pass"), (0.8, 15, "pass"), (0.6999, 0, "fail")])
def test_baselines_include_their_value(
    value: float, points: float, state: str, course: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verdicts, "measure", lambda *_: Measurement(value, 1000, interval=(value - 0.01, value + 0.01)))
    verdict = grader.score(GOOD, problems=["acgan"], data=course).problems[0]
    assert (verdict.points, verdict.state) == (points, state)
    assert verdict.measures[0].baselines[0].borderline == (abs(value - 0.7) < 0.01)


@pytest.mark.parametrize(("value", "points"), [(30.0, 10), (35.0, 5), (35.01, 0)])
def test_lower_is_better_for_fid(value: float, points: float, course: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def measured(spec: object, *_: object) -> Measurement:
        return Measurement(value if getattr(spec, "id", "") == "fid" else 1.0, 1000)

    monkeypatch.setattr(verdicts, "measure", measured)
    verdict = grader.score(GOOD, problems=["gan"], data=course).problems[0]
    assert verdict.points == points
    standing = verdict.measures[0].standing
    assert standing is not None and standing.better_than == {30.0: 1, 35.0: 0, 35.01: 0}[value]


def test_empty_submissions(tmp_path: Path, course: Path) -> None:
    steps: tuple[Callable[[], None], ...]
    steps = (lambda: None, lambda: (tmp_path / "gan").mkdir(), lambda: (tmp_path / ".DS_Store").touch())
    for make in steps:
        make()
        checked, scored = grader.check(tmp_path, data=course), grader.score(tmp_path, data=course)
        assert checked.empty and scored.empty and checked.state == scored.state == "fail" and scored.points == 0
        _valid(checked), _valid(scored)


def test_no_configuration_is_read_from_a_submission(tmp_path: Path, course: Path) -> None:
    shutil.copytree(GOOD / "dann", tmp_path / "dann")
    before = grader.score(tmp_path, problems=["dann"], data=course)
    (tmp_path / "dlcv-fall2021-hw2.toml").write_text("broken = = ")
    (tmp_path / "baselines").mkdir()
    (tmp_path / "baselines" / "dlcv-fall2021-hw2.toml").write_text("broken = = ")
    after = grader.score(tmp_path, problems=["dann"], data=course)
    assert [f.rule for f in after.findings] == ["foreign-file"]
    assert replace(after, findings=()) == before


def test_check_reports_are_valid(course: Path, tmp_path: Path) -> None:
    assert _valid(grader.check(GOOD, data=course))["state"] == "pass"
    mutate("unbalanced", tmp_path)
    document = _valid(grader.check(tmp_path, problems=["acgan"], data=course, with_repository=True))
    assert document["state"] == "fail"


def test_public_names() -> None:
    for name in grader.__all__:
        assert getattr(grader, name) is not None
    assert set(dir(grader)) == set(grader.__all__)
    with pytest.raises(AttributeError, match="no attribute 'grade'"):
        grader.grade  # noqa: B018


def test_a_full_folder_beside_the_deliverables_does_not_matter(
    course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(GOOD / "dann", tmp_path / "dann")
    (tmp_path / "aaa").mkdir()
    for i in range(60):
        (tmp_path / "aaa" / str(i)).touch()
    for module in (grading, scoring):
        monkeypatch.setattr(module, "open_submission", lambda path: open_submission(path, Limits(entries=50)))
    assert grader.check(tmp_path, problems=["dann"], data=course).state == "pass"
    (tmp_path / "acgan").mkdir()
    for i in range(60):
        (tmp_path / "acgan" / f"{i}.png").touch()
    report = grader.score(tmp_path, problems=["acgan", "dann"], data=course)
    assert [p.state for p in report.problems] == ["fail", "pass"]
    assert [f.rule for f in report.problems[0].findings] == ["too-many-files"]


def test_another_problems_folder_is_not_taken_for_this_one(tmp_path: Path, course: Path) -> None:
    shutil.copytree(GOOD / "acgan", tmp_path / "acgan")
    (finding,) = grader.check(tmp_path, problems=["gan"], data=course).findings
    assert finding.rule == "missing-deliverable"


def test_a_repository_with_its_submission_folder(tmp_path: Path, course: Path) -> None:
    shutil.copytree(GOOD / "dann", tmp_path / "submission" / "dann")
    (tmp_path / "hw2_p3.sh").write_text("python3 p3.py $1 $2 $3\n")
    (tmp_path / "hw2_r10922001.pdf").write_bytes(b"%PDF-1.5")
    report = grader.check(tmp_path, problems=["dann"], data=course, with_repository=True)
    assert report.findings == () and report.notes == ("The deliverables are those in submission/.",)


def test_data_inside_the_submission_are_not_used(course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(GOOD / "dann", tmp_path / "dann")
    shutil.copytree(course / "digits", tmp_path / "hw2_data" / "digits", ignore=shutil.ignore_patterns("*.png"))
    monkeypatch.chdir(tmp_path)
    report = grader.score(".", problems=["dann"])
    assert any("inside the submission and was not used" in note for note in report.notes)
    assert {m.state for m in report.problems[0].measures} == {"skipped"} and report.points == 0
    assert any("inside the submission" in note for note in grader.check(".", problems=["dann"]).notes)
    assert grader.score(".", problems=["dann"], data=course).notes == ()
    assert grader.score(".", problems=["dann"], data="hw2_data").points == 9  # whoever names it, means it


def test_an_unknown_judge_is_noted(course: Path, tmp_path: Path) -> None:
    torch.save(DigitClassifier().state_dict(), tmp_path / "own.pth")
    report = grader.score(GOOD, problems=["acgan"], data=course, judges={"digit_classifier": tmp_path / "own.pth"})
    assert report.problems[0].measures[0].provenance["judge_known"] is False
    assert report.notes[0].startswith("The judge digit_classifier is a file that is not known (sha256 ")


def test_a_problem_as_a_plain_text(course: Path) -> None:
    assert [p.id for p in grader.score(GOOD, problems="dann", data=course).problems] == ["dann"]


def test_skipped_measures_name_their_protocol(course: Path) -> None:
    fid, score, *_ = grader.score(GOOD, problems=["gan"], data=course).problems[0].measures
    assert fid.provenance == {"protocol": "pytorch-fid", "reference": "face/test"}
    assert score.provenance == {"protocol": "torchvision-is"}


def test_a_measure_without_baselines_changes_no_state(course: Path, tmp_path: Path) -> None:
    """A failing one: an optional table of which nothing can be judged, beside three that pass."""
    shutil.copytree(GOOD / "dann", tmp_path / "dann", ignore=shutil.ignore_patterns("improved"))
    (tmp_path / "dann" / "improved").mkdir()
    rows = "".join(f"{i:05d}.png,0\n" for i in range(100))
    (tmp_path / "dann" / "improved" / "mnistm-usps.csv").write_text("image_name,label\n" + rows)
    verdict = grader.score(tmp_path, problems=["dann"], data=course).problems[0]
    assert verdict.measures[-1].value == pytest.approx(0.1) and verdict.state == "pass" and verdict.points == 9


def test_a_refused_submission_shows_no_problem_as_passed(tmp_path: Path) -> None:
    (tmp_path / "s.zip").write_bytes(b"PK\x03\x04 broken")
    assert grader.check(tmp_path / "s.zip").problems == ()
    assert len(grader.score(tmp_path / "s.zip", problems=["dann"]).problems[0].measures) == 3


def test_a_baseline_without_points_fails_nobody(course: Path) -> None:
    work = load_assignment().only(["dann"])
    (problem,) = work.problems
    first, *others = problem.measures
    bar = replace(first.baselines[0], name="reported", value=1.01, points=0)
    for baselines, state in (((bar,), "pass"), ((replace(first.baselines[0], value=1.01),), "fail")):
        measures = (replace(first, baselines=baselines), *others)
        changed = replace(work, problems=(replace(problem, measures=measures),))
        verdict = grader.score(GOOD, changed, data=course).problems[0]
        assert verdict.measures[0].state == state and not verdict.measures[0].baselines[0].passed
        assert verdict.state == state


def test_an_optional_problem_that_is_not_handed_in(course_hw4: Path, tmp_path: Path) -> None:
    (tmp_path / "readme.txt").write_text("nothing yet")
    report = grader.score(tmp_path, "dlcv-spring2018-hw4", problems=["infogan"], data=course_hw4)
    assert report.state == "pass" and report.problems[0].measures == () and report.problems[0].findings == ()
    assert report.notes == ("Nothing was handed in for infogan: it is optional, so nothing is missing.",)


def test_answers_about_images_are_those_of_the_names(course_hw4: Path, good_hw4: Path, tmp_path: Path) -> None:
    work = load_assignment("dlcv-spring2018-hw4")
    shutil.copytree(good_hw4 / "infogan", tmp_path / "infogan")
    (tmp_path / "infogan" / "c1_v2_r3.png").unlink()
    with open_submission(tmp_path) as view:
        looked = Inspection(view, Data(course_hw4, work.data_folder), set(), keep=True, answers={})
        looked.look_at(work.problems[3])
    table, images = looked.checked["infogan", "answers"], looked.checked["infogan", "codes"]
    assert isinstance(table, CheckedTable) and isinstance(images, CheckedImages)
    assert table.answers == of_images("infogan", "codes") == "images:infogan/codes"
    assert len(images.names) == 23 and images.spec.count == 24
    names = {f"c{c}_v{v}_r{r}.png": v for c in range(2) for v in range(3) for r in range(4)}
    assert looked.answers == {"images:infogan/codes": names} and table.predictions == names


def test_the_repository_of_another_homework(course_hw4: Path, good_hw4: Path, tmp_path: Path) -> None:
    shutil.copytree(good_hw4, tmp_path / "submission")
    (tmp_path / "hw4.sh").write_text('python3 hw4.py --data "$1" --out "$2"\n')
    report = grader.check(tmp_path, "dlcv-spring2018-hw4", data=course_hw4, with_repository=True)
    assert report.findings == () and report.notes == ("The deliverables are those in submission/.",)
    (tmp_path / "hw4.sh").write_text("python3 hw4.py --data /home/me/hw4_data\n")
    (finding,) = grader.check(tmp_path, "dlcv-spring2018-hw4", data=course_hw4, with_repository=True).findings
    assert finding.rule == "absolute-path" and finding.line == 1


def test_what_is_said_of_one_reference_is_said_once() -> None:
    def about(problem: str, found: str) -> Finding:
        what = f"test of the data has {found} items."
        return rules.REFERENCE_COUNT.finding(
            problem=problem, deliverable="d", path="test", message=what, expected="5", actual=found, help="Use all."
        )

    first, second = (Verdict(p, p, "pass", 0, 0, 0, (), (about(p, "4"),)) for p in ("vae", "gan"))
    third = Verdict("acgan", "acgan", "pass", 0, 0, 0, (), (about("acgan", "3"),))
    verdicts, shared = scoring._once((first, second, third))
    assert [len(v.findings) for v in verdicts] == [0, 0, 1]
    assert [(f.message, f.problem, f.deliverable) for f in shared] == [("test of the data has 4 items.", "", "")]
    assert scoring._once((first, third)) == ((first, third), [])
