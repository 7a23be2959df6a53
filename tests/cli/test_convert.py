"""`grader convert`: figures of other scales."""

from __future__ import annotations

import pytest
from click.testing import CliRunner, Result

from grader.cli import grader
from grader.errors import UsageError


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(grader, ["convert", *arguments])


@pytest.mark.parametrize(
    ("arguments", "mse", "psnr"),
    [
        (("215.99", "--range", "-1", "1", "--summed-over", "64x64x3"), "0.004394", "23.6 dB"),
        (("0.0197", "--range", "-1", "1"), "0.004925", "23.1 dB"),
        (("0.005205",), "0.005205", "22.8 dB"),
        (("65.025", "--range", "0", "255"), "0.001", "30.0 dB"),
        (("23.6", "--psnr"), "0.004365", "23.6 dB"),
        (("--psnr", "--", "-3"), "1.995", "-3.0 dB"),
        (("0",), "0", "infinite"),
    ],
)
def test_scales(arguments: tuple[str, ...], mse: str, psnr: str) -> None:
    done = _run(*arguments)
    assert done.exit_code == 0 and done.output == f"MSE on [0, 1]  {mse}\nPSNR           {psnr}\n"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("nan",), "0 or more"),
        (("inf",), "0 or more"),
        (("--", "-1"), "0 or more"),
        (("1", "--range", "1", "-1"), "lower end first"),
        (("1", "--range", "0", "1e-300"), "can't be converted"),
        (("1", "--range", "0", "1e300"), "can't be converted"),
        (("1", "--summed-over", "0"), "1 value or more"),
        (("1", "--summed-over", "64*64"), "joined by x"),
        (("1", "--summed-over", "9" * 5000), "joined by x"),
        (("23", "--psnr", "--range", "-1", "1"), "same on every scale"),
        (("23", "--psnr", "--summed-over", "3"), "same on every scale"),
        (("--psnr", "--", "-9999"), "can't be converted"),
    ],
)
def test_what_is_no_error(arguments: tuple[str, ...], told: str) -> None:
    failed = _run(*arguments).exception
    assert isinstance(failed, UsageError) and told in str(failed)
