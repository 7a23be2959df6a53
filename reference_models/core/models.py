"""Trained models as they are published: weights of 16 or 8 bits, settings, measured figures, the log of the training.

A folder of `reference_models/weights/` holds `weights.safetensors`, `config.json`, `metrics.json` (what was measured
and how), `log.jsonl` and `README.md` (the card). A run's folder can stand in for it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from grader.errors import GraderError
from reference_models.core.runs import read_log

HOME = Path(__file__).parents[1] / "weights"
_UNIT = ":unit"  # after the name of a tensor of 8 bits: what its numbers are multiplied with, a row each
N = TypeVar("N", bound=nn.Module)
S = TypeVar("S")


class ModelError(GraderError):
    """A trained model isn't there or can't be used; the text says what to do."""


@dataclass(frozen=True)
class Model:
    """`config`: family, preset, settings, seed and more; `weights`: by name, as stored."""

    folder: Path
    config: Mapping[str, Any]
    weights: Mapping[str, Tensor]

    def settings(self, kind: type[S]) -> S:
        """The settings as the family's dataclass."""
        given = self.config["settings"]
        try:
            return kind(**{name: tuple(v) if isinstance(v, list) else v for name, v in given.items()})
        except TypeError as e:
            raise ModelError(f"{self.folder}: settings of another version: {e}. Train again.") from None

    def log(self) -> list[dict[str, float]]:
        """The rows of its training's log."""
        return read_log(self.folder)

    def fill(self, network: N) -> N:
        """The network with these weights in float64, which gives the same result on every machine."""
        network = network.double()
        try:
            network.load_state_dict({name: tensor.double() for name, tensor in self.weights.items()})
        except RuntimeError as e:
            first = str(e).splitlines()[1:2] or [str(e)]
            raise ModelError(f"{self.folder}: weights of another network: {first[0].strip()}") from None
        return network.requires_grad_(False).eval()


def load(folder: Path, which: str = "") -> Model:
    """A published model, or a run's: its `best` or `last` weights, or those that count by the family's rule.

    Raises ModelError.
    """
    config = folder / "config.json"
    if config.exists():
        weights = folder / "weights.safetensors"
    else:
        config = folder / "settings.json"
        weights = folder / f"{which or _final(config)}.safetensors"
    try:
        read = json.loads(config.read_text())
        if not isinstance(read, dict) or not isinstance(read.get("settings"), dict):
            raise ValueError("not a run's settings")
        return Model(folder, read, _unpacked(load_file(weights)))
    except (OSError, ValueError, KeyError, SafetensorError) as e:
        raise ModelError(f"{folder}: expected a trained model ({config.name}, {weights.name}): {e}") from None


def _final(config: Path) -> str:
    try:
        return "last" if json.loads(config.read_text())["final"] == "last" else "best"
    except (OSError, ValueError, KeyError, TypeError):
        return "best"


def published(family: str) -> list[Model]:
    """The models of a family that come with the project, in the order of their names. Raises ModelError for none."""
    folders = sorted(path.parent for path in (HOME / family).glob("**/config.json"))
    if not folders:
        raise ModelError(f"no trained {family} comes with this version: train one and pass it with --run")
    return [load(folder) for folder in folders]


def publish(run: Path, out: Path, which: str, bits: int = 16) -> Path:
    """Copies a finished run's weights, its settings and its log to a folder. Raises ModelError.

    Weights are stored in half precision, or with 8 `bits`: then each row of a matrix, or filter, as whole numbers of
    -127 to 127 and what one of them is worth.
    """
    which = which or _final(run / "settings.json")
    model = load(run, which)
    log = "".join(json.dumps(row) + "\n" for row in model.log())
    if not (run / "last.safetensors").exists():
        raise ModelError(f"{run}: the training has not ended yet")
    out.mkdir(parents=True, exist_ok=True)
    (out / "weights.safetensors").write_bytes(save(_packed(model.weights, bits)))
    (out / "config.json").write_text(json.dumps({**model.config, "weights": which}, indent=2, sort_keys=True) + "\n")
    (out / "log.jsonl").write_text(log)
    return out


def _packed(weights: Mapping[str, Tensor], bits: int) -> dict[str, Tensor]:
    found: dict[str, Tensor] = {}
    for name, tensor in weights.items():
        if not tensor.is_floating_point():
            found[name] = tensor
        elif bits == 16 or tensor.dim() < 2:
            found[name] = tensor.half().contiguous()
        else:
            unit = (tensor.double().flatten(1).abs().amax(1) / 127).clamp(min=1e-6).half()
            of_row = unit.double().view(-1, *[1] * (tensor.dim() - 1))
            found[name] = (tensor / of_row).round().clamp(-127, 127).to(torch.int8).contiguous()
            found[name + _UNIT] = unit
    return found


def _unpacked(stored: Mapping[str, Tensor]) -> dict[str, Tensor]:
    found = {name: tensor for name, tensor in stored.items() if not name.endswith(_UNIT)}
    for name, unit in stored.items():
        if name.endswith(_UNIT):
            rows = found[name.removesuffix(_UNIT)]
            found[name.removesuffix(_UNIT)] = rows.double() * unit.double().view(-1, *[1] * (rows.dim() - 1))
    return found


def pixels_digest(pictures: NDArray[np.uint8]) -> str:
    """The sha256 of pictures uint8 ``(n, h, w, 3)``, by which it shows that they were made again exactly."""
    return hashlib.sha256(str(pictures.shape).encode() + pictures.tobytes()).hexdigest()
