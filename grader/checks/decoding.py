"""Opens a JPEG or PNG of any size, after its structure was examined: nothing hostile reaches a decoder."""

from __future__ import annotations

import re
import struct

from PIL import Image

from grader.checks.pictures import Damaged, name_of, png_size
from grader.submission import FIGURE, Decoder, Undecodable

MOST_PIXELS = 32_000_000
WIDEST = 8000
_MOST_SCANS = 100  # of a progressive JPEG, each of which costs a pass over all its pixels
_MOST_SEGMENTS = 2000
_FILL = re.compile(rb"\xff{2,}")
_NEXT_MARKER = re.compile(
    rb"\xff[\x01-\xcf\xd8-\xfe]", re.DOTALL
)  # within a scan: neither a stuffed zero nor a restart
_FRAMES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_SCAN, _END, _START = 0xDA, 0xD9, 0xD8


def format_of(content: bytes) -> str:
    """`JPEG`, `PNG`, another format's name, or `no image`, by the first bytes."""
    return name_of(content)


def size_of(content: bytes) -> tuple[int, int]:
    """Width and height of a JPEG or PNG as declared, without decoding. Raises Damaged."""
    return _jpeg_size(content) if format_of(content) == "JPEG" else png_size(content)


def decode(content: bytes, decoder: Decoder) -> Image.Image:
    """The picture of a JPEG or PNG as RGB, turned as its EXIF data say, transparent parts white.

    The caller has looked at `size_of`. Raises Damaged for a file that ends too early or can't be decoded.
    """
    try:
        size, pixels = decoder.decode(content, format_of(content), size_of(content), FIGURE)
    except Undecodable as e:
        raise Damaged(str(e)) from None
    return Image.frombytes("RGB", size, pixels)


def _jpeg_size(content: bytes) -> tuple[int, int]:
    """Walks the segments up to the end: one frame, few scans, nothing cut off."""
    at, scans = 2, 0
    size: tuple[int, int] | None = None
    for _ in range(_MOST_SEGMENTS):
        if filled := _FILL.match(content, at):
            at = filled.end() - 1  # the last one begins the marker
        if at + 2 > len(content):
            raise Damaged("truncated")
        mark, kind = content[at], content[at + 1]
        if mark != 0xFF or kind == _START:
            raise Damaged("damaged")
        if kind == _END:
            break
        if at + 4 > len(content):
            raise Damaged("truncated")
        length = struct.unpack_from(">H", content, at + 2)[0]
        if length < 2:
            raise Damaged("damaged")
        if kind in _FRAMES:
            if size is not None or length < 8 or at + 9 > len(content):
                raise Damaged("not exactly one header")
            height, width = struct.unpack_from(">HH", content, at + 5)
            size = width, height
        at += 2 + length
        if kind == _SCAN:
            scans += 1
            following = _NEXT_MARKER.search(content, at)
            if following is None or scans > _MOST_SCANS:
                raise Damaged("truncated" if following is None else "too many scans")
            at = following.start()
    else:
        raise Damaged("too many segments")
    if size is None or not scans or not all(size):
        raise Damaged("no picture in it")
    return size
