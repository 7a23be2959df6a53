"""The files of a class: reports, grade books, pages."""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from grader.assignment import Assignment
from grader.batch.entries import Entry
from grader.batch.hiding import hide
from grader.batch.settlement import Settled, Settlement
from grader.documents import write_whole
from grader.errors import UsageError
from grader.platforms.gradebook import render as render_gradebook
from grader.platforms.grades import Class, Student, read_class
from grader.reporting.class_page import render_class, render_leaderboard
from grader.reporting.hidden import hide as without_data
from grader.reporting.html import render as render_page
from grader.reporting.outcomes import About
from grader.reporting.rebuilding import rebuilt
from grader.results import ScoreReport
from grader.text import number, printable, safe_name

_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # none that is taken for another one
_FORMS = ("canvas", "moodle")
_LONGEST = 1000  # characters of a name


def write_scores(entries: Iterable[Entry], out: Path, earlier: Iterable[str] = ()) -> None:
    """`scores/NAME.json`: each report as `grader score -o` would have written it.

    earlier: students of the runs before, whose files go where they are gone.
    """
    texts = {
        f"{safe_name(e.student)}.json": json.dumps(e.report, indent=2, allow_nan=False) + "\n"
        for e in entries
        if e.report
    }
    _fill(out / "scores", texts, earlier, ".json")


def write_gradebooks(
    entries: Sequence[Entry], settlement: Settlement, out: Path, roster: Path | None, manual: Path | None
) -> list[str]:
    """`gradebook-canvas.csv` and `-moodle.csv`, with the points after the policy; returns notes for a person."""
    kinds = {tuple(p["id"] for p in e.report["problems"]) for e in entries if e.report}
    if len(kinds) != 1:
        why = "no submission has a report" if not kinds else "not all submissions were graded on the same problems"
        return [f"There is no grade book: {why}."]
    names = {safe_name(e.student): e.student for e in entries if e.report}
    found = read_class(out / "scores", manual, roster, allow_skipped=True, names=names)
    students = found.students
    if not roster:
        listed = {s.id for s in students}
        students = sorted([*students, *(Student(e.student) for e in entries if e.student not in listed)], key=_id)
    measured = {e.student: {p["id"]: p["points"] for p in e.report["problems"]} for e in entries if e.report}
    for name, grade in found.grades.items():
        settled = settlement.students[name]
        for problem, points in settled.points.items():
            # What a report says of a problem that could not be finished counts nowhere, but is in the sum.
            by_hand = (grade.points[problem] or 0.0) - measured[name][problem]
            grade.points[problem] = None if points is None else points + by_hand
        grade.comments += [_told(a.problem, a.points, a.why) for a in settled.adjustments]
    # A folder's name may hold ends of lines, or bytes that no csv can.
    students = [replace(s, id=printable(s.id, _LONGEST)) for s in students]
    grades = {printable(name, _LONGEST): grade for name, grade in found.grades.items()}
    book = Class(found.assignment, found.most, students, grades)
    for form in _FORMS:
        write_whole(out / f"gradebook-{form}.csv", render_gradebook(book, form))
    return [note for note in found.notes if "no report" not in note or roster]


def _id(student: Student) -> str:
    return student.id


def _told(problem: str, points: float, why: str) -> str:
    change = f"{number(points)} points: " if points else ""
    return f"{problem + ': ' if problem else ''}{change}{why}"


def write_pages(
    entries: Sequence[Entry],
    settlement: Settlement,
    found: Mapping[str, Any],
    changes: Mapping[str, Any] | None,
    work: Assignment,
    out: Path,
    earlier: Iterable[str] = (),
    *,
    names: bool,
) -> None:
    """`index.html` and `reports/` for who grades; `leaderboard.html` and `feedback/` for students.

    earlier: as for `write_scores`.
    """
    about = About("", 0.0, datetime(2000, 1, 1, tzinfo=UTC), assignment=work, dated=False)
    called = {e.student: e.student for e in entries} if names else pseudonyms([e.student for e in entries], out)
    reports, feedback = {}, {}
    for entry in entries:
        if entry.report:
            settled, file = settlement.students[entry.student], f"{safe_name(entry.student)}.html"
            reports[file] = render_page(_settled(rebuilt(entry.report), settled), about)
            shown = without_data(rebuilt(hide(entry.report, settlement.hidden)))
            on_board = (f"On the leaderboard you are {called[entry.student]}.",)
            feedback[file] = render_page(_settled(shown, settled, on_board, settlement.hidden), about)
    _fill(out / "reports", reports, earlier, ".html")
    _fill(out / "feedback", feedback, earlier, ".html")
    write_whole(out / "leaderboard.html", render_leaderboard(found, called))
    write_whole(out / "index.html", render_class(found, changes))


def _settled(
    report: ScoreReport, settled: Settled, more: tuple[str, ...] = (), hidden: frozenset[str] = frozenset()
) -> ScoreReport:
    """The report with what the policy changed among its notes; without the points while measures are hidden."""
    steps = tuple(_told(a.problem, 0.0 if hidden else a.points, a.why) for a in settled.adjustments)
    return replace(report, notes=(*report.notes, *steps, *more))


def pseudonyms(students: Sequence[str], out: Path) -> dict[str, str]:
    """A name for each student that stays the same from run to run and tells nothing without the file `.secret`."""
    path = out / ".secret"
    try:
        secret = path.read_text(encoding="ascii").strip() if path.exists() else ""
        if not secret:
            secret = secrets.token_hex(32)
            write_whole(path, secret + "\n")
            path.chmod(0o600)
    except (OSError, ValueError) as e:
        raise UsageError(f"{path}, the key of the pseudonyms, can't be used: {e}.") from None
    found: dict[str, str] = {}
    for student in sorted(students):
        digest = hmac.digest(secret.encode(), student.encode("utf-8", "surrogateescape"), "sha256")
        letters = "".join(_LETTERS[b % len(_LETTERS)] for b in digest)
        size = 5
        while letters[:size] in found.values():
            size += 1
        found[student] = letters[:size]
    return found


def _fill(folder: Path, texts: Mapping[str, str], earlier: Iterable[str], suffix: str) -> None:
    """Makes a folder hold these files: only what changed is written, and those of students who are gone go.

    Other files stay: somebody may have named a folder that is in use.
    """
    folder.mkdir(exist_ok=True)
    for name in {f"{safe_name(student)}{suffix}" for student in earlier} - texts.keys():
        (folder / name).unlink(missing_ok=True)
    for name, text in texts.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            write_whole(path, text)
