"""What is on this machine, and which measures of an assignment it can't take."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import platform
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from grader._version import __version__
from grader.assignment import Assignment
from grader.errors import CannotMeasure, UsageError
from grader.judges import JUDGES, Judge
from grader.judges.cache import LARGEST, FeatureCache
from grader.judges.needed import judge_of
from grader.judges.weights import find_weights, weights_folder
from grader.readiness import needs_of_data
from grader.references.data import VARIABLE, Data

# What networks need: distribution, module.
_SCORE = {
    "torch": "torch",
    "torchvision": "torchvision",
    "torch-fidelity": "torch_fidelity",
    "scipy": "scipy",
    "safetensors": "safetensors",
    "efficientnet-lite-pytorch": "efficientnet_lite_pytorch",
}
# What cascades need.
_FACES = {"opencv-python-headless": "cv2", "scipy": "scipy"}
_OPENCVS = ("opencv-python-headless", "opencv-python", "opencv-contrib-python-headless", "opencv-contrib-python")
_LIGHT = {"click": "click", "rich": "rich", "numpy": "numpy", "pillow": "PIL"}
_FAST = {"onnxruntime": "onnxruntime"}


@dataclass(frozen=True)
class Skipped:
    """A measure that would be skipped here: why, and the command or option that mends it."""

    problem: str
    measure: str
    why: str
    remedy: str


@dataclass(frozen=True)
class Diagnosis:
    """Everything that `grader doctor` says. Texts and plain values; `skipped` is empty where all can be measured."""

    assignment: str
    versions: dict[str, str]
    packages: dict[str, str | None]
    devices: dict[str, str]
    weights: list[dict[str, str]]
    caches: list[dict[str, Any]]
    data: dict[str, str | None]
    skipped: list[Skipped]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {"schema": "grader/doctor/1", **asdict(self)}


def diagnose(
    work: Assignment, data: Data, *, judges: Mapping[str, Path] | None = None, references: Sequence[Path] = ()
) -> Diagnosis:
    """Looks at this machine. Nothing is downloaded or measured; torch is imported only to ask for its devices.

    judges, references: files as `score` takes them. Raises UsageError for one of the latter that can't be read.
    """
    packages = {name: _version(name, module) for name, module in (_LIGHT | _SCORE | _FACES | _FAST).items()}
    weights = {judge.name: _weights(judge, judges or {}) for judge in JUDGES.values()}
    return Diagnosis(
        work.id,
        {"grader": __version__, "python": platform.python_version(), "platform": platform.platform()}
        | {"executable": sys.executable},
        packages,
        _devices(),
        list(weights.values()),
        _caches(),
        {"folder": work.data_folder, "path": None if data.home is None else str(data.home)},
        _skipped(work, data, _given(references), packages, weights),
    )


def _version(name: str, module: str) -> str | None:
    for alias in _OPENCVS if module == "cv2" else (name,):
        try:
            found = importlib.metadata.version(alias)
        except importlib.metadata.PackageNotFoundError:
            continue
        return found if importlib.util.find_spec(module) else None
    return None


def _lacking(packages: Mapping[str, str | None]) -> dict[str, list[str]]:
    """By extra, the packages that are not here. OpenCV 5 has no cascades, so that it is none of them."""
    old = {
        name: version
        for name, version in packages.items()
        if version and not (name in _OPENCVS and version.startswith("5."))
    }
    return {extra: [n for n in wanted if n not in old] for extra, wanted in (("score", _SCORE), ("faces", _FACES))}


def _devices() -> dict[str, str]:
    """Each device with what is to be said of it; a torch that doesn't even load is told, not raised."""
    found = {"cpu": platform.machine()}
    if importlib.util.find_spec("torch") is None:
        return found
    try:
        import torch

        found["cpu"] += f", {torch.get_num_threads()} threads"
        if torch.cuda.is_available():
            found["cuda"] = torch.cuda.get_device_name()
        if torch.backends.mps.is_available():
            found["mps"] = "only with --device mps"
    except Exception as e:
        found["torch"] = f"can't be loaded: {type(e).__name__}: {e}"
    return found


def _weights(judge: Judge, given: Mapping[str, Path]) -> dict[str, str]:
    about = {"judge": judge.name, "state": "here", "path": "", "why": "", "remedy": ""}
    try:
        return about | {"path": str(find_weights(judge.name, given).path)}
    except (CannotMeasure, UsageError) as e:
        return about | {"state": "missing", "why": str(e), "remedy": judge.remedy.strip("`")}


def _caches() -> list[dict[str, Any]]:
    fetched = weights_folder()
    caches = []
    try:
        features = FeatureCache().info()
        caches.append({"what": "features", "path": str(features.path), "bytes": features.size, "most": LARGEST})
    except (UsageError, OSError) as e:
        caches.append({"what": "features", "path": "", "bytes": 0, "most": LARGEST, "why": str(e)})
    size = sum(p.stat().st_size for p in fetched.iterdir() if p.is_file()) if fetched.is_dir() else 0
    return [*caches, {"what": "weights", "path": str(fetched), "bytes": size}]


def _given(references: Sequence[Path]) -> set[tuple[str, str]]:
    if not references:
        return set()
    from grader.references.statistics import read_reference

    return {(file.name, file.protocol) for file in map(read_reference, references)}


def _skipped(
    work: Assignment,
    data: Data,
    given: set[tuple[str, str]],
    packages: Mapping[str, str | None],
    weights: Mapping[str, Mapping[str, str]],
) -> list[Skipped]:
    absent = _lacking(packages)
    found = []
    lacking = {n.measure: n.path for n in needs_of_data(work, given) if n.required and data.find(n.path) is None}
    for problem in work.problems:
        for m in problem.measures:
            judge = judge_of(m)
            gone = absent[judge.extra] if judge else []
            if judge and gone:
                mend = f"pip install 'vision-grader[{judge.extra}]'"
                found.append(Skipped(problem.id, m.id, f"needs {', '.join(gone)}", mend))
            if judge and weights[judge.name]["state"] != "here" and not (gone and not judge.url):
                told = f"no weights of {judge.name}"
                found.append(Skipped(problem.id, m.id, told, weights[judge.name]["remedy"]))
            if m.id in lacking:
                where = f"not under {data.home}" if data.home else "and there is no data folder"
                mend = f"--data DIR, ${VARIABLE}, or {work.data_folder}/ here"
                found.append(Skipped(problem.id, m.id, f"needs {lacking[m.id]}, {where}", mend))
    return found
