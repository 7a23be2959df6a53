"""One function for each parser that meets bytes of strangers: it lets nothing but a broken promise out.

Each takes any bytes, swallows the errors that the parser documents, and asserts what must hold of whatever was read.
Modules of `grader` are imported inside, so that a fuzzer can instrument them first.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from tests.fuzz.given import any_names, decoder, digits, homework, memory, scratch

if TYPE_CHECKING:
    from grader.results import Finding

_PNG = b"\x89PNG\r\n\x1a\n"
_LONGEST = 2000  # characters of one text of a finding
_MOST_PIXELS = 256 * 256  # more would measure the decoder and not the parser


def names(data: bytes) -> None:
    """The names of a folder's files, one a line."""
    from grader.checks.naming import check_names

    files = sorted(set(data.decode("utf-8", "surrogateescape").split("\n")) - {""})
    spec, free = digits(), any_names()
    assert spec.names is not None
    for name in files:
        values = spec.names.parse(name)
        assert values is None or spec.names.format(values) == name
    for found in (
        check_names(files, spec, "p"),
        check_names(files, free, "p"),
        check_names(files, free, "p", frozenset(files[::2])),
    ):
        assert set(found.accepted) <= set(files)
        _told(found.findings)


def table(data: bytes) -> None:
    """A csv of predictions, with and without the answers."""
    from grader.assignment import TableSpec
    from grader.checks.tables import check_table

    spec = TableSpec("t", "t.csv", ("image_name", "label"), (0, 9), "test.csv", 4, True)
    answers = {f"{i:05}.png": i for i in range(4)}
    for known in (answers, None):
        with memory({"t.csv": data}) as submission:
            found = check_table(submission, spec, "p", known, elsewhere=set())
        assert all(isinstance(v, int) and 0 <= v <= 9 for v in found.predictions.values())
        _told(found.findings)


def log(data: bytes) -> None:
    """A csv of losses."""
    from grader.assignment import LogSpec
    from grader.checks.logs import check_log

    with memory({"log.csv": data}) as submission:
        _told(check_log(submission, LogSpec("l", "log.csv", ("step", "loss", "other"), 2, True), "p"))


def assignment(data: bytes) -> None:
    """An assignment file."""
    from grader.assignment.reading import read_assignment
    from grader.assignment.toml import Source
    from grader.errors import AssignmentError

    try:
        found = read_assignment(Source.parse("fuzz.toml", data), Path("/nonexistent/fuzz.toml"))
    except AssignmentError as e:
        assert len(str(e)) < 5 * _LONGEST
    else:
        assert found.problems


def archive(data: bytes) -> None:
    """A zip: opened, listed to the bottom, and read."""
    from grader.errors import SubmissionRefused
    from grader.submission import Unreadable, ZipSubmission

    path = scratch() / "s.zip"
    path.write_bytes(data)
    try:
        with ZipSubmission(path) as view:
            folders = ["."]
            while folders:
                folder = folders.pop()
                for entry in (view.folder(folder) or {}).values():
                    assert entry.name not in ("", ".", "..") and "/" not in entry.name and "\\" not in entry.name
                    inner = entry.name if folder == "." else f"{folder}/{entry.name}"
                    if entry.kind == "folder":
                        folders.append(inner)
                        continue
                    try:
                        assert len(view.read(inner, 100_000)) <= 100_000
                    except Unreadable as e:
                        assert str(e).isprintable()
    except SubmissionRefused as e:
        assert str(e).isprintable() and e.actual.isprintable()


def png(data: bytes) -> None:
    """A PNG, as it is and with its checksums put right: else hardly anything would get past them."""
    for content in (data, _with_checksums(data)):
        _image(content)
        _picture(content)


def jpeg(data: bytes) -> None:
    """A JPEG: its segments, then the decoder."""
    _picture(data if data.startswith(b"\xff\xd8\xff") else b"\xff\xd8\xff" + data)


def grid(data: bytes) -> None:
    """A figure with these pixels, taken apart."""
    from PIL import Image

    from grader.checks.plots import take_plot_apart
    from grader.checks.tiles import blank, repeated, take_apart

    if len(data) < 3:
        return
    width, height = 16 + data[0] % 64, 16 + data[1] % 64
    repeats = width * height * 3 // len(data) + 1
    picture = Image.frombytes("RGB", (width, height), (data * repeats)[: width * height * 3])
    for size in ((8, 8), (7, 9), (16, 4)):
        for found in (take_apart(picture, (3, 2), size), take_plot_apart(picture, (3, 2), size)):
            if found is not None:
                assert all(tile.size == size for tile in found.tiles)
                assert len(found.tiles) == found.columns * found.rows == len(found.boxes)
                blank(found.tiles)
                repeated(found.tiles)


def weights(data: bytes) -> None:
    """A file of weights: a .safetensors or a .pth, by the reader that a score uses."""
    import hashlib

    from grader.errors import UsageError
    from grader.judges.states import load_state
    from grader.judges.weights import Weights

    path = scratch() / "w.pth"
    path.write_bytes(data)
    try:
        state = load_state(Weights("digit_classifier", path, hashlib.sha256(data).hexdigest(), False))
    except UsageError:
        return
    assert all(isinstance(name, str) for name in state)


def scores(data: bytes) -> None:
    """A report of scores, as a grade book reads it."""
    from grader.errors import UsageError
    from grader.platforms.gradebook import render
    from grader.platforms.grades import read_class

    (scratch() / "s.json").write_bytes(data)
    try:
        found = read_class(scratch())
    except UsageError:
        return
    for form in ("canvas", "moodle"):
        render(found, form).encode()


def claim(data: bytes) -> None:
    """A report of scores that somebody claims, as it is read to be verified."""
    from grader.errors import UsageError
    from grader.verification import read_claim

    path = scratch() / "claim"
    path.write_bytes(data)
    try:
        found = read_claim(path)
        assert found.problems is not None
        found.of(None)
    except UsageError as e:
        assert str(e).isprintable()


def shell(data: bytes) -> None:
    """A script: what it uses, by the bash parser."""
    from grader.checks.shell import TooNested, uses

    lines = data.count(b"\n") + 2
    try:
        assert all(1 <= use.line <= lines for use in uses(data.decode("utf-8", "surrogateescape")))
    except TooNested:
        return


def tags(data: bytes) -> None:
    """A list of tags."""
    from grader.references.tags import parse_tags

    found = parse_tags(data.decode("utf-8", "replace"))
    assert not set(found.unclear) & set(found.pairs)


def statistics(data: bytes) -> None:
    """Reference statistics, an .npz."""
    from grader.errors import UsageError
    from grader.references.statistics import read_reference

    path = scratch() / "r.npz"
    path.write_bytes(data)
    try:
        read_reference(path)
    except UsageError:
        return


def _image(content: bytes) -> None:
    from dataclasses import replace

    from grader.checks.pictures import declared_size, examine

    size = declared_size(content) or (0, 0)
    spec = digits()
    if 0 < size[0] * size[1] <= _MOST_PIXELS:
        spec = replace(spec, size=size)
    found = examine(content, spec, decoder())
    assert found.pixels is None or len(found.pixels) == spec.size[0] * spec.size[1] * 3
    assert all(actual.isprintable() for _, actual in found.faults)


def _picture(content: bytes) -> None:
    from grader.checks.decoding import decode, size_of
    from grader.checks.pictures import Damaged

    try:
        size = size_of(content)
        if size[0] * size[1] <= _MOST_PIXELS:
            assert sorted(decode(content, decoder()).size) == sorted(size)
    except Damaged as e:
        assert str(e).isprintable()


def _with_checksums(content: bytes) -> bytes:
    """The PNG with the right checksum in every chunk, and its lengths as they are."""
    out, at = bytearray(content), len(_PNG)
    while at + 12 <= len(out):
        end = at + 8 + int(struct.unpack_from(">I", out, at)[0])
        if end + 4 > len(out):
            break
        struct.pack_into(">I", out, end, zlib.crc32(out[at + 4 : end]))
        at = end + 4
    return bytes(out)


def _told(findings: Iterable[Finding]) -> None:
    """Whatever is said can be shown: no control characters, and not too long."""
    for finding in findings:
        texts = (finding.path, finding.message, finding.expected, finding.actual, finding.help, *finding.examples)
        assert all(text.isprintable() and len(text) < _LONGEST for text in texts), finding


def times(data: bytes) -> None:
    """A table of submission times."""
    from grader.batch.times import read_times
    from grader.errors import UsageError

    path = scratch() / "times.csv"
    path.write_bytes(data)
    try:
        found = read_times(path)
    except UsageError:
        return
    assert all(hand.time.tzinfo is not None and hand.attempt >= 1 for hands in found.values() for hand in hands)


def overrides(data: bytes) -> None:
    """Decisions of persons."""
    from grader.batch.overrides import read_overrides
    from grader.errors import UsageError

    path = scratch() / "overrides.toml"
    path.write_bytes(data)
    try:
        found = read_overrides(path, homework())
    except UsageError:
        return
    assert all(one.student and one.who and one.why for one in found)


def entry(data: bytes) -> None:
    """An entry of the journal."""
    from grader.batch.entries import read_entry
    from grader.errors import UsageError

    path = scratch() / "ada.json"
    path.write_bytes(data)
    try:
        found = read_entry(path)
    except UsageError:
        return
    assert found.student == "ada" and found.keys.get("dann", "") is not None
    found.to_json().encode()


def fingerprint(data: bytes) -> None:
    """What is kept of a submission to compare it with others."""
    from grader.errors import UsageError
    from grader.similarity import read_fingerprint

    path = scratch() / "ada.npz"
    path.write_bytes(data)
    try:
        read_fingerprint(path)
    except UsageError:
        return
