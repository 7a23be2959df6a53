"""Two runs: bytes, then measures as printed; and what that does to points."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from grader.checks import rules
from grader.results import BaselineResult, MeasureResult, ScoreReport, Verdict
from grader.running.comparing import Difference, compare_folders, compare_measures
from grader.running.findings import difference_finding
from grader.running.points import with_runs


def _folders(tmp_path: Path, first: dict[str, bytes], second: dict[str, bytes]) -> tuple[Path, Path]:
    for name, files in (("first", first), ("second", second)):
        (tmp_path / name).mkdir()
        for path, content in files.items():
            (tmp_path / name / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / path).write_bytes(content)
    return tmp_path / "first", tmp_path / "second"


def test_equal_folders(tmp_path: Path) -> None:
    files = {"gan/1.png": b"one", "gan/2.png": b"x" * 3_000_000}
    assert compare_folders(*_folders(tmp_path, files, files)) is None


def test_the_first_difference_is_named(tmp_path: Path) -> None:
    first = {"a": b"same", "b/1": b"x" * 2_000_000 + b"1", "b/2": b"1", "c": b"abc", "d": b""}
    second = {"a": b"same", "b/1": b"x" * 2_000_000 + b"2", "c": b"abcd", "d": b"", "e": b""}
    found = compare_folders(*_folders(tmp_path, first, second))
    assert found == Difference(
        "b/1",
        "differs from byte 2000000 on",
        4,
        6,
        (
            "b/1 differs from byte 2000000 on",
            "b/2 was written by the first run only",
            "c differs from byte 3 on",
            "e was written by the second run only",
        ),
    )


def test_only_some_paths(tmp_path: Path) -> None:
    folders = _folders(tmp_path, {"gan/1": b"1", "ganymede": b"1"}, {"gan/1": b"1", "ganymede": b"2"})
    assert compare_folders(*folders, ("gan",)) is None and compare_folders(*folders, ("gan", "ganymede")) is not None


def _measure(id: str, metric: str, value: float | None) -> MeasureResult:
    baselines = (BaselineResult("simple", 0.7, "ge", 10, True, 10, False),)
    return MeasureResult(id, metric, "d", "pass", "", value, None, 10, None, baselines, {}, {})


def _verdict(*measures: MeasureResult) -> Verdict:
    points = sum(m.points for m in measures)
    return Verdict("acgan", "ACGAN", "pass", points, points, points, measures, ())


def test_measures_are_compared_as_printed() -> None:
    first = _verdict(_measure("digit_accuracy", "digit_accuracy", 0.91))
    assert compare_measures(first, _verdict(_measure("digit_accuracy", "digit_accuracy", 0.9100000001))) == []
    told = compare_measures(first, _verdict(_measure("digit_accuracy", "digit_accuracy", 0.92)))
    assert told == ["digit_accuracy 91.00 % and 92.00 %"]
    assert compare_measures(first, _verdict()) == ["digit_accuracy 91.00 % and none"]
    assert compare_measures(_verdict(), first) == ["digit_accuracy none and 91.00 %"]
    nothing = _verdict(_measure("fid", "fid", None))
    assert compare_measures(nothing, nothing) == []


REPORT = ScoreReport(
    "hw",
    "",
    "",
    (_verdict(_measure("digit_accuracy", "digit_accuracy", 0.91)),),
    (),
)


def test_a_penalty_is_taken_off() -> None:
    finding = difference_finding("acgan", Difference("acgan/1.png", "differs from byte 3 on", 1, 2), ["a 1 and 2"], 0.5)
    assert "1 of 2 files differ" in finding.message and "takes 50% of the problem's points off" in finding.message
    report = with_runs(REPORT, [finding], (), {"acgan": 0.5})
    verdict = report.problems[0]
    assert (report.points, verdict.points, verdict.would_earn, verdict.max_points) == (5, 5, 10, 10)
    assert verdict.state == "pass" and verdict.findings == (finding,)
    assert verdict.points == sum(m.points for m in verdict.measures)


def test_equal_measures_cost_nothing() -> None:
    finding = difference_finding("acgan", Difference("a", "differs from byte 3 on", 1, 2), [], 0.5)
    assert "the measures are equal as printed" in finding.message and "points off" not in finding.message


def test_what_a_stopped_script_wrote_earns_nothing() -> None:
    finding = rules.RUN_TIMED_OUT.finding(problem="acgan", path="a.sh", message="m", expected="e", actual="a", help="h")
    report = with_runs(REPORT, [finding], {("acgan", "d")}, {})
    assert (report.points, report.state, report.problems[0].would_earn) == (0, "fail", 10)
    assert report.problems[0].measures[0].state == "fail"
    assert with_runs(REPORT, [finding], {("acgan", "other")}, {}).points == 10


def test_findings_without_a_problem_are_the_reports() -> None:
    finding = rules.RUN_FAILED.finding(path="a.sh", message="m", expected="e", actual="a", help="h")
    report = with_runs(REPORT, [finding, replace(finding, problem="acgan")], (), {})
    assert len(report.findings) == 1 and len(report.problems[0].findings) == 1 and report.state == "pass"
