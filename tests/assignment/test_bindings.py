"""What measures name beside their deliverable: tags, another deliverable, another domain."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.assignment import MeasureSpec, load_assignment
from grader.errors import AssignmentError

OWN = """schema = "grader/assignment/1"
id = "own"
title = "Mine"
[[problem]]
id = "drawn"
title = "Drawn"
[[problem.deliverable]]
id = "with"
kind = "figure"
path = "with.png"
grid = [5, 5]
tile = [64, 64]
[[problem.deliverable]]
id = "without"
kind = "figure"
path = "without.png"
grid = [5, 5]
tile = [64, 64]
[[problem.deliverable]]
id = "output"
kind = "images"
path = "output"
count = 4
size = [64, 64]
[[problem.deliverable]]
id = "input"
kind = "images"
path = "input"
count = 4
size = [64, 64]
[[problem.measure]]
"""


def _read(tmp_path: Path, lines: str) -> MeasureSpec:
    (tmp_path / "own.toml").write_text(OWN + lines)
    return load_assignment(tmp_path / "own.toml").problems[0].measures[0]


def test_they_are_read(tmp_path: Path) -> None:
    change = _read(tmp_path, 'id = "face_count_change"\ndeliverable = "with"\nagainst = "without"\n')
    assert (change.against, change.protocol, change.tags) == ("without", "opencv-cascade", "")
    published = ["blue hair red eyes"] * 25
    lines = f'id = "hair_accuracy"\ndeliverable = "with"\ntags = "t.txt"\npublished_tags = {published}\n'
    hair = _read(tmp_path, lines)
    assert (hair.tags, hair.published_tags) == ("t.txt", tuple(published))
    lines = 'id = "domain_accuracy"\ndeliverable = "output"\nreference = "b"\nagainst_reference = "a"\n'
    domain = _read(tmp_path, lines + "reference_most = 300\n")
    assert (domain.reference, domain.against_reference, domain.reference_most) == ("b", "a", 300)
    content = _read(tmp_path, 'id = "content_similarity"\ndeliverable = "output"\nagainst = "input"\n')
    assert content.against == "input"


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ('id = "face_count_change"\ndeliverable = "with"\n', "against"),
        ('id = "face_count_change"\ndeliverable = "with"\nagainst = "with"\n', "against"),
        ('id = "face_count_change"\ndeliverable = "with"\nagainst = "input"\n', "against"),
        ('id = "face_count"\ndeliverable = "input"\n', "a figure with a grid"),
        ('id = "face_count"\ndeliverable = "with"\ntags = "t.txt"\n', "tags"),
        ('id = "hair_accuracy"\ndeliverable = "with"\n', "'published_tags', or both"),
        ('id = "eye_accuracy"\ndeliverable = "with"\npublished_tags = ["blue hair"]\n', "'blue hair'"),
        ('id = "eye_accuracy"\ndeliverable = "with"\npublished_tags = ["grey hair red eyes"]\n', "known colours"),
        ('id = "eye_accuracy"\ndeliverable = "with"\ntags = "/etc/passwd"\n', "tags"),
        (
            f'id = "eye_accuracy"\ndeliverable = "with"\npublished_tags = {["red hair red eyes"] * 24}\n',
            "25 images, found 24",
        ),
        ('id = "domain_accuracy"\ndeliverable = "output"\nreference = "b"\n', "against_reference"),
        (
            'id = "domain_accuracy"\ndeliverable = "output"\nreference = "b"\nagainst_reference = "b"\n',
            "another folder than 'reference'",
        ),
        ('id = "domain_accuracy"\ndeliverable = "output"\nagainst_reference = "b"\n', "reference"),
        ('id = "diversity"\ndeliverable = "output"\nreference = "b"\nreference_most = 1\n', "2 or more"),
        ('id = "diversity"\ndeliverable = "output"\nreference_most = 10\n', "how many pictures of 'reference'"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(lines: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(AssignmentError, match=r"own\.toml:\d+") as raised:
        _read(tmp_path, lines)
    assert told in str(raised.value)
