"""What is kept of a submission to compare it with others: a file of numbers and names, the same bytes every time.

No features of networks: their last digits depend on the device, and pixels alone tell edited copies apart well enough
(`docs/guides/copies.md`).
"""

from __future__ import annotations

import io
import json
import tokenize
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from grader.checks.figures import CheckedFigure, as_images
from grader.checks.images import CheckedImages
from grader.checks.tables import CheckedTable
from grader.errors import SubmissionRefused, UsageError
from grader.inspection import Checked
from grader.measuring.compared import compared_images
from grader.measuring.context import Context
from grader.similarity import descriptors
from grader.similarity.descriptors import WIDTH
from grader.similarity.sources import scripts
from grader.submission import open_submission
from grader.text import printable

SCHEMA = "grader/fingerprint/1"
MISSING = 65535  # in a table's labels: no row, or none that can be judged
_HEAD = "head"
# What zip, numpy's header and JSON raise for bytes that somebody has made up: encrypted parts, a header that is no
# literal or claims more than there is memory, brackets without end, an infinite count.
_DAMAGED = (
    *(ValueError, KeyError, TypeError, EOFError, OverflowError, MemoryError, RecursionError, RuntimeError, SyntaxError),
    *(zipfile.BadZipFile, zlib.error, tokenize.TokenError),
)
_FIXED_TIME = (1980, 1, 1, 0, 0, 0)
_LARGEST = 64 * 2**20  # bytes of a file, and 8 times that unpacked


@dataclass(frozen=True)
class Images:
    """The images of a deliverable. path: its folder, empty for the tiles of a figure.

    digests: uint8 ``(n, 16)``; details: int8 ``(n, WIDTH)``; of_course: those that show what the course's data hold.
    alike: images of different students are meant to be alike, so that only equal ones tell something.
    """

    problem: str
    deliverable: str
    path: str
    names: tuple[str, ...]
    alike: bool
    digests: NDArray[np.uint8]
    details: NDArray[np.int8]
    of_course: NDArray[np.bool_]


@dataclass(frozen=True)
class Table:
    """Predictions, uint16 ``(n,)``, in the order of the names that have a true label; `truth` alike."""

    problem: str
    deliverable: str
    path: str
    names: str  # a digest of the names
    labels: NDArray[np.uint16]
    truth: NDArray[np.uint16]


@dataclass(frozen=True)
class Script:
    """A script at the top: how many words it has, a digest of them, winnowed hashes uint32 ``(k,)``."""

    name: str
    words: int
    digest: str
    hashes: NDArray[np.uint32]


@dataclass(frozen=True)
class Fingerprint:
    """What one submission is known by. `top`: the folder of a zip that was taken as its top; "" mostly."""

    images: tuple[Images, ...] = ()
    tables: tuple[Table, ...] = ()
    scripts: tuple[Script, ...] = ()
    top: str = ""


def fingerprint(submission: Path, checked: Mapping[tuple[str, str], Checked], context: Context) -> bytes:
    """The fingerprint of a submission that was just scored, as the bytes of its file.

    checked: what was measured, by problem and deliverable. Scripts are read from the submission itself.
    """
    images, tables = [], []
    for (problem, deliverable), part in checked.items():
        if isinstance(part, CheckedTable):
            if table := _table(problem, deliverable, part, context):
                tables.append(table)
        elif found := _images(problem, deliverable, part, context):
            images.append(found)
    paths = {d.spec.path.partition("/")[0] for d in checked.values()}
    try:
        with open_submission(submission) as view:
            top = view.wrapper(paths)
            if top:
                view.enter(top)
            own = tuple(Script(*found) for found in scripts(view))
    except SubmissionRefused:
        own, top = (), ""
    return pack(Fingerprint(tuple(images), tuple(tables), own, top))


def _images(problem: str, deliverable: str, part: CheckedImages | CheckedFigure, context: Context) -> Images | None:
    images = as_images(part) if isinstance(part, CheckedFigure) else part
    if not images.names:
        return None
    pictures = compared_images(problem, images, context)
    spec, of_course = images.spec, context.copied.get((problem, deliverable), frozenset())
    return Images(
        problem,
        deliverable,
        "" if isinstance(part, CheckedFigure) else spec.path,
        images.names,
        bool(spec.one_for_each or spec.alike),
        descriptors.digests(pictures.pixels),
        descriptors.describe(pictures.details),
        np.array([name in of_course for name in images.names]),
    )


def _table(problem: str, deliverable: str, part: CheckedTable, context: Context) -> Table | None:
    answers = context.answers.get(part.answers)
    if not answers or not part.predictions:
        return None
    names = sorted(answers)
    labels = np.array([part.predictions.get(name, MISSING) for name in names], np.int64)
    truth = np.array([answers[name] for name in names], np.int64)
    digest = f"{zlib.crc32(chr(0).join(names).encode('utf-8', 'surrogatepass')):08x}"
    small = [np.minimum(found, MISSING).astype(np.uint16) for found in (labels, truth)]
    return Table(problem, deliverable, part.spec.path, digest, *small)


def pack(found: Fingerprint) -> bytes:
    """A fingerprint as the bytes of its file, which say nothing of when or where they were made."""
    head: dict[str, Any] = {"schema": SCHEMA, "top": found.top}
    head["images"] = [[i.problem, i.deliverable, i.path, list(i.names), i.alike] for i in found.images]
    head["tables"] = [[t.problem, t.deliverable, t.path, t.names] for t in found.tables]
    head["scripts"] = [[s.name, s.words, s.digest] for s in found.scripts]
    parts: dict[str, NDArray[Any]] = {_HEAD: np.frombuffer(json.dumps(head).encode(), np.uint8)}
    for k, images in enumerate(found.images):
        parts |= {f"digests{k}": images.digests, f"details{k}": images.details, f"course{k}": images.of_course}
    for k, table in enumerate(found.tables):
        parts |= {f"labels{k}": table.labels, f"truth{k}": table.truth}
    parts |= {f"hashes{k}": script.hashes for k, script in enumerate(found.scripts)}
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as z:
        for name, array in parts.items():
            part = io.BytesIO()
            np.lib.format.write_array(part, np.ascontiguousarray(array), version=(1, 0), allow_pickle=False)
            info = zipfile.ZipInfo(f"{name}.npy", _FIXED_TIME)
            # Hashes don't get smaller, so that packing them would be time lost.
            packed = name.startswith(("head", "labels", "truth", "course"))
            info.compress_type = zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED
            z.writestr(info, part.getvalue(), compresslevel=6 if packed else None)
    return whole.getvalue()


@dataclass
class _Parts:
    """The arrays of a file, each with the form that it must have."""

    arrays: Mapping[str, NDArray[Any]]
    taken: set[str] = field(default_factory=set)

    def take(self, name: str, kind: type, *shape: int) -> NDArray[Any]:
        """-1 stands for any length. Raises ValueError, KeyError."""
        array = self.arrays[f"{name}.npy"]
        fits = array.ndim == len(shape) and all(n in (-1, m) for n, m in zip(shape, array.shape, strict=True))
        if array.dtype != kind or not fits:
            raise ValueError(f"{name} is {array.dtype} {array.shape}")
        return array


def read_fingerprint(path: Path) -> Fingerprint:
    """The fingerprint in a file. Raises UsageError for what is none; nothing in a file is ever executed."""
    try:
        if path.stat().st_size > _LARGEST:
            raise ValueError(f"more than {_LARGEST >> 20} MiB")
        return unpack(path.read_bytes())
    except OSError as e:
        raise UsageError(f"{path} can't be read: {e.strerror}.") from None
    except _DAMAGED as e:
        raise UsageError(
            f"{path} is no fingerprint of `grader batch` ({printable(str(e) or type(e).__name__)}). Take it away and "
            "grade that submission again."
        ) from None


def unpack(content: bytes) -> Fingerprint:
    """What `pack` made bytes of. Raises one of `_DAMAGED` for anything else."""
    with zipfile.ZipFile(io.BytesIO(content)) as z:
        if sum(info.file_size for info in z.infolist()) > 8 * _LARGEST:
            raise ValueError("it unpacks to more than it can hold")
        arrays = {}
        for info in z.infolist():
            with z.open(info) as f:
                arrays[info.filename] = np.lib.format.read_array(f, allow_pickle=False)
    parts = _Parts(arrays)
    head = json.loads(parts.take(_HEAD, np.uint8, -1).tobytes())
    if head["schema"] != SCHEMA:
        raise ValueError(f"its schema is {head['schema']!r}, not {SCHEMA}")
    images = tuple(_unpacked(parts, k, *row) for k, row in enumerate(head["images"]))
    tables = []
    for k, row in enumerate(head["tables"]):
        problem, deliverable, path, names = _texts(row, 4)
        labels = parts.take(f"labels{k}", np.uint16, -1)
        truth = parts.take(f"truth{k}", np.uint16, len(labels))
        tables.append(Table(problem, deliverable, path, names, labels, truth))
    own = []
    for k, (name, count, digest) in enumerate(head["scripts"]):
        name, digest = _texts([name, digest], 2)
        name = _inside(name)
        own.append(Script(name, int(count), digest, parts.take(f"hashes{k}", np.uint32, -1)))
    return Fingerprint(images, tuple(tables), tuple(own), _inside(_texts([head["top"]], 1)[0]))


def _unpacked(parts: _Parts, k: int, *row: Any) -> Images:
    *texts, names, alike = row
    problem, deliverable, path = _texts(texts, 3)
    n = len(names)
    digests, details = parts.take(f"digests{k}", np.uint8, n, 16), parts.take(f"details{k}", np.int8, n, WIDTH)
    course = parts.take(f"course{k}", np.bool_, n)
    plain = tuple(_inside(name) for name in _texts(names, n))
    return Images(problem, deliverable, _inside(path), plain, bool(alike), digests, details, course)


def _texts(values: Any, count: int) -> list[str]:
    if len(values) != count or not all(isinstance(value, str) for value in values):
        raise ValueError(f"expected {count} texts")
    return list(values)


def _inside(path: str) -> str:
    """The path, which pictures are read from. Raises ValueError for one that leads out of a submission."""
    if path.startswith("/") or ".." in path.split("/"):
        raise ValueError(f"{printable(path)} leads out of the submission")
    return path
