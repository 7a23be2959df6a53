from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fixtures.mutations import png_16_bits
from grader.assignment import ImagesSpec
from grader.checks.pictures import examine

SPEC = ImagesSpec("faces", "gan", 4, (8, 8), "RGB", "PNG", None, "", True)


def _png(mode: str = "RGB", size: tuple[int, int] = (8, 8), **options: object) -> bytes:
    image = Image.effect_noise(size, 80).convert(mode) if mode != "RGBA" else Image.new("RGBA", size, (9, 8, 7, 100))
    out = io.BytesIO()
    image.save(out, format="PNG", **options)  # type: ignore[arg-type]
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
    bomb = _png()[:16] + (60000).to_bytes(4, "big") * 2 + _png()[24:]
    assert _rules(bomb) == ["wrong-size"]


@pytest.mark.parametrize(
    ("content", "rule", "said"),
    [
        (b"", "unreadable", "an empty file"),
        (b"hello", "wrong-format", "no image"),
        (b"\xff\xd8\xff\xe0", "wrong-format", "JPEG"),
        (b"GIF89a", "wrong-format", "GIF"),
        (b"RIFF\0\0\0\0WEBP", "wrong-format", "WebP"),
        (b"\x89PNG\r\n\x1a\n", "unreadable", "a PNG without its header"),
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
