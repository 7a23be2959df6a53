"""Tables of times: what they say, and wrong ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.batch.times import read_times
from grader.errors import UsageError

T = "2026-11-05T10:00:00Z"


def test_hand_ins_are_counted_in_the_order_of_time(tmp_path: Path) -> None:
    path = tmp_path / "times.csv"
    path.write_text(f"\ufeffTime,student\n2026-11-05T11:00:00+01:00,bob\n{T},=1+1\n2026-11-05T12:00:00+03:00,bob\n\n")
    found = read_times(path)
    assert list(found) == ["=1+1", "bob"]
    assert [(h.time.isoformat(), h.attempt, h.submission) for h in found["bob"]] == [
        ("2026-11-05T12:00:00+03:00", 1, "bob"),
        ("2026-11-05T11:00:00+01:00", 2, "bob"),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", r"times.csv:1: expected the columns student,time; student is missing"),
        ("student,time\n", "expected a row a hand-in"),
        ("student,when\nada,x\n", r":1: the column 'when' is unknown"),
        ("student,time\nada\n", r":2: expected 2 fields, found 1"),
        ("student,time\nada,2026-11-05 10:00\n", r":2: expected a time with its zone.*found '2026-11-05 10:00'"),
        ("student,time\nada,yesterday\n", "found 'yesterday'"),
        ("student,time\nada,0001-01-01T00:00:00+14:00\n", "expected a time with its zone"),
        (f"student,time\n,{T}\n", "expected the name of a student"),
        (f"student,time\n\x1b[2J,{T}\n", "expected the name of a student"),
        (f"student,time\nada,{T}\nada,2026-11-05T11:00:00+01:00\n", r":3: 'ada' has two hand-ins of this time"),
        (f"student,time,attempt\nada,{T},0\n", "from 1, found '0'"),
        (f"student,time,attempt\nada,{T},²\n", "from 1, found"),
        (f"student,time,attempt\nada,{T},1\nada,2026-11-06T10:00:00Z,1\n", "two hand-ins of this attempt"),
        (f"student,time,attempt\nada,{T},1\nada,2026-11-06T10:00:00Z,\n", "of all hand-ins of 'ada', or of none"),
        (f"student,time,attempt\nada,{T},\nada,2026-11-06T10:00:00Z,2\n", "of all hand-ins of 'ada', or of none"),
        (f"student,time,submission\nada,{T},x\nbob,{T},x\n", r":3: the submission 'x' stands at 'ada' too"),
        (f"student,time,submission\nada,{T},x\nada,2026-11-06T10:00:00Z,x\n", "'x' stands twice"),
    ],
)
def test_wrong_tables_are_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "times.csv"
    path.write_text(text)
    with pytest.raises(UsageError, match=said):
        read_times(path)


def test_a_table_that_can_not_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="can't be read"):
        read_times(tmp_path / "none.csv")
    (tmp_path / "bytes.csv").write_bytes(b"student,time\n\xff\xfe,1\n")
    with pytest.raises(UsageError, match="expected a csv in UTF-8"):
        read_times(tmp_path / "bytes.csv")
