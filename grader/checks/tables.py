"""A csv of predictions: one row for each test image."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from grader.assignment import TableSpec
from grader.checks import rules
from grader.checks.rules import Rule
from grader.results import Finding
from grader.submission import Submission, Unreadable
from grader.text import EXAMPLES, are, have, listing, nearest, plural, printable

_ROW_BYTES = 64  # generous for a name and a label
_LEAST_LIMIT = 1 << 20
_LEAST_ROWS = 100_000  # that are read, however few images there are; a field is limited by the csv module
_LABEL = re.compile(r"0|[1-9][0-9]{0,8}")
Row = tuple[int, list[str]]  # line number and fields
_LIKENESS = 0.8  # less, and mnistm-usps.csv would pass for svhn-mnistm.csv
_NAMES_ADVICE = "Name the test images of the target domain, exactly as their files are named."
_DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "bars", " ": "spaces"}


@dataclass(frozen=True)
class CheckedTable:
    """Predictions that can be judged: a name with exactly one row and a valid label. `present`: there is a file.

    `answers`: under which name the true labels of the run are kept.
    """

    spec: TableSpec
    predictions: Mapping[str, int]
    findings: tuple[Finding, ...]
    present: bool
    answers: str = ""


def check_table(
    submission: Submission,
    spec: TableSpec,
    problem: str,
    answers: Mapping[str, int] | None,
    *,
    elsewhere: set[str],
    about: str = "",
) -> CheckedTable:
    """Checks one csv. `answers`: the true labels; None if they are not here, so that names can't be compared.

    about: the folder of the submission whose images have the rows; empty for a table about the course's test images.
    """
    report = _Report(spec, problem, about)
    entry = submission.entry(spec.path)
    if entry is None:
        if spec.required:
            _not_there(submission, report, elsewhere)
        return CheckedTable(spec, {}, tuple(report.findings), present=False)
    if entry.kind != "file":
        kind = f"a {entry.kind}"
        report.add(rules.NOT_A_FILE, f"{spec.path} is {kind}, not a file.", "a csv", kind, "Put the csv itself there.")
        return CheckedTable(spec, {}, tuple(report.findings), present=True)
    text = _text(submission, report)
    predictions: Mapping[str, int] = {}
    if text is not None:
        found = _rows(text, report)
        predictions = {} if found is None else _judge_rows(*found, answers, report)
    return CheckedTable(spec, predictions, tuple(report.findings), present=True)


@dataclass
class _Report:
    spec: TableSpec
    problem: str
    about: str = ""
    findings: list[Finding] = field(default_factory=list)

    def add(
        self,
        rule: Rule,
        message: str,
        expected: str,
        actual: str,
        help: str,
        *,
        path: str = "",
        examples: Sequence[str] = (),
        count: int = 0,
        line: int | None = None,
    ) -> None:
        self.findings.append(
            rule.finding(
                problem=self.problem,
                deliverable=self.spec.id,
                path=path or self.spec.path,
                message=message,
                expected=expected,
                actual=actual,
                help=help,
                count=count or len(examples) or 1,
                examples=list(examples),
                line=line,
            )
        )


def _not_there(submission: Submission, report: _Report, elsewhere: set[str]) -> None:
    """The file is absent: looks for a csv with a similar name, first in its folder, then at the top."""
    spec = report.spec
    folder, _, name = spec.path.rpartition("/")
    for place in (folder or ".", ".", *submission.folders(folder or ".")):
        prefix = "" if place == "." else f"{place}/"
        entries = submission.peek(place).values()
        files = [e.name for e in entries if e.kind == "file" and prefix + e.name not in elsewhere]
        tables = {f.lower(): f for f in files if f.lower().endswith((".csv", ".tsv", ".txt"))}
        near = tables.get(name.lower()) or tables.get(nearest(name, tables, _LIKENESS))
        if near is None:
            continue
        found = prefix + near
        rule, what = (rules.MISNAMED, "named") if place == (folder or ".") else (rules.MISPLACED, "at")
        report.add(
            rule,
            f"{spec.path} is not there; {printable(found)} is.",
            spec.path,
            found,
            f"If it holds these predictions, it must be {what} {spec.path}.",
            path=found,
        )
        return
    present = list(submission.peek(folder or "."))
    other = next((n for n in submission.peek(".") if n.lower() == folder.lower() and not present), "")
    report.add(
        rules.MISSING_DELIVERABLE,
        f"{spec.path} is not there.",
        f"a csv with the header {','.join(spec.columns)}",
        f"in {folder}/: {listing(present, 4)}" if present else _instead_of(submission, folder, other),
        f"Write the predictions for {_images_of(report)} there.",
    )


def _images_of(report: _Report) -> str:
    if report.about:
        return f"the images of {report.about}/"
    return f"the test images of {report.spec.answers.rpartition('/')[0] or 'the target'}"


def _instead_of(submission: Submission, folder: str, other: str) -> str:
    entry = submission.entry(other) if other else None
    if entry is None:
        return f"no folder {folder}/"
    return f"a {entry.kind} {printable(other)}" + ("" if entry.kind == "folder" else ", which is not followed")


def _text(submission: Submission, report: _Report) -> str | None:
    spec = report.spec
    try:
        content = submission.read(spec.path, max(_LEAST_LIMIT, _ROW_BYTES * spec.answers_count))
        if content.startswith((b"\xff\xfe", b"\xfe\xff")):
            raise Unreadable("it is UTF-16; save it as UTF-8")
        if b"\0" in content:
            raise Unreadable("it is not text (it holds zero bytes)")
        text = content.decode("utf-8")
    except Unreadable as e:
        report.add(rules.CSV_UNREADABLE, f"{spec.path} can't be read.", "a csv in UTF-8", str(e), "Write it again.")
        return None
    except UnicodeDecodeError as e:
        line = content.count(b"\n", 0, e.start) + 1
        actual = f"byte {e.start}, in line {line}, is not UTF-8"
        advice = "Save it with encoding='utf-8'."
        report.add(rules.CSV_UNREADABLE, f"{spec.path} is no UTF-8 text.", "a csv in UTF-8", actual, advice, line=line)
        return None
    if text.startswith("\ufeff"):
        advice = "Save it with encoding='utf-8', not 'utf-8-sig'."
        message = f"{spec.path} starts with a byte order mark."
        report.add(rules.CSV_BOM, message, "plain UTF-8", "a byte order mark", advice, line=1)
        text = text[1:]
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _rows(text: str, report: _Report) -> tuple[list[Row], list[Row]] | None:
    """The rows below the header with two columns, and those with another number; findings about all but the names.

    None for a text that is no csv.
    """
    spec = report.spec
    wanted = ",".join(spec.columns)
    first = text.split("\n", 1)[0]
    delimiter, skip = ",", True
    fields = _fields(first, ",")
    other = next((d for d in _DELIMITERS if first.count(d) == 1 and len(fields) == 1), None)
    if other is not None:
        delimiter = other
        message = f"{spec.path} is separated by {_DELIMITERS[other]}, not by commas."
        report.add(rules.CSV_DELIMITER, message, wanted, first, "Write it with the delimiter ','.", line=1)
        fields = _fields(first, other)
    swapped = tuple(fields) == spec.columns[::-1]
    if tuple(fields) != spec.columns:
        looks_like_row = len(fields) == 2 and _LABEL.fullmatch(fields[1].strip()) is not None
        skip = not looks_like_row
        what = "has no header line" if looks_like_row else "has another header"
        if swapped:
            what = "has its columns in the wrong order"
        if not first:
            what = "is empty" if not text.strip() else "begins with an empty line"
        advice = f"The first line must be exactly: {wanted}"
        report.add(rules.CSV_HEADER, f"{spec.path} {what}.", wanted, first or "nothing", advice, line=1)
    rows: list[Row] = []
    most = max(_LEAST_ROWS, 10 * spec.answers_count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for row in reader:
            if row:
                rows.append((reader.line_num, row))
            if len(rows) > most:
                raise csv.Error(f"it has more than {most} rows")
    except csv.Error as e:
        line = reader.line_num
        report.add(
            rules.CSV_UNREADABLE, f"{spec.path} is no csv.", "rows of two fields", str(e), "Write it again.", line=line
        )
        return None
    rows = rows[1:] if skip and rows and rows[0][0] == 1 else rows
    if swapped:  # judged as they are meant; the finding stands
        rows = [(line, row[::-1]) for line, row in rows]
    elif not first and rows and tuple(rows[0][1]) == spec.columns:
        rows = rows[1:]
    bad = [(line, row) for line, row in rows if len(row) != 2]
    if bad:
        line, row = bad[0]
        report.add(
            rules.CSV_ROW_SHAPE,
            f"{plural(len(bad), 'row')} of {spec.path} {have(len(bad))} another number of columns than two.",
            wanted,
            f"line {line}: {plural(len(row), 'column')}",
            "Write two columns; with pandas pass index=False.",
            count=len(bad),
            examples=[f"line {n}: {','.join(r)}" for n, r in bad[:EXAMPLES]],
            line=line,
        )
    return [(line, row) for line, row in rows if len(row) == 2], bad


def _fields(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return [line]


def _judge_rows(
    rows: Sequence[Row], shapeless: Sequence[Row], answers: Mapping[str, int] | None, report: _Report
) -> dict[str, int]:
    """Findings about names and labels; returns what can be judged."""
    spec = report.spec
    low, high = spec.labels
    times = Counter(name for _, (name, _) in rows)
    valid: dict[str, int] = {}
    bad: list[tuple[int, str, str]] = []
    for line, (name, label) in rows:
        if _LABEL.fullmatch(label) and low <= int(label) <= high:
            valid[name] = int(label)
        else:
            bad.append((line, name, label))
    if bad:
        line, name, label = bad[0]
        report.add(
            rules.CSV_BAD_LABEL,
            f"{plural(len(bad), 'label')} in {spec.path} can't be used: not a whole number from {low} to {high}.",
            f"a whole number from {low} to {high}",
            f"line {line}: {label!r}",
            _label_advice([label for _, _, label in bad], spec.labels),
            count=len(bad),
            examples=[f"line {n}: {a},{b}" for n, a, b in bad[:EXAMPLES]],
            line=line,
        )
    _judge_names(rows, times, shapeless, answers, report)
    wrong = {name for _, name, _ in bad}
    return {n: label for n, label in valid.items() if times[n] == 1 and n not in wrong}


def _label_advice(labels: Sequence[str], span: tuple[int, int]) -> str:
    """What to do about labels of one kind: blanks around a right number, or anything else."""
    bare = [label.strip() for label in labels]
    if all(_LABEL.fullmatch(label) and span[0] <= int(label) <= span[1] for label in bare):
        return "Write no blank before or after a label (',' and not ', ' between two fields)."
    return "Convert to int before writing; labels are compared as text."


def _judge_names(
    rows: Sequence[Row],
    times: Counter[str],
    shapeless: Sequence[Row],
    answers: Mapping[str, int] | None,
    report: _Report,
) -> None:
    spec = report.spec
    doubled = [name for name, n in times.items() if n > 1]
    if doubled:
        lines = [line for line, (name, _) in rows if name == doubled[0]]
        report.add(
            rules.CSV_DOUBLED_ROWS,
            f"{plural(len(doubled), 'image')} in {spec.path} {have(len(doubled))} more than one row.",
            "one row for each image",
            f"{printable(doubled[0])} in lines {listing([str(n) for n in lines])}",
            "Write each image once; one with several rows counts as wrong.",
            examples=doubled,
            line=lines[1],
        )
    if answers is None:
        return
    unknown = [(line, name) for line, (name, _) in rows if name not in answers]
    meant = {name: known for _, name in unknown if (known := _meant(name, answers))}
    whole = f"{report.about}/" if report.about else "the test set"
    advice = f"Name the images of {whole}, exactly as their files are named." if report.about else _NAMES_ADVICE
    if unknown:
        line, name = unknown[0]
        report.add(
            rules.CSV_UNKNOWN_ROWS,
            f"{plural(len(unknown), 'row')} of {spec.path} {are(len(unknown))} for no image of {whole}.",
            f"names such as {next(iter(answers))}",
            f"line {line}: {name}",
            f"Write {meant[name]} for {printable(name)}, and the others alike." if name in meant else advice,
            count=len(unknown),
            examples=[name for _, name in unknown[:EXAMPLES]],
            line=line,
        )
    # A row under a wrong name or with a column too many is one mistake, not two: its image isn't missing as well.
    covered = {*meant.values(), *(field for _, row in shapeless for field in row)}
    missing = [name for name in answers if name not in times and name not in covered]
    noun = "image" if report.about else "test image"
    if missing:
        report.add(
            rules.CSV_MISSING_ROWS,
            f"{len(missing)} of {plural(len(answers), noun)} {have(len(missing))} no row in {spec.path}.",
            f"{len(answers)} rows, one for each image",
            f"no row for {listing(missing)}",
            "Predict every image (a data loader with drop_last=True loses the last ones); a missing row is wrong.",
            examples=missing,
        )


def _meant(name: str, answers: Mapping[str, int]) -> str | None:
    """The test image that a wrong name was probably meant to be: a path, or a number without padding or extension."""
    bare = name.replace("\\", "/").rpartition("/")[2].strip()
    stem, _, ending = next(iter(answers)).rpartition(".")
    number = bare.rpartition(".")[0] or bare
    candidates = [bare, f"{bare}.{ending}", f"{number}.{ending}"]
    if number.isascii() and number.isdigit() and len(number) < 12:
        candidates.append(f"{int(number):0{len(stem)}d}.{ending}")
    return next((c for c in candidates if c in answers), None)
