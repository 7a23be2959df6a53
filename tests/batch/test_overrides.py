"""Decisions of persons: what a file of them says, and wrong ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.assignment import Policy
from grader.batch.overrides import Override, read_overrides
from grader.errors import UsageError
from tests.batch.students import homework

WORK = homework(Policy())
SAID = 'who = "Lin"\nwhen = 2026-11-20\nwhy = "a typo in the hand-out, see the forum"\n'
HEAD = 'schema = "grader/overrides/1"\n[[override]]\nstudent = "ada"\n'

DOUBLE = f"""{HEAD}problem = "dann"\n{{}}\n{SAID}[[override]]\nstudent = "ada"\nproblem = "dann"\n{{}}\n{SAID}"""


def _read(folder: Path, text: str) -> tuple[Override, ...]:
    path = folder / "overrides.toml"
    path.write_text(text)
    return read_overrides(path, WORK)


def test_a_decision_is_read(tmp_path: Path) -> None:
    why = "a typo in the hand-out, see the forum"
    assert _read(tmp_path, HEAD + 'measure = "digit_accuracy"\nadd = -1.5\ndigest = "ABCDEF01"\n' + SAID) == (
        Override("ada", "add", -1.5, "acgan", "digit_accuracy", why, "Lin", "2026-11-20", "abcdef01"),
    )
    text = HEAD + "extension_days = 3\n" + SAID.replace("2026-11-20", '"2026-11-20T09:30:00+08:00"')
    assert _read(tmp_path, text)[0].when == "2026-11-20T09:30:00+08:00"
    assert _read(tmp_path, 'schema = "grader/overrides/1"\n') == ()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "needs the key 'schema'"),
        ('schema = "grader/overrides/2"', "expected one of grader/overrides/1"),
        (HEAD + "excuse = true\ntold = 1\n" + SAID, "told: expected a text"),
        (HEAD + SAID, "expected one of points, add, extension_days, excuse; found none"),
        (HEAD + 'problem = "dann"\npoints = 1\nadd = 1\n' + SAID, "found points and add"),
        (HEAD + 'problem = "dan"\npoints = 1\n' + SAID, "has no problem 'dan'; it has acgan, dann.*'dann'"),
        (HEAD + 'measure = "digit_acuracy"\npoints = 1\n' + SAID, "has no measure.*Did you mean 'digit_accuracy'"),
        (HEAD + 'problem = "dann"\nmeasure = "digit_accuracy"\npoints = 1\n' + SAID, "belongs to 'acgan'"),
        (HEAD + "points = 1\n" + SAID, "needs 'problem' or 'measure'"),
        (HEAD + 'problem = "dann"\npoints = 9.5\n' + SAID, "expected 0 to 9 points, found 9.5"),
        (HEAD + 'measure = "target_accuracy.usps-svhn"\npoints = 4\n' + SAID, "expected 0 to 3 points, found 4"),
        (HEAD + 'problem = "dann"\npoints = nan\n' + SAID, "expected a finite number"),
        (HEAD + 'problem = "dann"\nadd = 0\n' + SAID, "expected points to add"),
        (HEAD + "extension_days = 0\n" + SAID, "expected 1 to 365 whole days"),
        (HEAD + "extension_days = 1.5\n" + SAID, "expected a whole number"),
        (HEAD + 'problem = "dann"\nextension_days = 1\n' + SAID, "a submission has one deadline"),
        (HEAD + 'measure = "digit_accuracy"\nexcuse = true\n' + SAID, "which is about problems"),
        (HEAD + "excuse = false\n" + SAID, "expected true"),
        (HEAD + "excuse = true\n" + SAID.replace("who", "by"), "needs the key 'who'"),
        (HEAD + "excuse = true\n" + SAID.replace('"Lin"', '""'), "who: expected a text"),
        (HEAD + "excuse = true\n" + SAID.replace("2026-11-20", '"monday"'), "expected a day, such as 2026-11-20"),
        (HEAD + "excuse = true\n" + SAID.replace("2026-11-20", "5"), "when: expected a text"),
        (HEAD + 'excuse = true\ndigest = "zzzzzzzzz"\n' + SAID, "characters of the submission's sha256"),
        (HEAD + "excuse = true\nseen = 1\n" + SAID, "is not a key of this table"),
        (HEAD + "excuse = true\n" + SAID + "[override2]\n", "is not a key of this table"),
        (DOUBLE.format("points = 1", "points = 2"), r"toml:1\d: .*stands twice for 'ada'"),
        (DOUBLE.format("add = 1", "add = 1"), r"toml:1\d: .*stands twice for 'ada'"),
        (HEAD + f'excuse = true\n{SAID}[[override]]\nstudent = "ada"\nexcuse = true\n{SAID}', "stands twice"),
    ],
)
def test_wrong_files_are_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        _read(tmp_path, text)
