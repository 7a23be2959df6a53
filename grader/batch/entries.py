"""The journal: one file for each submission, whole or not there, which says what was graded and how it ended."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from grader._version import __version__
from grader.documents import read_json, write_whole
from grader.errors import UsageError
from grader.results import STATES, State
from grader.text import safe_name

SCHEMA = "grader/entry/1"
FOLDER = "entries"
FINGERPRINTS = "fingerprints"
_TEXTS = ("student", "source", "digest", "reason", "fingerprint")
_KINDS: dict[str, tuple[type, ...]] = dict.fromkeys(_TEXTS, (str,)) | {
    "keys": (dict,),
    "report": (dict, type(None)),
    "attempts": (int,),
    "times": (dict,),
}


@dataclass(frozen=True)
class Entry:
    """How one submission ended.

    student: the name of the sub-folder, or of the zip without `.zip`. source: the name with it. digest: sha256 of what
    was handed in, empty where it could not be read. keys: by problem, the sha256 of everything that its verdict
    depends on. reason: why there is no report, or what ended the last attempt. attempts: how often it was graded until
    it ended. report: what `ScoreReport.to_dict` gives; None where the machine could not finish. fingerprint: sha256 of
    the file that copies across students are looked for with, empty without one. times: seconds, host and the like,
    which differ from run to run and go into nothing that is compared.
    """

    student: str
    source: str
    digest: str
    keys: Mapping[str, str]
    state: State
    reason: str = ""
    attempts: int = 1
    report: Mapping[str, Any] | None = None
    fingerprint: str = ""
    times: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        """The entry as JSON text (`docs/schemas/entry-1.json`), one newline at the end."""
        head = {"schema": SCHEMA, "grader": __version__}
        return json.dumps(head | asdict(self), indent=1, allow_nan=False) + "\n"


def entry_path(results: Path, student: str) -> Path:
    """Where a student's entry lies: a file name that every system takes, different for different students."""
    return results / FOLDER / f"{safe_name(student)}.json"


def fingerprint_path(results: Path, student: str) -> Path:
    """Where a student's fingerprint lies."""
    return results / FINGERPRINTS / f"{safe_name(student)}.npz"


def write_entry(results: Path, entry: Entry) -> None:
    """Writes an entry; the folder of entries is there. An older one stays until the new one is whole."""
    write_whole(entry_path(results, entry.student), entry.to_json())


def read_entry(path: Path) -> Entry:
    """The entry in a file. Raises UsageError for what is none, such as an entry of another version's layout."""
    found = read_json(path, "an entry of `grader batch`")
    try:
        if not isinstance(found, dict):
            raise ValueError("it is no object")
        if found["schema"] != SCHEMA:
            raise ValueError(f"its schema is {found['schema']!r}, not {SCHEMA}")
        entry = Entry(**{f.name: found[f.name] for f in fields(Entry)})
        if entry.state not in STATES:
            raise ValueError(f"its state is {entry.state!r}")
        for name, kind in _KINDS.items():
            if not isinstance(getattr(entry, name), kind):
                raise ValueError(f"its {name} is {type(getattr(entry, name)).__name__}")
        if entry_path(Path(), entry.student).name != path.name:
            raise ValueError("it is another student's")
        return entry
    except (KeyError, TypeError, ValueError) as e:
        why = f"{e} is missing" if isinstance(e, KeyError) else e
        raise UsageError(
            f"{path} is no entry of `grader batch` ({why}). Take it away to have it graded again."
        ) from None


def read_entries(results: Path) -> list[Entry]:
    """All entries of a results folder, by student. Raises UsageError."""
    try:
        names = sorted(p for p in (results / FOLDER).iterdir() if p.suffix == ".json" and not p.name.startswith("."))
    except OSError as e:
        raise UsageError(f"{results / FOLDER} can't be read: {e.strerror}. Run `grader batch` first.") from None
    return sorted((read_entry(path) for path in names), key=lambda e: e.student)
