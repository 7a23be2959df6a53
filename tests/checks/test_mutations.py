"""Every named mutation of the good submission gives the finding that it must, and no other error."""

from __future__ import annotations

from pathlib import Path

import pytest

import grader
from fixtures.mutations import GOOD, MUTATIONS, mutate


@pytest.mark.parametrize("name", MUTATIONS)
def test_mutation_gives_its_finding(name: str, tmp_path: Path, course: Path) -> None:
    mutation = mutate(name, tmp_path)
    report = grader.check(tmp_path, problems=[mutation.problem], data=course)
    found = {f.rule: f for f in report.findings}
    assert mutation.rule in found, report.findings
    assert found[mutation.rule].count == mutation.count
    assert sorted(f.rule for f in report.findings if f.severity == "error") == sorted(mutation.errors)
    assert report.state == ("fail" if mutation.errors else "pass")
    for f in report.findings:
        assert f.message and f.expected and f.actual and f.help and f.problem == mutation.problem


def test_the_good_submission_has_no_finding(course: Path) -> None:
    report = grader.check(GOOD, data=course)
    assert report.findings == () and report.notes == () and report.state == "pass"
