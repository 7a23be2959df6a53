"""`python -m benchmarks.classes`: what a class costs, against its number, the networks alone, and a second run.

Drawn digits with noise, so that no image is another one's; predictions beside them. One worker, one thread; seconds of
the processor, which other work beside it changes least. Takes five minutes.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table

from fixtures.digits import mnistm
from fixtures.make import make_course

GOOD = Path(__file__).parent.parent / "fixtures" / "submission"
_EACH = 100  # images of each digit
# Each graded by what a worker runs, with the time inside of networks taken apart.
_PARTS = """
import json, os, sys
from pathlib import Path
import torch
torch.set_num_threads(1)
from grader.assignment import load_assignment
from grader.batch import work
from grader.batch.digests import find_ground
from grader.batch.tasks import find_tasks
from grader.judges.engines import Engine
from grader.references.data import find_data
from grader.scoring import Scorer

def used():
    return sum(os.times()[:4])

spent = {"networks": 0.0, "scoring": 0.0}
def timed(owner, name, key):
    run = getattr(owner, name)
    def measured(*arguments, **options):
        began = used()
        try:
            return run(*arguments, **options)
        finally:
            spent[key] += used() - began
    setattr(owner, name, measured)
timed(Engine, "run", "networks")
timed(Scorer, "score", "scoring")
top, data, results = map(Path, sys.argv[1:4])
for folder in (results, results / "entries", results / "fingerprints"):
    folder.mkdir()
whole = load_assignment("dlcv-fall2021-hw2")
ground = find_ground(whole, find_data(data, whole.data_folder), {})
job = work.Job(whole, data, {}, (), "cpu", results, ("acgan", "dann"), ground, "run")
found = []
for task in find_tasks(top)[0][: int(sys.argv[4])]:
    spent.update(networks=0.0, scoring=0.0)
    began = used()
    work.grade(job, task, 1)
    found.append([used() - began, spent["scoring"], spent["networks"]])
print(json.dumps(found))
"""


def make_submissions(folder: Path, count: int) -> None:
    """So many submissions of acgan and dann."""
    plain = [np.stack([np.asarray(mnistm(d, f"{d}-{nth}")) for nth in range(_EACH)]) for d in range(10)]
    for i in range(count):
        generator = np.random.default_rng(i)
        top = folder / f"s{i:03}"
        (top / "acgan").mkdir(parents=True)
        shutil.copytree(GOOD / "dann", top / "dann")
        for d in range(10):
            noisy = plain[d] + generator.normal(0, 12, plain[d].shape)
            for nth, image in enumerate(noisy.clip(0, 255).astype(np.uint8), 1):
                Image.fromarray(image).save(top / "acgan" / f"{d}_{nth:03}.png")


def batch(submissions: Path, results: Path, data: Path, cache: Path) -> tuple[float, float]:
    """Seconds of the processor, and the largest memory of a process in MiB."""
    words = [sys.executable, "-m", "grader", "batch", submissions, "-o", results, "--data", data]
    words += ["--problem", "acgan", "--problem", "dann", "--workers", "1"]
    environment = os.environ | {"GRADER_CACHE": str(cache), "OMP_NUM_THREADS": "1"}
    began = _of_children()
    process = subprocess.Popen(
        [str(w) for w in words], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    most = 0.0
    while process.poll() is None:
        most = max(most, *(_resident(pid) for pid in _family(process.pid)))
        time.sleep(0.1)
    return _of_children() - began, most / 2**20


def _of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _family(pid: int) -> list[int]:
    """A process and those below it."""
    try:
        # Of each thread: it is one of them that starts a worker.
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        children = [int(c) for thread in threads for c in (thread / "children").read_text().split()]
    except OSError:
        return [pid]
    return [pid, *(p for child in children for p in _family(child))]


def _resident(pid: int) -> float:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0.0


def _alone(program: str, *arguments: str | int | Path, cache: Path) -> list[list[float]]:
    words = [sys.executable, "-c", program, *(str(a) for a in arguments)]
    environment = os.environ | {"GRADER_CACHE": str(cache), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(words, env=environment, check=True, capture_output=True, text=True)
    found: list[list[float]] = json.loads(done.stdout)
    return found


def measure(numbers: tuple[int, ...], home: Path) -> Table:
    """The table, for classes of these sizes."""
    data = home / "hw2_data"
    make_course(data)
    make_submissions(home / "all", max(numbers))
    table = Table(title="one worker, one thread, 1000 digits and 3 tables each", box=None)
    for title in ("what", "measured"):
        table.add_column(title, justify="left" if title == "what" else "right")
    seconds = {}
    for n in numbers:
        part = home / f"class{n}"
        part.mkdir()
        for top in sorted((home / "all").iterdir())[:n]:
            top_in_part = part / top.name
            shutil.copytree(top, top_in_part, copy_function=os.link)
        seconds[n], most = batch(part, home / f"results{n}", data, home / f"cache{n}")
        table.add_row(f"{n} submissions, from nothing", f"{seconds[n]:.1f} s, {most:.0f} MiB at most")
    few, many = min(numbers), max(numbers)
    slope = (seconds[many] - seconds[few]) / (many - few)
    table.add_row("one more submission", f"{slope:.2f} s")
    parts = _alone(_PARTS, home / "all", data, home / "parts", few, cache=home / "cache-parts")[1:]
    whole, scored, networks = np.median(parts, axis=0)
    table.add_row("of it in networks", f"{networks:.2f} s")
    table.add_row("all of it against the networks alone", f"{np.median([w / n for w, _, n in parts]):.3f}")
    table.add_row("digests and journal against the networks", f"{(whole - scored) / networks:.3f}")
    again, _ = batch(home / f"class{many}", home / f"results{many}", data, home / f"cache{many}")
    table.add_row(f"the same {many} again", f"{again:.1f} s")
    return table


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="4,8,16", help="of the classes (default: %(default)s)")
    numbers = tuple(int(text) for text in parser.parse_args().sizes.split(","))
    with tempfile.TemporaryDirectory() as top:
        Console(width=100).print(measure(numbers, Path(top)))


if __name__ == "__main__":
    main()
