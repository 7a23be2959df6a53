"""Reads what an assignment says of the repository's files: scripts with their calls and what they see, documents."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from grader.assignment.model import DocumentSpec, Problem, RepositoryFile, ScriptSpec
from grader.assignment.specs import TableSpec
from grader.assignment.toml import Section, shown

_LONGEST_RUN = 24 * 60  # minutes
_PLACEHOLDER = re.compile(r"\{(out|data)\}(/.+)?")


def read_repository(section: Section, problems: Sequence[Problem]) -> tuple[RepositoryFile, ...]:
    """Scripts, then documents. Refuses scripts that would see true labels."""
    ids = ["", *(p.id for p in problems)]
    files: list[RepositoryFile] = []
    for item in section.tables("script"):
        files.append(_script(item, ids, _answers(problems)))
        item.done()
    for item in section.tables("document"):
        problem = item.choice("problem", ids, "")
        path, required = item.path("path"), item.flag("required", True)
        if "/" in path:
            item.fail("expected a name at the top of the repository, without a folder", "path")
        if path.count("<id>") > 1:  # a pattern of several takes ages for the right wrong name
            item.fail("expected '<id>' once at most", "path")
        files.append(DocumentSpec(problem, path, required))
        item.done()
    return tuple(files)


def data_of(script: ScriptSpec, arguments: Iterable[str]) -> tuple[str, ...]:
    """What of the course's data one call of the script sees: paths under the data folder, sorted."""
    named = {a.removeprefix("{data}/") for a in arguments if a.startswith("{data}/")}
    return tuple(sorted(named | set(script.reads)))


def _answers(problems: Iterable[Problem]) -> set[str]:
    tables = [d.answers for p in problems for d in p.deliverables if isinstance(d, TableSpec)]
    return {path for path in tables if path}


def _script(item: Section, problems: Iterable[str], answers: set[str]) -> ScriptSpec:
    script = ScriptSpec(
        item.choice("problem", problems, ""),
        item.path("path"),
        item.flag("required", True),
        _runs(item),
        item.paths("reads"),
        item.paths("collects"),
        item.number("minutes", 10.0),
        item.flag("fetch", False),
    )
    if not 0 < script.minutes <= _LONGEST_RUN:
        item.fail(f"expected minutes above 0, at most {_LONGEST_RUN}; found {script.minutes:g}", "minutes")
    for path in data_of(script, [a for run in script.runs for a in run]):
        seen = sorted(a for a in answers if a == path or a.startswith(f"{path}/"))
        if seen:
            key = "reads" if path in script.reads else "runs"
            item.fail(f"{path!r} would show the script the true labels, {seen[0]}; name the folder of the images", key)
    if any("{data}" in run for run in script.runs) and not script.reads:
        item.fail("'{data}' alone is a folder with what 'reads' lists; add that key", "runs")
    return script


def _runs(item: Section) -> tuple[tuple[str, ...], ...]:
    """Lists of arguments; each is `{out}`, `{out}/PATH`, `{data}`, `{data}/PATH` or a text without braces."""
    given = item.lists("runs")
    for i, run in enumerate(given):
        for argument in run:
            match = _PLACEHOLDER.fullmatch(argument)
            parts = (match[2] or "/x")[1:].split("/") if match else []
            braces = not match and ("{" in argument or "}" in argument)
            if braces or not argument.isprintable() or any(p in ("", ".", "..") for p in parts):
                item.fail(
                    f"expected '{{out}}/PATH', '{{data}}/PATH' or a plain text, found {shown(argument)}", "runs", i
                )
    return given
