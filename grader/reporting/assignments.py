"""Assignments and baselines as text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from rich.table import Table

from grader.assignment import Assignment, Deliverable, DocumentSpec, FigureSpec, ImagesSpec, LogSpec, Problem
from grader.metrics import METRICS, Metric
from grader.text import number, points


def describe(assignment: Assignment) -> str:
    """What an assignment asks for, in plain lines."""
    lines = [f"{assignment.id}: {assignment.title}", f"Source: {assignment.source}"]
    lines += [f"Data: {assignment.data_folder}/", f"Digest: {assignment.digest}"]
    for problem in assignment.problems:
        lines += ["", f"{problem.id}: {problem.title}", "  hand in"]
        lines += _handed_in(problem)
        lines.append("  measured")
        for m in problem.measures:
            metric = METRICS[m.metric]
            steps = [f"{b.name} {_value(b.value, b.op, metric)}: {points(b.points)}" for b in m.baselines]
            lines.append(f"    {m.id} ({metric.title}, protocol {m.protocol}): {', '.join(steps) or 'no points'}")
    if assignment.manual:
        lines += ["", "given by a person"]
        lines += [
            f"  {m.problem}: {m.title}: {points(m.points) if m.points else 'points not stated'}"
            for m in assignment.manual
        ]
    if assignment.repository:
        lines += ["", "checked with --with-repository"]
        for f in assignment.repository:
            kind = "a PDF" if isinstance(f, DocumentSpec) else "a shell script"
            lines.append(f"  {f.path}: {kind}{'' if f.required else ' (optional)'}")
    return "\n".join(lines)


def _handed_in(problem: Problem) -> Iterator[str]:
    """A line for each deliverable. Of a choice, what one of its options consists of."""
    chosen = {i for c in problem.choices for ids in c.deliverables.values() for i in ids}
    yield from (f"    {deliverable_line(d)}" for d in problem.deliverables if d.id not in chosen)
    for c in problem.choices:
        yield f"    at least {c.least} of {', '.join(c.options)} ({c.title}); {c.options[0]} has, and the others alike,"
        ids = c.deliverables[c.options[0]]
        yield from (f"      {deliverable_line(replace(d, required=True))}" for d in problem.deliverables if d.id in ids)


def deliverable_line(spec: Deliverable) -> str:
    """What is handed in, in one line: `gan/: 1000 images, PNG, 64x64 RGB, any names that end in .png`."""
    optional = "" if spec.required else " (optional)"
    if isinstance(spec, ImagesSpec):
        size = "all of one size," if spec.any_size else f"{spec.size[0]}x{spec.size[1]}"
        shape = f"{spec.amount}, {spec.format}, {size} {spec.mode}"
        return f"{spec.path}/: {shape}, {_names(spec)}{optional}"
    if isinstance(spec, FigureSpec):
        grid = f", such as a grid of {spec.grid[0]}x{spec.grid[1]} images" if spec.grid else ""
        return f"{spec.path}: a {spec.format} picture{grid}{optional}"
    if isinstance(spec, LogSpec):
        columns = ",".join(spec.columns)
        return f"{spec.path}: csv with the columns {columns} in its header, {spec.least} rows or more{optional}"
    low, high = spec.labels
    if spec.images:
        return f"{spec.path}: csv with the header {','.join(spec.columns)}, a row for each of these images{optional}"
    return f"{spec.path}: csv with the header {','.join(spec.columns)}, labels {low} to {high}{optional}"


def _names(spec: ImagesSpec) -> str:
    if spec.same_names:
        return f"with the same names as those of {spec.same_names}"
    if spec.names is None:
        return f"any names that end in .{spec.format.lower()}"
    if spec.least < spec.count:
        return f"{spec.names.span()}, at least up to {spec.names.smallest.span().rpartition(' ')[2]}"
    return spec.names.span()


def _value(value: float, op: str, metric: Metric) -> str:
    shown = f"{number(100 * value if metric.fraction else value)}{metric.suffix}"
    return f"{'≥' if op == 'ge' else '≤'} {shown}"


def baseline_tables(assignment: Assignment) -> Iterator[Table]:
    """One table of baselines, then the reported results of each problem."""
    table = Table(title="Baselines", box=None, title_justify="left", header_style="dim", pad_edge=False)
    for name in ("problem", "measure", "baseline", "value", "points", "source"):
        table.add_column(name, justify="right" if name in ("value", "points") else "left")
    for problem in assignment.problems:
        for m in problem.measures:
            for b in m.baselines:
                value = _value(b.value, b.op, METRICS[m.metric])
                table.add_row(problem.id, m.id, b.name, value, number(b.points), b.source)
    yield table
    for problem in assignment.problems:
        ids = [m.id for m in problem.measures if any(m.id in r.values for r in assignment.reported)]
        if ids:
            yield _reported(assignment, problem.id, ids)


def _reported(assignment: Assignment, problem: str, ids: list[str]) -> Table:
    """Measures are rows and results columns: there are more names than width otherwise."""
    metric_of = {m.id: METRICS[m.metric] for p in assignment.problems for m in p.measures}
    percent = " (accuracies in per cent)" if any(metric_of[i].fraction for i in ids) else ""
    table = Table(
        title=f"Reported results, {problem}{percent}",
        box=None,
        title_justify="left",
        header_style="dim",
        pad_edge=False,
    )
    table.add_column("measure")
    for r in assignment.reported:
        table.add_column(r.id, justify="right")
    for i in ids:
        scale = 100 if metric_of[i].fraction else 1
        row = [number(scale * r.values[i]) if i in r.values else "–" for r in assignment.reported]
        table.add_row(i, *row)
    return table
