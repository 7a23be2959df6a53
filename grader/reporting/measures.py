"""The measures of a problem for a terminal: a table, or a block a measure where the table would not fit."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from grader.metrics import METRICS
from grader.results import MeasureResult
from grader.text import number, points

_MARGIN = 2  # columns left of a table or block


def show_measures(measures: Iterable[MeasureResult], console: Console) -> None:
    """Prints value, interval, baselines with margins, points and standing of each."""
    listed = list(measures)
    table = _table(listed)
    if console.measure(table).maximum + _MARGIN <= console.width:
        console.print(Padding(table, (0, 0, 0, _MARGIN), expand=False))
        return
    for m in listed:
        _block(m, console)


def show_confusion(m: MeasureResult, console: Console) -> None:
    """Prints rows for the class asked for, columns for the class read."""
    classes = m.details["classes"]
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim", title_justify="left")
    table.add_column("asked for")
    for name in (*classes, "none", "right %"):
        table.add_column(f"{'read as ' if name == classes[0] else ''}{name}", justify="right", overflow="fold")
    for name, row, left in zip(classes, m.details["confusion"], m.details["unjudged"], strict=True):
        right = m.details["per_class"][name]
        cells = [Text(str(v) if v else "·", "" if j == name else "red") for j, v in zip(classes, row, strict=True)]
        table.add_row(name, *cells, str(left or "·"), "–" if right is None else f"{100 * right:.1f}")
    console.print(Padding(table, (1, 0, 0, _MARGIN), expand=False))


def _table(measures: Iterable[MeasureResult]) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="dim")
    for title in ("measure", "value", "95 % interval", "baselines (margin)", "points", "standing"):
        right = title in ("value", "95 % interval", "points")
        table.add_column(title, justify="right" if right else "left", no_wrap=True)
    for m in measures:
        most, _, last = m.id.rpartition(".")
        name = f"{most}.\n{last}" if "." in most else m.id  # target_accuracy.improved.usps-svhn would crowd the rest
        baselines = Text("\n").join(_baselines(m))
        row: list[RenderableType] = [name, _value(m), _interval(m), baselines, _points(m), "\n".join(_standing(m))]
        table.add_row(*row)
    return table


def _block(m: MeasureResult, console: Console) -> None:
    """A line with name, value and points; below it whatever else there is."""
    earned = f"  {number(m.points)}/{points(m.max_points)}" if m.max_points else ""
    console.print(Padding(Text.assemble(m.id, "  ", (_value(m), "bold"), earned), (0, 0, 0, _MARGIN)), highlight=False)
    interval = [Text(f"95 % interval {_interval(m)}")] if m.interval else []
    for line in (*interval, *_baselines(m), *map(Text, _standing(m))):
        console.print(Padding(line, (0, 0, 0, 2 * _MARGIN)), highlight=False)


def _value(m: MeasureResult) -> str:
    return METRICS[m.metric].show(m.value) if m.value is not None else "–"


def _interval(m: MeasureResult) -> str:
    return METRICS[m.metric].span(m.interval) if m.interval else ""


def _points(m: MeasureResult) -> str:
    return f"{number(m.points)}/{number(m.max_points)}" if m.max_points else ""


def _standing(m: MeasureResult) -> list[str]:
    beaten = f"beats {m.standing.better_than} of {m.standing.of}" if m.standing else ""
    return [line for line in (beaten, m.details.get("remark", "")) if line]


def _baselines(m: MeasureResult) -> list[Text]:
    metric = METRICS[m.metric]
    lines = []
    for b in m.baselines:
        scale = 100 if metric.fraction else 1
        sign = "≥" if b.op == "ge" else "≤"
        text = Text(f"{b.name} {sign} {number(scale * b.value)}{metric.suffix}")
        if m.value is not None:
            margin = scale * (m.value - b.value if b.op == "ge" else b.value - m.value)
            shown = f"{margin:+.2f}" if abs(b.value) * scale >= 0.1 else f"{margin:+.2g}"
            shown = f"{margin:+g}" if metric.whole else shown
            text.append(f" ({shown})", "green" if b.passed else "red")
            if b.borderline:
                text.append(" borderline", "yellow")
        lines.append(text)
    return lines
