"""Reports as text: for people, for CI, for course platforms."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from grader.reporting.outcomes import About, Report

# Kind, module and function. A renderer is imported when it is asked for.
_KINDS = {
    "html": ("html", "render"),
    "markdown": ("markdown", "render"),
    "junit": ("junit", "render"),
    "github": ("github", "render"),
    "gradescope": ("gradescope", "render"),
    "classroom50": ("classroom", "render_classroom50"),
    "classroom-legacy": ("classroom", "render_legacy"),
    "codabench": ("platforms", "render_codabench"),
    "prairielearn": ("platforms", "render_prairielearn"),
}
KINDS = ("json", *_KINDS)


def render(kind: str, report: Report, about: About) -> str:
    """The report as a text of one of `KINDS`. Raises UsageError where `about` lacks what a kind needs."""
    if kind == "json":
        return report.to_json()
    module, function = _KINDS[kind]
    renderer: Callable[[Report, About], str]
    renderer = getattr(importlib.import_module(f"grader.reporting.{module}"), function)
    return renderer(report, about)
