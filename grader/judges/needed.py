"""Which judges an assignment's measures need. No torch."""

from __future__ import annotations

from grader.assignment import Assignment, MeasureSpec
from grader.judges import JUDGES, Judge
from grader.judges.protocols import CASCADES, PROTOCOLS


def judge_of(measure: MeasureSpec) -> Judge | None:
    """The judge that a measure asks; None for one that needs neither a network nor a cascade."""
    if measure.protocol in CASCADES:
        return JUDGES[CASCADES[measure.protocol]]
    protocol = PROTOCOLS.get(measure.protocol)
    return JUDGES[protocol.judge] if protocol else None


def extras(assignment: Assignment) -> list[str]:
    """The grader's own extras that an assignment's measures need."""
    needed = {j.extra for p in assignment.problems for m in p.measures if (j := judge_of(m))}
    return [extra for extra in ("score", "faces") if extra in needed]


def downloads(assignment: Assignment) -> list[str]:
    """Names of the judges whose weights have to be downloaded for an assignment, each once, in its order."""
    judges = [judge_of(m) for p in assignment.problems for m in p.measures]
    return list(dict.fromkeys(j.name for j in judges if j and j.url))
