"""A class as two pages: one for those who grade, and a leaderboard for everybody. Every text is escaped.

The first has one script, which sorts the table; its hash stands in the page's policy, and without it the page is whole.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from markupsafe import Markup

from grader._version import __version__
from grader.metrics import METRICS
from grader.reporting.class_table import decisions_of, row_of, show
from grader.reporting.html import environment
from grader.reporting.outcomes import clean
from grader.reporting.scales import NARROWEST, lanes, ticks_of
from grader.results import STATES
from grader.text import number, plural

_HEIGHT = 84  # pixels of the highest bar
_LINE, _LETTER = 17, 6.6  # pixels of a line, and of a letter, about
_LEFT, _RIGHT = 2.0, 98.0  # per cent between which values lie
_MOST = 200  # lines of a list


@dataclass(frozen=True)
class _Bar:
    x: float
    width: float
    height: float
    title: str


@dataclass(frozen=True)
class _Mark:
    x: float
    y: float
    text: str
    anchor: str


@dataclass(frozen=True)
class _Chart:
    """A histogram: places in per cent of the width and pixels of the height. `title` says it in words."""

    title: str
    height: float
    floor: float
    bars: tuple[_Bar, ...]
    baselines: tuple[_Mark, ...]
    ticks: tuple[_Mark, ...]


@dataclass(frozen=True)
class _Measure:
    key: str
    title: str
    id: str
    problem: str
    direction: str
    hidden: bool
    count: int
    of: int
    median: str
    middle: str
    reached: tuple[tuple[str, int, int], ...]
    chart: _Chart | None


def render_class(found: Mapping[str, Any], changes: Mapping[str, Any] | None, books: Sequence[str] = ()) -> str:
    """The page for those who grade. found: what `class.json` holds; changes: what `changes.json` holds.

    books: the forms of the grade books that lie beside the page.
    """
    students = found["students"]
    script = _file("class.js")
    taken = [m for m in found["measures"] if m["count"]]
    untaken = [f"{_title(m)} ({m['problem']})" for m in found["measures"] if not m["count"]]
    return _page(
        "class.html",
        found,
        script=Markup(script),
        script_hash=_hash(script),
        measures=[_measure(m, students) for m in taken],
        untaken=untaken if students else [],
        rows=[row_of(s, found["problems"], taken) for s in students],
        pairs=_pairs(students),
        unfinished=[(s["student"], s["reason"]) for s in students if s["state"] == "error"][:_MOST],
        skipped=[s["student"] for s in students if s["state"] == "skipped"][:_MOST],
        noted=[(s["student"], s["notes"]) for s in students if s["notes"]][:_MOST],
        decided=decisions_of(students),
        most=sum(p["max_points"] + p["max_by_hand"] for p in found["problems"]),
        books=books,
        changes=_changes(changes, found) if changes else None,
        states=[(state, found["states"][state]) for state in STATES if found["states"].get(state)],
    )


def render_leaderboard(found: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """The page for everybody: the values of each measure that isn't hidden, under `names`, and nothing else."""
    boards = [_board(m, found["students"], names) for m in found["measures"] if not m["hidden"]]
    return _page("leaderboard.html", found, boards=[b for b in boards if b[2]])


def _page(template: str, found: Mapping[str, Any], **more: Any) -> str:
    style = _file("page.css") + _file("class.css")
    return (
        environment()
        .get_template(template)
        .render(found=found, style=Markup(style), style_hash=_hash(style), version=__version__, **more)
    )


def _file(name: str) -> str:
    return (files("grader.reporting") / "templates" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _title(measure: Mapping[str, Any]) -> str:
    """The metric's title, and what the measure's id has beyond it: `Target accuracy, mnistm-usps`."""
    title = METRICS[measure["metric"]].title
    part = measure["id"].removeprefix(measure["metric"]).strip("._-")
    whole = f"{title}, {part}" if part and part != measure["id"] else title
    return whole[:1].upper() + whole[1:]


def _values(measure: Mapping[str, Any], students: Sequence[Mapping[str, Any]]) -> list[tuple[str, float]]:
    key = f"{measure['problem']}.{measure['id']}"
    taken = ((s["student"], s["measures"].get(key, {}).get("value")) for s in students)
    return [(student, value) for student, value in taken if value is not None]


def _measure(measure: Mapping[str, Any], students: Sequence[Mapping[str, Any]]) -> _Measure:
    values = [value for _, value in _values(measure, students)]
    better = measure["op"] == "ge"
    reached = tuple(
        (
            f"{b['name']} {'≥' if better else '≤'} {_short(measure, b['value'])}",
            sum(v >= b["value"] if better else v <= b["value"] for v in values),
            len(values),
        )
        for b in measure["baselines"]
    )
    quartiles = measure["quartiles"]
    return _Measure(
        f"{measure['problem']}.{measure['id']}",
        _title(measure),
        measure["id"],
        measure["problem"],
        "higher is better" if better else "lower is better",
        measure["hidden"],
        measure["count"],
        len(students),
        show(measure, quartiles[2]) if quartiles else "",
        f"{show(measure, quartiles[1])} to {show(measure, quartiles[3])}" if quartiles else "",
        reached,
        _chart(measure) if measure["histogram"] else None,
    )


def _short(measure: Mapping[str, Any], value: float) -> str:
    metric = METRICS[measure["metric"]]
    return f"{number(round(100 * value, 4) if metric.fraction else round(value, 6))}{metric.suffix}"


def _chart(measure: Mapping[str, Any]) -> _Chart:
    edges, counts = measure["histogram"]["edges"], measure["histogram"]["counts"]
    ends = [edges[0], edges[-1], *(b["value"] for b in measure["baselines"])]
    low, high = min(ends), max(ends)
    room = 0.04 * (high - low) or 0.1 * abs(high) or 1.0
    low, high = low - room, high + room
    if METRICS[measure["metric"]].fraction and edges[0] >= 0:
        low, high = max(0.0, low), min(1.0, high)

    def at(value: float) -> float:
        return float(round(_LEFT + (_RIGHT - _LEFT) * (value - low) / (high - low), 2))

    lines = [(at(b["value"]), f"{clean(b['name'])[:24]} {_short(measure, b['value'])}") for b in measure["baselines"]]
    rows = lanes([_ends(x, text) for x, text in lines])
    top = _LINE * (max(rows, default=-1) + 1) + 4
    most, floor = max(counts), top + _HEIGHT
    one = edges[0] == edges[-1]  # all have one value: a bar of some width
    bars = tuple(
        _Bar(
            at(first) - 1 if one else at(first),
            2.0 if one else max(0.2, round(at(last) - at(first) - 0.25, 2)),
            max(1.5, round(_HEIGHT * count / most, 1)),
            f"{plural(count, 'submission')}: {show(measure, first)} to {show(measure, last)}",
        )
        for first, last, count in zip(edges, edges[1:], counts, strict=False)
        if count
    )
    marks = [_Mark(x, _LINE * (row + 1) - 4, text, _anchor(x)) for (x, text), row in zip(lines, rows, strict=True)]
    ticks = tuple(_Mark(at(t), floor + 17, _short(measure, t), _anchor(at(t))) for t in ticks_of(low, high))
    told = f"{plural(measure['count'], 'value')} from {_short(measure, edges[0])} to {_short(measure, edges[-1])}"
    return _Chart(told, floor + 24, floor, bars, tuple(marks), ticks)


def _anchor(x: float) -> str:
    return "start" if x < 25 else "end" if x > 75 else "middle"


def _ends(x: float, text: str) -> tuple[float, float]:
    width = len(text) * _LETTER
    left = x * NARROWEST / 100 - {"start": 0, "middle": width / 2, "end": width}[_anchor(x)]
    return left, left + width + 4


def _pairs(students: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The pairs that are much alike, each once, with what is alike in them."""
    found: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for student in students:
        for copy in student["copies"]:
            first, second = sorted((student["student"], copy["with"]))
            known = found.setdefault((first, second), [])
            if student["student"] == first:
                known.append(copy)
    return [{"first": a, "second": b, "copies": copies} for (a, b), copies in sorted(found.items())][:_MOST]


def _changes(changes: Mapping[str, Any], found: Mapping[str, Any]) -> dict[str, Any] | None:
    known = {(m["problem"], m["id"]): m for m in found["measures"]}

    def told(what: Mapping[str, Any]) -> str:
        if what["kind"] == "adjustments":
            return "other decisions or lateness"
        measure = known.get((what["problem"], what["measure"]))
        sides = [what["before"], what["after"]]
        if what["kind"] == "measure" and measure is not None:
            before, after = (show(measure, v) for v in sides)
        else:
            before, after = ("–" if v is None else number(v) if isinstance(v, int | float) else str(v) for v in sides)
        where = {"state": "", "points": f"{what['problem']}: ", "measure": f"{what['problem']} {what['measure']}: "}
        unit = " points" if what["kind"] == "points" else ""
        return f"{where[what['kind']]}{before} → {after}{unit}"

    changed = [(one["student"], [told(what) for what in one["what"]]) for one in changes["changed"]]
    if not (changed or changes["new"] or changes["gone"]):
        return None
    return {"new": changes["new"][:_MOST], "gone": changes["gone"][:_MOST], "changed": changed[:_MOST]}


def _board(
    measure: Mapping[str, Any], students: Sequence[Mapping[str, Any]], names: Mapping[str, str]
) -> tuple[str, str, list[tuple[str, str, str]]]:
    """Title, problem, and the lines: rank, name and value; a baseline has no rank and stands where it belongs.

    Who has an error in the problem, such as copied images, has no rank.
    """
    sign = -1 if measure["op"] == "ge" else 1
    sound = [s for s in students if not _has_error(s, measure["problem"])]
    values = sorted((sign * value, names[student]) for student, value in _values(measure, sound))
    lines: list[tuple[float, int, str, str, str]] = []
    rank, before = 0, None
    for nth, (value, name) in enumerate(values, 1):
        rank, before = (rank if value == before else nth), value
        lines.append((value, 0, str(rank), name, show(measure, sign * value)))
    if lines:
        baselines = ((sign * b["value"], b["name"], b["value"]) for b in measure["baselines"])
        lines += [(value, 1, "", name, _short(measure, shown)) for value, name, shown in baselines]
    lines.sort(key=lambda line: line[:2])
    return _title(measure), measure["problem"], [line[2:] for line in lines]


def _has_error(student: Mapping[str, Any], problem: str) -> bool:
    return any(f["severity"] == "error" and f["problem"] in ("", problem) for f in student["findings"])
