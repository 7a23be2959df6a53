"""A folder of images: found, named, readable, in the right form, and not all the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from grader.assignment import ImagesSpec
from grader.checks import rules
from grader.checks.contents import Contents
from grader.checks.naming import check_names
from grader.checks.narrowing import narrowed
from grader.results import Finding
from grader.submission import Submission
from grader.text import listing, plural

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MOST_FOLDERS = 60


@dataclass(frozen=True)
class CheckedImages:
    """What can be judged: names in sorted order with their pixels (rows of `spec.mode` samples), and the findings.

    `spec` has a definite number of images: where the assignment leaves it open, it is the one that was handed in.
    `digests`: a name by the hash of each picture's pixels.
    """

    spec: ImagesSpec
    names: tuple[str, ...]
    pixels: tuple[bytes, ...]
    findings: tuple[Finding, ...]
    digests: Mapping[bytes, str] = field(default_factory=dict)

    @cached_property
    def array(self) -> NDArray[np.uint8]:
        """Images in the order of their names: uint8 ``(n, h, w, 3)``, gray repeated thrice. Nobody may change it."""
        import numpy as np

        width, height = self.spec.size
        flat = np.frombuffer(bytearray().join(self.pixels), np.uint8)  # writable, as torch wants it
        pixels = flat.reshape(len(self.names), height, width, len(self.spec.mode))
        return pixels if pixels.shape[3] == 3 else np.repeat(pixels, 3, axis=3)  # networks take three channels


Pictures = dict[tuple[str, str], CheckedImages]  # what was judged, by problem and deliverable


def check_images(
    submission: Submission,
    spec: ImagesSpec,
    problem: str,
    *,
    elsewhere: set[str],
    keep: bool,
    of: frozenset[str] | None = None,
) -> CheckedImages:
    """Checks one image folder. `elsewhere`: paths that are other things' places, where nothing is looked for.

    `keep` holds the pixels of the judged images; without it only the findings are wanted. `of`: names of the pictures
    for each of which there is one image; None if they aren't here, or if nothing of the kind is asked for.
    """
    if of is not None:
        spec = narrowed((), spec, of)
    entries = submission.folder(spec.path)
    if entries is not None:
        entries = {name: e for name, e in entries.items() if f"{spec.path}/{name}" not in elsewhere}
    if entries is None or not any(e.kind == "file" for e in entries.values()):
        if not spec.required and submission.entry(spec.path) is None:
            return CheckedImages(spec, (), (), ())
        return CheckedImages(spec, (), (), (_not_there(submission, spec, problem, elsewhere),))
    submission.decoder.start()  # while it starts, names are compared
    findings: list[Finding] = []
    findings += _strange_entries(submission, spec, problem)
    files = [e.name for e in entries.values() if e.kind == "file"]
    asked, spec = spec, narrowed(files, spec, of)
    naming = check_names(files, spec, problem, of)
    if not naming.accepted:
        moved = _deeper(submission, asked, problem)
        if moved:
            return CheckedImages(asked, (), (), (*findings, moved))
    findings += naming.findings
    contents = Contents(submission, spec, problem)
    ending = "." + spec.format.lower()
    accepted = set(naming.accepted)
    named_alike = [n for n in entries if n.lower().endswith(ending) and entries[n].kind == "file"]
    for name in sorted(named_alike, key=lambda n: (n not in accepted, n))[: 2 * spec.count]:
        contents.add(name, judged=keep and name in accepted)
    spec = contents.settle()
    findings += contents.findings()
    judged = sorted(contents.pixels.items())
    names, pixels = tuple(name for name, _ in judged), tuple(p for _, p in judged)
    return CheckedImages(spec, names, pixels, tuple(findings), contents.digests())


def _strange_entries(submission: Submission, spec: ImagesSpec, problem: str) -> list[Finding]:
    """Links, pipes and devices are errors; a folder among the images is a warning."""
    entries = submission.folder(spec.path) or {}
    links = [e.name for e in entries.values() if e.kind in ("link", "pipe or device")]
    folders = [e.name + "/" for e in entries.values() if e.kind == "folder"]
    found: list[Finding] = []
    if links:
        found.append(
            rules.NOT_A_FILE.finding(
                problem=problem,
                deliverable=spec.id,
                path=spec.path,
                message=f"{plural(len(links), 'entry')} of {spec.path}/ are links or other things that are no files.",
                expected="regular files",
                actual=listing(links),
                help="Put the files themselves there: `cp -L` copies what a link points to.",
                count=len(links),
                examples=links,
            )
        )
    if folders:
        found.append(
            rules.EXTRA_FILE.finding(
                problem=problem,
                deliverable=spec.id,
                path=spec.path,
                message=f"{plural(len(folders), 'folder')} lie among the images of {spec.path}/.",
                expected="images only",
                actual=listing(folders),
                help="Leave other folders out; what is in them is not judged.",
                count=len(folders),
                examples=folders,
            )
        )
    return found


def _matches(submission: Submission, folder: str, spec: ImagesSpec) -> int:
    """How many file names in a folder fit the deliverable."""
    files = [e.name for e in submission.peek(folder).values() if e.kind == "file"]
    if spec.names is None:
        return sum(name.lower().endswith("." + spec.format.lower()) for name in files)
    return sum(spec.names.parse(name) is not None for name in files)


def _best(submission: Submission, folders: list[str], spec: ImagesSpec) -> tuple[int, str]:
    """The folder with the most fitting names; too few of them are nothing."""
    least = spec.least // 2 if spec.names is None else spec.least // 10
    found = [(_matches(submission, folder, spec), folder) for folder in folders[:_MOST_FOLDERS]]
    name = spec.path.rpartition("/")[2]
    count, folder = max(found, key=lambda pair: (pair[0], pair[1].endswith(name)), default=(0, ""))
    return (count, folder) if count > 0 and count >= least else (0, "")


def _misplaced(spec: ImagesSpec, problem: str, folder: str, count: int, note: str) -> Finding:
    where = "the top of the submission" if folder == "." else f"{folder}/"
    return rules.MISPLACED.finding(
        problem=problem,
        deliverable=spec.id,
        path=folder,
        message=f"{plural(count, 'fitting image')} were found in {where}, not in {spec.path}/{note}.",
        expected=f"{spec.amount} in {spec.path}/",
        actual=f"{count} images in {where}",
        help=f"Move them so that they lie directly in {spec.path}/, or pass the folder that holds {spec.path}/.",
        count=count,
    )


def _deeper(submission: Submission, spec: ImagesSpec, problem: str) -> Finding | None:
    inside = submission.folders(spec.path)[:_MOST_FOLDERS]
    found = sum(_matches(submission, folder, spec) for folder in inside)
    count, folder = _best(submission, inside + [f for i in inside for f in submission.folders(i)], spec)
    if found > count:
        note = f": they are spread over {plural(len(inside), 'folder')}"
        return _misplaced(spec, problem, f"{spec.path}/*", found, note)
    return _misplaced(spec, problem, folder, count, ": one folder too deep") if count else None


def _not_there(submission: Submission, spec: ImagesSpec, problem: str, elsewhere: set[str]) -> Finding:
    """The folder is missing or has no files: says where fitting images lie instead, if anywhere."""
    entry = submission.entry(spec.path)
    if entry is not None and entry.kind != "folder":
        return rules.NOT_A_FILE.finding(
            problem=problem,
            deliverable=spec.id,
            path=spec.path,
            message=f"{spec.path} is a {entry.kind}, not a folder.",
            expected=f"a folder {spec.path}/ with {spec.amount}",
            actual=f"a {entry.kind}",
            help="Make a real folder of that name and put the images into it; links are not followed.",
        )
    deeper = _deeper(submission, spec, problem) if entry is not None else None
    if deeper is not None:
        return deeper
    tops = [f for f in submission.folders(".") if f not in elsewhere and f != spec.path][:_MOST_FOLDERS]
    below = [f for top in tops for f in submission.folders(top) if f not in elsewhere]
    count, folder = _best(submission, [".", *tops, *below], spec)
    if count:
        return _misplaced(spec, problem, folder, count, "")
    names = listing([top for top in tops if not any(place.startswith(f"{top}/") for place in elsewhere)], 5)
    if entry is not None and submission.folder(spec.path) is None:
        return rules.UNREADABLE.finding(
            problem=problem,
            deliverable=spec.id,
            path=spec.path,
            message=f"{spec.path}/ can't be opened.",
            expected="a folder that everybody may read",
            actual="no permission",
            help=f"Allow reading: chmod -R u+rX {spec.path}.",
        )
    return rules.MISSING_DELIVERABLE.finding(
        problem=problem,
        deliverable=spec.id,
        path=spec.path,
        message=f"{spec.path}/ is {'empty' if entry else 'not there'}.",
        expected=f"a folder {spec.path}/ with {spec.amount}",
        actual="an empty folder" if entry else (f"folders: {names}" if names else "no such folder"),
        help=f"Write the images of this problem into {spec.path}/ at the top of the submission.",
    )
