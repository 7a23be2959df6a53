"""The files that an assignment of one's own consists of: the TOML file, and what it names beside itself."""

from __future__ import annotations

import tomllib
from pathlib import Path

from grader.assignment.reading import load_assignment
from grader.errors import UsageError


def files_of(path: Path) -> dict[str, bytes]:
    """Content by path relative to the assignment's folder, the assignment itself as `assignment.toml`.

    What the assignment names and the grader brings along isn't among them. Raises AssignmentError for a wrong file.
    """
    load_assignment(path)  # says what is wrong with it
    try:
        content = path.read_bytes()
        document = tomllib.loads(content.decode())
        measures = [m for p in document["problem"] for m in p.get("measure", [])]
        names = {document.get("baselines", ""), *(m.get("reference_file", "") for m in measures)} - {""}
        beside = {name: path.parent / name for name in sorted(names)}
        return {"assignment.toml": content} | {n: p.read_bytes() for n, p in beside.items() if p.is_file()}
    except OSError as e:
        raise UsageError(f"{e.filename} can't be read: {e.strerror}.") from None
