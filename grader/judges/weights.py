"""Finds a judge's weights and reads them: verified by sha256, never unpickled freely."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import os
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from grader.errors import CannotMeasure, UsageError
from grader.judges import JUDGES, Judge

VARIABLE = "GRADER_WEIGHTS"
_LARGEST = 1 << 30


@dataclass(frozen=True)
class Weights:
    """A state dict with the sha256 of the file that it came from. `known`: the file is a published one."""

    state: Mapping[str, Tensor]
    sha256: str
    known: bool
    path: Path


def load_weights(name: str, given: Mapping[str, Path]) -> Weights:
    """The weights of a judge: the file given for it, else the shipped ones, else those found on this machine.

    A given file is used whatever its sha256; a found one must match. Raises UsageError for a given file that can't be
    read, CannotMeasure where there is none.
    """
    judge = JUDGES[name]
    if name in given:
        return _weights(judge, given[name], _content(judge, given[name]))
    if judge.shipped is not None:
        return _weights(judge, judge.shipped, _content(judge, judge.shipped))
    wrong = []
    for place in _places(judge):
        for file in judge.files:
            if (place / file).is_file():
                content = _content(judge, place / file)
                sha256 = hashlib.sha256(content).hexdigest()
                if judge.knows(sha256):
                    return _weights(judge, place / file, content)
                wrong.append(f"{place / file} has another sha256 ({sha256[:8]}…)")
    told = f" ({wrong[0]})" if wrong else ""
    raise CannotMeasure(f"no weights here for the judge {name}{told}: pass --judge {name}=FILE")


def _places(judge: Judge) -> list[Path]:
    """The folder in the environment variable, the package that carries them, then where torch keeps downloads."""
    places = [Path(named)] if (named := os.environ.get(VARIABLE)) else []
    spec = importlib.util.find_spec(judge.package) if judge.package else None
    if spec is not None and spec.origin is not None:
        places.append(Path(spec.origin).parent / "models")
    return [*places, Path(torch.hub.get_dir()) / "checkpoints"]


def _content(judge: Judge, path: Path) -> bytes:
    try:
        with open(path, "rb") as f:
            content = f.read(_LARGEST + 1)
    except OSError as e:
        raise UsageError(f"The weights of {judge.name}, {path}, can't be read: {e.strerror}.") from None
    if len(content) > _LARGEST:
        raise UsageError(f"The weights of {judge.name}, {path}, are larger than {_LARGEST} bytes.")
    return content


def _weights(judge: Judge, path: Path, content: bytes) -> Weights:
    sha256 = hashlib.sha256(content).hexdigest()
    state = _parse(content)
    if state is None:
        raise UsageError(
            f"The weights of {judge.name}, {path}, can't be read: expected a .safetensors file, or a .pth file with "
            "nothing but tensors in dictionaries."
        )
    return Weights(state, sha256, judge.knows(sha256), path)


def _parse(content: bytes) -> Mapping[str, Tensor] | None:
    """A state dict, bare or under the key `state_dict`; None for anything else."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        found: object = load(content)
    except SafetensorError:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about files of other kinds, which end below
                found = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        except Exception:  # a file that is no checkpoint can raise nearly anything inside an unpickler
            return None
    if isinstance(found, Mapping) and isinstance(found.get("state_dict"), Mapping):
        found = found["state_dict"]
    if not isinstance(found, Mapping) or not all(isinstance(k, str) and _is_plain(v) for k, v in found.items()):
        return None
    return found


def _is_plain(value: object) -> bool:
    """A tensor of real numbers with its data in memory: not sparse, quantised, complex or without data."""
    if not isinstance(value, Tensor) or value.layout != torch.strided or value.is_meta or value.is_quantized:
        return False
    return not value.is_complex()


def fill(network: nn.Module, weights: Weights, judge: str) -> None:
    """Loads the weights into the network; UsageError with the differences if the layers are others."""
    wanted = {name: tuple(t.shape) for name, t in network.state_dict().items()}
    found = {name: tuple(t.shape) for name, t in weights.state.items()}
    optional = {name for name in wanted if name.endswith("num_batches_tracked")}
    missing = sorted(set(wanted) - set(found) - optional)
    extra = sorted(set(found) - set(wanted))
    other = sorted(n for n in set(wanted) & set(found) if wanted[n] != found[n])
    if missing or extra or other:
        parts = [f"{len(names)} {what} ({names[0]}, …)" for names, what in _differences(missing, extra, other) if names]
        raise UsageError(
            f"--judge {judge}: {weights.path} holds another network: {', '.join(parts)}. "
            f"Expected the weights of {JUDGES[judge].title}."
        )
    if not all(bool(torch.isfinite(t).all()) for t in weights.state.values()):
        raise UsageError(f"--judge {judge}: {weights.path} holds weights that are not finite.")
    network.load_state_dict(dict(weights.state), strict=not optional)
    network.requires_grad_(False).eval()


def _differences(missing: list[str], extra: list[str], other: list[str]) -> list[tuple[list[str], str]]:
    return [(missing, "layers missing"), (extra, "layers too many"), (other, "layers of another shape")]
