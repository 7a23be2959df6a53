"""Finds, reads and validates assignment files (grader/assignments/*.toml) and baselines (baselines/*.toml)."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from pathlib import Path

from grader.assignment.bindings import read_bindings
from grader.assignment.choices import expand
from grader.assignment.deliverables import read_deliverables
from grader.assignment.fitting import check_fit, check_kind, read_attribute
from grader.assignment.model import (
    Assignment,
    Baseline,
    MeasureSpec,
    Problem,
    Reported,
    ShellRules,
)
from grader.assignment.policy import read_policy
from grader.assignment.scripts import read_repository
from grader.assignment.specs import Deliverable, ImagesSpec
from grader.assignment.toml import Section, Source
from grader.errors import UsageError
from grader.metrics import METRICS, Metric
from grader.results import ManualPoints
from grader.text import did_you_mean

_PACKAGE = Path(__file__).resolve().parent.parent
_ASSIGNMENTS = _PACKAGE / "assignments"
DEFAULT = "dlcv-fall2021-hw2"
_ID = re.compile(r"[a-z0-9]+([-_][a-z0-9]+)*")
_MEASURE_ID = re.compile(r"[a-z0-9_]+(\.[a-z0-9_-]+)*")


# The wheel carries the top-level folder baselines/ inside the package; a checkout has it beside the package.
_HOME_OF_BASELINES = _PACKAGE if (_PACKAGE / "baselines").is_dir() else _PACKAGE.parent


def assignment_ids() -> list[str]:
    """Ids of the assignments that come with the grader, sorted."""
    return sorted(path.stem for path in _ASSIGNMENTS.glob("*.toml"))


def load_assignment(which: str | Path = DEFAULT) -> Assignment:
    """The assignment of this id, or the one in this file (a path that ends in `.toml`).

    Raises AssignmentError for a wrong file and UsageError for an unknown id.
    """
    text = str(which)
    if text.endswith(".toml"):
        return read_assignment(Source.read(Path(text)), Path(text))
    if text not in assignment_ids():
        known = ", ".join(assignment_ids())
        hint = did_you_mean(text, assignment_ids())
        raise UsageError(f"No assignment {text!r}. Known: {known}, or the path of a .toml file.{hint}")
    path = _ASSIGNMENTS / f"{text}.toml"
    return read_assignment(Source.read(path), path)


def read_assignment(source: Source, path: Path) -> Assignment:
    """The assignment in a parsed file; `path`: where it lies, since it may name files beside it. AssignmentError."""
    top = Section(source, (), source.document)
    top.choice("schema", ["grader/assignment/1"])
    name = top.text("id")
    if not _ID.fullmatch(name):
        top.fail("expected lower-case letters, digits and '-', such as 'dlcv-fall2021-hw2'", "id")
    problems = tuple(_problem(section) for section in top.tables("problem"))
    if not problems:
        top.fail("needs at least one [[problem]]")
    ids = [p.id for p in problems]
    _unique(top, "problem", ids)
    _unique(top, "problem", [m.id for p in problems for m in p.measures])
    source_of_values = _source_of_values(top, path)
    problems, reported = _with_baselines(problems, source_of_values)
    repository = top.table("repository")
    assignment = Assignment(
        id=name,
        title=top.text("title"),
        source=top.text("source", ""),
        data_folder=top.path("data_folder", "data"),
        problems=problems,
        manual=tuple(_manual(section, ids) for section in top.tables("manual")),
        reported=reported,
        repository=read_repository(repository, problems),
        shell=_shell(repository.table("shell")),
        digest=hashlib.sha256(f"{source.text}\0{source_of_values.source.text}".encode()).hexdigest(),
        policy=read_policy(top.table("policy"), [m.id for p in problems for m in p.measures]),
    )
    repository.done()
    top.done()
    if source_of_values is not top:
        source_of_values.done()
    return assignment


def _unique(section: Section, where: str, names: list[str]) -> None:
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        section.fail(f"the id {twice[0]!r} stands twice; ids must differ", where)


def _source_of_values(top: Section, path: Path) -> Section:
    """Where the baselines and reported results stand: inline, or the file named by `baselines`. One schema."""
    name = top.path("baselines", "")
    if not name:
        return top
    places = [path.parent / name, _HOME_OF_BASELINES / name]
    found = next((p for p in places if p.is_file()), None)
    if found is None:
        top.fail(f"no such file: looked for {' and '.join(map(str, places))}", "baselines")
    source = Source.read(found)
    section = Section(source, (), source.document)
    section.choice("schema", ["grader/baselines/1"])
    return section


def _with_baselines(problems: tuple[Problem, ...], values: Section) -> tuple[tuple[Problem, ...], tuple[Reported, ...]]:
    """The problems with each measure's baselines, lowest demand first, and the reported results."""
    metric_of = {m.id: METRICS[m.metric] for p in problems for m in p.measures}
    baselines: list[Baseline] = []
    for section in values.tables("baseline"):
        found = _baseline(section, metric_of)
        if any((b.measure, b.name) == (found.measure, found.name) for b in baselines):
            section.fail(f"{found.measure} has a baseline {found.name!r} already", "name")
        baselines.append(found)
    reported = tuple(_reported(s, metric_of) for s in values.tables("reported"))

    def complete(measure: MeasureSpec) -> MeasureSpec:
        ours = [b for b in baselines if b.measure == measure.id]
        hardest_last = sorted(ours, key=lambda b: b.value, reverse=metric_of[measure.id].op == "le")
        return replace(measure, baselines=tuple(hardest_last))

    return tuple(replace(p, measures=tuple(map(complete, p.measures))) for p in problems), reported


def _baseline(section: Section, metric_of: dict[str, Metric]) -> Baseline:
    measure = section.choice("measure", metric_of)
    metric = metric_of[measure]
    result = Baseline(
        measure=measure,
        name=section.text("name"),
        value=section.number("value"),
        op=metric.op,
        points=section.number("points"),
        source=section.text("source"),
    )
    if result.points < 0:
        section.fail("expected 0 or more points", "points")
    if metric.fraction and not 0 <= result.value <= 1:
        section.fail(f"expected a fraction from 0 to 1, found {result.value:g} (70 % is 0.70)", "value")
    section.done()
    return result


def _reported(section: Section, metric_of: dict[str, Metric]) -> Reported:
    """One reported result; dotted keys (`target_accuracy.mnistm-usps = 0.78`) name the measures."""
    flat: dict[str, float] = {}

    def flatten(table: Section, prefix: str) -> None:
        for name, value in table.values.items():
            if isinstance(value, dict):
                flatten(table.table(name), f"{prefix}{name}.")
                continue
            flat[prefix + name] = table.number(name)
            if prefix + name not in metric_of:
                table.fail(f"no problem has this measure.{did_you_mean(prefix + name, metric_of)}", name)
            if metric_of[prefix + name].fraction and not 0 <= flat[prefix + name] <= 1:
                table.fail("expected a fraction from 0 to 1 (70 % is 0.70)", name)

    flatten(section.table("values"), "")
    result = Reported(section.text("id"), flat)
    section.done()
    return result


def _manual(section: Section, problems: list[str]) -> ManualPoints:
    result = ManualPoints(section.choice("problem", problems), section.text("title"), section.number("points"))
    if result.points < 0:
        section.fail("expected 0 or more points", "points")
    section.done()
    return result


def _shell(section: Section) -> ShellRules:
    instead = section.table("instead")
    rules = ShellRules(
        forbidden=section.texts("forbidden", ()),
        instead={name: instead.text(name) for name in instead.values},
        absolute_paths=section.flag("absolute_paths", True),
    )
    section.done()
    return rules


def _problem(section: Section) -> Problem:
    name = section.text("id")
    if not _ID.fullmatch(name):
        section.fail("expected lower-case letters, digits, '-' and '_', such as 'acgan'", "id")
    chosen = [expand(s) for s in section.tables("choice")]
    _unique(section, "choice", [c.choice.id for c in chosen])
    deliverables = read_deliverables([*section.tables("deliverable"), *(d for c in chosen for d in c.deliverables)])
    if not deliverables:
        section.fail("needs at least one [[problem.deliverable]]")
    _unique(section, "deliverable", [d.id for d in deliverables])
    if len({d.path for d in deliverables}) < len(deliverables):
        section.fail("two deliverables have one path", "deliverable")
    by_id = {d.id: d for d in deliverables}
    tables = [*section.tables("measure"), *(m for c in chosen for m in c.measures)]
    measures = tuple(_measure(s, by_id) for s in tables)
    result = Problem(name, section.text("title"), deliverables, measures, tuple(c.choice for c in chosen))
    section.done()
    return result


def _check_digits(section: Section, images: ImagesSpec) -> None:
    """The digit classifier takes one kind of picture and knows ten classes."""
    assert images.names is not None and images.label_field is not None  # checked before
    label = images.names.fields[images.label_field]
    if images.size != (28, 28) or images.mode != "RGB" or label.high > 9:
        section.fail("digit_accuracy needs 28x28 RGB pictures with labels from 0 to 9", "deliverable")


def _reference_file(section: Section) -> Path | None:
    """Published statistics of a reference: beside the assignment, or among the baselines."""
    name = section.path("reference_file", "")
    if not name:
        return None
    places = [Path(section.source.name).parent / name, _HOME_OF_BASELINES / "baselines" / name]
    found = next((p for p in places if p.is_file()), None)
    if found is None:
        section.fail(f"no such file: looked for {' and '.join(map(str, places))}", "reference_file")
    return found


def _measure(section: Section, deliverables: dict[str, Deliverable]) -> MeasureSpec:
    name = section.text("id")
    if not _MEASURE_ID.fullmatch(name):
        section.fail("expected words joined by dots, such as 'target_accuracy.mnistm-usps'", "id")
    default = name.partition(".")[0]
    if "metric" not in section.values and default not in METRICS:
        hint = did_you_mean(default, METRICS)
        section.fail(f"{default!r} is no metric; known: {', '.join(METRICS)}, or add the key 'metric'.{hint}", "id")
    metric = METRICS[section.choice("metric", METRICS, default)]
    deliverable = section.choice("deliverable", deliverables)
    measured = deliverables[deliverable]
    check_kind(section, metric, measured)
    if metric.needs_label and not (isinstance(measured, ImagesSpec) and measured.label):
        section.fail(f"{metric.id} needs to know which part of the names of {deliverable!r} is the 'label'")
    if metric.id == "digit_accuracy" and isinstance(measured, ImagesSpec):
        _check_digits(section, measured)
    check_fit(section, metric, measured)
    attribute, on = read_attribute(section, metric)
    spec = MeasureSpec(
        name,
        metric.id,
        deliverable,
        section.choice("protocol", metric.protocols, metric.protocols[0]),
        section.path("reference", None if metric.needs_reference else ""),
        section.count("reference_count", 0),
        baselines=(),
        reference_labels=section.path("reference_labels", ""),
        reference_file=_reference_file(section),
        attribute=attribute,
        on=on,
        **read_bindings(section, metric, deliverable, deliverables),
    )
    if spec.reference_labels and (not spec.reference or not isinstance(measured, ImagesSpec) or not measured.label):
        section.fail("needs a 'reference', and names with a 'label'", "reference_labels")
    by_class = metric.id in ("diversity", "vendi_score") and isinstance(measured, ImagesSpec) and bool(measured.label)
    if by_class and spec.reference and not spec.reference_labels:
        section.fail(f"{metric.id} compares classes: the reference needs 'reference_labels'", "reference")
    section.done()
    return spec
