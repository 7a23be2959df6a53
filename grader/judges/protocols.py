"""Images in, features out: one pass through a network for each protocol, shared by every measure, and cached."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from grader.judges.cache import FeatureCache
from grader.judges.networks import build_network
from grader.judges.resizing import Kind, resize
from grader.judges.weights import Weights

BATCH = 25
Images = NDArray[np.uint8]
Done = Callable[[int, int], None]
Outputs = dict[str, NDArray[np.float32]]


@dataclass(frozen=True)
class Protocol:
    """How pictures become a network's input and what is taken from it.

    Pixels x in 0..255 are resized by `resize` to `side`, then become (x - offset) / scale. `outputs`: names and widths.
    """

    judge: str
    resize: Kind
    side: int
    offset: float
    scale: float
    outputs: Mapping[str, int]

    def prepare(self, images: Images, device: torch.device) -> Tensor:
        """uint8 ``(n, h, w, 3)`` to the network's input, float32 ``(n, 3, side, side)``, channels last in memory."""
        x = torch.from_numpy(images).to(device).permute(0, 3, 1, 2).to(torch.float32).contiguous()
        x = (resize(x, self.resize, self.side) - self.offset) / self.scale
        return x.contiguous(memory_format=torch.channels_last)


_FID = {"features": 2048, "logits": 1008}
PROTOCOLS = {
    # pytorch-fid: ToTensor, interpolate, 2x - 1: in 0..255 that is (x - 127.5) / 127.5.
    "pytorch-fid": Protocol("inception", "half-pixel-bilinear", 299, 127.5, 127.5, _FID),
    "torch-fidelity": Protocol("inception", "tf1-bilinear", 299, 128.0, 128.0, _FID),
    "clean-fid": Protocol("inception", "pil-bicubic", 299, 128.0, 128.0, _FID),
    "torchvision-is": Protocol("torchvision_inception", "half-pixel-bilinear", 299, 127.5, 127.5, {"logits": 1000}),
    "efficientnet-lite0": Protocol("efficientnet_lite0", "pil-bicubic", 128, 127.0, 128.0, {"features": 1280}),
}


@dataclass
class Extractor:
    """Networks and features of one run: a network is loaded once, and an image passes through it once."""

    given: Mapping[str, Path]
    device: torch.device
    cache: FeatureCache | None
    _networks: dict[str, tuple[nn.Module, Weights]] = field(default_factory=dict)
    _runs: dict[tuple[str, bytes], Outputs] = field(default_factory=dict)

    def network(self, judge: str) -> tuple[nn.Module, Weights]:
        """The judge's network, loaded at its first use. Raises CannotMeasure or UsageError."""
        if judge not in self._networks:
            self._networks[judge] = build_network(judge, self.given, self.device)
        return self._networks[judge]

    def run(self, name: str, images: Images, done: Done) -> tuple[Outputs, Weights]:
        """Outputs of a protocol for images uint8 ``(n, h, w, 3)``, float32 ``(n, width)`` each, in the same order."""
        network, weights = self.network(PROTOCOLS[name].judge)
        hashes = [hashlib.sha256(str(image.shape).encode() + image.tobytes()).hexdigest() for image in images]
        key = name, hashlib.sha256("".join(hashes).encode()).digest()
        if key not in self._runs:
            self._runs[key] = self._cached(name, network, weights, images, hashes, done)
        return self._runs[key], weights

    def _cached(
        self, name: str, network: nn.Module, weights: Weights, images: Images, hashes: list[str], done: Done
    ) -> Outputs:
        protocol = PROTOCOLS[name]
        keys = [f"{h} {weights.sha256} {name}" for h in hashes]
        width = sum(protocol.outputs.values())
        rows = {} if self.cache is None else self.cache.get(keys)
        rows = {k: v for k, v in rows.items() if v.shape == (width,) and np.isfinite(v).all()}
        first = {k: i for i, k in reversed(list(enumerate(keys)))}  # equal images pass once
        missing = [i for k, i in first.items() if k not in rows]
        missing.sort()
        total = len(images)
        ready = total - len(missing)
        if missing:
            done(ready, total)
        for start in range(0, len(missing), BATCH):
            part = missing[start : start + BATCH]
            with torch.inference_mode():
                found = network(protocol.prepare(images[part], self.device))
            joined = torch.cat([found[output] for output in protocol.outputs], 1).to(torch.float32).cpu().numpy()
            fresh = {keys[i]: joined[j] for j, i in enumerate(part)}
            rows |= fresh
            if self.cache is not None:
                self.cache.put(fresh)
            done(ready + start + len(part), total)
        table = np.stack([rows[k] for k in keys])
        edges = np.cumsum([0, *protocol.outputs.values()])
        return {output: table[:, edges[i] : edges[i + 1]] for i, output in enumerate(protocol.outputs)}
