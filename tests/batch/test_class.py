"""The simulated class: every one of thirty gets the right verdict, and the right points after the policy."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fixtures.klass.__main__ import make_class
from fixtures.klass.plan import SHARES, members
from grader.assignment import load_assignment
from grader.batch.entries import Entry
from grader.batch.policy import settle
from grader.batch.settlement import Settlement
from grader.scoring import Scorer

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
def entries(klass: Path) -> list[Entry]:
    """Each submission graded."""
    found = []
    scorer = Scorer(klass / "assignment.toml", data=klass / "hw2_data", device="cpu")
    for path in sorted((klass / "submissions").iterdir()):
        report = scorer.score(path)
        keys = {v.id: "" for v in report.problems}
        name = path.name.removesuffix(".zip")
        found.append(Entry(name, path.name, report.submission_digest, keys, report.state, report=report.to_dict()))
    return found


def _rules(report: Any) -> set[str]:
    return {f["rule"] for part in (report, *report["problems"]) for f in part["findings"]}


def test_everyone_gets_the_right_verdict(entries: list[Entry], expected: dict[str, Any]) -> None:
    assert {e.student for e in entries} == set(expected) and len(entries) == STUDENTS
    wrong = {}
    for entry in entries:
        assert entry.report is not None
        wanted, problems = expected[entry.student], entry.report["problems"]
        states, points = {p["id"]: p["state"] for p in problems}, {p["id"]: p["points"] for p in problems}
        missing = set(wanted["rules"]) - _rules(entry.report)
        if states != wanted["states"] or points != wanted["points"] or missing:
            wrong[entry.student] = (wanted, states, points, missing)
    assert not wrong


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
        return settle(order, work, klass / "times.csv", klass / "overrides.toml")

    found = settled(entries)
    assert {n: dict(s.points) for n, s in found.students.items()} == {n: e["final"] for n, e in expected.items()}
    assert found == settled(entries[::-1]) and not found.notes
    # Lateness and every kind of decision are there, or this says little.
    steps = [a for s in found.students.values() for a in s.adjustments]
    assert {bool(a.who) for a in steps} == {True, False} and any(a.why.startswith("excused") for a in steps)
    assert any("more days" in a.why for a in steps) and any("nothing counts after" in a.why for a in steps)


def test_every_kind_is_there(expected: dict[str, Any]) -> None:
    assert {e["kind"] for e in expected.values()} == set(SHARES)
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
    one, other = ((top / name / "dann" / "svhn-mnistm.csv").read_text().splitlines() for name in pair)
    assert sum(a != b for a, b in zip(one, other, strict=True)) == 5  # of 100 rows


def _digests(folder: Path) -> Iterator[str]:
    for path in (folder / "acgan").iterdir():
        with Image.open(path) as image:
            if image.size == (28, 28):
                yield hashlib.sha256(image.convert("RGB").tobytes()).hexdigest()


def test_the_same_seed_makes_the_same_class(tmp_path: Path, course: Path) -> None:
    def made(name: str, seed: int) -> dict[str, bytes]:
        make_class(tmp_path / name, 12, seed, course, 20)
        files = [p for p in (tmp_path / name).rglob("*") if p.is_file() and p.suffix != ".zip"]
        return {str(p.relative_to(tmp_path / name)): p.read_bytes() for p in files}

    first = made("one", 0)
    assert first == made("again", 0) != made("other", 1)
