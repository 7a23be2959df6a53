"""A csv with the losses of a training: its columns are there, its steps go up, its numbers are numbers."""

from __future__ import annotations

import csv
import io
import math
import posixpath
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from grader.assignment import LogSpec
from grader.checks import rules
from grader.checks.rules import Rule
from grader.results import Finding
from grader.submission import Submission, Unreadable
from grader.text import EXAMPLES, are, bare, have, listing, plural, printable

_LARGEST = 16 * 2**20  # bytes
_MOST_ROWS = 200_000
_STEP = re.compile(r"(0|[1-9][0-9]{0,14})(\.0+)?")  # pandas writes 100.0 where a column has gaps elsewhere
_LONGEST = 60  # characters of a number
Row = tuple[int, list[str]]  # line number and fields


def check_log(submission: Submission, spec: LogSpec, problem: str, *, elsewhere: Collection[str] = ()) -> list[Finding]:
    """Findings about one log; none where it is optional and absent. `elsewhere`: the places of other things."""
    report = _Report(spec, problem)
    entry = submission.entry(spec.path)
    if entry is None:
        if spec.required:
            _not_there(submission, report, elsewhere)
    elif entry.kind != "file":
        kind = f"a {entry.kind}"
        report.add(rules.NOT_A_FILE, f"{spec.path} is {kind}, not a file.", "a csv", kind, "Put the csv itself there.")
    else:
        _read(submission, report)
    return report.findings


def _not_there(submission: Submission, report: _Report, elsewhere: Collection[str]) -> None:
    """The log is absent: names one beside it that is spelled otherwise, or says so: `with_log.csv` for `with.csv`."""
    path = report.spec.path
    folder, name = posixpath.split(path)
    files = [e.name for e in submission.peek(folder or ".").values() if e.kind == "file"]
    near = [
        posixpath.join(folder, f) for f in files if f.lower().endswith((".csv", ".txt")) and _stem(f) == _stem(name)
    ]
    if near := sorted(set(near) - set(elsewhere)):
        message, help = f"{path} is not there; {printable(near[0])} is.", f"If it is this log, rename it to {path}."
        report.add(rules.MISNAMED, message, path, near[0], help)
        return
    wanted = f"a csv with the columns {','.join(report.spec.columns)}"
    help = "Write the losses there while training."
    report.add(rules.MISSING_DELIVERABLE, f"{path} is not there.", wanted, "no such file", help)


def _stem(name: str) -> str:
    """What a log's name says beyond being one."""
    stem = bare(posixpath.splitext(name)[0])
    return re.sub("logs?|loss(es)?", "", stem) or stem


@dataclass
class _Report:
    spec: LogSpec
    problem: str
    findings: list[Finding] = field(default_factory=list)

    def add(
        self,
        rule: Rule,
        message: str,
        expected: str,
        actual: str,
        help: str,
        *,
        examples: Sequence[str] = (),
        count: int = 0,
        line: int | None = None,
    ) -> None:
        self.findings.append(
            rule.finding(
                problem=self.problem,
                deliverable=self.spec.id,
                path=self.spec.path,
                message=message,
                expected=expected,
                actual=actual,
                help=help,
                count=count or len(examples) or 1,
                examples=list(examples),
                line=line,
            )
        )


def _read(submission: Submission, report: _Report) -> None:
    spec = report.spec
    try:
        content = submission.read(spec.path, _LARGEST)
        if b"\0" in content:
            raise Unreadable("it is not text (it holds zero bytes)")
        text = content.decode("utf-8-sig")
        rows = _rows(text)
    except UnicodeDecodeError as e:
        report.add(
            rules.CSV_UNREADABLE,
            f"{spec.path} is no UTF-8 text.",
            "a csv in UTF-8",
            f"byte {e.start} is not UTF-8",
            "Save it with encoding='utf-8'.",
        )
        return
    except (Unreadable, csv.Error) as e:
        advice = "Write it again, with encoding='utf-8' and nothing but names and numbers between the commas."
        report.add(rules.CSV_UNREADABLE, f"{spec.path} can't be read.", "a csv in UTF-8", str(e), advice)
        return
    header = [name.strip() for name in rows[0][1]] if rows else []
    if wrong := [name for name in spec.columns if header.count(name) != 1]:
        message = f"{spec.path} has no column {listing(wrong)}." if rows else f"{spec.path} is empty."
        if any(name in header for name in wrong):
            message = f"{spec.path} has a column twice: {listing(wrong)}."
        actual = printable(",".join(header)) or "nothing"
        advice = f"The first line must name these columns, separated by commas: {','.join(spec.columns)}"
        report.add(rules.LOG_COLUMNS, message, ",".join(spec.columns), actual, advice, examples=wrong, line=1)
        return
    _judge(rows[1:], header, report)


def _rows(text: str) -> list[Row]:
    """The rows that aren't empty, the header first. Raises csv.Error, or Unreadable for far too many."""
    reader = csv.reader(io.StringIO(text, newline=""))
    found: list[Row] = []
    for row in reader:
        if row:
            found.append((reader.line_num, row))
        if len(found) > _MOST_ROWS:
            raise Unreadable(f"it has more than {_MOST_ROWS} rows; log every hundredth step")
    return found


def _judge(rows: list[Row], header: list[str], report: _Report) -> None:
    spec = report.spec
    places = [header.index(name) for name in spec.columns]
    steps: list[tuple[int, int]] = []  # line and step
    bad: list[Row] = []
    infinite: tuple[int, int, str] | None = None
    for line, row in rows:
        values = [row[place].strip() for place in places] if len(row) == len(header) else []
        numbers = [_number(value) for value in values[1:]]
        if not values or not _STEP.fullmatch(values[0]) or None in numbers:
            bad.append((line, row))
            continue
        step = int(values[0].partition(".")[0])
        steps.append((line, step))
        if infinite is None and not all(n is not None and math.isfinite(n) for n in numbers):
            infinite = line, step, ",".join(values)
    if bad:
        _bad_rows(bad, report)
    back = [(line, step, before) for (_, before), (line, step) in pairwise(steps) if step <= before]
    if back:
        line, step, before = back[0]
        told = [f"line {n}: {now} after {then}" for n, now, then in back[:EXAMPLES]]
        message = f"{plural(len(back), 'step')} in {spec.path} {are(len(back))} no larger than the one before."
        advice = "Write one run into a file, from its first step on; open it anew instead of appending."
        report.add(
            rules.LOG_ORDER,
            message,
            "steps that only grow",
            f"{step} after {before}",
            advice,
            examples=told,
            count=len(back),
            line=line,
        )
    if len(rows) < spec.least:
        message = f"{spec.path} has {plural(len(rows), 'row')} below its header."
        report.add(
            rules.LOG_TOO_SHORT,
            message,
            f"at least {spec.least} rows",
            f"{len(rows)}",
            "Write a row every few hundred steps, not at the end alone.",
        )
    if infinite is not None:
        line, step, text = infinite
        message = f"From step {step} on, losses in {spec.path} are not finite."
        advice = (
            "Lower the learning rate, take losses of logits, or clip gradients; nothing was learnt after that step."
        )
        report.add(rules.LOG_NOT_FINITE, message, "finite numbers", text, advice, line=line)


def _bad_rows(bad: list[Row], report: _Report) -> None:
    line, row = bad[0]
    report.add(
        rules.LOG_VALUES,
        f"{plural(len(bad), 'row')} of {report.spec.path} {have(len(bad))} no numbers where they are asked for.",
        f"a whole number for {report.spec.columns[0]}, numbers for {', '.join(report.spec.columns[1:])}",
        f"line {line}: {','.join(row)}",
        "Write plain numbers, with loss.item(), and as many as the header has columns.",
        count=len(bad),
        examples=[f"line {n}: {','.join(r)}" for n, r in bad[:EXAMPLES]],
        line=line,
    )


def _number(text: str) -> float | None:
    """A number, NaN and infinity among them; None for anything else."""
    try:
        # float takes digits of every script, and underscores; nobody else does.
        return float(text) if len(text) <= _LONGEST and "_" not in text and text.isascii() else None
    except ValueError:
        return None
