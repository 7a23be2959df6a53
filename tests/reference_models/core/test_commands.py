"""Command lines end in one line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from grader.errors import CannotMeasure
from reference_models.core.commands import run_command
from reference_models.core.models import ModelError


def _raises(error: Exception) -> Callable[[], None]:
    def main() -> None:
        raise error

    return main


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ModelError("no model"), "error: no model"),
        (CannotMeasure("no data"), "error: no data"),
        (FileNotFoundError(2, "No such file or directory", "runs/x"), "error: runs/x: No such file or directory"),
        (ModuleNotFoundError("No module named 'matplotlib'"), "error: No module named 'matplotlib'. pip install"),
    ],
)
def test_errors_are_one_line(error: Exception, told: str) -> None:
    with pytest.raises(SystemExit, match=told.replace("(", r"\(")) as ended:
        run_command(_raises(error))
    assert "\n" not in str(ended.value)


def test_other_errors_are_not_hidden(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        run_command(_raises(ZeroDivisionError()))
    run_command(lambda: (tmp_path / "ran").touch())
    assert (tmp_path / "ran").exists()
