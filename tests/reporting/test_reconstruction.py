"""What reports show of reconstructions, pairs and codes, and what of it is left where the data are hidden."""

from __future__ import annotations

import dataclasses
import io
from typing import Any

import pytest
from rich.console import Console

from grader.reporting import render
from grader.reporting.hidden import hide
from grader.reporting.terminal import render_score
from grader.results import BaselineResult, MeasureResult, ScoreReport
from tests.reporting.pictures import images
from tests.reporting.reports import ABOUT, measure, score, verdict

NAMES = [f"{40000 + i}.png" for i in range(30)]
DETAILS: dict[str, dict[str, Any]] = {
    "reconstruction_mse": {
        "missing": 2,
        "psnr": 23.5,
        "worst": {NAMES[3]: 0.02, "40999.png": 0.01},
        "best": {NAMES[4]: 0.001},
        "remark": "PSNR 23.50 dB",
    },
    "psnr": {"missing": 2, "mse": 0.0045, "mean_of_images": 23.9, "without_error": 0, "remark": "of the mean error"},
    "ssim": {"missing": 2, "worst": {NAMES[5]: 0.4}, "best": {NAMES[6]: 0.9}},
    "attribute_accuracy": {
        "classes": ["0", "1"],
        "class_sizes": [15, 15],
        "per_class": {"0": 1.0, "1": 0.8},
        "confusion": ((15, 0), (3, 12)),
        "unjudged": (0, 0),
        "misread": {NAMES[7]: "not Smiling"},
        "attribute": "Smiling",
        "on": 1,
        "found": True,
        "balanced_accuracy": 0.9,
        "chance": 0.7,
        "remark": "Smiling is 1, found by the judge",
    },
    "pair_flip": {
        "pairs": 15,
        "whole_pairs": 15,
        "flipped": 14,
        "per_class": {"0": 1.0, "1": 0.9},
        "failing": [[NAMES[8], NAMES[9]], ["gone.png", NAMES[10]]],
        "failing_count": 2,
        "attribute": "Smiling",
        "on": 1,
        "found": False,
        "remark": "Smiling is 1",
    },
    "pair_identity": {"cosine_within": 0.9, "cosine_across": 0.5, "equal_pairs": 0, "remark": "50 % is chance"},
    "code_nmi": {
        "per_code": {"0": {"attribute": "Bangs", "nmi": 0.3, "chance": 0.1, "spearman": None, "n": 30}},
        "mean_chance": 0.1,
        "above_chance": ["0"],
        "remark": "1 of 1 codes change an attribute: 0 Bangs",
    },
    "code_recovery": {
        "classes": ["0", "1"],
        "class_sizes": [15, 15],
        "per_class": {"0": 1.0, "1": 0.8},
        "confusion": ((15, 0), (3, 12)),
        "unjudged": (0, 0),
        "remark": "50 % is chance",
    },
}


def _measure(metric: str) -> MeasureResult:
    made = measure(metric, value=23.5 if metric == "psnr" else 0.5, points=0)
    baseline = BaselineResult("report", 22.5 if metric == "psnr" else 0.4, "ge", 2, True, 2, False)
    return dataclasses.replace(made, details=DETAILS[metric], deliverable="faces", baselines=(baseline,))


REPORT = score(verdict("gan", "pass", *map(_measure, DETAILS)))
SHOWN = dataclasses.replace(ABOUT, pictures={("gan", "faces"): images(NAMES, (16, 16))})


def _terminal(report: ScoreReport, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width)
    render_score(report, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("width", [60, 200])
def test_the_terminal_shows_units_and_remarks(width: int) -> None:
    text = _terminal(REPORT, width)
    for told in ("23.500 dB", "report ≥ 22.5 dB", "PSNR 23.50 dB", "Smiling is 1", "50 % is chance", "1 of 1 codes"):
        assert told in text


@pytest.mark.parametrize("kind", ["markdown", "html", "junit", "gradescope", "json"])
def test_reports_show_values_and_remarks(kind: str) -> None:
    text = render(kind, REPORT, SHOWN)
    assert ".500 dB" in text or '"value": 23.5' in text
    assert "Smiling is 1" in text and "PSNR 23.50 dB" in text
    if kind in ("markdown", "html"):
        assert "22.5 dB" in text


def test_the_page_shows_the_images_that_measures_name() -> None:
    page = render("html", REPORT, SHOWN)
    for title in ("The worst images", "The best images", "Pairs that do not change as their names say"):
        assert title in page
    # What is not on the wall is left out: of the missing image, and of one that was not handed in.
    assert "40999.png" not in page and "gone.png" not in page
    assert page.count("not Smiling") >= 1
    bare = render("html", REPORT, ABOUT)
    assert "The worst images" not in bare and "Pairs that do not" not in bare


def test_hidden_reports_keep_what_was_looked_at_and_nothing_else() -> None:
    more = [dataclasses.replace(m, details=m.details | {"new": "secret"}) for m in REPORT.problems[0].measures]
    problem = dataclasses.replace(REPORT.problems[0], measures=tuple(more))
    for m in hide(dataclasses.replace(REPORT, problems=(problem,))).problems[0].measures:
        assert m.details == DETAILS[m.metric]
