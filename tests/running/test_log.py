"""Logs keep their beginning and their end."""

from __future__ import annotations

from grader.running.log import Log


def _log(*parts: bytes, kept: int = 4) -> Log:
    log = Log(kept)
    for part in parts:
        log.add(part)
    return log


def test_what_fits_is_kept_whole() -> None:
    assert _log(b"abcd", b"efgh").text() == "abcdefgh" and _log(b"abcdefgh").cut == 0
    assert _log().text() == "" and _log().last_line() == ""


def test_what_is_cut_is_said() -> None:
    log = _log(b"abcd", *[b"x"] * 1000, b"wxyz")
    assert log.text() == "abcd\n[… 1000 bytes left out …]\nwxyz" and (log.total, log.cut) == (1008, 1000)
    log = _log(b"ab", b"cdefghijklmno")
    assert log.text() == "abcd\n[… 7 bytes left out …]\nlmno"


def test_an_endless_stream_holds_no_memory() -> None:
    log = _log(*[b"y\n" * 500] * 2000, kept=1000)
    assert log.total == 2_000_000 and len(log._head) + len(log._tail) <= 3000


def test_control_characters_are_escaped() -> None:
    text = _log("a\x1b[2J\r\nb\rc\t\u202ed\x00".encode() + b"\xff", kept=100).text()
    assert text == "a\\x1b[2J\nb\nc\t\\u202ed\\x00\\xff"


def test_last_line() -> None:
    assert _log(b"one\n  two \n\n", kept=100).last_line() == "two"
