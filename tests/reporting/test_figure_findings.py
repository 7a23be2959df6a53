"""Findings about figures, which are no images of a wall, in every kind of report."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import grader
from fixtures.hw4 import MUTATIONS, mutate
from grader.assignment import load_assignment
from grader.reporting import KINDS, render
from grader.reporting.hidden import hide
from grader.results import ScoreReport
from tests.reporting.reports import finding, measure, score, verdict
from tests.reporting.test_renderers import IN_CLASSROOM

HOMEWORK = "dlcv-spring2018-hw4"
_WITHOUT_TEXT = ("classroom-legacy", "codabench")  # base64, and numbers alone
ABOUT = replace(IN_CLASSROOM, assignment=load_assignment(HOMEWORK))
FOUND = (
    finding(problem="vae", deliverable="fig1_2", rule="blank-figure", path="fig1_2.jpg"),
    finding(problem="vae", deliverable="fig1_4", rule="repeated-tiles", severity="warning", path="fig1_4.jpg"),
)
SCORED = score(verdict("vae", "fail", measure("reconstruction_mse", value=0.004), findings=FOUND), assignment=HOMEWORK)


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory, course_hw4: Path, good_hw4: Path) -> grader.CheckReport:
    """A check with several faults of figures at once."""
    top = tmp_path_factory.mktemp("faults")
    mutate("figure-in-capitals", good_hw4, top)
    for name in ("half-a-grid", "figure-among-images"):
        MUTATIONS[name].apply(top)
    return grader.check(top, HOMEWORK, problems=["vae"], data=course_hw4)


@pytest.mark.parametrize("kind", KINDS)
def test_a_check(kind: str, checked: grader.CheckReport) -> None:
    assert [f.rule for f in checked.findings] == ["misnamed", "misplaced", "tile-count"]
    text = render(kind, checked, ABOUT)
    if kind not in _WITHOUT_TEXT:
        for name in ("Fig1_2.JPG", "vae/fig1_3.jpg", "fig1_4.jpg"):
            assert name in text or name.replace("_", "\\_") in text, kind


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("report", [SCORED, hide(SCORED)], ids=["open", "hidden"])
def test_a_score(kind: str, report: ScoreReport) -> None:
    text = render(kind, report, ABOUT)
    if kind not in _WITHOUT_TEXT:
        assert "fig1_2.jpg" in text or "fig1\\_2.jpg" in text or "fig1&#95;2.jpg" in text
