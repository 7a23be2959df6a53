"""Images in, features out: one pass through a network for each protocol, shared by every measure, and cached.

torch is imported for the first image that is not in the cache: scoring an unchanged submission again needs none.
"""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from grader.judges.cache import FeatureCache, Row
from grader.judges.protocols import PROTOCOLS, Protocol
from grader.judges.weights import Weights, find_weights

if TYPE_CHECKING:
    from grader.judges.engines import Engine

_WRITTEN = 100  # rows that one transaction of the cache holds
Images = NDArray[np.uint8]
Done = Callable[[int, int], None]


@dataclass(frozen=True)
class Features:
    """What a network says of n images: `outputs` by name, float32 ``(n, width)``, in the order of the images.

    `origins`: the devices and libraries that computed them, such as `cpu torch 2.13.0`.
    """

    outputs: Mapping[str, NDArray[np.float32]]
    weights: Weights
    origins: tuple[str, ...]


@dataclass
class Extractor:
    """Networks and features of one run: a network is loaded once, and an image passes through it once."""

    given: Mapping[str, Path]
    device: str
    cache: FeatureCache | None
    _weights: dict[str, Weights] = field(default_factory=dict)  # these two may be shared by several runs
    _engines: dict[str, Engine] = field(default_factory=dict)
    _runs: dict[tuple[str, bytes], Features] = field(default_factory=dict)
    _hashes: dict[int, tuple[weakref.ref[Images], list[str]]] = field(default_factory=dict)  # by the array's id

    def weights(self, judge: str) -> Weights:
        """The judge's weights, looked for once. Raises CannotMeasure or UsageError."""
        if judge not in self._weights:
            self._weights[judge] = find_weights(judge, self.given)
        return self._weights[judge]

    def run(self, name: str, images: Images, done: Done) -> Features:
        """Features of images uint8 ``(n, h, w, 3)``, n at least 1, by a protocol. Nobody may change them afterwards."""
        weights = self.weights(PROTOCOLS[name].judge)
        hashes = self._hashed(images)
        key = name, hashlib.sha256("".join(hashes).encode()).digest()
        if key not in self._runs:
            rows = self._rows(name, weights, images, hashes, done)
            table = np.stack([row.vector for row in rows])
            edges = np.cumsum([0, *PROTOCOLS[name].outputs.values()])
            outputs = {o: table[:, edges[i] : edges[i + 1]] for i, o in enumerate(PROTOCOLS[name].outputs)}
            self._runs[key] = Features(outputs, weights, tuple(sorted({row.origin for row in rows})))
        return self._runs[key]

    def _hashed(self, images: Images) -> list[str]:
        """A hash of each image; once, though several protocols see them."""
        known = self._hashes.get(id(images))
        if known is not None and known[0]() is images:
            return known[1]
        hashes = [hashlib.sha256(str(image.shape).encode() + image.tobytes()).hexdigest() for image in images]
        self._hashes[id(images)] = weakref.ref(images), hashes
        return hashes

    def _rows(self, name: str, weights: Weights, images: Images, hashes: list[str], done: Done) -> list[Row]:
        keys = [f"{h} {weights.sha256} {name}" for h in hashes]
        width = sum(PROTOCOLS[name].outputs.values())
        known = {} if self.cache is None else self.cache.get(keys)
        known = {k: r for k, r in known.items() if r.vector.shape == (width,) and np.isfinite(r.vector).all()}
        first = {k: i for i, k in reversed(list(enumerate(keys)))}  # equal images pass once
        missing = sorted(i for k, i in first.items() if k not in known)
        total, ready = len(images), len(images) - len(missing)
        if missing:
            done(ready, total)
            engine = self._engine(PROTOCOLS[name], weights)
            fresh: dict[str, NDArray[np.float32]] = {}
            for start in range(0, len(missing), engine.batch):
                part = missing[start : start + engine.batch]
                # Batches are full: the last digits of a feature depend on how many images pass at once, and so would
                # the number on how many of them another submission had brought into the cache.
                found = engine.run(PROTOCOLS[name], images[np.resize(part, engine.batch)])
                fresh |= {keys[i]: found[j] for j, i in enumerate(part)}
                ready += len(part)
                if len(fresh) >= _WRITTEN or ready == total:
                    known |= {k: Row(v, engine.origin) for k, v in fresh.items()}
                    if self.cache is not None:
                        self.cache.put(fresh, engine.origin)
                    fresh = {}
                done(ready, total)
        return [known[k] for k in keys]

    def _engine(self, protocol: Protocol, weights: Weights) -> Engine:
        if protocol.judge not in self._engines:
            from grader.judges.engines import build_engine

            self._engines[protocol.judge] = build_engine(protocol, weights, self.device)
        return self._engines[protocol.judge]
