from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fixtures.mutations import png_16_bits
from grader.assignment import ImagesSpec
from grader.checks import pictures
from grader.submission import Decoder

SPEC = ImagesSpec("faces", "gan", 4, (8, 8), "RGB", "PNG", None, "", True)


DECODER = Decoder()


@pytest.fixture(scope="module", autouse=True)
def _decoder() -> Iterator[None]:
    yield
    DECODER.close()


def examine(content: bytes, spec: ImagesSpec) -> pictures.Picture:
    return pictures.examine(content, spec, DECODER)


def _png(mode: str = "RGB", size: tuple[int, int] = (8, 8), **options: object) -> bytes:
    image = Image.effect_noise(size, 80).convert(mode) if mode != "RGBA" else Image.new("RGBA", size, (9, 8, 7, 100))
    out = io.BytesIO()
    image.save(out, format="PNG", **options)
    return out.getvalue()


def _rules(content: bytes) -> list[str]:
    return [rule.id for rule, _ in examine(content, SPEC).faults]


def test_a_good_picture_keeps_its_pixels() -> None:
    image = Image.effect_noise((8, 8), 80).convert("RGB")
    out = io.BytesIO()
    image.save(out, format="PNG")
    picture = examine(out.getvalue(), SPEC)
    assert picture.faults == () and picture.pixels == image.tobytes() and not picture.constant


@pytest.mark.parametrize(
    ("mode", "said"), [("L", "gray"), ("P", "palette"), ("RGBA", "RGBA"), ("LA", "gray with alpha")]
)
def test_other_modes_are_faults_that_can_be_measured(mode: str, said: str) -> None:
    picture = examine(_png(mode), SPEC)
    assert [(rule.id, actual) for rule, actual in picture.faults] == [("wrong-mode", said)]
    assert picture.pixels is not None and len(picture.pixels) == 8 * 8 * 3


def test_one_colour() -> None:
    out = io.BytesIO()
    Image.new("RGB", (8, 8), (3, 2, 1)).save(out, format="PNG")
    assert examine(out.getvalue(), SPEC).constant


def test_faults_found_without_decoding() -> None:
    assert _rules(_png(size=(9, 8))) == ["wrong-size"]
    assert _rules(_png("L", (9, 8))) == ["wrong-size", "wrong-mode"]
    assert _rules(png_16_bits(8, 8)) == ["wrong-depth"]
    # A bomb: 60,000 x 60,000 pixels declared in a tiny file are refused by the header alone.
    header = (60000).to_bytes(4, "big") * 2 + _png()[24:29]
    bomb = _png()[:16] + header + zlib.crc32(b"IHDR" + header).to_bytes(4, "big") + _png()[33:]
    assert _rules(bomb) == ["wrong-size"]


@pytest.mark.parametrize(
    ("content", "rule", "said"),
    [
        (b"", "unreadable", "an empty file"),
        (b"hello", "wrong-format", "no image"),
        (b"\xff\xd8\xff\xe0", "wrong-format", "JPEG"),
        (b"GIF89a", "wrong-format", "GIF"),
        (b"RIFF\0\0\0\0WEBP", "wrong-format", "WebP"),
        (b"\x89PNG\r\n\x1a\n", "unreadable", "truncated"),
    ],
)
def test_other_bytes(content: bytes, rule: str, said: str) -> None:
    assert [(r.id, actual) for r, actual in examine(content, SPEC).faults] == [(rule, said)]


def test_truncated_and_damaged() -> None:
    whole = _png()
    assert examine(whole[:-40], SPEC).faults[0][1] in ("truncated", "damaged")
    assert _rules(whole[:60] + bytes(20) + whole[80:])[0] == "unreadable"


@given(st.binary(max_size=200), st.integers(0, 200))
def test_damage_never_raises(noise: bytes, at: int) -> None:
    whole = _png()
    picture = examine(whole[:at] + noise + whole[at + len(noise) :], SPEC)
    assert picture.pixels is None or len(picture.pixels) == 8 * 8 * 3


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _file(*chunks: tuple[bytes, bytes]) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, data) for kind, data in chunks)


def _header(width: int, height: int, colour: int = 2, interlaced: int = 0) -> tuple[bytes, bytes]:
    return b"IHDR", struct.pack(">IIBBBBB", width, height, 8, colour, 0, 0, interlaced)


ROWS = b"".join(b"\0" + bytes(range(i, i + 24)) for i in range(8))
DATA, END = (b"IDAT", zlib.compress(ROWS)), (b"IEND", b"")


@pytest.mark.parametrize(
    ("chunks", "said"),
    [
        ([_header(8, 8), _header(500, 500), DATA, END], "not exactly one header"),
        ([(b"tEXt", b"x\0y"), _header(8, 8), DATA, END], "not exactly one header"),
        ([_header(8, 8), DATA], "truncated"),
        ([_header(8, 8), (b"IDAT", zlib.compress(ROWS[:-25])), END], "truncated"),
        ([_header(8, 8), (b"IDAT", zlib.compress(ROWS + bytes(10**6))), END], "more data than pixels"),
        ([_header(8, 8), (b"IDAT", b"nonsense"), END], "damaged"),
        ([_header(8, 8, colour=5), DATA, END], "a header that makes no sense"),
        ([_header(8, 8), *[(b"tEXt", b"x\0y")] * 1100, DATA, END], "too many chunks"),
    ],
)
def test_crafted_files_are_never_given_to_the_decoder(chunks: list[tuple[bytes, bytes]], said: str) -> None:
    picture = examine(_file(*chunks), SPEC)
    assert [(rule.id, actual) for rule, actual in picture.faults] == [("unreadable", said)] and picture.pixels is None


def test_a_wrong_checksum() -> None:
    whole = _file(_header(8, 8), DATA, END)
    assert examine(whole, SPEC).pixels == b"".join(ROWS[i * 25 + 1 : i * 25 + 25] for i in range(8))
    assert examine(whole[:50] + bytes([whole[50] ^ 1]) + whole[51:], SPEC).faults[0][1] == "a wrong checksum"


def test_transparency_of_one_colour_is_another_mode() -> None:
    picture = examine(_file(_header(8, 8), (b"tRNS", bytes(6)), DATA, END), SPEC)
    assert [(rule.id, actual) for rule, actual in picture.faults] == [("wrong-mode", "RGB with transparency")]


def test_interlaced_pictures_are_read() -> None:
    """Adam7 written out by hand: the seven passes of an 8x8 picture."""
    pixel = {(x, y): bytes([x * 30, y * 30, x * y]) for x in range(8) for y in range(8)}
    passes = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
    data = b""
    for x0, y0, dx, dy in passes:
        for y in range(y0, 8, dy):
            data += b"\0" + b"".join(pixel[x, y] for x in range(x0, 8, dx))
    picture = examine(_file(_header(8, 8, interlaced=1), (b"IDAT", zlib.compress(data)), END), SPEC)
    assert picture.faults == () and picture.pixels == b"".join(pixel[x, y] for y in range(8) for x in range(8))
