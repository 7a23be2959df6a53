"""The points of one problem of one student, changed step by step, each step with its reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from grader.assignment import Problem
from grader.batch.overrides import Override, most_points
from grader.batch.settlement import DIGITS, Adjustment
from grader.text import number


class Account:
    """`points`: None while they aren't known. `steps` add up to what they changed by. `earned`: by measure."""

    def __init__(self, problem: Problem, points: float | None, earned: Mapping[str, float]) -> None:
        self.problem, self.points = problem, points
        self.most = most_points(problem)
        self.earned = dict(earned)
        self.steps: list[Adjustment] = []
        self.notes: list[str] = []
        self.excused = False

    def leave_open(self, why: str) -> None:
        """What was measured doesn't count, and what counts isn't known."""
        if self.points is not None:
            self._add(-self.points if self.points else 0.0, why)
        self.points = None

    def settle(self, decided: Sequence[Override], lost: float, why_lost: str) -> None:
        """Takes persons' decisions about this problem, and the share of its points that lateness costs."""
        last_word = [o for o in decided if o.kind == "points" and not o.measure]
        of_measures = [o for o in decided if o.measure]
        added = [o for o in decided if o.kind == "add" and not o.measure]
        excuses = [o for o in decided if o.kind == "excuse"]
        for o in excuses:
            self._add(-self.points if self.points else 0.0, "excused", o)
        if excuses:
            self.points, self.excused = None, True
            return
        if self.points is None and not last_word and (of_measures or added):
            told = "has no points yet, so that those that were given or taken wait"
            self.notes.append(f"{self.problem.id} {told}; grade it again, or give all of its points")
            return
        if self.points is not None:
            self._measures(of_measures)
            if lost and self.points:
                self._add(-lost * self.points, why_lost)
        for o in last_word:
            self._add(o.amount - (self.points or 0.0), f"set to {number(o.amount)}", o)
        for o in added:
            self._add(o.amount, "", o)
        self._within()

    def _measures(self, decided: Sequence[Override]) -> None:
        """Those that set a measure's points before those that add to them, as they are sorted."""
        for o in decided:
            before = self.earned.get(o.measure, 0.0)
            wanted = o.amount if o.kind == "points" else before + o.amount
            self.earned[o.measure] = min(max(wanted, 0.0), most_points(self.problem, o.measure))
            how = f"set to {number(o.amount)}" if o.kind == "points" else "changed"
            self._add(self.earned[o.measure] - before, f"{o.measure} {how}", o)

    def _within(self) -> None:
        """Not below 0, nor above what the problem can give."""
        if self.points is None:
            return
        inside = min(max(self.points, 0.0), self.most)
        if inside != self.points:
            self._add(inside - self.points, f"no more than {number(self.most)} points" if inside else "no less than 0")

    def _add(self, points: float, what: str, of: Override | None = None) -> None:
        """what: the step in neutral words; a decision adds its own to them."""
        step = round(points, DIGITS)
        self.points = round((self.points or 0.0) + step, DIGITS)
        self.steps.append(of.step(self.problem.id, step, what) if of else Adjustment(self.problem.id, step, what, what))
