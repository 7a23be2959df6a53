"""Choices of a problem: what is said once of `{option}` becomes deliverables and measures of each option."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from grader.assignment.model import Choice
from grader.assignment.toml import Section

_OPTION = "{option}"
_WORD = re.compile(r"[a-z0-9]+([-_][a-z0-9]+)*")
_MOST = 50  # options of a choice


@dataclass(frozen=True)
class Expanded:
    """A choice, and the tables of the deliverables and measures of all its options, as if each were written out."""

    choice: Choice
    deliverables: Sequence[Section]
    measures: Sequence[Section]


def expand(section: Section) -> Expanded:
    """Reads one [[problem.choice]]."""
    name, title = section.text("id"), section.text("title")
    options = section.texts("options", ())
    wrong = [o for o in options if not _WORD.fullmatch(o)]
    if wrong or not 0 < len(options) <= _MOST or len(set(options)) < len(options):
        section.fail(
            "expected different words of lower-case letters and digits, such as ['lsgan', 'wgan_gp']", "options"
        )
    least = section.count("least")
    if not 0 < least <= len(options):
        section.fail(f"expected how many of the options are asked for, 1 to {len(options)}; found {least}", "least")
    parts, measures = section.tables("deliverable"), section.tables("measure")
    section.done()
    if not parts:
        section.fail("needs at least one [[problem.choice.deliverable]]")
    for part in parts:
        for key in ("id", "path"):
            if _OPTION not in part.text(key):
                part.fail(f"expected {_OPTION} in it, which each option takes the place of", key)
        if "required" in part.values:
            part.fail("is no key here: what is chosen must be whole, and nothing else is required", "required")
    for measure in measures:
        if _OPTION not in measure.text("id"):
            measure.fail(f"expected {_OPTION} in it, such as 'face_count_change.{_OPTION}'", "id")
    ids = {o: tuple(_of(part, o).text("id") for part in parts) for o in options}
    return Expanded(
        Choice(name, title, least, options, ids),
        [_optional(_of(part, o)) for o in options for part in parts],
        [_of(measure, o) for o in options for measure in measures],
    )


def _of(section: Section, option: str) -> Section:
    return Section(section.source, section.key, _filled(section.values, option))


def _optional(section: Section) -> Section:
    return Section(section.source, section.key, section.values | {"required": False})


def _filled(value: Any, option: str) -> Any:
    if isinstance(value, dict):
        return {key: _filled(inner, option) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, option) for inner in value]
    return value.replace(_OPTION, option) if isinstance(value, str) else value
