"""A table of a network's layers, as course reports print it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Layer:
    """One layer: its name and kind, the shape of its output without the batch, its parameters."""

    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int


def layers(network: nn.Module, *inputs: Tensor) -> list[Layer]:
    """The layers without children, in the order in which a batch passes them.

    >>> layers(nn.Sequential(nn.Linear(3, 2)), torch.zeros(1, 3))
    [Layer(name='0', kind='Linear', shape=(2,), parameters=8)]
    """
    found: list[Layer] = []
    handles = []
    for name, module in network.named_modules():
        # A normalised weight is a module below its layer, and no layer.
        if "parametrizations" in name or {child for child, _ in module.named_children()} - {"parametrizations"}:
            continue

        def note(module: nn.Module, _: object, output: Tensor, name: str = name) -> None:
            count = sum(p.numel() for p in module.parameters())
            found.append(Layer(name, type(module).__name__, tuple(output.shape[1:]), count))

        handles.append(module.register_forward_hook(note))
    was_training = network.training
    try:
        with torch.no_grad():
            network.eval()(*inputs)
    finally:
        network.train(was_training)
        for handle in handles:
            handle.remove()
    return found


def table(title: str, found: list[Layer]) -> str:
    """The layers as text, with the sum of the parameters."""
    rows = [(f"{layer.kind} {layer.name}", "x".join(map(str, layer.shape)), f"{layer.parameters:,}") for layer in found]
    rows.append(("total", "", f"{sum(layer.parameters for layer in found):,}"))
    first, second, third = (max(len(row[i]) for row in rows) for i in range(3))
    lines = [f"  {a:{first}}  {b:>{second}}  {c:>{third}}" for a, b, c in rows]
    return "\n".join([title, *lines])
