"""`grader convert`: other people's squared errors and PSNRs on the grader's own scale."""

from __future__ import annotations

import re
from math import prod

import click

from grader.errors import UsageError


@click.command()
@click.argument("value", type=float)
@click.option(
    "--range",
    "ends",
    nargs=2,
    type=float,
    default=(0.0, 1.0),
    show_default="0 1",
    metavar="LOW HIGH",
    help="The range of the values that the error is of.",
)
@click.option(
    "--summed-over", default="1", metavar="NUMBERS", help="How many values the error is summed over, such as 64x64x3."
)
@click.option("--psnr", "decibels", is_flag=True, help="VALUE is a PSNR in dB.")
def convert(value: float, ends: tuple[float, float], summed_over: str, decibels: bool) -> None:
    """A squared error as reported, or a PSNR, as mean squared error on [0, 1] and PSNR.

    \b
    grader convert 215.99 --range -1 1 --summed-over 64x64x3
    grader convert 0.0197 --range -1 1
    grader convert 23.6 --psnr
    """
    if not re.fullmatch(r"[0-9]{1,9}(x[0-9]{1,9}){0,4}", summed_over):
        raise UsageError(f"--summed-over {summed_over}: expected whole numbers joined by x, such as 64x64x3.")
    from grader.metrics.reconstruction import mse_of_psnr, psnr, unit_mse  # brings numpy

    if decibels and (ends != (0.0, 1.0) or summed_over != "1"):
        raise UsageError("--psnr has neither a range nor a sum: it is the same on every scale.")
    try:
        mse = mse_of_psnr(value) if decibels else unit_mse(value, *ends, prod(map(int, summed_over.split("x"))))
    except (ValueError, ArithmeticError) as e:
        raise UsageError(f"{value:g} can't be converted: {e}.") from None
    shown = f"{psnr(mse):.1f} dB" if mse else "infinite"
    click.echo(f"MSE on [0, 1]  {mse:.4g}\nPSNR           {shown}")
