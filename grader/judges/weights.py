"""Finds a judge's weights: a file, known by its sha256. What is in it is read in states.py, which takes torch."""

from __future__ import annotations

import hashlib
import importlib.util
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from grader.errors import CannotMeasure, UsageError
from grader.judges import JUDGES, Judge
from grader.judges.cache import cache_folder, is_there

VARIABLE = "GRADER_WEIGHTS"
LARGEST = 1 << 30


@dataclass(frozen=True)
class Weights:
    """A file of weights with its sha256. `known`: it is a published one."""

    judge: str
    path: Path
    sha256: str
    known: bool

    def read(self) -> bytes:
        """The file's content. Raises UsageError if it is another one by now."""
        content = _content(self.judge, self.path)
        if hashlib.sha256(content).hexdigest() != self.sha256:
            raise UsageError(f"The weights of {self.judge}, {self.path}, changed while they were read. Run again.")
        return content


def weights_folder() -> Path:
    """Where fetched weights are kept: `weights` in the cache folder."""
    return cache_folder() / "weights"


def find_weights(name: str, given: Mapping[str, Path]) -> Weights:
    """The weights of a judge: the file given for it, else the shipped ones, else those found on this machine.

    A given file is used whatever its sha256; a found one must match. Raises UsageError for a given file that can't be
    read, CannotMeasure where there is none.
    """
    judge = JUDGES[name]
    if name in given:
        return identify(judge, given[name])
    if judge.shipped is not None and is_there(judge.shipped):
        return identify(judge, judge.shipped)
    wrong = []
    for path in candidates(judge):
        try:
            found = identify(judge, path)
        except UsageError as e:  # nobody named this file: another one may do
            wrong.append(str(e).removesuffix("."))
            continue
        if found.known:
            return found
        wrong.append(f"{path} has another sha256 ({found.sha256[:8]}…)")
    told = f" ({wrong[0]})" if wrong else ""
    raise CannotMeasure(f"no weights here for the judge {name}{told}: {judge.remedy}, or pass --judge {name}=FILE")


def candidates(judge: Judge) -> Iterator[Path]:
    """The files on this machine that have the name of the judge's weights, in the order in which they are tried."""
    for place in places(judge):
        for file in judge.files:
            if is_there(place / file):
                yield place / file


def places(judge: Judge) -> list[Path]:
    """The folder in the environment variable, fetched weights, the package that carries them, torch's downloads."""
    found = [Path(named)] if (named := os.environ.get(VARIABLE)) else []
    found.append(weights_folder())
    spec = importlib.util.find_spec(judge.package) if judge.package else None
    if spec is not None and spec.origin is not None:
        found.append(Path(spec.origin).parent / judge.inside)
    # torch.hub.get_dir() without the import
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return [*found, Path(os.environ.get("TORCH_HOME") or cache / "torch").expanduser() / "hub" / "checkpoints"]


def identify(judge: Judge, path: Path) -> Weights:
    """The file's sha256, and whether it is known to be the judge. Raises UsageError if it can't be read."""
    sha256 = hashlib.sha256(_content(judge.name, path)).hexdigest()
    return Weights(judge.name, path, sha256, judge.knows(sha256))


def _content(name: str, path: Path) -> bytes:
    try:
        with open(path, "rb") as f:
            size = os.fstat(f.fileno()).st_size  # first: to read takes as much memory as is asked for
            if size <= LARGEST:
                return f.read(size)
    except OSError as e:
        raise UsageError(f"The weights of {name}, {path}, can't be read: {e.strerror}.") from None
    raise UsageError(f"The weights of {name}, {path}, are larger than {LARGEST} bytes.")
