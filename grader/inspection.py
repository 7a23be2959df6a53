"""Looks through a submission: every deliverable's checks, with what they need of the data and of each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from grader.assignment import FigureSpec, ImagesSpec, LogSpec, Problem, TableSpec
from grader.checks import rules
from grader.checks.choices import begun, check_choices
from grader.checks.figures import CheckedFigure, check_figure
from grader.checks.images import CheckedImages, check_images
from grader.checks.logs import check_log
from grader.checks.shared import shared_findings
from grader.checks.tables import CheckedTable, check_table
from grader.checks.tags import tag_findings
from grader.errors import SubmissionRefused
from grader.references.data import BadReference, Data, picture_names, read_labels
from grader.results import Finding
from grader.submission import Submission
from grader.text import listing

_BEYOND = {rules.EXTRA_IMAGES.id, rules.MISNAMED.id}
Checked = CheckedImages | CheckedTable | CheckedFigure  # what can be measured


def of_images(problem: str, deliverable: str) -> str:
    """The key of the answers that the names of a folder's images give."""
    return f"images:{problem}/{deliverable}"


@dataclass
class Inspection:
    """One look through a submission, problem by problem. `elsewhere`: the places of all deliverables and of the data.

    `keep`: hold the pixels of the images. `answers` is filled with the labels that are there: by the path of a csv of
    the data, or by `of_images`. `checked` is by problem and deliverable; of figures it holds the grids of problems that
    measure one.
    """

    view: Submission
    data: Data
    elsewhere: set[str]
    keep: bool
    answers: dict[str, Mapping[str, int]]
    findings: list[Finding] = field(default_factory=list)
    checked: dict[tuple[str, str], Checked] = field(default_factory=dict)
    _notes: list[str] = field(default_factory=list)
    _without: list[str] = field(default_factory=list)  # labels that are not here
    _uncompared: list[str] = field(default_factory=list)  # folders of pictures that are not here
    _whole: list[str] = field(default_factory=list)  # figures that are no regular grid
    _absent: list[str] = field(default_factory=list)  # optional problems without anything

    def look_at(self, problem: Problem) -> None:
        """Checks every deliverable of a problem. Those that a table speaks of stand before it."""
        before = len(self.findings)
        there = False
        needed = begun(self.view, problem)
        for asked in problem.deliverables:
            spec = replace(asked, required=True) if asked.id in needed else asked
            if isinstance(spec, FigureSpec):
                self._figure(problem, spec)
            elif isinstance(spec, LogSpec):
                self.findings += check_log(self.view, spec, problem.id, elsewhere=self.elsewhere)
            else:
                part = self._images(problem, spec) if isinstance(spec, ImagesSpec) else self._table(problem, spec)
                self.findings += part.findings
                self.checked[problem.id, spec.id] = part
            there = there or self.view.entry(spec.path) is not None
        self.findings += check_choices(self.view, problem)
        self.findings += tag_findings(problem, self.data)
        if not there and len(self.findings) == before and not any(d.required for d in problem.deliverables):
            self._absent.append(problem.id)

    def compare(self) -> None:
        """Holds the image folders of all problems against each other."""
        folders = {key: part for key, part in self.checked.items() if isinstance(part, CheckedImages)}
        self.findings += shared_findings(folders)

    def notes(self) -> list[str]:
        """What is to be said beside the findings."""
        found = list(self._notes)
        if self._without:
            found.append(
                f"Without the labels ({', '.join(self._without)}) missing and unknown rows can't be looked for; "
                f"pass --data DIR, the folder with the course's data."
            )
        if self._uncompared:
            found.append(
                f"Without the pictures ({', '.join(self._uncompared)}) missing images can't be looked for; "
                f"pass --data DIR, the folder with the course's data."
            )
        if self._whole:
            found.append(
                f"Not taken apart into single images: {listing(self._whole, 10)}. That is no fault: a person looks at "
                "them, and only a regular grid, as torchvision's save_image or matplotlib's subplots make it, can be "
                "taken apart."
            )
        if self._absent:
            found.append(f"Nothing was handed in for {', '.join(self._absent)}: it is optional, so nothing is missing.")
        return found

    def _figure(self, problem: Problem, spec: FigureSpec) -> None:
        grids = {d.id for d in problem.deliverables if isinstance(d, FigureSpec) and d.grid is not None}
        measured = spec.id in grids and any(m.deliverable in grids for m in problem.measures)
        keep = self.keep and measured
        named = any(spec.id in (m.deliverable, m.against) for m in problem.measures)
        figure = check_figure(self.view, spec, problem.id, elsewhere=self.elsewhere, keep=keep, measured=named)
        self.findings += figure.findings
        if measured:
            self.checked[problem.id, spec.id] = figure
        if figure.decoded and figure.spec.grid is not None and not figure.tiles and not figure.findings:
            self._whole.append(figure.spec.path)

    def _images(self, problem: Problem, spec: ImagesSpec) -> CheckedImages:
        of = self._names_of(spec) if spec.one_for_each else None
        if spec.same_names:
            spec, of = self._like(problem, spec)
        try:
            found = check_images(self.view, spec, problem.id, elsewhere=self.elsewhere, keep=self.keep, of=of)
        except SubmissionRefused as e:
            return CheckedImages(spec, (), (), (_too_many(e, problem.id, spec),))
        published = max((m.reference_count for m in problem.measures if m.reference == spec.one_for_each), default=0)
        if of is not None and len(of) < published and any(f.rule in _BEYOND for f in found.findings):
            self._note(
                f"{spec.one_for_each}/ of the data holds {len(of)} of the {published} pictures that the "
                "course published: images of the others are called too many here; pass --data DIR, the folder with "
                "all of them."
            )
        return found

    def _like(self, problem: Problem, spec: ImagesSpec) -> tuple[ImagesSpec, frozenset[str] | None]:
        """The spec with the size of the folder that has the same names, and these names; None if it isn't there."""
        other = self.checked[problem.id, spec.same_names].spec
        assert isinstance(other, ImagesSpec)  # checked when the assignment was read
        files = [e.name for e in self.view.peek(other.path).values() if e.kind == "file"]
        names = frozenset(name for name in files if name.endswith(f".{other.format.lower()}"))
        return replace(spec, size=other.size if spec.any_size else spec.size), names or None

    def _names_of(self, spec: ImagesSpec) -> frozenset[str] | None:
        """The names of the data's pictures for which there must be an image."""
        path = self.data.find(spec.one_for_each)
        if path is None:
            self._uncompared.append(f"{spec.one_for_each}/")
            return None
        try:
            found = picture_names(path)
        except BadReference as e:
            self._note(f"The pictures can't be used: {e}.")
            return None
        assert spec.names is not None  # checked when the assignment was read
        named = frozenset(name for name in found if spec.names.parse(name))
        if len(named) < len(found):
            self._note(f"The pictures can't be used: not all of {path} are named {spec.names.span()}.")
            return None
        return named

    def _table(self, problem: Problem, spec: TableSpec) -> CheckedTable:
        if spec.images:
            key, about = of_images(problem.id, spec.images), self._name_labels(problem, spec)
        else:
            key, about = spec.answers, ""
            if key not in self.answers:
                self._read_answers(spec)
        table = check_table(self.view, spec, problem.id, self.answers.get(key), elsewhere=self.elsewhere, about=about)
        return replace(table, answers=key)

    def _name_labels(self, problem: Problem, spec: TableSpec) -> str:
        """Takes the labels from the names of the images that the table speaks of; returns their folder."""
        images = self.checked[problem.id, spec.images].spec
        assert isinstance(images, ImagesSpec) and images.names is not None  # checked when the assignment was read
        if self.view.entry(images.path) is not None:
            index = [f.name for f in images.names.fields].index(spec.field)
            labels = {images.names.format(values): values[index] for values in images.names.all_values()}
            self.answers[of_images(problem.id, spec.images)] = labels
        return images.path

    def _read_answers(self, spec: TableSpec) -> None:
        path = self.data.find(spec.answers)
        if path is None:
            if spec.answers not in self._without:
                self._without.append(spec.answers)
            return
        try:
            self.answers[spec.answers] = read_labels(path, spec.columns, spec.labels)
        except BadReference as e:
            self._note(f"The labels can't be used: {e}.")

    def _note(self, text: str) -> None:
        if text not in self._notes:
            self._notes.append(text)


def _too_many(error: SubmissionRefused, problem: str, spec: ImagesSpec) -> Finding:
    return rules.TOO_MANY_FILES.finding(
        problem=problem,
        deliverable=spec.id,
        path=spec.path,
        message=str(error),
        expected=spec.amount,
        actual=error.actual,
        help=f"Leave nothing but the images in {spec.path}/.",
    )
