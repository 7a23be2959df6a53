"""What a terminal shows, and in which order; a table where it fits, blocks where it doesn't."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.console import Console

from grader.metrics import METRICS
from grader.reporting import render
from grader.reporting.terminal import render_check, render_score
from grader.results import CheckReport, ManualPoints, ScoreReport
from tests.reporting.reports import ABOUT, CHECKED, CLEAN, FAIR, finding, measure, score, verdict

BOTH = (finding(), finding(severity="warning", rule="near-duplicates", message="2 images are nearly the same."))


def _shown(report: CheckReport | ScoreReport, width: int = 100) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width, soft_wrap=False, emoji=False, markup=False)
    if isinstance(report, CheckReport):
        render_check(report, console)
    else:
        render_score(report, console)
    return out.getvalue()


def test_the_first_screen_says_what_is_wrong_and_what_to_do() -> None:
    report = score(
        verdict("gan", "pass", measure("vendi_score", points=0, value=6.0)),
        verdict("acgan", "fail", measure("digit_accuracy", "fail", 0.9, earned=0), findings=BOTH),
    )
    lines = _shown(report).splitlines()
    assert lines[0] == "FAIL  hw2: 0 of 5 points"
    assert lines[1:3] == [
        "  pass    gan    no points by measures",
        "  fail    acgan  0 of 5 points; 5 without its error",
    ]
    assert lines[4] == "error missing-images acgan" and "→ Generate the missing images." in lines[8]
    text = "\n".join(lines)
    assert (
        text.index("error missing") < text.index("vendi_score") < text.index("digit_acc") < text.index("warning near")
    )
    assert text.count("missing-images") == 1


def test_what_a_penalty_took_is_no_error() -> None:
    """Half of the points after a second run that differs: with an error beside it, both are said."""
    half = measure("digit_accuracy", value=0.9, earned=2.5)
    report = score(
        verdict("a", "pass", half),
        verdict("b", "fail", half, measure("digit_accuracy", "fail", 0.9, earned=0), findings=BOTH),
    )
    lines = _shown(report).splitlines()
    assert lines[1] == "  pass    a  2.5 of 5 points; 5 before the penalty"
    assert lines[2] == "  fail    b  2.5 of 10 points; 10 without its error and before the penalty"


def test_a_pass_says_what_was_not_measured() -> None:
    report = score(
        verdict("gan", "pass", measure("fid", "skipped", None), measure("fid", "error", None)),
        verdict("acgan", "pass", measure("digit_accuracy", "fail", None), measure("digit_accuracy", value=0.9)),
    )
    lines = _shown(report).splitlines()
    assert lines[0].endswith("; of 4 measures 1 skipped, 1 without a value, 1 failed on this machine")
    assert lines[1].endswith("; of 2 measures 1 skipped, 1 failed on this machine")
    assert lines[2].endswith("; of 2 measures 1 without a value")


@pytest.mark.parametrize(("width", "table"), [(100, True), (64, False), (60, False), (40, False)])
def test_a_table_where_it_fits(width: int, table: bool) -> None:
    text = _shown(FAIR, width)
    assert ("95 % interval baselines (margin)" in text) == table
    assert max(map(len, text.splitlines())) <= width
    for told in ("target_accuracy.usps-svhn", "60.00 %", "50.00–70.00 %", "simple ≥ 40 %", "(+20.00)", "beats 3 of 8"):
        assert told in text, told
    assert "5/5" in text and "skipped fid: no weights here." in text


def test_three_parts_of_an_id_take_two_lines_of_the_table() -> None:
    id = "target_accuracy.improved.usps-svhn"
    report = score(verdict("dann", "pass", measure(id, points=0), measure("target_accuracy.usps-svhn")))
    lines = [line.split()[0] for line in _shown(report).splitlines() if "target_accuracy" in line or "usps" in line]
    assert lines == ["target_accuracy.improved.", "usps-svhn", "target_accuracy.usps-svhn"]
    assert f"  {id}  50.00 %" in _shown(report, 60)


def test_a_check() -> None:
    lines = _shown(CHECKED).splitlines()
    assert lines[:3] == ["FAIL  hw2: 1 error, 1 warning", "  pass  gan      as asked for", "  fail  acgan    1 error"]
    assert _shown(CLEAN).startswith("PASS  hw2: everything is as it should be\n")


def test_points_that_nobody_knows_are_no_zeros() -> None:
    known, unknown = ManualPoints("gan", "from the report", 1), ManualPoints("gan", "the discussion", 0)
    one = replace(score(verdict("gan", "pass", measure("fid", points=1, earned=1))), manual=(known, unknown))
    told = _shown(one)
    assert "hw2: 1 of 1 point\n" in told
    assert "Up to 1 more point is given by a person:\n  gan         1  from the report\n" in told
    assert "  gan         –  the discussion\n" in told
    none = replace(one, manual=(unknown,))
    assert "A person looks at these; how many points they give isn't known here:\n  gan         –" in _shown(none)
    for kind in ("markdown", "html"):
        page = render(kind, none, ABOUT)
        assert "Up to 0" not in page and "Together at most" not in page and "–" in page


def test_one_face_is_one() -> None:
    few = measure("face_count", "fail", 1.0, earned=0)
    assert METRICS["face_count"].show(1.0) == "1 face" and "1 face " in _shown(score(verdict("gan", "fail", few)))
