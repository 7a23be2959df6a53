"""An assignment as typed values: what its TOML file says, checked. Reading is in `reading.py`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

from grader.assignment.specs import Deliverable
from grader.errors import UsageError
from grader.results import ManualPoints
from grader.text import did_you_mean


@dataclass(frozen=True)
class ScriptSpec:
    """A shell script at the top of the repository, for one problem.

    `runs`: the arguments of each call, in which `{out}` is the folder of the deliverables and `{data}/PATH` a part of
    the course's data; empty where the course published none. `reads`: what else of the data it sees. `collects`: what
    it writes beside itself, taken into the deliverables. `minutes`: how long a call may last. `fetch`: it downloads
    what the others need, and is called first, only where that is asked for.
    """

    problem: str
    path: str
    required: bool
    runs: tuple[tuple[str, ...], ...] = ()
    reads: tuple[str, ...] = ()
    collects: tuple[str, ...] = ()
    minutes: float = 10
    fetch: bool = False


@dataclass(frozen=True)
class DocumentSpec:
    """A PDF at the top of the repository; `<id>` in its name stands for the student's number: `hw2_<id>.pdf`."""

    problem: str
    path: str
    required: bool


RepositoryFile = ScriptSpec | DocumentSpec


@dataclass(frozen=True)
class ShellRules:
    """What the course forbids in scripts: commands and variables, and commands to be replaced by another."""

    forbidden: tuple[str, ...]
    instead: dict[str, str]
    absolute_paths: bool


@dataclass(frozen=True)
class Baseline:
    """A value to reach, with the points for it. `op`: `ge` at least, `le` at most; both include the value.

    One without points is there for orientation: nobody fails by it.
    """

    measure: str
    name: str
    value: float
    op: Literal["ge", "le"]
    points: float
    source: str

    def reached_by(self, value: float) -> bool:
        """True if the value is at least as good as the baseline."""
        return value >= self.value if self.op == "ge" else value <= self.value


@dataclass(frozen=True)
class Reported:
    """One published result: values by measure id, as fractions where the measure is one."""

    id: str
    values: dict[str, float]


@dataclass(frozen=True)
class MeasureSpec:
    """A metric bound to a deliverable. `baselines` go from the lowest demand to the highest.

    `reference` is a folder of pictures under the data folder, `reference_count` how many the course published,
    `reference_labels` the csv with their labels, where classes are compared. `reference_file`: published statistics
    of such a folder, for those who don't have the pictures. `attribute`: what the label of a face means, one of
    `grader.judges.attributes.ATTRIBUTES`; empty: found by the judge. `on`: the label's value for a face that has it.
    `reference_most`: so many of the reference's pictures are taken, evenly spaced; 0: all. `against_reference`: the
    folder of the other domain's pictures. `against`: another deliverable of the problem that this one is held against.
    `tags`: the file under the data folder that says which colours are asked for; `published_tags`: what the course
    published, for those who don't have the file.
    """

    id: str
    metric: str
    deliverable: str
    protocol: str
    reference: str
    reference_count: int
    baselines: tuple[Baseline, ...]
    reference_labels: str = ""
    reference_file: Path | None = None
    attribute: str = ""
    on: int | None = None
    reference_most: int = 0
    against_reference: str = ""
    against: str = ""
    tags: str = ""
    published_tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Choice:
    """Parts of a problem of which the student chooses at least `least`.

    `deliverables`: by option, the ids of those deliverables of the problem that the option consists of. None of them
    is required by itself.
    """

    id: str
    title: str
    least: int
    options: tuple[str, ...]
    deliverables: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Problem:
    """One question of the homework."""

    id: str
    title: str
    deliverables: tuple[Deliverable, ...]
    measures: tuple[MeasureSpec, ...]
    choices: tuple[Choice, ...] = ()


@dataclass(frozen=True)
class Policy:
    """What the course does with points after they are measured.

    `reproducibility_penalty`: the share of a problem's points that a second run with other measures costs, 0 to 1.
    `deadline`: with its time zone. `late_days`: begun days after it that cost nothing. `late_penalty`: the share of the
    points that each begun day after those costs, 0 to 1. `late_most`: begun days after the deadline, the free ones
    among them, after which nothing counts; None: no such end. `attempts`: how many hand-ins of a student count; None:
    all. `attempt`: which of these it is that counts. `hidden`: ids of measures that students don't see for now.
    """

    reproducibility_penalty: float = 0.0
    deadline: datetime | None = None
    late_days: int = 0
    late_penalty: float = 0.0
    late_most: int | None = None
    attempts: int | None = None
    attempt: Literal["last", "best"] = "last"
    hidden: tuple[str, ...] = ()


@dataclass(frozen=True)
class Assignment:
    """One homework. `digest` is the sha256 of the files that it was read from."""

    id: str
    title: str
    source: str
    data_folder: str
    problems: tuple[Problem, ...]
    manual: tuple[ManualPoints, ...]
    reported: tuple[Reported, ...]
    repository: tuple[RepositoryFile, ...]
    shell: ShellRules
    digest: str
    policy: Policy = Policy()

    def only(self, problems: Iterable[str]) -> Assignment:
        """The same assignment cut down to these problems, in its own order; all of them if none is named.

        Raises UsageError for a problem that the assignment doesn't have.
        """
        wanted = list(problems)
        known = [p.id for p in self.problems]
        for name in wanted:
            if name not in known:
                hint = did_you_mean(name, known)
                raise UsageError(f"{self.id} has no problem {name!r}; it has {', '.join(known)}.{hint}")
        if not wanted:
            return self
        kept = tuple(p for p in self.problems if p.id in wanted)
        return replace(
            self,
            problems=kept,
            manual=tuple(m for m in self.manual if m.problem in wanted),
            repository=tuple(f for f in self.repository if f.problem in wanted or not f.problem),
        )
