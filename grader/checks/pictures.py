"""One picture: what is wrong with it, and its pixels. The header is examined before anything is decoded."""

from __future__ import annotations

import io
import struct
import warnings
from dataclasses import dataclass

from PIL import Image

from grader.assignment import ImagesSpec
from grader.checks import rules
from grader.checks.rules import Rule

_PNG = b"\x89PNG\r\n\x1a\n"
_MAGIC = (
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"BM", "BMP"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"%PDF", "PDF"),
    (b"PK\x03\x04", "zip"),
)
_COLOUR_TYPES = {0: "gray", 2: "RGB", 3: "palette", 4: "gray with alpha", 6: "RGBA"}
_WANTED = {"RGB": 2, "L": 0}
_HEADER = 26  # signature, chunk length and type, width, height, bit depth, colour type


@dataclass(frozen=True)
class Picture:
    """What was found: a rule and a few words for each fault; `pixels` in the wanted mode, row by row, or None.

    A picture of the right size in another 8-bit mode has a fault and pixels: it can still be measured.
    `constant` means that every pixel is the same.
    """

    faults: tuple[tuple[Rule, str], ...]
    pixels: bytes | None
    constant: bool = False


def _fault(rule: Rule, actual: str) -> Picture:
    return Picture(((rule, actual),), None)


def examine(content: bytes, spec: ImagesSpec) -> Picture:
    """Examines the bytes of one file. Nothing is decoded unless the declared size is the wanted one."""
    if not content:
        return _fault(rules.UNREADABLE, "an empty file")
    if not content.startswith(_PNG):
        return _fault(rules.WRONG_FORMAT, _name_of(content))
    if len(content) < _HEADER or content[12:16] != b"IHDR":
        return _fault(rules.UNREADABLE, "a PNG without its header")
    width, height, depth, colour = struct.unpack(">IIBB", content[16:_HEADER])
    faults: list[tuple[Rule, str]] = []
    if (width, height) != spec.size:
        faults.append((rules.WRONG_SIZE, f"{width}x{height}"))
    if depth == 16:
        faults.append((rules.WRONG_DEPTH, "16 bits"))
    if colour != _WANTED[spec.mode]:
        faults.append((rules.WRONG_MODE, _COLOUR_TYPES.get(colour, f"colour type {colour}")))
    if any(rule is not rules.WRONG_MODE for rule, _ in faults):
        return Picture(tuple(faults), None)
    return _decode(content, spec, faults)


def _decode(content: bytes, spec: ImagesSpec, faults: list[tuple[Rule, str]]) -> Picture:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(content), formats=[spec.format]) as image:
                if getattr(image, "is_animated", False):
                    return Picture((*faults, (rules.ANIMATED, "several frames")), None)
                image.load()
                converted = image if image.mode == spec.mode else image.convert(spec.mode)
                pixels = converted.tobytes()
    except MemoryError:
        raise
    except Exception as e:  # a damaged file can raise nearly anything inside a decoder
        return Picture((*faults, (rules.UNREADABLE, _reason(e))), None)
    samples = len(spec.mode)
    return Picture(tuple(faults), pixels, pixels == pixels[:samples] * (len(pixels) // samples))


def _reason(error: Exception) -> str:
    text = str(error).lower()
    return "truncated" if "truncated" in text or "eof" in text else "damaged"


def _name_of(content: bytes) -> str:
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "WebP"
    return next((name for magic, name in _MAGIC if content.startswith(magic)), "no image")
