from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.assignment import NameField, NameFormat
from grader.assignment.names import looks_like_image

DIGITS = NameFormat("{digit}_{number:03}.png", (NameField("digit", 0, 9), NameField("number", 1, 100, 3)))
CODES = NameFormat(
    "c{code}_v{value}_r{row}.png", (NameField("code", 0, 4), NameField("value", 0, 9), NameField("row", 0, 9))
)


@given(st.integers(0, 9), st.integers(1, 100))
def test_format_and_parse_undo_each_other(digit: int, number: int) -> None:
    name = DIGITS.format((digit, number))
    assert name == f"{digit}_{number:03d}.png"
    assert DIGITS.parse(name) == (digit, number)
    assert DIGITS.guess(name) == (digit, number)


@given(st.text(max_size=20))
def test_parse_accepts_nothing_but_what_format_writes(name: str) -> None:
    values = DIGITS.parse(name)
    assert values is None or DIGITS.format(values) == name
    DIGITS.guess(name)  # never raises


@pytest.mark.parametrize(
    "name",
    [
        *("10_001.png", "0_000.png", "0_101.png", "0_1.png", "0_0001.png", "0-001.png", "0_001.PNG", "0_001.png "),
        *("a/0_001.png", "0_001.png\n", "-1_001.png", "", "0_001"),
        "\u0663_001.png",  # ARABIC-INDIC DIGIT THREE: int() takes it
    ],
)
def test_names_outside_the_format(name: str) -> None:
    assert DIGITS.parse(name) is None


def test_all_names_are_those_of_the_hand_out() -> None:
    names = DIGITS.all_names()
    assert len(names) == len(DIGITS) == 1000 == len(set(names))
    assert names[:2] == ["0_001.png", "0_002.png"] and names[-1] == "9_100.png"
    assert DIGITS.span() == "0_001.png to 9_100.png" and DIGITS.ending == ".png"


def test_three_fields() -> None:
    assert len(CODES) == 500 and CODES.parse("c4_v9_r0.png") == (4, 9, 0)
    assert CODES.parse("c5_v9_r0.png") is None


@pytest.mark.parametrize("name", ["x.png", "x.PNG", "x.JPeG", "x.webp"])
def test_pictures_by_extension(name: str) -> None:
    assert looks_like_image(name)


@pytest.mark.parametrize("name", ["png", "x.txt", "x.png.txt", "x"])
def test_other_files_by_extension(name: str) -> None:
    assert not looks_like_image(name)
