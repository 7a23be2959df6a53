"""`python -m benchmarks.classes`: what a class costs, against its number, the networks alone, and a second run.

Drawn digits with noise, so that no image is another one's; predictions beside them. With `--whole` drawn faces as well,
whose FID and Inception Score are by networks of random weights, which take as long as the right ones. One worker, one
thread; seconds of the processor, which other work beside it changes least. Takes five minutes, with `--whole` forty.
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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from rich.console import Console
from rich.table import Table
from safetensors.torch import save_file

from benchmarks.setting import random_state
from fixtures.digits import mnistm
from fixtures.faces import face
from fixtures.make import make_course
from grader.judges.inception import ScoreInception

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

spent = {"networks": 0.0, "scoring": 0.0, "fingerprint": 0.0}
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
timed(work._Attempt, "_fingerprint", "fingerprint")
top, data, results = map(Path, sys.argv[1:4])
problems, judges = sys.argv[5].split(","), dict(word.split("=") for word in sys.argv[6:])
judges = {name: Path(path) for name, path in judges.items()}
for folder in (results, results / "entries", results / "fingerprints"):
    folder.mkdir()
whole = load_assignment("dlcv-fall2021-hw2")
ground = find_ground(whole, find_data(data, whole.data_folder), judges)
job = work.Job(whole, data, judges, (), "cpu", results, tuple(problems), ground, "run")
found = []
for task in find_tasks(top)[0][: int(sys.argv[4])]:
    spent.update(networks=0.0, scoring=0.0, fingerprint=0.0)
    began = used()
    work.grade(job, task, 1)
    found.append([used() - began, spent["scoring"] - spent["fingerprint"], spent["networks"]])
print(json.dumps(found))
"""


@dataclass(frozen=True)
class Setting:
    """What is graded how: the data folder, the problems, files of weights by judge."""

    data: Path
    problems: tuple[str, ...]
    judges: Mapping[str, Path]


def make_submissions(folder: Path, count: int, problems: Sequence[str]) -> None:
    """So many submissions of these problems."""
    digits = {f"{d}_{n:03}": np.asarray(mnistm(d, f"{d}-{n}")) for d in range(10) for n in range(1, _EACH + 1)}
    pictures = {"acgan": digits}
    if "gan" in problems:
        pictures["gan"] = {f"{n:04}": np.asarray(face(f"class {n}")) for n in range(1000)}
    for i in range(count):
        generator = np.random.default_rng(i)
        top = folder / f"s{i:03}"
        shutil.copytree(GOOD / "dann", top / "dann")
        for problem, plain in pictures.items():
            (top / problem).mkdir()
            for name, image in plain.items():
                noisy = (image + generator.normal(0, 12, image.shape)).clip(0, 255)
                Image.fromarray(noisy.astype(np.uint8)).save(top / problem / f"{name}.png")


def random_judges(folder: Path) -> dict[str, Path]:
    """Both Inception networks with random weights."""
    torch.manual_seed(0)
    states = {"inception": random_state(), "torchvision_inception": ScoreInception().network.state_dict()}
    for name, state in states.items():
        save_file({key: value.contiguous() for key, value in state.items()}, folder / f"{name}.safetensors")
    return {name: folder / f"{name}.safetensors" for name in states}


def batch(submissions: Path, results: Path, setting: Setting, cache: Path) -> tuple[float, float]:
    """Seconds of the processor, and the largest memory of a process in MiB."""
    words = [sys.executable, "-m", "grader", "batch", submissions, "-o", results, "--data", setting.data]
    words += [word for problem in setting.problems for word in ("--problem", problem)]
    words += [word for name, path in setting.judges.items() for word in ("--judge", f"{name}={path}")]
    words += ["--workers", "1", "--device", "cpu"]
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


def measure(numbers: tuple[int, ...], home: Path, setting: Setting) -> Table:
    """The table, for classes of these sizes."""
    make_submissions(home / "all", max(numbers), setting.problems)
    table = Table(title=f"one worker, one thread, each with {', '.join(setting.problems)}", box=None)
    for title in ("what", "measured"):
        table.add_column(title, justify="left" if title == "what" else "right")
    seconds = {}
    for n in numbers:
        part = home / f"class{n}"
        part.mkdir()
        for top in sorted((home / "all").iterdir())[:n]:
            top_in_part = part / top.name
            shutil.copytree(top, top_in_part, copy_function=os.link)
        seconds[n], most = batch(part, home / f"results{n}", setting, home / f"cache{n}")
        table.add_row(f"{n} submissions, from nothing", f"{seconds[n]:.1f} s, {most:.0f} MiB at most")
    few, many = min(numbers), max(numbers)
    slope = (seconds[many] - seconds[few]) / (many - few)
    table.add_row("one more submission", f"{slope:.2f} s")
    arguments: list[str | int | Path] = [home / "all", setting.data, home / "parts", few, ",".join(setting.problems)]
    arguments += [f"{name}={path}" for name, path in setting.judges.items()]
    found = _alone(_PARTS, *arguments, cache=home / "cache-parts")
    parts = np.array(found[1:], np.float64)  # the first reads what all share
    whole, scored, networks = np.median(parts, axis=0)
    table.add_row("of it in networks", f"{networks:.2f} s")
    table.add_row("all of it against the networks alone", f"{np.median(parts[:, 0] / parts[:, 2]):.3f}")
    table.add_row("digests, journal, fingerprint against the networks", f"{(whole - scored) / networks:.3f}")
    again, _ = batch(home / f"class{many}", home / f"results{many}", setting, home / f"cache{many}")
    table.add_row(f"the same {many} again", f"{again:.1f} s")
    return table


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", default="4,8,16", help="of the classes, two or more (default: %(default)s)")
    parser.add_argument("--data", type=Path, help="a course's data folder (default: the miniature course)")
    parser.add_argument("--whole", action="store_true", help="with the faces of problem 1")
    given = parser.parse_args()
    numbers = tuple(int(text) for text in given.sizes.split(","))
    with tempfile.TemporaryDirectory() as name:
        top = Path(name)
        if given.data is None:
            make_course(top / "hw2_data")
        problems = ("gan", "acgan", "dann") if given.whole else ("acgan", "dann")
        setting = Setting(given.data or top / "hw2_data", problems, random_judges(top) if given.whole else {})
        Console(width=100).print(measure(numbers, top, setting))


if __name__ == "__main__":
    main()
