"""An assignment as typed values: what its TOML file says, checked. Reading is in `reading.py`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from grader.assignment.names import NameFormat
from grader.errors import UsageError
from grader.results import ManualPoints
from grader.text import did_you_mean, plural


@dataclass(frozen=True)
class ImagesSpec:
    """A folder of `count` pictures of one size, mode and format.

    `copies_of`: folders of the data whose images must not be handed in as generated ones.
    `names` prescribes each file name; None accepts any name with the extension of `format`. `label` names the
    field that is the class. `size` is (width, height) in pixels; `mode` is Pillow's; samples have 8 bits.
    `one_for_each`: a folder of the data, for each of whose pictures there is one image of the same name; `count` is
    then how many the course published. `alike`: images are meant to resemble each other, as pairs of one face do.
    `repeats`: a field of the names; the same picture may stand under several values of it.
    """

    id: str
    path: str
    count: int
    size: tuple[int, int]
    mode: Literal["RGB", "L"]
    format: Literal["PNG"]
    names: NameFormat | None
    label: str
    required: bool
    copies_of: tuple[str, ...] = ()
    one_for_each: str = ""
    alike: bool = False
    repeats: str = ""

    @property
    def least(self) -> int:
        """The fewest images that will do."""
        return len(self.names.smallest) if self.names and not self.one_for_each else self.count

    @property
    def amount(self) -> str:
        """How many images are asked for, in words: `20 to 1000 images`."""
        if self.one_for_each:
            return f"one image for each picture of {self.one_for_each}/"
        return plural(self.count, "image") if self.least == self.count else f"{self.least} to {self.count} images"

    @property
    def label_field(self) -> int | None:
        """Index of the label among the name's fields; None where the names carry no label."""
        if self.names is None or not self.label:
            return None
        return [f.name for f in self.names.fields].index(self.label)

    def repeated_as(self, name: str) -> int:
        """The value of the field `repeats` in a name: equal pictures under different values are none too many."""
        values = self.names.parse(name) if self.names and self.repeats else None
        return values[[f.name for f in self.names.fields].index(self.repeats)] if self.names and values else 0


@dataclass(frozen=True)
class TableSpec:
    """A csv with one row for each test image: its name and an integer label in `labels`, both ends included.

    `answers` is the path, under the data folder, of the csv with the true labels; `answers_count` how many the
    course published. `images`: instead, the id of an image folder of the same problem, each of whose images has a row;
    the true label is the number `field` of its name, and `answers` is empty.
    """

    id: str
    path: str
    columns: tuple[str, str]
    labels: tuple[int, int]
    answers: str
    answers_count: int
    required: bool
    images: str = ""
    field: str = ""


@dataclass(frozen=True)
class FigureSpec:
    """A picture for people to look at: a plot, or a grid of images. Its format follows from its name.

    `grid`: columns and rows of images of `tile` (width, height) pixels each, which are taken apart where they form a
    regular grid; None for any other picture, whose `tile` is (0, 0). `alike`: the images are meant to resemble each
    other.
    """

    id: str
    path: str
    grid: tuple[int, int] | None
    tile: tuple[int, int]
    required: bool
    alike: bool = False

    @property
    def format(self) -> Literal["JPEG", "PNG"]:
        """What the file must be inside."""
        return "PNG" if self.path.lower().endswith(".png") else "JPEG"


@dataclass(frozen=True)
class ScriptSpec:
    """A shell script at the top of the repository, for one problem."""

    problem: str
    path: str
    required: bool


@dataclass(frozen=True)
class DocumentSpec:
    """A PDF at the top of the repository; `<id>` in its name stands for the student's number: `hw2_<id>.pdf`."""

    problem: str
    path: str
    required: bool


Deliverable = ImagesSpec | TableSpec | FigureSpec
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
class Problem:
    """One question of the homework."""

    id: str
    title: str
    deliverables: tuple[Deliverable, ...]
    measures: tuple[MeasureSpec, ...]


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
