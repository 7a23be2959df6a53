from __future__ import annotations

from grader.similarity import Fingerprint, find_pairs
from grader.similarity.sources import winnowed, words
from tests.similarity.prints import script


def _code(seed: int, lines: int = 40) -> str:
    return "".join(
        f"value_{seed}_{i} = step{(seed * 7 + i * i) % 97}(rate_{seed}, {i * seed % 31})\n" for i in range(lines)
    )


def _pairs(**texts: str) -> list[tuple[tuple[str, str], str]]:
    found = find_pairs({s: Fingerprint(scripts=(script(text),)) for s, text in texts.items()})
    return [(pair.students, pair.strength) for pair in found.pairs]


def test_words_leave_out_comments_and_layout() -> None:
    assert words('"""What it does."""\nx = 1  # one\n\n\ty="a # b"\n') == ["x", "=", "1", "y", "=", '"a # b"']
    assert words("#!/bin/bash\npython3 a.py --out $1 # go\n") == words("python3   a.py --out $1")


def test_every_shared_stretch_leaves_a_hash() -> None:
    shared = [f"w{i}" for i in range(9)]  # 6 words a gram, 4 grams a window
    one, other = [*"abcdefgh", *shared, *"ijkl"], [*"qrst", *shared, *"uvwxyz"]
    assert set(winnowed(one).tolist()) & set(winnowed(other).tolist())


def test_own_scripts_are_no_pair() -> None:
    assert _pairs(a=_code(1), b=_code(2), c=_code(3)) == []


def test_the_same_but_for_comments() -> None:
    ((students, told),) = _pairs(a=_code(1), b="# mine\n" + _code(1).replace("\n", "  # so\n"), c=_code(2))
    assert students == ("a", "b")
    assert "the same but for comments and layout" in told


def test_attempts_of_one_student() -> None:
    """Six attempts with one script are one student's, and no reason to take it for handed out."""
    names = [*(f"ada_{i}" for i in range(6)), "bob"]
    prints = {name: Fingerprint(scripts=(script(_code(1)),)) for name in names}
    found = find_pairs(prints, people=dict.fromkeys(names[:6], "ada"))
    assert [pair.students for pair in found.pairs] == [(f"ada_{i}", "bob") for i in range(6)]
    assert not find_pairs(prints).pairs


def test_nearly_the_same() -> None:
    changed = _code(1).replace("value_1_3 ", "v ").replace("rate_1, 20", "rate_1, 21")
    ((students, told),) = _pairs(a=_code(1), b=changed, c=_code(2))
    assert students == ("a", "b")
    assert "rarer parts" in told


def test_what_the_course_handed_out_is_no_evidence() -> None:
    given = _code(100)
    found = find_pairs(
        {f"s{i}": Fingerprint(scripts=(script(given, "given.py"), script(given + _code(i)))) for i in range(6)}
    )
    assert found.pairs == ()
    assert "1 script that more than 4 students have" in found.notes[0]


def test_short_scripts_are_alike_by_chance() -> None:
    assert _pairs(a="python3 inference.py $1\n", b="python3 inference.py $1\n") == []
