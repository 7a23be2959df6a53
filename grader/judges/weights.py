"""Finds a judge's weights and reads them: verified by sha256, never unpickled freely."""

from __future__ import annotations

import hashlib
import io
import os
import pickle
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
        return _read(judge, given[name])
    if judge.shipped is not None:
        return _read(judge, judge.shipped)
    wrong = []
    for place in _places():
        for file in judge.files:
            if (place / file).is_file():
                weights = _read(judge, place / file)
                if weights.known:
                    return weights
                wrong.append(f"{place / file} has another sha256 ({weights.sha256[:8]}…)")
    told = f" ({wrong[0]})" if wrong else ""
    raise CannotMeasure(f"no weights here for the judge {name}{told}: pass --judge {name}=FILE")


def _places() -> list[Path]:
    """The folder in the environment variable, then where torch keeps downloaded weights."""
    named = os.environ.get(VARIABLE)
    return [*([Path(named)] if named else []), Path(torch.hub.get_dir()) / "checkpoints"]


def _read(judge: Judge, path: Path) -> Weights:
    try:
        with open(path, "rb") as f:
            content = f.read(_LARGEST + 1)
    except OSError as e:
        raise UsageError(f"The weights of {judge.name}, {path}, can't be read: {e.strerror}.") from None
    if len(content) > _LARGEST:
        raise UsageError(f"The weights of {judge.name}, {path}, are larger than {_LARGEST} bytes.")
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
        except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, KeyError, AttributeError, TypeError):
            return None
    if isinstance(found, Mapping) and isinstance(found.get("state_dict"), Mapping):
        found = found["state_dict"]
    if not isinstance(found, Mapping) or not all(isinstance(v, Tensor) for v in found.values()):
        return None
    return found


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
