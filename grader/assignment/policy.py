"""Reads the course's policy: when it is due, what lateness costs, which attempt counts, what stays hidden."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Literal, cast

from grader.assignment.model import Policy
from grader.assignment.toml import Section
from grader.text import did_you_mean

_LATE = ("late_days", "late_penalty", "late_most")


def read_policy(section: Section, measures: Collection[str]) -> Policy:
    """The table [policy]; measures: ids of all measures, which `hidden` names some of."""
    deadline = _deadline(section)
    for name in _LATE:
        if name in section.values and deadline is None:
            section.fail("has no use without 'deadline', which lateness is counted from", name)
    free = section.count("late_days", 0)
    most = section.count("late_most") if "late_most" in section.values else None
    if most is not None and most < free:
        section.fail(f"expected at least late_days, {free}: days without cost are days that count", "late_most")
    attempts = section.count("attempts") if "attempts" in section.values else None
    if attempts == 0:
        section.fail("expected how many attempts count, 1 or more; without the key all of them do", "attempts")
    policy = Policy(
        _share(section, "reproducibility_penalty"),
        deadline,
        free,
        _share(section, "late_penalty"),
        most,
        attempts,
        cast(Literal["last", "best"], section.choice("attempt", ["last", "best"], "last")),
        _hidden(section, measures),
    )
    section.done()
    return policy


def _share(section: Section, name: str) -> float:
    share = section.number(name, 0.0)
    if not 0 <= share <= 1:
        section.fail(f"expected a share from 0 to 1, found {share:g} (50 % is 0.50)", name)
    return share


def _deadline(section: Section) -> datetime | None:
    if "deadline" not in section.values:
        return None
    return section.moment("deadline")


def _hidden(section: Section, measures: Collection[str]) -> tuple[str, ...]:
    hidden = section.texts("hidden", ())
    for i, name in enumerate(hidden):
        if name not in measures:
            hint = did_you_mean(name, measures)
            section.fail(f"expected ids of measures; there is no {name!r}.{hint}", "hidden", i)
        if hidden.index(name) < i:
            section.fail(f"{name!r} stands twice", "hidden", i)
    return hidden
