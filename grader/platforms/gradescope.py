"""An autograder for Gradescope: one zip with what builds the image and what grades a submission."""

from __future__ import annotations

import io
import json
import re
import shlex
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from grader._version import __version__
from grader.assignment import Assignment, load_assignment
from grader.assignment.files import files_of
from grader.errors import UsageError
from grader.judges import check_judges
from grader.judges.needed import downloads, extras
from grader.readiness import needs_of_data
from grader.references.data import Data

_TEMPLATES = Path(__file__).parent.parent / "templates" / "gradescope"
_EXECUTABLE = {"setup.sh", "run_autograder"}
_WHEEL = re.compile(r"vision_grader-[A-Za-z0-9_.!+]+-py3-none-any\.whl")


@dataclass
class Autograder:
    """The zip's files by name. `skipped`: measures that will be skipped there, each with what it lacks."""

    files: dict[str, bytes] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)

    def to_bytes(self) -> bytes:
        """The zip: the same bytes for the same files. Nothing is compressed, since how well differs by library."""
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
            for name in sorted(self.files):
                info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
                info.create_system = 3  # Unix, where modes have a meaning
                info.external_attr = (0o100755 if name in _EXECUTABLE else 0o100644) << 16
                archive.writestr(info, self.files[name])
        return out.getvalue()


def build_autograder(
    assignment: str,
    *,
    problems: Sequence[str] = (),
    data: Path | None = None,
    references: Sequence[Path] = (),
    judges: Mapping[str, str] | None = None,
    wheel: Path | None = None,
    minutes: int = 9,
    hidden: bool = True,
) -> Autograder:
    """Puts the autograder of an assignment together.

    data: the course's data folder; what the measures need of it goes into the zip. references, judges: files that go
    in too. wheel: of this package, installed in place of the published one. minutes: after them the grader is ended.
    hidden: students see no name, label or path of the data. Raises UsageError for what can't be used.
    """
    work = load_assignment(assignment).only(problems)
    built = Autograder()
    arguments = [f"--problem={name}" for name in problems] + ["--hidden"] * hidden
    named = _add_assignment(built, assignment)
    arguments.append(f"--assignment={named}")
    given = _add_references(built, references, arguments, work)
    for name, path in check_judges(judges or {}).items():
        place = f"judges/{name}{path.suffix}"
        built.files[place] = _read(path)
        arguments.append(f"--judge={name}={place}")
    _add_data(built, work, data, given, arguments)
    needed = ",".join(extras(work))
    requirement = _add_wheel(built, wheel) + f"[{needed}]" * bool(needed) + ("" if wheel else f"=={__version__}")
    fetched = [name for name in downloads(work) if name not in (judges or {})]
    filled = {"REQUIREMENT": [requirement], "JUDGES": fetched, "ASSIGNMENT": [named]}
    built.files |= {path.name: _filled(path, filled) for path in _TEMPLATES.iterdir() if path.is_file()}
    settings = {"arguments": arguments, "minutes": minutes}
    built.files["settings.json"] = (json.dumps(settings, indent=2) + "\n").encode()
    return built


def _filled(template: Path, words: Mapping[str, Iterable[str]]) -> bytes:
    text = template.read_text(encoding="utf-8")
    for name, values in words.items():
        text = text.replace(f"@{name}@", shlex.join(values))
    return text.encode()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as e:
        raise UsageError(f"{path} can't be read: {e.strerror}.") from None


def _add_assignment(built: Autograder, assignment: str) -> str:
    """An assignment file of one's own goes in with what it names, unless that comes with the grader."""
    path = Path(assignment)
    if path.suffix != ".toml":
        return assignment
    built.files |= {f"assignment/{name}": content for name, content in files_of(path).items()}
    return "assignment/assignment.toml"


def _add_references(
    built: Autograder, references: Sequence[Path], arguments: list[str], work: Assignment
) -> set[tuple[str, str]]:
    given: set[tuple[str, str]] = set()
    if not references:
        return given
    from grader.references.statistics import read_reference

    used = {(m.reference, m.protocol) for p in work.problems for m in p.measures}
    for i, path in enumerate(references):
        file = read_reference(path)
        if (file.name, file.protocol) not in used:
            raise UsageError(f"{path} is for {file.name} by the protocol {file.protocol}, which no measure here uses.")
        given.add((file.name, file.protocol))
        place = f"references/{i + 1}.npz"  # the name of the file might say what it is made of
        built.files[place] = _read(path)
        arguments.append(f"--reference={place}")
    return given


def _add_data(
    built: Autograder, work: Assignment, folder: Path | None, given: set[tuple[str, str]], arguments: list[str]
) -> None:
    data = Data(folder, work.data_folder)
    if folder is not None:
        arguments.append("--data=data")
    for need in needs_of_data(work, given):
        found = data.find(need.path)
        if found is None:
            told = f"{need.measure}: needs {need.path}"
            if need.required and told not in built.skipped:
                built.skipped.append(told)
            continue
        if found.is_file():
            built.files[f"data/{need.path}"] = _read(found)
            continue
        for file in sorted(found.iterdir()):
            if file.is_file() and not file.name.startswith("."):
                built.files.setdefault(f"data/{need.path}/{file.name}", _read(file))


def _add_wheel(built: Autograder, wheel: Path | None) -> str:
    if wheel is None:
        return "vision-grader"
    if not _WHEEL.fullmatch(wheel.name):
        raise UsageError(
            f"--wheel {wheel}: expected vision_grader-VERSION-py3-none-any.whl, as `python -m build` names it."
        )
    built.files[wheel.name] = _read(wheel)
    return f"./{wheel.name}"
