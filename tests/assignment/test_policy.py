"""What an assignment may say of lateness, attempts and hidden measures."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from grader.assignment import Policy, load_assignment
from grader.errors import AssignmentError
from tests.assignment.test_reading import OWN

DEADLINE = "deadline = 2026-11-05T23:59:00+08:00\n"


def _policy(folder: Path, text: str) -> Policy:
    path = folder / "own.toml"
    path.write_text(f"{OWN}\n[policy]\n{text}\n")
    return load_assignment(path).policy


def test_a_policy_is_read(tmp_path: Path) -> None:
    text = "late_days = 2\nlate_penalty = 0.25\nlate_most = 5\nattempts = 3\nattempt = 'best'\n"
    assert _policy(tmp_path, f"{DEADLINE}{text}hidden = ['digit_accuracy']\nreproducibility_penalty = 0.5") == Policy(
        0.5, datetime.fromisoformat("2026-11-05T15:59:00+00:00"), 2, 0.25, 5, 3, "best", ("digit_accuracy",)
    )
    assert _policy(tmp_path, 'deadline = "2026-11-05T23:59:00+08:00"') == _policy(tmp_path, DEADLINE)
    assert _policy(tmp_path, "") == Policy()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("deadline = 2026-11-05T23:59:00", "expected a time with its zone"),
        ("deadline = 2026-11-05", "expected a time with its zone"),
        ("deadline = 'soon'", "expected a time with its zone, such as .*; found the text 'soon'"),
        ("deadline = 9999-12-31T23:59:00Z", "expected a time with its zone"),
        ("late_days = 1", "has no use without 'deadline'"),
        ("late_penalty = 0.1", "has no use without 'deadline'"),
        (DEADLINE + "late_penalty = 20", "expected a share from 0 to 1"),
        (DEADLINE + "late_penalty = -0.1", "expected a share from 0 to 1"),
        (DEADLINE + "late_days = -1", "expected 0 to"),
        (DEADLINE + "late_days = 3\nlate_most = 2", "expected at least late_days, 3"),
        ("attempts = 0", "1 or more"),
        ("attempt = 'first'", "expected one of best, last"),
        ("hidden = ['digit_acuracy']", r"there is no 'digit_acuracy'.*Did you mean 'digit_accuracy'"),
        ("hidden = ['digit_accuracy', 'digit_accuracy']", "stands twice"),
        ("hidden = true", "expected a list of texts"),
        ("late_day = 1", "is not a key of this table"),
    ],
)
def test_what_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(AssignmentError, match=rf"own.toml:\d+: policy.*{said}"):
        _policy(tmp_path, text)
