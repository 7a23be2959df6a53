from __future__ import annotations

import json
from pathlib import Path

import html5lib
import jsonschema
import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image
from scipy.stats import beta

from grader.assignment import load_assignment
from grader.batch.entries import FINGERPRINTS, FOLDER, Entry, fingerprint_path, write_entry
from grader.batch.seen import Seen, write_seen
from grader.cli import grader
from grader.inspection import Inspection
from grader.measuring.context import Context
from grader.references.data import Data
from grader.similarity import Fingerprint, find_pairs, fingerprint
from grader.similarity.fingerprints import pack, unpack
from grader.similarity.pages import to_json, write_pages
from grader.similarity.rates import RATES, summary
from grader.submission import open_submission
from tests.conftest import GOOD, ROOT
from tests.similarity.prints import Exam, of_images, pictures, script

A, B = "<script>alert(1)</script>", "a\u202eb'c"
_CODE = "".join(f"x{i} = f{i * i % 13}(y, {i})\n" for i in range(40))


def _prints() -> dict[str, Fingerprint]:
    exam = Exam(2000)
    tables = {"a": exam.model(0.6)} | {name: exam.model(0.6) for name in "cd"}
    tables["b"] = exam.changed(tables["a"], 0.05)
    images = {name: of_images(pictures(i, 30)).images for i, name in enumerate("acd")}
    images["b"] = of_images(np.roll(pictures(0, 30), 1, 0)).images
    own = {"a": (script(_CODE),), "b": (script(_CODE, "<b>.py"),), "c": (), "d": ()}
    names = {"a": A, "b": B, "c": "c", "d": "d"}
    return {names[s]: Fingerprint(images[s], (exam.table(tables[s]),), own[s]) for s in "abcd"}


def _hand_in(folder: Path, student: str, own: np.ndarray) -> None:
    (folder / student / "acgan").mkdir(parents=True)
    for i, picture in enumerate(own):
        Image.fromarray(picture).save(folder / student / "acgan" / f"{i:03}.png")


def test_the_json_follows_its_schema() -> None:
    document = json.loads(to_json(find_pairs(_prints())))
    jsonschema.validate(document, json.loads((ROOT / "docs" / "schemas" / "copies-1.json").read_text()))
    assert [(p["kind"], p["students"]) for p in document["pairs"]] == [
        ("scripts", [A, B]),
        ("identical-images", [A, B]),
        ("predictions", [A, B]),
    ]
    assert {p["page"].rpartition("/")[0] for p in document["pairs"]} == {"copies"}
    assert document["students"] == 4


def test_the_rates_are_those_of_the_guide() -> None:
    guide = (ROOT / "docs" / "guides" / "copies.md").read_text()
    section = guide.partition("## How often it is wrong")[2].partition("## ")[0]
    rows = [[cell.strip() for cell in line.split("|")] for line in section.splitlines() if line.startswith("|")]
    told = {(int(row[2].replace(" ", "")), int(row[3])) for row in rows if row[3].isdigit()}
    measured = [rate for found in RATES.values() for rate in found]
    assert {(rate.pairs, rate.alarms) for rate in measured} == told and len(told) >= 9
    for rate in measured:
        assert rate.upper == pytest.approx(beta.ppf(0.975, rate.alarms + 1, rate.pairs - rate.alarms), rel=0.02)


def test_the_summary_adds_up() -> None:
    for kind, what in (
        ("similar-images", "images (1000 each)"),
        ("predictions", "wrong predictions"),
        ("scripts", "scripts"),
    ):
        alarms, pairs = sum(r.alarms for r in RATES[kind]), sum(r.pairs for r in RATES[kind])
        assert f"{what} {alarms} of {pairs:,} pairs".replace(",", " ") in summary()
    worst = max(RATES["predictions"], key=lambda r: r.alarms / r.pairs)
    assert worst.alarms and f"at worst {worst.alarms} of {worst.pairs}: {worst.of}" in summary()


def test_pages_are_whole_and_escaped(tmp_path: Path) -> None:
    prints = _prints()
    write_pages(find_pairs(prints), prints, tmp_path)
    first = {path.name: path.read_bytes() for path in (tmp_path / "copies").iterdir()}
    assert len(first) == 2
    for content in first.values():
        html5lib.HTMLParser(strict=True).parse(content.decode())
        assert b"<script" not in content
        assert b"<b>.py" not in content
        assert "\u202e".encode() not in content
        assert b"default-src 'none'; img-src data:" in content
    write_pages(find_pairs(prints), prints, tmp_path)
    assert {path.name: path.read_bytes() for path in (tmp_path / "copies").iterdir()} == first
    write_pages(find_pairs({}), {}, tmp_path)
    assert [path.name for path in (tmp_path / "copies").iterdir()] == ["index.html"]


def _results(folder: Path, prints: dict[str, Fingerprint]) -> Path:
    for name in (FOLDER, FINGERPRINTS):
        (folder / name).mkdir(parents=True)
    for student, found in prints.items():
        fingerprint_path(folder, student).write_bytes(pack(found))
        write_entry(folder, Entry(student, student, "0", {}, "pass", fingerprint="0"))
    return folder


def test_the_command_shows_pictures_read_from_the_submissions(tmp_path: Path) -> None:
    own = {"ann": pictures(0, 30), "bob": np.roll(pictures(0, 30), 1, 0), "cy": pictures(2, 30)}
    for student, found in own.items():
        _hand_in(tmp_path / "in", student, found)
    (tmp_path / "in" / "bob" / "acgan" / "001.png").unlink()  # changed since it was graded
    (tmp_path / "in" / "bob" / "acgan" / "002.png").write_bytes(b"\x89PNG\r\n\x1a\nno picture")
    results = _results(tmp_path / "results", {s: of_images(found) for s, found in own.items()})
    write_entry(results, Entry("dee", "dee.rar", "", {}, "fail"))  # never opened
    write_entry(results, Entry("eve", "eve.zip", "", {}, "fail", fingerprint="0"))  # a zip that was refused
    fingerprint_path(results, "eve").write_bytes(pack(Fingerprint()))
    words = ["copies", str(results), "-o", str(tmp_path / "out"), "--submissions", str(tmp_path / "in")]
    done = CliRunner().invoke(grader, words, catch_exceptions=False)
    assert done.exit_code == 0
    assert "1 pair to look at among 3 submissions compared" in done.output
    assert "2 submissions could not be compared: dee, eve." in done.output
    assert summary() in " ".join(done.output.split())
    assert "ann and bob: the same images (acgan, digits)" in done.output
    page = (tmp_path / "out" / "copies" / "ann--bob.html").read_text()
    # 24 rows of two pictures and a difference; two of the second student's can't be read.
    assert page.count("data:image/png") == 24 * 3 - 4
    assert page.count(": equal pixels</figcaption>") == 24
    assert "with 1000 images of each student. This pair has 30, for which it was not measured." in page


def test_equal_pixels_are_told_from_nearly_equal_ones(tmp_path: Path) -> None:
    """One level of one channel of one pixel: nothing that three digits of a cosine show."""
    own = pictures(0, 30)
    other = own.copy()
    other[:, 0, 0, 0] ^= 1
    other[0] = own[0]
    prints = {"a": of_images(own), "b": of_images(other), "c": of_images(pictures(1, 30))}
    (pair,) = find_pairs(prints).pairs
    assert pair.kind == "similar-images" and {value for _, _, value in pair.examples} == {0.9999}
    write_pages(find_pairs(prints), prints, tmp_path)
    page = (tmp_path / "copies" / "a--b.html").read_text()
    assert ": 0.9999</figcaption>" in page and "1.000" not in page and ": equal pixels" not in page


def _attempts(tmp_path: Path) -> tuple[Path, Path]:
    """Ada's two attempts with the same images, of which Bob has some; Cy's own. The results and the table of times."""
    own = pictures(0, 30)
    bob = np.concatenate([own[:20], pictures(5, 10)])
    prints = {"ada_1": of_images(own), "ada_2": of_images(own[::-1].copy()), "bob": of_images(bob)}
    results = _results(tmp_path / "results", prints | {"cy": of_images(pictures(2, 30))})
    times = tmp_path / "times.csv"
    rows = ["ada,2026-11-01T00:00:00Z,ada_1", "ada,2026-11-02T00:00:00Z,ada_2", "bob,2026-11-02T00:00:00Z,bob"]
    times.write_text("\n".join(["student,time,submission", *rows, ""]))
    return results, times


def test_attempts_of_one_student_are_no_pair(tmp_path: Path) -> None:
    results, times = _attempts(tmp_path)
    done = CliRunner().invoke(grader, ["copies", str(results), "--times", str(times)], catch_exceptions=False)
    assert "2 pairs to look at among 4 submissions compared" in done.output
    found = json.loads((results / "copies.json").read_text())
    assert [(p["students"], p["count"]) for p in found["pairs"]] == [(["ada_1", "bob"], 20), (["ada_2", "bob"], 20)]
    assert "1 submission beyond the first of a student" in found["notes"][0]
    CliRunner().invoke(grader, ["copies", str(results)], catch_exceptions=False)
    assert len(json.loads((results / "copies.json").read_text())["pairs"]) == 3  # nobody said whose ada_1 is
    done = CliRunner().invoke(grader, ["copies", str(results), "--times", str(results / "copies.json")])
    assert done.exit_code and "student" in str(done.exception)


def test_who_was_renamed_is_not_held_against_the_name_before(tmp_path: Path) -> None:
    own = of_images(pictures(0, 30))
    results = _results(tmp_path / "results", {"ada": own, "ada_l": own, "bob": of_images(pictures(1, 30))})
    write_seen(results, Seen("dlcv-fall2021-hw2", "dlcv-fall2021-hw2", ("ada_l", "bob")))
    done = CliRunner().invoke(grader, ["copies", str(results)], catch_exceptions=False)
    assert "0 pairs to look at among 2 submissions compared" in done.output
    assert "left out: ada." in " ".join(done.output.split())


def test_the_command_without_submissions_and_without_results(tmp_path: Path) -> None:
    results = _results(tmp_path / "results", {s: of_images(pictures(0, 30)) for s in "ab"})
    assert CliRunner().invoke(grader, ["copies", str(results)]).exit_code == 0
    assert "Pass --submissions DIR" in (results / "copies" / "a--b.html").read_text()
    done = CliRunner().invoke(grader, ["copies", str(tmp_path / "none")])
    assert "Run `grader batch` first" in str(done.exception)
    fingerprint_path(results, "a").write_bytes(b"")
    assert "is no fingerprint" in str(CliRunner().invoke(grader, ["copies", str(results)]).exception)


def test_a_fingerprint_of_a_submission(course: Path) -> None:
    work = load_assignment("dlcv-fall2021-hw2")
    context = Context(Data(course, work.data_folder), {}, cache=False)
    with open_submission(GOOD) as view:
        look = Inspection(view, context.data, set(), True, context.answers)
        for problem in work.problems[1:]:
            look.look_at(problem)
    context.copied["acgan", "digits"] = frozenset({"0_001.png"})
    content = fingerprint(GOOD, look.checked, context)
    assert fingerprint(GOOD, look.checked, context) == content
    found = unpack(content)
    (digits,) = found.images
    assert (digits.deliverable, digits.path, digits.names[:2]) == ("digits", "acgan", ("0_001.png", "0_002.png"))
    assert [digits.names[i] for i in np.nonzero(digits.of_course)[0]] == ["0_001.png"]
    tables = {t.deliverable: t for t in found.tables}
    rows = (GOOD / "dann" / "mnistm-usps.csv").read_text().split()[1:]
    assert tables["mnistm-usps"].labels.tolist() == [int(row.partition(",")[2]) for row in sorted(rows)]
    assert found.scripts == ()
