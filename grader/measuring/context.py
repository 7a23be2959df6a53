"""What the measures of one run share, and what every measurement says of itself."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from grader.errors import CannotMeasure
from grader.references.data import Data

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from grader.judges.cache import FeatureCache
    from grader.judges.cascades import Cascade
    from grader.judges.engines import Engine
    from grader.judges.features import Extractor, Features
    from grader.judges.weights import Weights
    from grader.measuring.compared import ComparedImages
    from grader.references.statistics import ReferenceFile

Progress = Callable[[str, int, int], None]
T = TypeVar("T")
_KEPT = 40  # things that `Shared` holds at most


def silent(task: str, done: int, total: int) -> None:
    """Progress that nobody looks at."""


@dataclass
class Shared:
    """What the runs of one process may share, as long as data, judges' files and device stay the same.

    `engines`, `weights`, `cascades`: judges, each read once. `kept`: what follows from the course's data alone, with
    the notes that it gave rise to.
    """

    weights: dict[str, Weights] = field(default_factory=dict)
    engines: dict[str, Engine] = field(default_factory=dict)
    cascades: dict[str, Cascade] = field(default_factory=dict)
    kept: dict[Hashable, tuple[Any, tuple[str, ...]]] = field(default_factory=dict)


@dataclass
class Context:
    """What the measures of one run share: data, judges' files, reference files, device, progress, what was read, notes.

    `cache`: keep features between runs. `copied`: images, by problem and deliverable, that show what the course's data
    hold; `compared`: what was made of all images, likewise. `shared`: what several runs share.
    """

    data: Data
    judges: Mapping[str, Path]
    device: str = "auto"
    progress: Progress = silent
    references: Sequence[ReferenceFile] = ()
    cache: bool = True
    answers: dict[str, Mapping[str, int]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    copied: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    compared: dict[tuple[str, str], ComparedImages] = field(default_factory=dict)
    shared: Shared = field(default_factory=Shared)
    _extractor: Extractor | None = None

    def store(self) -> FeatureCache | None:
        """The cache on disk, None if nothing is to be kept."""
        from grader.judges.cache import FeatureCache

        return FeatureCache() if self.cache else None

    def extractor(self) -> Extractor:
        """The networks of this run, made at their first use. Raises UsageError for a device that isn't there."""
        if self._extractor is None:
            from grader.judges.features import Extractor

            if self.device not in ("auto", "cpu"):  # also where everything is in the cache
                from grader.judges.devices import choose_device

                choose_device(self.device)
            known = self.shared.weights, self.shared.engines
            self._extractor = Extractor(self.judges, self.device, self.store(), *known)
        return self._extractor

    def cascade(self, judge: str) -> Cascade:
        """A detector, read at its first use. Raises CannotMeasure without it or OpenCV, UsageError for a wrong file."""
        known = self.shared.cascades
        if judge not in known:
            from grader.judges.cascades import read_cascade
            from grader.judges.weights import find_weights

            known[judge] = read_cascade(find_weights(judge, self.judges))
        return known[judge]

    def once(self, key: Hashable, compute: Callable[[], T]) -> T:
        """What follows from the course's data and the key: computed in the first run that needs it, with its notes.

        Nobody may change the value. What raises is tried again.
        """
        kept = self.shared.kept
        if key not in kept:
            before = len(self.notes)
            value = compute()
            while len(kept) >= _KEPT:  # sizes that students chose may be part of a key
                kept.pop(next(iter(kept)))
            kept[key] = value, tuple(self.notes[before:])
            return value
        found, notes = kept[key]
        self.notes += notes
        return cast("T", found)

    def show(self, task: str) -> Callable[[int, int], None]:
        """Progress of one task."""
        return lambda done, total: self.progress(task, done, total)

    def recall(self, key: str, compute: Callable[[], NDArray[np.float64]]) -> NDArray[np.float64]:
        """Numbers that follow from what the key names: from the cache if they are there."""
        store = self.store()
        return compute() if store is None else store.recall(key, compute)


@contextmanager
def needs_packages(extra: str = "score") -> Iterator[None]:
    """Turns a missing package of an extra into CannotMeasure with the command that installs it."""
    try:
        yield
    except ModuleNotFoundError as e:
        if e.name and e.name.startswith("grader"):
            raise
        raise CannotMeasure(f"needs the package {e.name}: pip install 'vision-grader[{extra}]'") from None


def versions(*packages: str) -> dict[str, str]:
    """The versions of Python and of packages, without importing them."""
    found = {"python": platform.python_version()}
    return found | {name: importlib.metadata.version(name) for name in packages}


def network_provenance(protocol: str, found: Features, n: int) -> dict[str, Any]:
    """What a measurement by a network says of itself."""
    return {
        "protocol": protocol,
        "n": n,
        "judge": found.weights.judge,
        "judge_sha256": found.weights.sha256,
        "judge_known": found.weights.known,
        "device": ", ".join(sorted({origin.partition(" ")[0] for origin in found.origins})),
        "computed_by": list(found.origins),
        "versions": versions("torch", "torchvision", "torch-fidelity", "numpy", "pillow"),
    }
