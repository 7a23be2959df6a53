"""What all rows share: 1000 drawn faces, a reference, one set of random weights in both forms, and timed processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

from fixtures.faces import face
from grader.judges.inception import FidInception

IMAGES = 1000
_ASSIGNMENT = """schema = "grader/assignment/1"
id = "bench"
title = "1000 faces"
[[problem]]
id = "gan"
title = "Faces"
[[problem.deliverable]]
id = "faces"
kind = "images"
path = "gan"
count = 1000
size = [64, 64]
[[problem.measure]]
id = "fid"
deliverable = "faces"
protocol = "{protocol}"
reference = "face/test"
"""
_SCORE = """[[problem.measure]]
id = "inception_score"
deliverable = "faces"
protocol = "{protocol}"
"""


@dataclass(frozen=True)
class Taken:
    """One process: seconds by the clock, its largest memory in MiB, and the JSON that it printed last."""

    seconds: float
    memory: float
    said: dict[str, float]


def run(code: str, *arguments: str | Path, environment: dict[str, str] | None = None) -> Taken:
    """Runs Python code in a process of its own; the memory of its workers is not counted."""
    start = time.perf_counter()
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as errors:
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", code, *map(str, arguments)],
            stdout=out,
            stderr=errors,
            env={**os.environ, **(environment or {})},
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        errors.seek(0)
        lines = out.read().strip().splitlines()
        if process.returncode:
            raise SystemExit(f"a process of the benchmark failed:\n{errors.read()[-3000:]}")
    return Taken(seconds, usage.ru_maxrss / 1024, json.loads(lines[-1]) if lines and lines[-1][0] == "{" else {})


@dataclass(frozen=True)
class Setting:
    """The folder with everything that was made."""

    top: Path

    @property
    def generated(self) -> Path:
        """The images of the submission."""
        return self.top / "submission" / "gan"

    @property
    def reference(self) -> Path:
        """The test faces."""
        return self.top / "face" / "test"

    @property
    def few(self) -> Path:
        """A handful of images, for a peer that needs some to compute its reference."""
        return self.top / "few"

    def make(self) -> None:
        """Draws the faces and the weights, and lets every side compute the reference once."""
        for folder, count in ((self.generated, IMAGES), (self.reference, IMAGES), (self.few, 20)):
            folder.mkdir(parents=True)
            for i in range(count):
                face(f"{folder.name} {i}").save(folder / f"{i:04d}.png")
        state = random_state()
        save_file(state, self.top / "w.safetensors")
        torch.save(FidInception().state_dict() | state, self.top / "w.pth")
        for protocol in ("torch-fidelity", "pytorch-fid"):
            text = _ASSIGNMENT + (_SCORE if protocol == "torch-fidelity" else "")
            (self.top / f"{protocol}.toml").write_text(text.replace("{protocol}", protocol))
            arguments: list[str | Path] = ["reference", "build", "face/test", self.reference, "--protocol", protocol]
            self.grader(*arguments, "--judge", f"inception={self.top / 'w.safetensors'}", "-o", self.file(protocol))

    def file(self, protocol: str) -> Path:
        """The grader's statistics of the reference."""
        return self.top / f"{protocol}.npz"

    def grader(self, *arguments: str | Path, cache: str = "cache", extra: bool = True) -> Taken:
        """One run of the command line, with ONNX Runtime or without."""
        without = "" if extra else "sys.modules['onnxruntime'] = None; "
        code = f"import sys; {without}from grader.cli import main; main()"
        return run(code, *arguments, environment={"GRADER_CACHE": str(self.top / cache), "TORCH_HOME": os.devnull})

    def score(self, protocol: str, cache: str, extra: bool = True) -> Taken:
        """`grader score` of the submission with everything at hand; its values by measure."""
        report = self.top / "report.json"
        arguments: list[str | Path] = ["score", self.top / "submission", "-o", report]
        arguments += ["--assignment", self.top / f"{protocol}.toml"]
        arguments += ["--reference", self.file(protocol), "--judge", f"inception={self.top / 'w.safetensors'}"]
        taken = self.grader(*arguments, "--device", "cpu", "--format", "json", cache=cache, extra=extra)
        measures = json.loads(report.read_text())["problems"][0]["measures"]
        return Taken(taken.seconds, taken.memory, {m["id"]: m["value"] for m in measures})


def random_state(seed: int = 0) -> dict[str, torch.Tensor]:
    """Weights of the Inception network that keep the signal's size, so that features differ from image to image."""
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for name, module in FidInception().named_modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            spread = (2 / module.weight[0].numel()) ** 0.5
            state[f"{name}.weight"] = torch.randn(module.weight.shape, generator=generator) * spread
            if module.bias is not None:
                state[f"{name}.bias"] = torch.zeros(module.bias.shape)
        elif isinstance(module, nn.BatchNorm2d):
            ones = torch.ones(module.num_features)
            state |= {f"{name}.weight": ones.clone(), f"{name}.running_var": ones.clone()}
            state |= {f"{name}.bias": 0 * ones, f"{name}.running_mean": 0 * ones}
    return state
