"""Reads weights into a network: never unpickled freely, and only if every layer fits."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from grader.errors import UsageError
from grader.judges import JUDGES
from grader.judges.weights import Weights

State = Mapping[str, Tensor]


def load_state(weights: Weights) -> State:
    """The state dict in a file. Raises UsageError for anything but tensors by name."""
    state = _parse(weights.read())
    if state is None:
        raise UsageError(
            f"The weights of {weights.judge}, {weights.path}, can't be read: expected a .safetensors file, or a .pth "
            "file with nothing but tensors in dictionaries."
        )
    return state


def _parse(content: bytes) -> State | None:
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


def fill(network: nn.Module, weights: Weights) -> None:
    """Loads the weights into the network; UsageError with the differences if the layers are others."""
    state = load_state(weights)
    wanted = {name: tuple(t.shape) for name, t in network.state_dict().items()}
    found = {name: tuple(t.shape) for name, t in state.items()}
    optional = {name for name in wanted if name.endswith("num_batches_tracked")}
    missing = sorted(set(wanted) - set(found) - optional)
    extra = sorted(set(found) - set(wanted))
    other = sorted(n for n in set(wanted) & set(found) if wanted[n] != found[n])
    if missing or extra or other:
        parts = [f"{len(names)} {what} ({names[0]}, …)" for names, what in _differences(missing, extra, other) if names]
        raise UsageError(
            f"--judge {weights.judge}: {weights.path} holds another network: {', '.join(parts)}. "
            f"Expected the weights of {JUDGES[weights.judge].title}."
        )
    if not all(bool(torch.isfinite(t).all()) for t in state.values()):
        raise UsageError(f"--judge {weights.judge}: {weights.path} holds weights that are not finite.")
    network.load_state_dict(dict(state), strict=not optional)
    network.requires_grad_(False).eval()


def _differences(missing: list[str], extra: list[str], other: list[str]) -> list[tuple[list[str], str]]:
    return [(missing, "layers missing"), (extra, "layers too many"), (other, "layers of another shape")]
