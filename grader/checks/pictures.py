"""One picture: what is wrong with it, and its pixels. The file's structure is examined before anything is decoded."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from grader.assignment import ImagesSpec
from grader.checks import rules
from grader.checks.rules import Rule
from grader.submission import Decoder, Undecodable

_PNG = b"\x89PNG\r\n\x1a\n"
_MAGIC = (
    (_PNG, "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"BM", "BMP"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"%PDF", "PDF"),
    (b"PK\x03\x04", "zip"),
)
_COLOUR_TYPES = {0: "gray", 2: "RGB", 3: "palette", 4: "gray with alpha", 6: "RGBA"}
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_WANTED = {"RGB": 2, "L": 0}
_MOST_CHUNKS = 1000
Faults = tuple[tuple[Rule, str], ...]  # a rule, and a few words
# Adam7, the PNG standard's interlacing: column and row of the first pixel, then the steps, of each pass.
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))


@dataclass(frozen=True)
class Picture:
    """What was found: a rule and a few words for each fault; `pixels` in the wanted mode, row by row, or None.

    A picture of the right size in another 8-bit mode has a fault and pixels: it can still be measured.
    `constant` means that every pixel is the same.
    """

    faults: Faults
    pixels: bytes | None
    constant: bool = False


@dataclass(frozen=True)
class _Header:
    width: int
    height: int
    depth: int
    colour: int
    interlaced: bool

    def raw_size(self) -> int:
        """Bytes of the uncompressed image data: each row of each pass has a byte for its filter."""
        bits = self.depth * _SAMPLES.get(self.colour, 1)
        passes = _PASSES if self.interlaced else ((0, 0, 1, 1),)
        total = 0
        for x, y, dx, dy in passes:
            columns, rows = -(-(self.width - x) // dx), -(-(self.height - y) // dy)
            if columns > 0 and rows > 0:
                total += rows * (1 + -(-columns * bits // 8))
        return total


class Damaged(Exception):
    """The file is a picture that no decoder should be given; `str()` says why in a word or two."""


def examine(content: bytes, spec: ImagesSpec, decoder: Decoder) -> Picture:
    """Examines the bytes of one file. Nothing is decoded unless the declared size is the wanted one."""
    faults = structure(content, spec)
    if decodable(faults):
        ask(content, spec, decoder)
        return finish(faults, spec, decoder)
    return Picture(faults, None)


def structure(content: bytes, spec: ImagesSpec) -> Faults:
    """What is wrong with a file before anything of it is decoded."""
    if not content:
        return ((rules.UNREADABLE, "an empty file"),)
    if not content.startswith(_PNG):
        return ((rules.WRONG_FORMAT, name_of(content)),)
    try:
        chunks = _chunks(content)
        header = _header(chunks)
    except Damaged as e:
        return ((rules.UNREADABLE, str(e)),)
    kinds = {kind for kind, _ in chunks}
    faults: list[tuple[Rule, str]] = []
    if (header.width, header.height) != spec.size:
        faults.append((rules.WRONG_SIZE, f"{header.width}x{header.height}"))
    if header.depth == 16:
        faults.append((rules.WRONG_DEPTH, "16 bits"))
    if b"acTL" in kinds:
        faults.append((rules.ANIMATED, "several frames"))
    if header.colour != _WANTED[spec.mode] or b"tRNS" in kinds:
        name = _COLOUR_TYPES[header.colour]
        transparent = " with transparency" if b"tRNS" in kinds else ""
        faults.append((rules.WRONG_MODE, name + transparent))
    if decodable(faults):
        try:
            _check_data(chunks, header)
        except Damaged as e:
            faults.append((rules.UNREADABLE, str(e)))
    return tuple(faults)


def decodable(faults: Sequence[tuple[Rule, str]]) -> bool:
    """A picture in another mode can still be measured; one with any other fault is not decoded."""
    return all(rule is rules.WRONG_MODE for rule, _ in faults)


def ask(content: bytes, spec: ImagesSpec, decoder: Decoder) -> None:
    """Begins to decode a picture without a fault that forbids it; `finish` takes what became of it."""
    decoder.ask(content, spec.format, spec.size, spec.mode)


def finish(faults: Faults, spec: ImagesSpec, decoder: Decoder) -> Picture:
    """What the decoder made of the picture that it was asked for last."""
    try:
        _, pixels = decoder.answer()
    except Undecodable as e:
        return Picture((*faults, (rules.UNREADABLE, str(e))), None)
    samples = len(spec.mode)
    return Picture(faults, pixels, pixels == pixels[:samples] * (len(pixels) // samples))


def _chunks(content: bytes) -> list[tuple[bytes, bytes]]:
    """The chunks up to IEND, each with its checksum verified."""
    found: list[tuple[bytes, bytes]] = []
    at = len(_PNG)
    while not found or found[-1][0] != b"IEND":
        if len(found) > _MOST_CHUNKS:
            raise Damaged("too many chunks")
        if at + 12 > len(content):
            raise Damaged("truncated")
        length, kind = struct.unpack_from(">I4s", content, at)
        end = at + 8 + length
        if end + 4 > len(content):
            raise Damaged("truncated")
        if zlib.crc32(content[at + 4 : end]) != struct.unpack_from(">I", content, end)[0]:
            raise Damaged("a wrong checksum")
        found.append((kind, content[at + 8 : end]))
        at = end + 4
    return found


def _header(chunks: list[tuple[bytes, bytes]]) -> _Header:
    """The one IHDR. Decoders take the last of several, so that a second one would belie whatever was checked."""
    kind, data = chunks[0]
    if kind != b"IHDR" or len(data) != 13 or sum(k == b"IHDR" for k, _ in chunks) != 1:
        raise Damaged("not exactly one header")
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", data)
    if colour not in _COLOUR_TYPES or depth not in (1, 2, 4, 8, 16) or interlaced > 1:
        raise Damaged("a header that makes no sense")
    return _Header(width, height, depth, colour, bool(interlaced))


def _check_data(chunks: list[tuple[bytes, bytes]], header: _Header) -> None:
    """The compressed data must hold exactly the pixels that the header declares: no row less, no byte more."""
    wanted = header.raw_size()
    stream = zlib.decompressobj()
    try:
        size = len(stream.decompress(b"".join(data for kind, data in chunks if kind == b"IDAT"), wanted + 1))
    except zlib.error:
        raise Damaged("damaged") from None
    if size != wanted:
        raise Damaged("truncated" if size < wanted else "more data than pixels")


def declared_size(content: bytes) -> tuple[int, int] | None:
    """Width and height that a PNG's header states, unexamined; None for anything else."""
    if not content.startswith(_PNG + b"\0\0\0\rIHDR") or len(content) < 24:
        return None
    width, height = struct.unpack_from(">II", content, 16)
    return width, height


def png_size(content: bytes) -> tuple[int, int]:
    """Width and height of a PNG whose chunks are whole and whose header is the only one. Raises Damaged."""
    header = _header(_chunks(content))
    return header.width, header.height


def name_of(content: bytes) -> str:
    """The name of the format that the first bytes are of: `PNG`, `JPEG`, …, or `no image`."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "WebP"
    return next((name for magic, name in _MAGIC if content.startswith(magic)), "no image")
