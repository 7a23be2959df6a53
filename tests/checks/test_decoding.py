"""Pictures of any size are opened safely: every kind of JPEG, PNG with transparency, damaged and hostile files."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fixtures.hw4 import plot
from grader.checks import decoding
from grader.checks.decoding import format_of, size_of
from grader.checks.pictures import Damaged
from grader.submission import Decoder

PLOT = plot((320, 200))


DECODER = Decoder()


@pytest.fixture(scope="module", autouse=True)
def _decoder() -> Iterator[None]:
    yield
    DECODER.close()


def decode(content: bytes) -> Image.Image:
    return decoding.decode(content, DECODER)


def _saved(image: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    held = io.BytesIO()
    image.save(held, kind, **options)
    return held.getvalue()


def _near(a: Image.Image, b: Image.Image) -> bool:
    difference = np.abs(np.asarray(a, float) - np.asarray(b, float))
    return a.size == b.size and bool(difference.mean() < 3)


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}, {"restart_marker_blocks": 2}])
def test_every_kind_of_jpeg(options: dict[str, Any]) -> None:
    content = _saved(PLOT, quality=90, **options)
    assert format_of(content) == "JPEG" and size_of(content) == (320, 200)
    assert _near(decode(content), PLOT)


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_other_colours_become_rgb(mode: str) -> None:
    found = decode(_saved(PLOT.convert(mode), quality=95))
    assert found.mode == "RGB" and _near(found, PLOT.convert(mode).convert("RGB"))


def test_exif_turns_the_picture() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise to see it upright
    content = _saved(PLOT, exif=exif, quality=90)
    assert size_of(content) == (320, 200) and _near(decode(content), PLOT.rotate(-90, expand=True))


def test_transparent_parts_are_white() -> None:
    image = Image.new("RGBA", (120, 80), (255, 0, 0, 0))
    assert decode(_saved(image, "PNG")).getextrema() == ((255, 255),) * 3


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("share", [0.01, 0.1, 0.5, 0.9, 0.999])
def test_cut_off_files(kind: str, share: float) -> None:
    content = _saved(PLOT, kind)
    with pytest.raises(Damaged):
        decode(content[: max(4, int(len(content) * share))])


def test_sizes_are_known_before_anything_is_decoded() -> None:
    content = _saved(PLOT)
    at = content.index(b"\xff\xc0") + 5
    bomb = content[:at] + struct.pack(">HH", 60000, 60000) + content[at + 4 :]
    assert size_of(bomb) == (60000, 60000)
    png = _saved(PLOT, "PNG")
    header = struct.pack(">II", 50000, 50000) + png[24:29]
    assert size_of(png[:16] + header + struct.pack(">I", zlib.crc32(b"IHDR" + header)) + png[33:]) == (50000, 50000)


def test_two_frames_and_thousands_of_scans_are_refused() -> None:
    content = _saved(PLOT)
    frame = content.index(b"\xff\xc0")
    length = struct.unpack_from(">H", content, frame + 2)[0]
    twice = content[:frame] + content[frame : frame + 2 + length] * 2 + content[frame + 2 + length :]
    with pytest.raises(Damaged, match="exactly one header"):
        decode(twice)
    many = _saved(PLOT, progressive=True)
    scan = many.rindex(b"\xff\xda")
    with pytest.raises(Damaged, match="too many scans"):
        decode(many[:-2] + many[scan:-2] * 2000 + b"\xff\xd9")


def test_a_hidden_second_picture_is_not_looked_at() -> None:
    assert _near(decode(_saved(PLOT, quality=95) + b"whatever follows"), PLOT)


@given(st.data())
def test_no_bytes_make_it_fail_otherwise(data: st.DataObject) -> None:
    content = bytearray(_saved(plot((200, 140)), data.draw(st.sampled_from(["JPEG", "PNG"]))))
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(4, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        width, height = size_of(bytes(content))
        if width * height < 100_000:
            assert decode(bytes(content)).mode == "RGB"
    except Damaged as e:
        assert str(e)
