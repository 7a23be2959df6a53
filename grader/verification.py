"""Whether a score report tells the truth about a submission: everything is measured again and compared."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from grader._version import __version__
from grader.assignment import Assignment, load_assignment
from grader.documents import read_json
from grader.errors import UsageError
from grader.results import ScoreReport, State
from grader.text import did_you_mean, number, printable

TOLERANCE = 1e-4  # relative: what a value may differ between two machines
_MOST_NOTES = 5  # of each side that are repeated
_SCHEMA = "grader/score/1"
_LARGEST_CLAIM = 8 * 2**20  # bytes; a report has some ten thousand, and its findings are capped
_LARGEST = 1e18  # beyond any value, count or number of points
_PROVENANCE = ("protocol", "judge_sha256", "reference_n")


@dataclass(frozen=True)
class Difference:
    """One thing that the claim says and that was not found so. `where`: such as `acgan digit_accuracy`."""

    where: str
    what: str
    claimed: str
    found: str


@dataclass(frozen=True)
class Verification:
    """The outcome. `compared`: values that were measured again; `untaken`: measures that could not be, and why."""

    claim: str
    assignment: str
    points: float
    compared: int
    differences: tuple[Difference, ...]
    untaken: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def state(self) -> State:
        """`fail` with a difference, `skipped` where something could not be measured again, else `pass`."""
        return "fail" if self.differences else "skipped" if self.untaken else "pass"

    def to_json(self) -> str:
        """JSON text (`docs/schemas/verify-1.json`)."""
        head = {"schema": "grader/verify/1", "grader": __version__, "state": self.state}
        return json.dumps(head | asdict(self), indent=2, allow_nan=False) + "\n"


@dataclass(frozen=True)
class Claim:
    """A score report as it was handed in: its shape was checked, nothing that it says is believed."""

    path: Path
    values: Mapping[str, Any]

    @property
    def problems(self) -> list[str]:
        """The ids of its problems."""
        return [p["id"] for p in self.values["problems"]]

    def of(self, assignment: str | None) -> Assignment:
        """The assignment that was named, else the known one that the claim names. Raises UsageError."""
        named = self.values["assignment"]
        wanted = load_assignment(assignment or named) if assignment or _is_id(named) else None
        if wanted is None:
            raise UsageError(f"{self.path} names no known assignment: {printable(named)}. Pass --assignment FILE.")
        known = [p.id for p in wanted.problems]
        for problem in self.problems:
            if problem not in known:
                hint = did_you_mean(problem, known)
                raise UsageError(f"{self.path}: {wanted.id} has no problem {printable(problem)}.{hint}")
        return wanted


def _is_id(text: str) -> bool:
    return 0 < len(text) <= 100 and all(c.isascii() and (c.isalnum() or c == "-") for c in text)


def read_claim(path: Path) -> Claim:
    """A score report from a file. Raises UsageError for anything else."""
    found = read_json(path, "a score report (`grader score -o`)", _LARGEST_CLAIM)
    if not isinstance(found, dict) or found.get("schema") != _SCHEMA:
        raise UsageError(f"{path} is no score report: expected the schema {_SCHEMA}, as `grader score -o` writes it.")
    _need(path, "", found, assignment=str, assignment_digest=str, submission_digest=str, state=str, problems=list)
    _need(path, "", found, points=float, max_points=float, manual_points=float, findings=list)
    for i, problem in enumerate(found["problems"]):
        where = f"problems[{i}]"
        _need(path, where, problem, id=str, title=str, state=str, points=float, would_earn=float, max_points=float)
        _need(path, where, problem, measures=list, findings=list)
        for j, measure in enumerate(problem["measures"]):
            inner = f"{where}.measures[{j}]"
            _need(path, inner, measure, id=str, state=str, n=int, baselines=list, provenance=dict)
            if measure.get("value") is not None:
                _need(path, inner, measure, value=float)
            for k, baseline in enumerate(measure["baselines"]):
                _need(path, f"{inner}.baselines[{k}]", baseline, name=str, value=float, points=float, earned=float)
            ends = measure.get("interval")
            if ends is not None and not (isinstance(ends, list) and len(ends) == 2 and all(map(_is_number, ends))):
                raise UsageError(f"{path}: {inner}.interval should be two numbers.")
        _findings(path, f"{where}.findings", problem["findings"])
    _findings(path, "findings", found["findings"])
    _need(path, "", found, manual=list, notes=list)
    for i, row in enumerate(found["manual"]):
        _need(path, f"manual[{i}]", row, problem=str, title=str, points=float)
    if any(not isinstance(note, str) for note in found["notes"]):
        raise UsageError(f"{path}: notes should be texts.")
    if not found["problems"]:
        raise UsageError(f"{path} tells of no problem, so that there is nothing to verify.")
    if len({p["id"] for p in found["problems"]}) != len(found["problems"]):
        raise UsageError(f"{path}: a problem stands there twice.")
    return Claim(path, found)


def _findings(path: Path, where: str, findings: list[Any]) -> None:
    for i, finding in enumerate(findings):
        _need(path, f"{where}[{i}]", finding, rule=str, severity=str)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < _LARGEST


def _need(path: Path, where: str, value: Any, /, **keys: type) -> None:
    if not isinstance(value, dict):
        raise UsageError(f"{path}: {where} should be an object.")
    for key, kind in keys.items():
        found = value.get(key)
        right = _is_number(found) if kind is float else isinstance(found, kind)
        if kind is int:
            right = right and _is_number(found)
        if not right:
            place = f"{where}.{key}" if where else key
            raise UsageError(f"{path}: {place} should be {_KINDS[kind]}, found {printable(repr(found), 40)}.")


_KINDS = {str: "a text", float: "a number", int: "a whole number", list: "a list", dict: "an object"}


def compare(claim: Claim, report: ScoreReport) -> Verification:
    """Holds the claim against a report that was made anew, of the same problems."""
    ours: dict[str, Any] = report.to_dict()
    theirs = claim.values
    untaken = [f"{v.id} {m.id}: {m.reason}" for v in report.problems for m in v.measures if m.state in _OURS]
    found = list(_texts("", theirs, ours, "assignment", "assignment_digest", "submission_digest"))
    compared = 0
    problems = {p["id"]: p for p in ours["problems"]}
    unsure = {v.id for v in report.problems if any(m.state in _OURS for m in v.measures)}
    for problem in theirs["problems"]:
        name, now = problem["id"], problems[problem["id"]]
        differences, n = _measures(name, problem, now)
        found += [*_texts(name, problem, now, "title"), *differences]
        compared += n
        if name not in unsure:
            found += _rules(name, problem, now)
            found += _texts(name, problem, now, "state")
            found += _numbers(name, problem, now, "points", "would_earn", "max_points")
    if not unsure:
        found += [*_rules("", theirs, ours), *_texts("", theirs, ours, "state")]
        found += _numbers("", theirs, ours, "points", "max_points", "manual_points")
        if theirs.get("empty", False) is not ours["empty"]:
            found.append(Difference("", "empty", printable(str(theirs.get("empty")), 40), str(ours["empty"])))
    found += [*_by_hand(theirs["manual"], ours["manual"]), *_sums(theirs)]
    notes = []
    if theirs.get("grader") != __version__:
        version = printable(str(theirs.get("grader")), 40)
        notes.append(f"The claim was made by version {version} of the grader, this is {__version__}.")
    notes += _notes(theirs["notes"], ours["notes"])
    return Verification(
        str(claim.path),
        report.assignment,
        theirs["points"],
        compared,
        tuple(dict.fromkeys(found)),
        tuple(untaken),
        tuple(notes),
    )


_OURS = ("skipped", "error")


def _sums(theirs: Mapping[str, Any]) -> Iterator[Difference]:
    """What a report says against itself, whatever could be measured again: sums that aren't those of their parts."""
    for problem in theirs["problems"]:
        earned = sum(b["earned"] for m in problem["measures"] for b in m["baselines"])
        yield from _numbers(problem["id"], problem, {"points": earned}, "points")
    total = sum(p["points"] for p in theirs["problems"])
    yield from _numbers("", theirs, {"points": total}, "points")


def _rules(where: str, theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> Iterator[Difference]:
    """Errors and warnings that one side names and the other doesn't."""
    for severity in ("error", "warning"):
        a, b = ({f["rule"] for f in side["findings"] if f["severity"] == severity} for side in (theirs, ours))
        if a != b:
            yield Difference(where, f"{severity}s", _listed(a), _listed(b))


def _measures(problem: str, theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> tuple[list[Difference], int]:
    """Differences of a problem's measures, and how many values were compared."""
    found: list[Difference] = []
    now = {m["id"]: m for m in ours["measures"]}
    then = {m["id"]: m for m in theirs["measures"]}
    if len(then) != len(theirs["measures"]) or set(then) != set(now):
        found.append(Difference(problem, "measures", _listed(then), _listed(now)))
    compared = 0
    for name in [name for name in then if name in now]:
        a, b, where = then[name], now[name], f"{problem} {name}"
        if b["state"] in _OURS:
            continue
        compared += 1
        found += [*_texts(where, a, b, "state"), *_numbers(where, a, b, "value", "n")]
        if (said := _standing(a)) != (stands := _standing(b)):
            found.append(Difference(where, "standing", said, stands))
        if (claimed := _baselines(a)) != (stand := _baselines(b)):
            found.append(Difference(where, "baselines", claimed, stand))
        ends = [[None, None] if x.get("interval") is None else x["interval"] for x in (a, b)]
        low, high = ({"lower end of the interval": e[0], "upper end of the interval": e[1]} for e in ends)
        found += _numbers(where, low, high, *low)
        kept = {key: str(a["provenance"].get(key, "")) for key in _PROVENANCE}
        found += _texts(where, kept, {key: str(b["provenance"].get(key, "")) for key in _PROVENANCE}, *_PROVENANCE)
    return found, compared


def _texts(where: str, theirs: Mapping[str, Any], ours: Mapping[str, Any], *keys: str) -> Iterator[Difference]:
    for key in keys:
        if theirs[key] != ours[key]:
            yield Difference(where, key.replace("_", " "), printable(theirs[key], 80) or "none", ours[key] or "none")


def _by_hand(theirs: list[dict[str, Any]], ours: list[dict[str, Any]]) -> Iterator[Difference]:
    """Rows of points by hand that only one side has."""
    a, b = ({f"{row['problem']}: {row['title']}, {number(row['points'])}" for row in rows} for rows in (theirs, ours))
    if a != b:
        yield Difference("", "manual", _listed(a - b), _listed(b - a))


def _notes(theirs: list[str], ours: list[str]) -> Iterator[str]:
    """Notes of one side alone: told and no difference, since many speak of what the machine lacks."""
    for said, notes in (("says, and this run doesn't", (theirs, ours)), ("doesn't say", (ours, theirs))):
        for note in [note for note in notes[0] if note not in notes[1]][:_MOST_NOTES]:
            yield f"The claim {said}: {printable(note, 300)}"


def _standing(measure: Mapping[str, Any]) -> str:
    found = measure.get("standing")
    if not isinstance(found, dict):
        return "none"
    return " of ".join(printable(str(found.get(key)), 20) for key in ("better_than", "of"))


def _numbers(where: str, theirs: Mapping[str, Any], ours: Mapping[str, Any], *keys: str) -> Iterator[Difference]:
    for key in keys:
        a, b = theirs.get(key), ours[key]
        same = a == b if a is None or b is None else math.isclose(a, b, rel_tol=TOLERANCE, abs_tol=1e-9)
        if not same:
            yield Difference(where, key.replace("_", " "), *("none" if x is None else number(x) for x in (a, b)))


def _listed(names: Any) -> str:
    return ", ".join(printable(name, 40) for name in sorted(names)[:20]) or "none"


def _baselines(measure: Mapping[str, Any]) -> str:
    told = [
        f"{printable(b['name'], 40)} {number(b['value'])}: {number(b['earned'])} of {number(b['points'])}"
        for b in measure["baselines"][:20]
    ]
    return "; ".join(told) or "none"
