"""File names of an image folder against its format: which are judged, what is wrong, and what was probably meant."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from grader.assignment import ImagesSpec, NameFormat
from grader.assignment.names import looks_like_image
from grader.checks import rules
from grader.results import Finding
from grader.text import are, have, listing, plural

Values = tuple[int, ...]


@dataclass
class Naming:
    """Names that are judged, in sorted order, and the findings about all the others."""

    accepted: list[str]
    findings: list[Finding]


def check_names(files: Sequence[str], spec: ImagesSpec, problem: str, of: frozenset[str] | None = None) -> Naming:
    """Compares the names of a folder's regular files with what the assignment prescribes.

    of: where one image is asked for each picture of a folder, the names of those pictures; None if they aren't here, or
    if nothing of the kind is asked for.
    """
    images = [name for name in files if looks_like_image(name)]
    report = _Report(problem, spec)
    others = [name for name in files if not looks_like_image(name)]
    if others:
        report.add(
            rules.EXTRA_FILE,
            others,
            message=f"{plural(len(others), 'file')} in {spec.path}/ {are(len(others))} no image.",
            expected=f"images only, {_format_of(spec)}",
            help="Leave other files out of this folder.",
        )
    if spec.names is None:
        accepted = _any_names(images, report) if of is None else _same_names(images, of, report)
        return Naming(accepted, report.findings)
    return Naming(_by_format(images, spec.names, report, of), report.findings)


@dataclass
class _Report:
    problem: str
    spec: ImagesSpec
    findings: list[Finding] = field(default_factory=list)

    def add(
        self,
        rule: rules.Rule,
        names: Sequence[str],
        *,
        message: str,
        expected: str,
        help: str,
        actual: str = "",
        count: int = 0,
    ) -> None:
        finding = rule.finding(
            problem=self.problem,
            deliverable=self.spec.id,
            path=self.spec.path,
            message=message,
            expected=expected,
            actual=actual or listing(names),
            help=help,
            count=count or len(names),
            examples=list(names),
        )
        self.findings.append(finding)


def _format_of(spec: ImagesSpec) -> str:
    if spec.one_for_each:
        return f"named as the pictures of {spec.one_for_each}/ are"
    if spec.same_names:
        return f"named as those of {spec.same_names} are"
    return spec.names.span() if spec.names else f"names that end in .{spec.format.lower()}"


def _any_names(images: list[str], report: _Report) -> list[str]:
    """Any name will do, as long as it ends in `.png` and there are as many as asked for."""
    spec = report.spec
    ending = "." + spec.format.lower()
    good = sorted(name for name in images if name.endswith(ending))
    _wrong_endings([n for n in images if not n.endswith(ending)], ending, report)
    if len(images) < spec.count:
        _missing(spec.count - len(images), [], report)
    elif len(images) > spec.count:
        _extra(good[spec.count :] or images[spec.count :], len(images) - spec.count, report)
    return good[: spec.count]


def _same_names(images: list[str], of: frozenset[str], report: _Report) -> list[str]:
    """The names are those of another folder of the submission."""
    ending = "." + report.spec.format.lower()
    others = sorted(set(images) - of)
    stems = {name.rpartition(".")[0] for name in of}
    elsewise = [n for n in others if not n.endswith(ending) and n.rpartition(".")[0] in stems]
    _wrong_endings(elsewise, ending, report)
    covered = {n.rpartition(".")[0] for n in elsewise}
    if missing := sorted(n for n in of.difference(images) if n.rpartition(".")[0] not in covered):
        _missing(len(missing), missing, report)
    if beyond := [n for n in others if n not in elsewise]:
        _extra(beyond, len(beyond), report)
    return sorted(of.intersection(images))


def _wrong_endings(names: Sequence[str], ending: str, report: _Report) -> None:
    for found, group in sorted(_grouped(names, lambda n: "." + n.rpartition(".")[2]).items()):
        same = found.lower() == ending
        report.add(
            rules.MISNAMED,
            group,
            message=f"{plural(len(group), 'file')} in {report.spec.path}/ end in {found} instead of {ending}.",
            expected=f"names that end in {ending}, in lower case",
            help=f"Rename them to {ending}." if same else f"Save them as PNG ({ending}); renaming does not convert.",
        )


def _missing(count: int, names: Sequence[str], report: _Report) -> None:
    spec = report.spec
    each = f", {_per_class(spec)}" if spec.label_field is not None else ""
    report.add(
        rules.MISSING_COUNTERPARTS if spec.one_for_each or spec.same_names else rules.MISSING_IMAGES,
        names,
        message=f"{count} of {plural(spec.count, 'image')} {are(count)} missing in {spec.path}/.",
        expected=f"{plural(spec.count, 'image')}, {_format_of(spec)}{each}",
        actual=f"{spec.count - count} of them" + (f"; not there: {listing(names)}" if names else ""),
        help=_advice(spec),
        count=count,
    )


def _advice(spec: ImagesSpec) -> str:
    advice = "Generate the missing images; each counts as a wrong one until it is there."
    if spec.one_for_each:
        return f"{advice} A data loader with drop_last=True loses the last ones."
    ends = [f"{f.name} {f.high}" for f in (spec.names.fields if spec.names else ()) if f.least is not None]
    return (
        f"{advice} Asked for is everything up to the highest number that is there: {', '.join(ends)}."
        if ends
        else advice
    )


def _extra(names: Sequence[str], count: int, report: _Report) -> None:
    spec = report.spec
    report.add(
        rules.EXTRA_IMAGES,
        names,
        message=f"{plural(count, 'image')} in {spec.path}/ {are(count)} more than asked for.",
        expected=f"exactly {plural(spec.count, 'image')}, {_format_of(spec)}",
        actual=listing(names) if spec.names or spec.same_names else plural(spec.count + count, "image"),
        help="Remove the images beyond the format; they are not judged.",
        count=count,
    )


def _per_class(spec: ImagesSpec) -> str:
    assert spec.names is not None and spec.label_field is not None
    field = spec.names.fields[spec.label_field]
    return f"{len(spec.names) // (field.high - field.low + 1)} for each {field.name}"


def _grouped(names: Iterable[str], key: Callable[[str], str]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = defaultdict(list)
    for name in names:
        groups[key(name)].append(name)
    return groups


def _by_format(images: list[str], names: NameFormat, report: _Report, of: frozenset[str] | None) -> list[str]:
    """Every name is prescribed."""
    parsed = {name: names.parse(name) for name in images}
    beyond = sorted(n for n, values in parsed.items() if values and of is not None and n not in of)
    parsed = {name: values for name, values in parsed.items() if name not in beyond}
    accepted = sorted(name for name, values in parsed.items() if values is not None)
    present = {values for values in parsed.values() if values is not None}
    strange = sorted(name for name, values in parsed.items() if values is None)
    guesses = {name: _Guess.of(name, names) for name in strange}
    zero_based = _zero_based(present | {g.values for g in guesses.values() if g.values}, names)
    if zero_based:
        _report_zero_based(zero_based, names, report)
    covered = _report_misnamed(guesses, present, zero_based, names, report)
    covered |= {(*group, names.fields[-1].high) for group in zero_based}
    missing = [names.format(v) for v in names.all_values() if v not in present and v not in covered]
    above = beyond + [name for name, guess in guesses.items() if guess.kind == "above"]
    if report.spec.one_for_each:
        missing = [name for name in missing if of is not None and name in of]
    _report_counts(missing, above, guesses, names, report)
    return accepted


@dataclass(frozen=True)
class _Guess:
    """What a strange name was probably meant to be: the numbers in it, and what is odd about them.

    Kinds: `form` (numbers right, spelling wrong), `order`, `below` and `above` (the last number is out of its
    range), `label` (another number is), `unknown`.
    """

    kind: str
    values: Values | None

    @classmethod
    def of(cls, name: str, names: NameFormat) -> _Guess:
        values = names.guess(name)
        if values is None:
            return cls("unknown", None)
        texts = re.findall(r"[0-9]+", name.rpartition(".")[0] or name)
        forward = [f.text(v) for f, v in zip(names.fields, values, strict=True)] == texts
        backward = values[::-1]
        backward_texts = [f.text(v) for f, v in zip(names.fields, backward, strict=True)]
        if not forward and names.holds(backward) and backward_texts == texts[::-1]:
            return cls("order", backward)
        if names.holds(values):
            return cls("form", values)
        last = names.fields[-1]
        if not all(f.low <= v <= f.high for f, v in zip(names.fields[:-1], values[:-1], strict=True)):
            return cls("label", values)
        if values[-1] == last.low - 1:
            return cls("below", values)
        return cls("above" if values[-1] > last.high else "unknown", values)


def _zero_based(values: set[Values], names: NameFormat) -> dict[Values, int]:
    """Groups (all numbers but the last) numbered from one below the first number, with their number of files.

    Empty unless every group that has the number below lacks the last one: then it is a shift, not an extra file.
    """
    last = names.fields[-1]
    sizes = Counter(v[:-1] for v in values if last.low - 1 <= v[-1] <= last.high)
    shifted = [v[:-1] for v in values if v[-1] == last.low - 1]
    if any((*group, last.high) in values for group in shifted):
        return {}
    return {group: sizes[group] for group in sorted(shifted)}


def _report_zero_based(groups: dict[Values, int], names: NameFormat, report: _Report) -> None:
    last = names.fields[-1]
    count = sum(groups.values())
    first, low = last.text(last.low - 1), last.text(last.low)
    report.add(
        rules.ZERO_BASED,
        [names.format((*group, last.low - 1)) for group in groups],
        message=f"{plural(count, 'file')} are numbered from {first}; the format starts at {low}.",
        expected=f"numbers {low} to {last.text(last.high)}",
        actual=f"numbers from {first}",
        help="Add 1 to the number when you save: for i in range(n): save(f'{i + 1:0" + f"{last.width}" + "d}').",
        count=count,
    )


def _report_misnamed(
    guesses: dict[str, _Guess],
    present: set[Values],
    zero_based: dict[Values, int],
    names: NameFormat,
    report: _Report,
) -> set[Values]:
    """One finding for each kind of mistake; returns the values that the misnamed files were meant to have."""
    covered: set[Values] = set()
    groups: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for name, guess in guesses.items():
        values = guess.values
        if guess.kind == "above":
            continue
        if values is None or guess.kind in ("label", "unknown"):
            groups[guess.kind].append((name, ""))
            continue
        shifted = values[:-1] in zero_based
        if guess.kind == "below" and not shifted:
            groups["below"].append((name, ""))
            continue
        if shifted:
            if names.format(values) == name:  # spelled well: the finding about the numbering covers it
                continue
            values = (*values[:-1], values[-1] + 1)
        meant = names.format(values)
        if values in present or values in covered:
            groups["twice"].append((name, meant))
            continue
        covered.add(values)
        groups[_spelling(name, meant) if guess.kind != "order" else "order"].append((name, meant))
    for kind, pairs in sorted(groups.items()):
        _report_kind(kind, pairs, names, report)
    return covered


def _spelling(name: str, meant: str) -> str:
    if name.rpartition(".")[0] == meant.rpartition(".")[0]:
        return "ending"
    return "padding" if re.sub("[0-9]+", "0", name) == re.sub("[0-9]+", "0", meant) else "separator"


def _report_kind(kind: str, pairs: list[tuple[str, str]], names: NameFormat, report: _Report) -> None:
    group = [name for name, _ in pairs]
    if kind == "ending":
        return _wrong_endings(group, names.ending, report)
    n, (name, meant) = len(group), pairs[0]
    files, haves = plural(n, "file"), f"{plural(n, 'file')} {have(n)}"
    first = names.fields[0]
    should = f"Rename {name} to {meant}, and the others alike."
    texts = {
        "padding": (f"{haves} numbers without the zero padding.", should),
        "separator": (f"{files} {are(n)} not spelled as the format says.", should),
        "order": (f"{haves} the numbers in the wrong order.", should),
        "twice": (
            f"{files} repeat{'s' if n == 1 else ''} a number that is there already.",
            f"{name} would be {meant}, which exists.",
        ),
        "below": (
            f"{haves} a number below {names.fields[-1].text(names.fields[-1].low)}.",
            "Remove them.",
        ),
        "label": (
            f"{haves} a {first.name} outside of {first.low} to {first.high}.",
            f"The {first.name} comes first in the name and runs from {first.low} to {first.high}.",
        ),
        "unknown": (f"{haves} names that do not fit the format.", "Rename them, or remove them."),
    }
    message, help_ = texts[kind]
    report.add(rules.MISNAMED, group, message=message, expected=names.span(), help=help_)
    return None


def _report_counts(
    missing: list[str], above: list[str], guesses: dict[str, _Guess], names: NameFormat, report: _Report
) -> None:
    """Missing and surplus images; where classes differ, one finding about the balance instead of two."""
    label = report.spec.label_field
    if missing and above and label is not None:
        less = Counter(v[label] for v in map(names.parse, missing) if v)
        more = Counter(g.values[label] for n in above if (g := guesses.get(n)) and g.values)
        if not set(less) & set(more):
            field = names.fields[label]
            each = len(names) // (field.high - field.low + 1)
            counts = {k: each + more[k] - less[k] for k in sorted(set(less) | set(more))}
            shown = [f"{field.name} {k}: {n}" for k, n in counts.items()]
            report.add(
                rules.UNBALANCED,
                above + missing,
                message=f"The classes are unbalanced: {listing(shown, 4)}.",
                expected=f"{each} images for each {field.name}",
                actual=listing(shown, 10),
                help="Generate the same number for every class, and name each by the class it was asked for.",
            )
            return
    if missing:
        _missing(len(missing), missing, report)
    if above:
        _extra(above, len(above), report)
