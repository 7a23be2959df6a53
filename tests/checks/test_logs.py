"""A log of losses: its columns, its steps, its numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.assignment import LogSpec
from grader.checks.logs import check_log
from grader.submission import open_submission

SPEC = LogSpec("log", "losses.csv", ("step", "generator", "discriminator"), 2, True)
GOOD = "step,generator,discriminator\n0,1.5,0.7\n100,1.25,0.6\n"


def _found(top: Path, content: str | bytes, spec: LogSpec = SPEC) -> list[tuple[str, int, str]]:
    (top / "losses.csv").write_bytes(content if isinstance(content, bytes) else content.encode())
    with open_submission(top) as view:
        return [(f.rule, f.count, f.actual) for f in check_log(view, spec, "variants")]


@pytest.mark.parametrize(
    "content",
    [
        GOOD,
        GOOD.replace("\n", "\r\n"),
        "\ufeff" + GOOD,
        GOOD + "\n\n",
        "time,discriminator,step,generator\n1,0.7,0,1\n2,0.6,10,-1e-3\n",  # other columns, another order
        "step, generator, discriminator\n0, 1, 2\n5, 1, 2\n",
        "step,generator,discriminator\n0.0,1,2\n100.0,1,2\n",
    ],
)
def test_good_logs(content: str, tmp_path: Path) -> None:
    assert _found(tmp_path, content) == []


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("", ("log-columns", 3, "nothing")),
        ("step,loss\n0,1\n", ("log-columns", 2, "step,loss")),
        ("step;generator;discriminator\n0;1;2\n", ("log-columns", 3, "step;generator;discriminator")),
        ("step,generator,generator,discriminator\n", ("log-columns", 1, "step,generator,generator,discriminator")),
        ("step,generator,discriminator\n", ("log-too-short", 1, "0")),
        (GOOD.replace("100,", "one hundred,"), ("log-values", 1, "line 3: one hundred,1.25,0.6")),
        (GOOD.replace("100,", "-100,"), ("log-values", 1, "line 3: -100,1.25,0.6")),
        (GOOD.replace("100,", "1e2,"), ("log-values", 1, "line 3: 1e2,1.25,0.6")),
        (GOOD.replace("1.25", ""), ("log-values", 1, "line 3: 100,,0.6")),
        (GOOD.replace("1.25", "\u0661"), ("log-values", 1, "line 3: 100,\u0661,0.6")),
        (GOOD.replace(",0.6", ""), ("log-values", 1, "line 3: 100,1.25")),
        (GOOD.replace("1.25", "1_0"), ("log-values", 1, "line 3: 100,1_0,0.6")),
        (GOOD.replace("100,", "0,"), ("log-order", 1, "0 after 0")),
        (GOOD + "50,1,1\n60,1,1\n55,1,1\n", ("log-order", 2, "50 after 100")),
        (GOOD.replace("1.25", "NaN"), ("log-not-finite", 1, "100,NaN,0.6")),
        (GOOD.replace("1.5", "-inf"), ("log-not-finite", 1, "0,-inf,0.7")),
        (GOOD.replace("1.5", "1e999"), ("log-not-finite", 1, "0,1e999,0.7")),
        (b"\xff\xfe" + GOOD.encode("utf-16-le"), ("csv-unreadable", 1, "it is not text (it holds zero bytes)")),
        (GOOD.encode() + b"\xe9", ("csv-unreadable", 1, "byte 52 is not UTF-8")),
    ],
)
def test_bad_logs(content: str | bytes, found: tuple[str, int, str], tmp_path: Path) -> None:
    assert _found(tmp_path, content) == [found]


def test_hostile_logs(tmp_path: Path) -> None:
    (found,) = _found(tmp_path, GOOD + "200,<script>\x1b[31m" + "9" * 100_000 + ",1\n")
    assert found[0] == "log-values" and "\x1b" not in found[2] and len(found[2]) < 500
    (found,) = _found(tmp_path, "step,generator,discriminator\n" + "".join(f"{i},1,1\n" for i in range(200_001)))
    assert found == ("csv-unreadable", 1, "it has more than 200000 rows; log every hundredth step")
    (found,) = _found(tmp_path, 'step,generator,discriminator\n0,"' + "1" * 200_000 + '",2\n1,1,1\n')
    assert found[0] == "csv-unreadable"
    assert [rule for rule, _, _ in _found(tmp_path, GOOD + "9" * 5000 + ",1,1\n")] == ["log-values"]


def test_absent_and_strange_files(tmp_path: Path) -> None:
    with open_submission(tmp_path) as view:
        (finding,) = check_log(view, SPEC, "variants")
        assert (finding.rule, finding.expected) == (
            "missing-deliverable",
            "a csv with the columns step,generator,discriminator",
        )
        assert check_log(view, LogSpec("log", "losses.csv", SPEC.columns, 2, False), "variants") == []
    (tmp_path / "losses.csv").mkdir()
    with open_submission(tmp_path) as view:
        assert [f.rule for f in check_log(view, SPEC, "variants")] == ["not-a-regular-file"]
    (tmp_path / "losses.csv").rmdir()
    (tmp_path / "losses.csv").symlink_to("/etc/passwd")
    with open_submission(tmp_path) as view:
        assert [f.rule for f in check_log(view, SPEC, "variants")] == ["not-a-regular-file"]


@pytest.mark.parametrize("content", [GOOD.encode("utf-16"), b'step,generator,discriminator\n0,"' + b"1" * 200_000])
def test_what_can_not_be_read_comes_with_a_remedy(content: bytes, tmp_path: Path) -> None:
    (tmp_path / SPEC.path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / SPEC.path).write_bytes(content)
    with open_submission(tmp_path) as view:
        (found,) = check_log(view, SPEC, "variants")
    assert found.help.startswith("Write it again, with encoding='utf-8'")
