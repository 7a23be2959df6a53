"""The simulated class: every one of thirty gets the right verdict, and the right points after the policy."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from markupsafe import escape
from PIL import Image

from fixtures.klass.__main__ import main, make_class
from fixtures.klass.checking import wrong_verdicts
from fixtures.klass.plan import SHARES, members
from fixtures.klass.tricks import BROKEN, HOSTILE
from grader.assignment import load_assignment
from grader.batch.entries import Entry, read_entries
from grader.batch.papers import Papers, read_papers
from grader.batch.policy import settle
from grader.batch.settlement import Settlement
from tests.batch.small import compared
from tests.conftest import ROOT

STUDENTS = 30


@pytest.fixture(scope="module")
def klass(tmp_path_factory: pytest.TempPathFactory, course: Path) -> Path:
    """Thirty submissions of fifty digits each, for the miniature course."""
    out = tmp_path_factory.mktemp("class")
    (out / "hw2_data").symlink_to(course)
    make_class(out, STUDENTS, images=50)
    return out


@pytest.fixture(scope="module")
def expected(klass: Path) -> dict[str, Any]:
    """What must come out, by student."""
    found: dict[str, Any] = json.loads((klass / "expected.json").read_text())["students"]
    return found


@pytest.fixture(scope="module")
def results(klass: Path) -> Path:
    """The class, graded by two processes and joined."""
    words: list[str | Path] = ["--assignment", klass / "assignment.toml", "--times", klass / "times.csv"]
    words += ["--overrides", klass / "overrides.toml", "--workers", "2"]
    done = _batch(klass, klass / "results", *words)
    assert done.returncode == 0, done.stderr
    return klass / "results"


def _batch(klass: Path, results: Path, *more: str | Path) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-m", "grader", "batch", klass / "submissions", "-o", results]
    words += ["--data", klass / "hw2_data", *more]
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True, timeout=300)
    assert "Traceback" not in done.stderr, done.stderr
    return done


@pytest.fixture(scope="module")
def entries(results: Path) -> list[Entry]:
    """The journal."""
    return read_entries(results)


def test_everyone_gets_the_right_verdict(klass: Path, results: Path, entries: list[Entry]) -> None:
    assert wrong_verdicts(klass, results) == ({}, STUDENTS) and len(entries) == STUDENTS


def test_a_wrong_verdict_is_told(
    klass: Path, results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command that checks a class of any size; here with something else expected of some."""
    assert main([str(klass), "--check", str(results)]) == 0
    assert capsys.readouterr().out == f"{STUDENTS} of {STUDENTS} as expected\n"
    found = json.loads((klass / "expected.json").read_text())
    (first, one), (_, two), (third, three), *_ = found["students"].items()
    one["points"]["dann"], two["rules"], three["final"]["acgan"] = 1.0, ["no-such-rule"], 99.0
    found["students"]["nobody"] = one
    (tmp_path / "expected.json").write_text(json.dumps(found))
    assert main([str(tmp_path), "--check", str(results)]) == 1
    told = capsys.readouterr().out
    assert f"{first!r}: points: " in told and "not found: no-such-rule" in told and f"{third!r}: final: " in told
    assert "'nobody': not in all of" in told and f"{STUDENTS - 3} of {STUDENTS + 1} as expected" in told


@pytest.mark.parametrize("place", ["expected.json", "results"])
def test_nothing_to_check(place: str, klass: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path if place == "expected.json" else klass
    with pytest.raises(SystemExit) as ended:
        main([str(out), "--check", str(tmp_path / "results")])
    assert ended.value.code == 2 and place in capsys.readouterr().err


@pytest.mark.parametrize("name", ["submissions", "times.csv", "overrides.toml"])
def test_what_others_made_is_not_overwritten(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / name).mkdir()
    (tmp_path / name / "work").write_text("a student's")
    with pytest.raises(SystemExit) as ended:
        main([str(tmp_path), "--students", "1", "--images", "20"])
    assert ended.value.code == 2 and f"holds {name}, not made by this program" in capsys.readouterr().err
    assert [str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*")] == [name, f"{name}/work"]


def test_the_class_page_has_them_in_the_end(results: Path, expected: dict[str, Any]) -> None:
    found = json.loads((results / "class.json").read_text())
    schema = json.loads((ROOT / "docs" / "schemas" / "class-1.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(found)
    page = (results / "index.html").read_text()
    assert "<b>bold" not in page and not [name for name in expected if str(escape(name)) not in page]


def test_a_second_run_grades_nothing(klass: Path, results: Path) -> None:
    before = {p.name: p.stat().st_mtime_ns for p in (results / "entries").iterdir()}
    joined = (results / "class.json").read_bytes()
    words: list[str | Path] = ["--assignment", klass / "assignment.toml", "--times", klass / "times.csv"]
    done = _batch(klass, results, *words, "--overrides", klass / "overrides.toml", "--workers", "1")
    assert done.returncode == 0 and f"{STUDENTS} submissions had not changed" in done.stdout
    assert before == {p.name: p.stat().st_mtime_ns for p in (results / "entries").iterdir()}
    assert joined == (results / "class.json").read_bytes()


def test_one_worker_in_another_order_and_from_nothing_makes_the_same(
    klass: Path, results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the cache of the first run: what passes through a network together is other images then."""
    monkeypatch.setenv("GRADER_CACHE", str(tmp_path / "cache"))
    some = tmp_path / "class" / "submissions"
    some.mkdir(parents=True)
    for path in sorted((klass / "submissions").iterdir())[::-4]:
        if path.is_file():
            shutil.copy(path, some)
        else:
            shutil.copytree(path, some / path.name, symlinks=True)
    (tmp_path / "class" / "hw2_data").symlink_to(klass / "hw2_data")
    toml = klass / "assignment.toml"
    done = _batch(tmp_path / "class", tmp_path / "r", "--assignment", toml, "--workers", "1", "--shard", "1/1")
    assert done.returncode == 0
    first, second = compared(results), compared(tmp_path / "r")
    assert len(second) == -(-STUDENTS // 4)
    assert {name: first[name] for name in second} == second


def test_no_honest_student_is_accused(entries: list[Entry], expected: dict[str, Any]) -> None:
    """Nothing but warnings, and none of copies."""
    for entry in entries:
        if expected[entry.student]["kind"] in ("good", "middling", "weak"):
            assert entry.report is not None
            found = [f for part in (entry.report, *entry.report["problems"]) for f in part["findings"]]
            assert not [f for f in found if f["severity"] == "error" or f["rule"] == "copied-images"], entry.student


def test_points_after_the_policy(klass: Path, entries: list[Entry], expected: dict[str, Any]) -> None:
    work = load_assignment(klass / "assignment.toml")

    def settled(order: list[Entry]) -> Settlement:
        papers = Papers(klass / "times.csv", klass / "overrides.toml")
        return settle(order, work, read_papers(papers, work))

    found = settled(entries)
    assert {n: dict(s.points) for n, s in found.students.items()} == {n: e["final"] for n, e in expected.items()}
    assert found == settled(entries[::-1]) and not found.notes
    # Lateness and every kind of decision are there, or this says little.
    steps = [a for s in found.students.values() for a in s.adjustments]
    assert {bool(a.who) for a in steps} == {True, False} and any(a.why.startswith("excused") for a in steps)
    assert any("more days" in a.why for a in steps) and any("nothing counts after" in a.why for a in steps)


def test_every_kind_is_there(expected: dict[str, Any]) -> None:
    assert {e["kind"] for e in expected.values()} == set(SHARES)
    tricks = [e["trick"] for e in expected.values() if e["trick"]]
    assert len(set(tricks)) == len(tricks) == 12 and set(HOSTILE) < set(tricks)
    assert {m.trick for m in members(300, np.random.default_rng(0))} == {"", *BROKEN, *HOSTILE}
    for count in (1, 2, 10, 60, 300):
        class_ = members(count, np.random.default_rng(0))
        names = {m.name for m in class_}
        assert len(names) == len(class_) == count
        assert all(m.victim in names for m in class_ if m.kind.startswith("copies-") and m.kind != "copies-training")


def test_what_is_told_of_copies_is_so(klass: Path) -> None:
    """By pixels and rows; every other pair of folders has none in common."""
    told = {(tuple(c["students"]), c["kind"]) for c in json.loads((klass / "expected.json").read_text())["copies"]}
    top = klass / "submissions"
    pixels = {p.name: set(_digests(p)) for p in top.iterdir() if (p / "acgan").is_dir()}
    same = {(a, b) for a in pixels for b in pixels if a < b and pixels[a] & pixels[b]}
    assert same == {pair for pair, kind in told if kind == "identical-images"} and len(same) == 1
    (pair,) = (pair for pair, kind in told if kind == "predictions")
    one, other = (_table(top / name) for name in pair)
    assert sum(a != b for a, b in zip(one, other, strict=True)) == 5  # of 100 rows


@pytest.fixture(scope="module")
def compared_class(klass: Path, results: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `grader copies` writes of the class."""
    out = tmp_path_factory.mktemp("copies")
    _run("copies", results, "-o", out, "--submissions", klass / "submissions", "--times", klass / "times.csv")
    return out


def _run(*words: str | Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "grader", *map(str, words)], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_copies_are_those_that_were_planted(klass: Path, compared_class: Path) -> None:
    """All of them and nothing else; a student's tables are several, each a pair of its own."""
    found = json.loads((compared_class / "copies.json").read_text())
    planted = json.loads((klass / "expected.json").read_text())["copies"]
    assert {(*p["students"], p["kind"]) for p in found["pairs"]} == {(*c["students"], c["kind"]) for c in planted}
    assert {c["kind"] for c in planted} == {"identical-images", "similar-images", "predictions", "scripts"}


def test_the_class_page_names_the_planted_pairs(
    klass: Path, results: Path, compared_class: Path, tmp_path: Path
) -> None:
    """By student; where the table of times says that two are one student's attempts, no more."""
    planted = json.loads((klass / "expected.json").read_text())["copies"]
    wanted = {tuple(c["students"]) for c in planted}
    shutil.copy(compared_class / "copies.json", tmp_path)
    words: list[str | Path] = ["--assignment", klass / "assignment.toml", "--times"]
    _run("class", results, "-o", tmp_path, *words, klass / "times.csv")
    assert _pairs_of_class(tmp_path) == wanted
    page = (tmp_path / "index.html").read_text()
    assert page.count("much alike:") == len(wanted) and " in (" not in page and "scripts</a> (Both have" in page
    one, other = min(wanted)
    renamed = [f"somebody,2026-11-03T00:00:00Z,{one}", f"somebody,2026-11-04T00:00:00Z,{other}"]
    (tmp_path / "times.csv").write_text("\n".join(["student,time,submission", *renamed, ""]))
    _run("class", results, "-o", tmp_path, *words, tmp_path / "times.csv")
    new = {one: "somebody", other: "somebody"}
    renamed_pairs = {tuple(sorted(new.get(s, s) for s in pair)) for pair in wanted}
    assert _pairs_of_class(tmp_path) == {pair for pair in renamed_pairs if len(set(pair)) == 2}


def _pairs_of_class(folder: Path) -> set[tuple[str, ...]]:
    students = json.loads((folder / "class.json").read_text())["students"]
    return {tuple(sorted((s["student"], c["with"]))) for s in students for c in s["copies"]}


def _table(folder: Path) -> list[str]:
    """A student's, who may have handed in a zip."""
    at: Path | zipfile.Path = folder if folder.is_dir() else zipfile.Path(folder.with_name(f"{folder.name}.zip"))
    return (at / "dann" / "svhn-mnistm.csv").read_text().splitlines()


def _digests(folder: Path) -> Iterator[str]:
    for path in (folder / "acgan").iterdir():
        with suppress(Image.DecompressionBombError), Image.open(path) as image:
            if image.size == (28, 28):
                yield hashlib.sha256(image.convert("RGB").tobytes()).hexdigest()


def test_the_same_seed_makes_the_same_class(tmp_path: Path, course: Path) -> None:
    def made(name: str, seed: int) -> dict[str, bytes]:
        make_class(tmp_path / name, 12, seed, course, 20)
        files = [p for p in (tmp_path / name).rglob("*") if p.is_file() and p.suffix != ".zip"]
        return {str(p.relative_to(tmp_path / name)): p.read_bytes() for p in files}

    first = made("one", 0)
    assert first == made("again", 0) != made("other", 1)
