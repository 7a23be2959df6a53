from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.results import CheckReport, Measurement, State, worst
from grader.text import listing, nearest, number, plural, printable, some

ORDER: list[State] = ["pass", "skipped", "fail", "error"]


@given(st.lists(st.sampled_from(ORDER)))
def test_the_worst_state_wins(states: list[State]) -> None:
    assert ORDER.index(worst(states)) == max((ORDER.index(s) for s in states), default=0)


def test_a_report_with_nan_is_no_json() -> None:
    bad = Measurement(float("nan"), 1)
    assert bad.value != bad.value
    from grader.results import _dump

    with pytest.raises(ValueError):
        _dump({"value": float("nan")})
    assert CheckReport("a", ("p",), ()).to_json().endswith("}\n")


@given(st.text())
def test_printable_is_printable_and_short(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    if text.isprintable() and len(text) <= 120:
        assert shown == text


@pytest.mark.parametrize("text", ["\x1b[31m", "\u202eabc", "\ud800", "\u2028", "\x00", "\u200b"])
def test_dangerous_characters_are_escaped(text: str) -> None:
    assert printable(text).isascii() or printable(text).isprintable()
    assert text not in printable(text)


def test_small_helpers() -> None:
    assert some([str(i) for i in range(9)]) == ("0", "1", "2", "3", "4")
    assert listing(["a"]) == "a" and listing([]) == ""
    assert plural(0, "file") == "0 files" and plural(2, "entry") == "2 entries" and plural(2, "day") == "2 days"
    assert nearest("zzz", ["gan"]) == "" and number(1e-3) == "0.001"
