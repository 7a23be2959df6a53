"""Makes a course's folder or a student's repository from templates; whatever is there already is left as it is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from grader.assignment import DEFAULT, Assignment, ImagesSpec, load_assignment
from grader.assignment.files import files_of
from grader.errors import UsageError
from grader.reporting.assignments import deliverable_line

_TEMPLATES = Path(__file__).parent / "templates"
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_ACTION = re.compile(r"[A-Za-z0-9_.-]+/[A-Za-z0-9_./-]+@[A-Za-z0-9_./-]+")
_DATA_FOLDER = "course_data"


@dataclass(frozen=True)
class Made:
    """One path, as given, and whether it was made now; else it was there already."""

    path: Path
    new: bool


def init_course(folder: Path, action: str = "") -> list[Made]:
    """A course's folder; its name is the assignment's id. Raises UsageError for a name that can't be one."""
    name = folder.resolve().name
    if not _ID.fullmatch(name):
        near = "-".join(re.findall(r"[a-z0-9]+", name.lower())) or "hw1"
        raise UsageError(f"{name!r}: expected lower-case letters, digits and '-', such as {near!r}: it becomes the id.")
    words = {"COURSE_ID": name, "DATA_FOLDER": _DATA_FOLDER, "ASSIGNMENT": "assignment.toml"} | _action(action)
    files = {name: f"course/{name}" for name in ("assignment.toml", "baselines.toml", "README.md")}
    files[".github/workflows/score.yml"] = "course/score.yml"
    return _make(folder, {place: _filled(template, words) for place, template in files.items()}, [])


def init_submission(folder: Path, assignment: str, action: str = "") -> list[Made]:
    """A student's repository: folders for what is handed in, README, workflow.

    An assignment file of the course's own is copied to `assignment/`. Raises UsageError or AssignmentError.
    """
    work = load_assignment(assignment)
    own = files_of(Path(assignment)) if assignment.endswith(".toml") else {}
    files = {f"assignment/{name}": content for name, content in own.items()}
    named = "assignment/assignment.toml" if own else assignment
    words = {
        "ASSIGNMENT_TITLE": work.title,
        "DELIVERABLES": "\n".join(_deliverables(work)),
        "DATA_FOLDER": work.data_folder,
        "ASSIGNMENT": named,
        "OPTIONS": "" if named == DEFAULT else f" --assignment {named}",
    }
    for place, template in (
        ("README.md", "submission/README.md"),
        (".gitignore", "submission/gitignore"),
        (".github/workflows/grader.yml", "submission/grader.yml"),
    ):
        files[place] = _filled(template, words | _action(action))
    return _make(folder, files, [f"submission/{place}" for place in _folders(work)])


def _deliverables(work: Assignment) -> Iterator[str]:
    for i, problem in enumerate(work.problems):
        yield from ("",) * (i > 0)
        yield f"{problem.id}: {problem.title}"
        yield from (f"  {deliverable_line(d)}" for d in problem.deliverables)
    if work.repository:
        yield from ("", "beside submission/, checked with --with-repository")
        yield from (f"  {f.path}{'' if f.required else ' (optional)'}" for f in work.repository)


def _folders(work: Assignment) -> list[str]:
    """The folders of what must be handed in, each once."""
    required = [d for p in work.problems for d in p.deliverables if d.required]
    places = [d.path if isinstance(d, ImagesSpec) else d.path.rpartition("/")[0] for d in required]
    return [place for place in dict.fromkeys(places) if place]


def _action(action: str) -> dict[str, str]:
    if action and not _ACTION.fullmatch(action):
        raise UsageError(f"--action {action}: expected OWNER/REPOSITORY@VERSION, such as ada/grader@v0.1.0.")
    return {"OWNER/grader@v0.1.0": action} if action else {}


def _filled(template: str, words: Mapping[str, str]) -> bytes:
    text = (_TEMPLATES / template).read_text(encoding="utf-8")
    # Longer words first: one is the beginning of another. In one pass, so that no value is filled in again.
    pattern = "|".join(map(re.escape, sorted(words, key=len, reverse=True)))
    return re.sub(pattern, lambda found: words[found[0]], text).encode()


def _make(folder: Path, files: Mapping[str, bytes], folders: list[str]) -> list[Made]:
    made = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for place in folders:
            new = not (folder / place).exists()
            (folder / place).mkdir(parents=True, exist_ok=True)
            made.append(Made(folder / place, new))
        for place, content in files.items():
            path = folder / place
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                with open(path, "xb") as f:  # also where a link or a folder has the name
                    f.write(content)
                made.append(Made(path, True))
            except FileExistsError:
                made.append(Made(path, False))
    except OSError as e:
        raise UsageError(f"{e.filename} can't be made: {e.strerror}.") from None
    return made
