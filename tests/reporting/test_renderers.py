"""Each kind of report against a schema or an independent reader, with fair and with hostile texts."""

from __future__ import annotations

import base64
import dataclasses
import json
import re
import unicodedata
from pathlib import Path
from typing import Any

import jsonschema
import junitparser
import pytest
from markdown_it import MarkdownIt

from grader.errors import UsageError
from grader.reporting import KINDS, render
from grader.reporting.classroom import whole_factor
from grader.reporting.markdown import LARGEST, escape
from grader.reporting.outcomes import outcomes
from tests.reporting.reports import (
    ABOUT,
    ALL,
    CHECKED,
    CLEAN,
    EVIL,
    FAIR,
    HOSTILE,
    MANY,
    finding,
    measure,
    score,
    verdict,
)

SCHEMAS = Path(__file__).parent / "schemas"
RUNNER = {
    "CLASSROOM": "vision",
    "ASSIGNMENT": "hw2",
    "OWNER": "ada",
    "SUBMISSION_TAG": "submit/2026-11-22T10-30-05Z-0a1b2c3",
    "COMMIT_URL": "https://git.example/c",
    "RELEASE_URL": "https://git.example/r",
}
IN_CLASSROOM = dataclasses.replace(ABOUT, environment=RUNNER)


def _json(kind: str, report: Any) -> Any:
    text = render(kind, report, IN_CLASSROOM)
    return json.loads(base64.b64decode(text, validate=False) if kind == "classroom-legacy" else text)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("kind", [path.stem for path in SCHEMAS.iterdir()])
def test_json_kinds_follow_their_schemas(kind: str, name: str) -> None:
    schema = json.loads((SCHEMAS / f"{kind}.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(_json(kind, ALL[name]))


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "json"])
def test_no_text_is_endless_or_unprintable(kind: str, name: str) -> None:
    text = render(kind, ALL[name], IN_CLASSROOM)
    assert len(text.encode()) <= LARGEST
    if kind == "classroom-legacy":
        text = base64.b64decode(text).decode()
    if kind not in ("html", "markdown", "junit", "github"):
        text = json.dumps(json.loads(text), ensure_ascii=False, indent=1).replace("\\n", "\n")
    odd = {c for c in text if unicodedata.category(c) in ("Cc", "Cf", "Cs", "Cn", "Co") and c != "\n"}
    assert not odd


@pytest.mark.parametrize("name", ALL)
def test_junit_is_read_by_another_library(name: str) -> None:
    report = ALL[name]
    read = junitparser.JUnitXml.fromstring(render("junit", report, ABOUT).encode())
    rows = outcomes(report)
    cases = [case for suite in read for case in suite]
    assert len(cases) == len(rows) == read.tests and read.time == 12.5
    states = [row.state for row in rows]
    assert (read.failures, read.errors, read.skipped) == tuple(states.count(s) for s in ("fail", "error", "skipped"))
    kinds = {"fail": junitparser.Failure, "error": junitparser.Error, "skipped": junitparser.Skipped}
    for case, row in zip(cases, rows, strict=True):
        assert case.name == row.name
        assert [type(r) for r in case.result] == ([kinds[row.state]] if row.state != "pass" else [])
        assert (case.result[0].text if case.result else case.system_out) == row.text


def test_junit_carries_points() -> None:
    text = render("junit", FAIR, ABOUT)
    assert '<property name="points" value="2.5" />' in text and '<property name="max_points" value="5" />' in text
    assert 'timestamp="2026-11-22T10:30:05"' in text


def _commands(text: str) -> list[tuple[str, dict[str, str], str]]:
    """Reads a job's log as the runner does: what begins with `::` after blanks; also the older form, anywhere."""
    found = []
    for line in text.split("\n"):
        assert "##[" not in line or line.lstrip().startswith("::")
        if line.lstrip().startswith("::"):
            kind, _, rest = line.lstrip()[2:].partition("::")
            name, _, properties = kind.partition(" ")
            pairs = dict(pair.split("=", 1) for pair in properties.split(",") if pair)
            found.append((name, pairs, rest))
        else:
            assert not line
    return found


def test_github_annotations_say_what_and_where() -> None:
    first, *rest = _commands(render("github", FAIR, ABOUT))
    assert first[0] == "error" and first[1] == {"file": "submission/acgan", "title": "missing-images"}
    assert first[2].startswith("3 of 1000 images are missing.%0Aexpected: 1000 images%0A")
    assert [(kind, where["title"]) for kind, where, _ in rest] == [
        ("warning", "gan%3A fid"),
        ("error", "acgan%3A digit_accuracy"),
    ]
    assert [c[0] for c in _commands(render("github", CLEAN, ABOUT))] == ["notice"]
    of_data = score(verdict("dann", "pass", findings=(finding(rule="reference-count", severity="warning"),)))
    assert "file" not in _commands(render("github", of_data, ABOUT))[0][1]


@pytest.mark.parametrize("name", ALL)
def test_no_text_becomes_a_command(name: str) -> None:
    commands = _commands(render("github", ALL[name], ABOUT))
    assert 1 <= len(commands) <= 10
    assert {kind for kind, _, _ in commands} <= {"error", "warning", "notice"}
    assert {key for _, pairs, _ in commands for key in pairs} <= {"file", "line", "title"}


def test_the_tenth_annotation_counts_the_rest() -> None:
    many = score(verdict("gan", "fail", findings=tuple(finding() for _ in range(25))))
    commands = _commands(render("github", many, ABOUT))
    assert len(commands) == 10 and commands[-1] == ("warning", {"title": "grader"}, "and 16 more findings")


def _html(text: str) -> str:
    return str(MarkdownIt("gfm-like", {"linkify": False}).render(text))


def test_markdown_shows_the_table_and_the_findings() -> None:
    html = _html(render("markdown", FAIR, ABOUT))
    assert html.count("<table>") == 1 and html.count("<tr>") == 1 + 3 + 5
    assert "<td>91.20 % (95 % interval 81.20–101.20 %, n = 1000)</td>" in html
    assert (
        "<strong>submission/acgan</strong>" in html
        and "<h2>❌ FAIL hw2: 12.5 of 20 points; of 5 measures 1 skipped</h2>" in html
    )
    assert "<h2>✅ PASS hw2: everything is as it should be</h2>" in _html(render("markdown", CLEAN, ABOUT))


@pytest.mark.parametrize("name", ALL)
def test_markdown_keeps_texts_texts(name: str) -> None:
    html = _html(render("markdown", ALL[name], ABOUT))
    tags = {match[1] for match in re.finditer(r"</?([a-z0-9]+)", html)}
    allowed = {"h2", "table", "thead", "tbody", "tr", "th", "td", "p", "strong", "ul", "li", "blockquote", "br"}
    assert tags <= allowed, tags - allowed
    assert html.count("<table>") <= 1


def test_a_summary_that_is_too_long_is_cut_and_says_so() -> None:
    text = render("markdown", score(verdict("gan", "fail", *[measure("fid", "fail", 0.1, MANY)] * 700)), ABOUT)
    assert LARGEST - 5000 < len(text.encode()) <= LARGEST
    assert text.endswith("\n\nThe rest was cut: this page can hold no more.\n") and text.startswith("## ❌ FAIL hw2")


def test_markdown_escapes() -> None:
    for text in (
        "- a",
        "+ a",
        "1. a",
        "12) a",
        "# a",
        "    a",
        "> a",
        "*a* _b_ `c` ~~d~~",
        "[a](b)",
        "![a](b)",
        "a | b",
    ):
        assert _html(escape(text)) == _html("x").replace("x", text.strip().replace(">", "&gt;"))
    # What makes a link by itself on GitHub.
    assert not re.search(r"[a-z]://|www\.", escape("https://e.example www.e.example"))


def test_gradescope() -> None:
    result = _json("gradescope", FAIR)
    assert result["score"] == 12.5 and result["execution_time"] == 12
    assert [t["number"] for t in result["tests"]] == ["1.1", "1.2", "1.3", "2.1", "2.2", "3.1", "3.2", "3.3"]
    assert [t["status"] for t in result["tests"]] == [*["passed", "failed", "passed"], *["failed"] * 2, *["passed"] * 3]
    assert "not your submission's fault" in result["tests"][1]["output"]
    assert result["leaderboard"] == [
        {"name": "vendi_score", "value": 6.1},
        {"name": "digit_accuracy %", "value": 91.2},
        {"name": "target_accuracy.usps-svhn %", "value": 60.0},
        {"name": "fd_efficientnet_lite0", "value": 200.0, "order": "asc"},
    ]
    assert "leaderboard" not in _json("gradescope", CHECKED)


def test_what_could_not_be_read_is_not_called_as_asked_for() -> None:
    empty = score(
        verdict("gan", "fail", measure("fid", "error", None, earned=0)), findings=(finding(problem=""),), empty=True
    )
    assert [(row.title, row.state) for row in outcomes(empty)] == [("submission", "fail"), ("gan: fid", "error")]
    assert outcomes(empty)[1].text.splitlines()[0] == "error: no weights here"
    assert outcomes(FAIR)[3].title == "acgan: folders, names and formats"


def test_classroom50_scales_parts_of_points() -> None:
    result = _json("classroom50", FAIR)
    assert (result["score"], result["max-score"]) == (25, 40) and result["datetime"] == "2026-11-22T10:30:05Z"
    assert result["owner"] == "ada" and result["review"] == RUNNER["COMMIT_URL"]
    assert sum(t["score"] for t in result["tests"]) == 25
    third = [verdict("a", "pass", measure("fid", points=1 / 3, earned=1 / 3))]
    assert whole_factor(outcomes(score(*third))) == 3
    odd = score(verdict("a", "pass", measure("fid", points=1 / 97, earned=0), measure("fid", points=1 / 89, earned=0)))
    assert whole_factor(outcomes(odd)) == 100


def test_classroom50_says_what_is_missing() -> None:
    with pytest.raises(
        UsageError, match="CLASSROOM, ASSIGNMENT, OWNER, SUBMISSION_TAG, COMMIT_URL, RELEASE_URL, REVIEW_URL"
    ):
        render("classroom50", FAIR, ABOUT)
    wrong = dataclasses.replace(ABOUT, environment=RUNNER | {"SUBMISSION_TAG": "v1"})
    with pytest.raises(UsageError, match=r"expected submit/…, found 'v1'"):
        render("classroom50", FAIR, wrong)
    actions = {
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_REPOSITORY": "o/r",
        "GITHUB_SHA": "abc",
        "GITHUB_ACTOR": "eve",
    }
    few = {name: RUNNER[name] for name in ("CLASSROOM", "ASSIGNMENT", "SUBMISSION_TAG")}
    told = json.loads(render("classroom50", FAIR, dataclasses.replace(ABOUT, environment=actions | few)))
    assert told["commit"] == "https://github.com/o/r/commit/abc" and told["owner"] == "eve"
    assert told["release"] == "https://github.com/o/r/releases/tag/submit%2F2026-11-22T10-30-05Z-0a1b2c3"


def test_legacy_classroom() -> None:
    result = _json("classroom-legacy", FAIR)
    assert result["status"] == "fail" and result["max_score"] == 20
    assert [t["score"] for t in result["tests"]] == [0, 0, 0, 0, 2.5, 0, 5, 5]
    assert "\n" not in render("classroom-legacy", FAIR, ABOUT).rstrip("\n")


def test_codabench_and_prairielearn() -> None:
    scores = _json("codabench", FAIR)
    assert scores["passed"] == 0 and scores["points"] == 12.5 and scores["acgan.digit_accuracy"] == 0.912
    assert "gan.fid" not in scores and _json("codabench", CHECKED)["errors"] == 1
    assert _json("prairielearn", FAIR)["gradable"] is True and _json("prairielearn", FAIR)["score"] == 0.625
    machine = score(verdict("gan", "skipped", measure("fid", "skipped", None, earned=0)))
    assert _json("prairielearn", machine)["gradable"] is False
    assert _json("prairielearn", EVIL)["gradable"] is False and _json("prairielearn", CLEAN)["score"] == 1


def test_json_is_the_record_itself() -> None:
    assert json.loads(render("json", FAIR, ABOUT)) == json.loads(FAIR.to_json())
    long = score(text=HOSTILE)
    assert json.loads(render("json", long, ABOUT))["notes"] == [HOSTILE]
