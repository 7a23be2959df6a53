"""The warning about answers that are no better than guessing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from grader.measuring.accuracies import counted
from grader.measuring.chance import chance_findings


def _findings(wanted: list[int], read: list[int], sizes: list[int]) -> list[Any]:
    spec = cast(Any, SimpleNamespace(deliverable="digits"))
    part = cast(Any, SimpleNamespace(spec=SimpleNamespace(path="dann/usps.csv"), findings=()))
    return chance_findings("dann", spec, part, counted(wanted, read, sizes, 0, {}))


@pytest.mark.parametrize("share", [0.25, 0.5, 1.0])
def test_none_above_chance(share: float) -> None:
    wanted = [label for label in range(10) for _ in range(100)]
    read = [w if i % 100 < 100 * share else (w + 1) % 10 for i, w in enumerate(wanted)]
    assert _findings(wanted, read, [100] * 10) == []


@pytest.mark.parametrize("seed", range(5))
def test_random_answers(seed: int) -> None:
    wanted = [label for label in range(10) for _ in range(100)]
    read = np.random.default_rng(seed).permutation(wanted).tolist()
    (found,) = _findings(wanted, read, [100] * 10)
    assert found.rule == "at-chance" and found.severity == "warning" and found.examples == ()


def test_the_commonest_class_for_all() -> None:
    """More than one of two right, and still no more than the answer that needs no look at the images."""
    (found,) = _findings([0] * 80 + [1] * 20, [0] * 100, [80, 20])
    assert "80.0% right" in found.actual


def test_swapped_rows_are_not_told() -> None:
    wanted = [label for label in range(10) for _ in range(100)]
    (found,) = _findings(wanted, [(w + 1) % 10 for w in wanted], [100] * 10)
    assert found.examples == () and "read as" not in found.help
