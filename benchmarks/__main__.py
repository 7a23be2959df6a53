"""`python -m benchmarks`: one table. Takes a quarter of an hour on two cores, without other work beside it."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table

from benchmarks.rows import rows
from benchmarks.setting import Setting


def main() -> None:
    """Measures every row and prints the table."""
    console = Console(width=None if sys.stdout.isatty() else 140)
    with tempfile.TemporaryDirectory() as top, console.status("drawing faces, weights, references") as status:
        setting = Setting(Path(top))
        setting.make()
        found = list(rows(setting, status.update))
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    table = Table(title=f"{cores} cores, torch {torch.__version__}, {torch.get_num_threads()} threads", box=None)
    for title in ("what", "ours", "held against", "ratio", "wanted"):
        table.add_column(title, justify="left" if title == "what" else "right", overflow="fold")
    for row in found:
        wanted = "" if row.wanted is None else f"≥ {row.wanted:g}"
        style = "red" if row.wanted is not None and row.ratio < row.wanted else None
        table.add_row(row.what, row.ours, row.other, f"{row.ratio:.4g}", wanted, style=style)
    console.print(table)


if __name__ == "__main__":
    main()
