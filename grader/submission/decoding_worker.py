"""The worker that decodes pictures: a program of its own, which needs Pillow alone and nothing of the grader.

Reads from standard input a REQUEST (format, mode, declared width and height, length) and the file's bytes; writes to
standard output an ANSWER (width, height, length) and the pixels. No width: it is damaged, or TOO_LARGE as the length.
"""

from __future__ import annotations

import io
import os
import struct
import sys
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

REQUEST = struct.Struct(">8s8sIII")
ANSWER = struct.Struct(">III")
FIGURE = "figure"  # the mode of a picture for people: RGB, upright, on white
TOO_LARGE = 1
MEMORY = 3 << 29  # bytes of addresses: what the largest figure needs with transparency, and half as much again
_SECONDS = 3600  # of the processor in one life, a bound for systems where nobody outside counts


def main() -> None:
    from PIL import Image

    Image.preinit()  # the decoders are loaded before the limits hold
    warnings.simplefilter("error", Image.DecompressionBombWarning)
    warnings.simplefilter("ignore", UserWarning)  # of odd metadata, which nobody uses
    Image.MAX_IMAGE_PIXELS = 40_000_000  # beyond what any caller lets through
    _limit()
    source, target = sys.stdin.buffer, sys.stdout.buffer
    while len(head := source.read(REQUEST.size)) == REQUEST.size:
        format_, mode, width, height, length = REQUEST.unpack(head)
        content = source.read(length)
        if len(content) < length:
            return
        answer = _answer(content, _text(format_), _text(mode), (width, height))
        del content
        target.write(answer)
        target.flush()


def _answer(content: bytes, format_: str, mode: str, size: tuple[int, int]) -> bytes:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(content), formats=[format_]) as image:
            if image.size != size:
                return ANSWER.pack(0, 0, 0)
            image.load()
            picture = _figure(image) if mode == FIGURE else image if image.mode == mode else image.convert(mode)
            pixels = picture.tobytes()
            return ANSWER.pack(*picture.size, len(pixels)) + pixels
    except MemoryError:
        return ANSWER.pack(0, 0, TOO_LARGE)
    except Exception:  # a damaged file can raise nearly anything inside a decoder
        return ANSWER.pack(0, 0, 0)


def _figure(image: Image.Image) -> Image.Image:
    from PIL import Image, ImageOps

    upright = ImageOps.exif_transpose(image)
    if not upright.has_transparency_data:
        return upright.convert("RGB")
    layer = upright.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")


def _limit() -> None:
    """Memory, time, no file written, no process started; as far as the system knows such limits."""
    try:
        import resource
    except ImportError:  # Windows
        return
    for name, limit in (("AS", MEMORY), ("CPU", _SECONDS), ("FSIZE", 0), ("CORE", 0), ("NPROC", 0)):
        with suppress(AttributeError, ValueError, OSError):  # a system without it, or with a lower one
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (limit, limit))


def _text(field: bytes) -> str:
    return field.rstrip(b"\0").decode()


if __name__ == "__main__":
    with suppress(BrokenPipeError, KeyboardInterrupt):
        main()
    os._exit(0)  # nothing is left to tidy up, and a closed pipe has nobody to tell
