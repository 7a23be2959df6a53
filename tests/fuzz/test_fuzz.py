"""A short run over every parser, the same inputs each time, and what longer runs have found."""

from __future__ import annotations

import pytest

from tests.fuzz.mutator import mutated
from tests.fuzz.targets import TARGETS, seeds_of

_RUNS = 150
_SLOW = {"weights": 40, "grid": 40, "statistics": 60, "fingerprint": 60}

# Inputs that broke a parser once.
FOUND = [
    ("tags", b"1\x1f,blue hair red eyes\n"),  # a blank for str.strip and none for int
    ("assignment", b"[[reported]]\nvalues" + b".a" * 2000 + b" = 1\n"),  # deeper than Python's stack
    ("assignment", b'schema = "grader/assignment/1"\nid = [0x' + b"f" * 4900 + b"]\n"),  # too long to be printed
    ("scores", b'{"schema": "grader/score/1", "assignment": "\\ud800", "assignment_digest": "", "problems": [], '
               b'"manual": []}'),  # no UTF-8
    ("scores", b'{"schema": "grader/score/1", "assignment": "a", "assignment_digest": "", "problems": [{"id": "p", '
               b'"points": 1' + b"0" * 400 + b', "max_points": 1, "state": "pass"}], "manual": []}'),  # beyond floats
    ("shell", b'eval "$(' * 3000 + b":" + b')"' * 3000),  # each eval's text holds all the others
]  # fmt: skip


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_but_what_is_promised(name: str) -> None:
    target = TARGETS[name]
    for data in mutated(seeds_of(name), target.words, _SLOW.get(name, _RUNS), 8, target.longest):
        try:
            target.run(data)
        except BaseException as e:
            e.add_note(f"{name}: {data!r}")
            raise


@pytest.mark.parametrize(("name", "data"), FOUND, ids=[f"{name}-{i}" for i, (name, _) in enumerate(FOUND)])
def test_what_was_found_stays_mended(name: str, data: bytes) -> None:
    TARGETS[name].run(data)


def test_the_mutator_repeats_itself_and_keeps_to_the_length() -> None:
    seeds = (b"one,two\n", b"three")
    inputs = [list(mutated(seeds, (b"word",), 200, seed, 12)) for seed in (1, 1, 2)]
    assert inputs[0] == inputs[1] != inputs[2]
    assert inputs[0][:2] == list(seeds) and max(map(len, inputs[0])) <= 12
    assert len(set(inputs[0])) > 150
