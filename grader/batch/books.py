"""The grade books of a class: what counts after the policy, in the forms that course platforms take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from grader.assignment import Assignment
from grader.batch.entries import Entry
from grader.batch.overrides import most_points
from grader.batch.papers import Contents, hand_rows
from grader.batch.settlement import Settled, Settlement, graded_problems
from grader.documents import write_whole
from grader.platforms.gradebook import render
from grader.platforms.grades import NAMED, Class, Grade, Student, comment_of
from grader.text import are, listing, printable

FORMS = ("canvas", "moodle")
_LONGEST = 1000  # characters of a name


def maxima(entries: Sequence[Entry], work: Assignment, papers: Contents) -> dict[str, float]:
    """What each problem of the class can give, with points by hand where the course gives any."""
    found = {p.id: most_points(p) for p in work.problems if p.id in graded_problems(entries, work)}
    for (problem, _), most in hand_rows(work).items() if papers.given is not None else ():
        if problem in found:
            found[problem] += most
    return found


def write_books(
    entries: Sequence[Entry], settlement: Settlement, work: Assignment, papers: Contents, out: Path
) -> list[str]:
    """`gradebook-canvas.csv` and `-moodle.csv`; returns notes for a person.

    Where there is nothing to write, those of an earlier join go: their points hold no more.
    """
    if not any(e.report for e in entries):
        for form in FORMS:
            book_path(out, form).unlink(missing_ok=True)
        return ["There is no grade book: no submission has a report."]
    most, closed = maxima(entries, work, papers), settlement.closed(work)
    grades = {e.student: _grade(settlement.students[e.student], most, closed) for e in entries if e.report}
    for given in papers.given or ():
        if given.comment and given.student in grades:
            grades[given.student].comments.insert(0, comment_of(given))
    students = [replace(s, id=_shown(s.id)) for s in _everybody(entries, papers)]
    book = Class(work.id, most, students, {_shown(name): grade for name, grade in grades.items()})
    for form in FORMS:
        write_whole(book_path(out, form), render(book, form))
    return _notes(entries, settlement, most, [p for p in closed if p in most])


def book_path(out: Path, form: str) -> Path:
    """Where a grade book lies."""
    return out / f"gradebook-{form}.csv"


def _shown(name: str) -> str:
    # A folder's name may hold ends of lines, or bytes that no csv can.
    return printable(name, _LONGEST)


def _everybody(entries: Sequence[Entry], papers: Contents) -> list[Student]:
    """The roster in its order, then whoever isn't in it."""
    roster = list(papers.roster or ())
    listed = {s.id for s in roster}
    return roster + [Student(name) for name in sorted(e.student for e in entries) if name not in listed]


def _grade(settled: Settled, most: Mapping[str, float], closed: Sequence[str]) -> Grade:
    """Cells of problems with a hidden measure stay empty: students see a book once it is on the platform."""
    points = {p: None if p in closed else settled.final(p) for p in most}
    return Grade(points, settled.told(closed, most), settled.excused)


def _notes(
    entries: Sequence[Entry], settlement: Settlement, most: Mapping[str, float], closed: Sequence[str]
) -> list[str]:
    notes = []
    for problem in most:
        if lacking := [e.student for e in entries if e.report and problem not in settlement.students[e.student].points]:
            names = listing(lacking, NAMED)
            notes.append(f"{problem} was not graded for {names}: it and the sum stay empty in the grade books.")
    if closed:
        measures, problems = sorted(settlement.hidden), " and ".join(closed)
        notes.append(
            f"While {', '.join(measures)} {are(len(measures))} hidden, {problems} and the sum stay empty in the grade "
            "books, which students see once they are uploaded. The class page has all points."
        )
    if excused := [e.student for e in entries if settlement.students[e.student].excused]:
        notes.append(f"Sums of {listing(excused, NAMED)} are of fewer points, since something was excused.")
    return notes
