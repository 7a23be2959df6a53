"""The files of a class: reports and pages."""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from grader.assignment import Assignment
from grader.batch.books import FORMS, book_path
from grader.batch.entries import Entry
from grader.batch.hiding import hide, without_telling
from grader.batch.settlement import Settled, Settlement
from grader.documents import clear_half_written, write_whole
from grader.errors import UsageError
from grader.reporting.class_page import render_class, render_leaderboard
from grader.reporting.hidden import hide as without_data
from grader.reporting.html import render as render_page
from grader.reporting.outcomes import About, Final
from grader.reporting.rebuilding import rebuilt
from grader.results import ScoreReport
from grader.text import number, safe_name

_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # none that is taken for another one


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


@dataclass(frozen=True)
class Joined:
    """What the pages show: the entries that count, what they settle to, and `class.json`.

    most: what each problem can give. by_hand: with points of a person.
    """

    entries: Sequence[Entry]
    settlement: Settlement
    found: Mapping[str, Any]
    most: Mapping[str, float]
    by_hand: bool


def write_pages(
    joined: Joined,
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
    students = [e.student for e in joined.entries]
    called = {name: name for name in students} if names else pseudonyms(students, out)
    reports, feedback = {}, {}
    for entry in joined.entries:
        if entry.report:
            file = f"{safe_name(entry.student)}.html"
            reports[file] = _report(entry, joined, work)
            feedback[file] = _feedback(entry, joined, work, called[entry.student])
    _fill(out / "reports", reports, earlier, ".html")
    _fill(out / "feedback", feedback, earlier, ".html")
    shown = without_telling(joined.found, joined.settlement.closed(work))
    write_whole(out / "leaderboard.html", render_leaderboard(shown, called))
    books = [form for form in FORMS if book_path(out, form).exists()]
    write_whole(out / "index.html", render_class(joined.found, changes, books))


def _report(entry: Entry, joined: Joined, work: Assignment) -> str:
    """The page for who grades: every step with who, when and why."""
    assert entry.report is not None
    settled, report = joined.settlement.students[entry.student], rebuilt(entry.report)
    steps = [a.line(student=False) for a in settled.adjustments] + _by_hand(settled) + list(settled.notes)
    return render_page(_noted(report, steps), _about(work, settled.total(joined.most), settled, joined))


def _feedback(entry: Entry, joined: Joined, work: Assignment, called: str) -> str:
    """The page for the student: nothing of hidden measures, and of decisions only what was meant for students."""
    assert entry.report is not None
    settled, closed = joined.settlement.students[entry.student], joined.settlement.closed(work)
    shown = without_data(rebuilt(hide(entry.report, joined.settlement.hidden)))
    open_ = any(p in closed and p not in settled.excused for p in joined.most)
    steps = settled.told(closed, joined.most) + ([] if open_ else _by_hand(settled))
    total = None if open_ else settled.total(joined.most)
    report = _noted(shown, [*steps, f"On the leaderboard you are {called}."])
    return render_page(report, _about(work, total, settled, joined))


def _about(work: Assignment, total: float | None, settled: Settled, joined: Joined) -> About:
    final = Final(total, settled.most(joined.most), joined.by_hand)
    return About("", 0.0, datetime(2000, 1, 1, tzinfo=UTC), assignment=work, dated=False, final=final)


def _by_hand(settled: Settled) -> list[str]:
    return [f"{problem}: {number(points)} points by hand" for problem, points in sorted(settled.by_hand.items())]


def _noted(report: ScoreReport, notes: Iterable[str]) -> ScoreReport:
    """The report with more notes, first what the policy changed: a page shows so many notes and no more."""
    return replace(report, notes=(*notes, *report.notes))


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
    clear_half_written(folder)
    for name in {f"{safe_name(student)}{suffix}" for student in earlier} - texts.keys():
        (folder / name).unlink(missing_ok=True)
    for name, text in texts.items():
        path = folder / name
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            write_whole(path, text)
