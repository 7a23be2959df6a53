"""From measured points to those that count, against sums made by hand."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grader.assignment import Assignment, Policy
from grader.batch.entries import Entry
from grader.batch.papers import Contents, Papers, read_papers
from grader.batch.policy import counted, settle
from grader.batch.settlement import Settled, Settlement
from tests.batch.students import entry, homework

END = "2026-11-05T23:59:00+08:00"
POLICY = Policy(deadline=datetime.fromisoformat(END), late_days=1, late_penalty=0.2, late_most=4)
WORK = homework(POLICY)


def _times(folder: Path, *rows: str, head: str = "student,time") -> Path:
    path = folder / "times.csv"
    path.write_text("\n".join([head, *rows]) + "\n")
    return path


def _overrides(folder: Path, *tables: str) -> Path:
    path = folder / "overrides.toml"
    said = 'who = "Lin"\nwhen = 2026-11-20\nwhy = "a reason"\n'
    text = "".join(f"[[override]]\n{table}\n{'' if 'why' in table else said}\n" for table in tables)
    path.write_text(f'schema = "grader/overrides/1"\n{text}')
    return path


def _read(work: Assignment, times: Path | None, overrides: Path | None) -> Contents:
    return read_papers(Papers(times, overrides), work)


def _settle(
    entries: list[Entry], work: Assignment, times: Path | None = None, overrides: Path | None = None
) -> Settlement:
    return settle(entries, work, _read(work, times, overrides))


def _counted(entries: list[Entry], work: Assignment, times: Path) -> list[Entry]:
    return counted(entries, work, _read(work, times, None))


def _one(settled: Settled) -> tuple[float | None, float | None]:
    return settled.points["acgan"], settled.points["dann"]


# The deadline is 15:59:00 UTC. Of 15 and 9 points: a day is free, three cost a fifth each, then nothing counts.
@pytest.mark.parametrize(
    ("time", "points"),
    [
        ("2026-11-05T23:59:00+08:00", (15.0, 9.0)),
        ("2026-11-05T15:59:00+00:00", (15.0, 9.0)),
        ("2026-11-05T16:59:00+00:00", (15.0, 9.0)),  # an hour late is the first day
        ("2026-11-06T23:59:00+08:00", (15.0, 9.0)),
        ("2026-11-06T23:59:01+08:00", (12.0, 7.2)),
        ("2026-11-08T01:00:00+08:00", (9.0, 5.4)),
        ("2026-11-09T23:59:00+08:00", (6.0, 3.6)),
        ("2026-11-09T23:59:01+08:00", (0.0, 0.0)),
        ("2030-01-01T00:00:00Z", (0.0, 0.0)),
    ],
)
def test_lateness_costs_what_the_policy_says(tmp_path: Path, time: str, points: tuple[float, float]) -> None:
    found = _settle([entry("ada")], WORK, _times(tmp_path, f"ada,{time}")).students["ada"]
    assert _one(found) == points and found.before == {"acgan": 15.0, "dann": 9.0}


def test_a_second_time_gives_the_same_and_nothing_depends_on_order(tmp_path: Path) -> None:
    times = _times(tmp_path, f"ada,{END}", "bob,2026-11-07T00:00:00+08:00")
    class_ = [entry("bob", 10.0), entry("ada")]
    first, again = _settle(class_, WORK, times), _settle(class_[::-1], WORK, times)
    assert first == again and list(first.students) == ["ada", "bob"]


def test_what_could_not_be_finished_stays_open(tmp_path: Path) -> None:
    class_ = [entry("ada", None, 6.0), replace(entry("bob"), report=None, state="error")]
    found = _settle(class_, WORK, _times(tmp_path, "ada,2026-11-07T00:00:00+08:00", f"bob,{END}")).students
    assert _one(found["ada"]) == (None, 4.8) and _one(found["bob"]) == (None, None)


def test_verdicts_of_mixed_ages_settle() -> None:
    """One problem was graded again with another key, and one was not graded at all."""
    again = replace(entry("ada", 10.0), keys={"acgan": "new", "dann": "k"})
    report = {"problems": entry("bob").report["problems"][:1]}  # type: ignore[index]
    half = replace(entry("bob"), keys={"acgan": "new"}, report=report)
    found = _settle([again, half], WORK).students
    assert _one(found["ada"]) == (10.0, 9.0) and found["bob"].points == {"acgan": 15.0}


def test_decisions_change_what_they_say(tmp_path: Path) -> None:
    """By hand: a measure is set before the fifth for lateness, a problem after it; 15 → 12 → 10 - 2."""
    overrides = _overrides(
        tmp_path,
        'student = "ada"\nproblem = "acgan"\nadd = -2',
        'student = "ada"\nproblem = "acgan"\npoints = 10',
        'student = "ada"\nmeasure = "target_accuracy.usps-svhn"\npoints = 0',
        'student = "bob"\nextension_days = 2',
        'student = "eve"\nexcuse = true\nproblem = "dann"',
        'student = "mae"\nexcuse = true',
    )
    late = "2026-11-07T12:00:00+08:00"
    times = _times(tmp_path, *(f"{name},{late}" for name in ("ada", "bob", "eve", "mae")))
    found = _settle([entry(n) for n in ("ada", "bob", "eve", "mae")], WORK, times, overrides).students
    assert {name: _one(one) for name, one in found.items()} == {
        "ada": (8.0, 4.8),
        "bob": (15.0, 9.0),
        "eve": (12.0, None),
        "mae": (None, None),
    }
    steps = [(a.problem, a.points, a.who, a.when) for a in found["ada"].adjustments]
    assert steps == [
        ("acgan", -3.0, "", ""),
        ("acgan", -2.0, "Lin", "2026-11-20"),
        ("acgan", -2.0, "Lin", "2026-11-20"),
        ("dann", -3.0, "Lin", "2026-11-20"),
        ("dann", -1.2, "", ""),
    ]
    assert [(a.problem, a.why) for a in found["bob"].adjustments] == [("", "2 more days: a reason")]


def test_points_end_at_what_a_problem_can_give(tmp_path: Path) -> None:
    overrides = _overrides(
        tmp_path, 'student = "ada"\nproblem = "acgan"\nadd = 3', 'student = "ada"\nproblem = "dann"\nadd = -20'
    )
    found = _settle([entry("ada", 14.0)], WORK, None, overrides).students["ada"]
    assert _one(found) == (15.0, 0.0)
    assert [(a.points, a.why) for a in found.adjustments if not a.who] == [
        (-2.0, "no more than 15 points"),
        (11.0, "no less than 0"),
    ]


def test_a_person_may_end_what_the_machine_could_not(tmp_path: Path) -> None:
    overrides = _overrides(
        tmp_path,
        'student = "ada"\nproblem = "acgan"\npoints = 12',
        'student = "ada"\nproblem = "dann"\nadd = 1',
    )
    found = _settle([entry("ada", None, None)], WORK, None, overrides).students["ada"]
    assert _one(found) == (12.0, None)
    assert any("dann has no points yet" in note for note in found.notes)


def test_a_decision_for_an_earlier_hand_in_holds_and_is_told(tmp_path: Path) -> None:
    decision = 'student = "{}"\nproblem = "acgan"\npoints = 3\ndigest = "abababababab"'
    overrides = _overrides(tmp_path, decision.format("ada"), decision.format("bob"))
    class_ = [entry("ada", digest="cd" * 32), entry("bob")]
    found = _settle(class_, WORK, None, overrides).students
    assert [one.points["acgan"] for one in found.values()] == [3.0, 3.0]
    assert "made for an earlier hand-in" in "".join(found["ada"].notes) and not found["bob"].notes


def test_what_is_strange_is_told(tmp_path: Path) -> None:
    overrides = _overrides(tmp_path, 'student = "eve"\nextension_days = 2')
    found = _settle([entry("ada"), entry("bob")], WORK, _times(tmp_path, f"ada,{END}", f"eve,{END}"), overrides)
    notes = " ".join(found.notes)
    assert "1 student without a submission: eve" in notes and "doesn't have bob" in notes
    assert "wait for a submission of eve" in notes and not found.students["bob"].notes  # named once, with the others
    assert "no table of times" in _settle([entry("ada")], WORK).notes[0]
    without = homework(Policy(hidden=("digit_accuracy",)))
    told = _settle([entry("ada")], without, _times(tmp_path, "ada,2050-01-01T00:00:00Z"))
    assert "nothing counts as late" in told.notes[0] and _one(told.students["ada"]) == (15.0, 9.0)
    assert told.hidden == {"digit_accuracy"} and _settle([], WORK).students == {}


_ATTEMPTS = (
    "ada,2026-11-01T10:00:00Z,1,ada_1",
    "ada,2026-11-04T10:00:00Z,2,ada_2",
    "ada,2026-11-07T10:00:00Z,3,ada_3",
)


@pytest.mark.parametrize(
    ("attempts", "attempt", "counts", "points"),
    [
        (None, "last", "ada_3.zip", (9.0, 5.4)),  # two days late, of which the second costs two fifths
        (2, "last", "ada_2", (10.0, 9.0)),
        (1, "last", "ada_1.zip", (10.0, 6.0)),
        (None, "best", "ada_2", (10.0, 9.0)),
        (1, "best", "ada_1.zip", (10.0, 6.0)),
    ],
)
def test_the_attempt_that_counts(
    tmp_path: Path, attempts: int | None, attempt: Literal["last", "best"], counts: str, points: tuple[float, float]
) -> None:
    work = homework(replace(POLICY, attempts=attempts, attempt=attempt))
    times = _times(tmp_path, *_ATTEMPTS, head="student,time,attempt,submission")
    class_ = [
        entry("ada_3", 15.0, 9.0, source="ada_3.zip"),
        entry("ada_1", 10.0, 6.0, source="ada_1.zip"),
        entry("ada_2", 10.0, 9.0),
    ]
    late = replace(work, policy=replace(work.policy, late_penalty=0.4))
    found = _settle(class_, late, times)
    assert list(found.students) == ["ada"] and _one(found.students["ada"]) == points
    chosen = _counted(class_, late, times)
    assert [(e.student, e.source) for e in chosen] == [("ada", counts)]
    assert [e.source for e in _counted(chosen, late, times)] == [counts]  # a second time changes nothing


def test_an_attempt_too_many_leaves_points_open_and_says_which_one_counts(tmp_path: Path) -> None:
    work = homework(Policy(attempts=2))
    times = _times(tmp_path, "ada,2026-11-01T10:00:00Z,3", head="student,time,attempt")
    found = _settle([entry("ada")], work, times).students["ada"]
    assert _one(found) == (None, None) and "grade attempt 2 instead" in found.notes[0]
    rows = [f"ada,2026-11-0{day}T10:00:00Z" for day in (3, 1, 2)]
    assert _one(_settle([entry("ada")], work, _times(tmp_path, *rows)).students["ada"]) == (None, None)


def test_an_unfinished_attempt_is_not_the_best(tmp_path: Path) -> None:
    work = homework(Policy(attempt="best"))
    times = _times(tmp_path, *_ATTEMPTS[:2], head="student,time,attempt,submission")
    found = _settle([entry("ada_1", None), entry("ada_2", 5.0, 0.0)], work, times).students["ada"]
    assert _one(found) == (5.0, 0.0) and "could not be finished" in found.notes[0]


_WHY = st.sampled_from(["typo", "talked", "bonus"])
_CHANGES = st.one_of(
    st.tuples(st.just("points"), st.sampled_from(["acgan", "dann"]), st.integers(0, 9)),
    st.tuples(st.just("add"), st.sampled_from(["acgan", "dann"]), st.integers(-30, 30).filter(bool)),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(
    acgan=st.none() | st.floats(0, 15),
    dann=st.none() | st.floats(0, 9),
    hours=st.lists(st.integers(-50, 500), min_size=2, max_size=2).map(sorted),
    changes=st.lists(st.tuples(_CHANGES, _WHY), max_size=6, unique_by=lambda c: c[0][:2] if c[0][0] == "points" else c),
    data=st.data(),
)
def test_points_stay_within_their_problem(
    tmp_path: Path,
    acgan: float | None,
    dann: float | None,
    hours: list[int],
    changes: list[tuple[tuple[str, str, int], str]],
    data: st.DataObject,
) -> None:
    def final(tables: list[str], late: int) -> Settled:
        time = datetime.fromtimestamp(POLICY.deadline.timestamp() + 3600 * late).astimezone().isoformat()  # type: ignore[union-attr]
        one = _settle([entry("ada", acgan, dann)], WORK, _times(tmp_path, f"ada,{time}"), _overrides(tmp_path, *tables))
        return one.students["ada"]

    tables = [
        f'student = "ada"\nproblem = "{problem}"\n{kind} = {amount}\n'
        f'who = "Lin"\nwhen = 2026-11-20\nwhy = {json.dumps(why)}'
        for (kind, problem, amount), why in changes
    ]
    found = final(tables, hours[0])
    assert found == final(data.draw(st.permutations(tables)), hours[0])  # the order of the file says nothing
    later, plain, plain_later = final(tables, hours[1]), final([], hours[0]), final([], hours[1])
    for problem, most in (("acgan", 15), ("dann", 9)):
        points, measured = found.points[problem], found.before[problem]
        if points is None:
            assert measured is None
            continue
        assert 0 <= points <= most and (later.points[problem] or 0) <= points  # lateness never raises
        steps = sum(a.points for a in found.adjustments if a.problem == problem)
        assert points == pytest.approx((measured or 0) + steps, abs=1e-5)
        if measured is not None:
            assert (plain_later.points[problem] or 0) <= (plain.points[problem] or 0) <= measured + 1e-6


def test_decisions_about_nobody_are_named_and_stop_nothing(tmp_path: Path) -> None:
    overrides = _overrides(tmp_path, 'student = "adaa"\nextension_days = 1', 'student = "zz"\nexcuse = true')
    found = _settle([entry("ada")], WORK, None, overrides)
    assert "Decisions are about students who are not in the class: adaa (did you mean ada?), zz." in found.notes
    assert _one(found.students["ada"]) == (15.0, 9.0)


def test_who_stands_in_the_roster_is_known(tmp_path: Path) -> None:
    (tmp_path / "roster.csv").write_text("student\nada\neve\nzoe\n")
    (tmp_path / "manual.csv").write_text(
        'student,problem,title,points\nzoe,dann,"Problem 3, discussion",7\nxx,dann,"Problem 3, discussion",7\n'
    )
    overrides = _overrides(tmp_path, 'student = "eve"\nextension_days = 1')
    papers = Papers(None, overrides, tmp_path / "roster.csv", tmp_path / "manual.csv")
    found = settle([entry("ada"), entry("eev")], WORK, read_papers(papers, WORK))
    assert [note for note in found.notes if "no table" not in note] == [
        "Decisions wait for a submission of eve.",
        "Points by hand wait for a submission of zoe.",
        "Points by hand are about students who are not in the class: xx.",
        "The roster has 2 students without a submission: eve, zoe.",
        "The roster doesn't have eev (did you mean eve?).",
        "ada, eev: no points by hand for 7 rows, counted as 0.",
    ]


def test_what_is_excused_leaves_a_total_of_the_rest(tmp_path: Path) -> None:
    overrides = _overrides(tmp_path, 'student = "ada"\nproblem = "dann"\nexcuse = true')
    found = _settle([entry("ada"), entry("bob", None)], WORK, None, overrides).students
    most = {"acgan": 15.0, "dann": 9.0}
    assert (found["ada"].total(most), found["ada"].most(most)) == (15.0, 15.0)
    assert (found["bob"].total(most), found["bob"].most(most)) == (None, 24.0)
    assert found["ada"].told((), most)[-1] == "dann doesn't count: the sum is of 15 points"
    everything = _overrides(tmp_path, 'student = "ada"\nexcuse = true')
    assert _settle([entry("ada")], WORK, None, everything).students["ada"].total(most) is None


def test_students_read_what_is_meant_for_them(tmp_path: Path) -> None:
    """Reasons may be private; who decided and when is for those who grade."""
    said = 'who = "Lin"\nwhen = 2026-11-20\nwhy = "a doctor\'s note"\n'
    overrides = _overrides(
        tmp_path,
        f'student = "ada"\nextension_days = 2\n{said}',
        f'student = "ada"\nproblem = "acgan"\nadd = -2\n{said}',
        f'student = "ada"\nproblem = "dann"\npoints = 5\n{said}told = "as we agreed"\n',
        f'student = "ada"\nmeasure = "target_accuracy.usps-svhn"\npoints = 1\n{said}',
    )
    times = _times(tmp_path, "ada,2026-11-08T12:00:00+08:00")
    settled = _settle([entry("ada")], WORK, times, overrides).students["ada"]
    assert settled.told((), {}) == [
        "2 more days",
        "1 day late; the first one costs nothing",
        "acgan: -2 points: a decision of the course",
        "dann: -2 points: target_accuracy.usps-svhn set to 1",
        "dann: -2 points: set to 5: as we agreed",
    ]
    lines = [a.line(student=False) for a in settled.adjustments]
    assert lines[0] == "2 more days: a doctor's note (Lin, 2026-11-20)"
    assert all("a doctor's note (Lin, 2026-11-20)" in line for line in lines if "late" not in line)
    # While a measure is hidden, nothing is told of its problem that could depend on it.
    assert settled.told(("dann",), {})[2:] == [
        "acgan: -2 points: a decision of the course",
        "dann: its points are open while a measure of it is hidden",
    ]
