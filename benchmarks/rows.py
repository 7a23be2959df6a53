"""The rows: each gives what ours took and what it is held against, both measured just now."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch

from benchmarks.setting import IMAGES, Setting, Taken, run
from fixtures.faces import face

_GFLOP = 11.4  # of one image at 299 x 299: two operations for each of 5.7e9 multiplications
_TORCH_FIDELITY = """
import json, sys
from grader.judges import torchvision_shim
from torch_fidelity import calculate_metrics
a, b, weights, cache = sys.argv[1:]
found = calculate_metrics(input1=a, input2=b, fid=True, isc=True, cuda=False, verbose=False,
    feature_extractor_weights_path=weights, cache_root=cache, input2_cache_name="reference")
print(json.dumps({"fid": found["frechet_inception_distance"], "inception_score": found["inception_score_mean"]}))
"""
_PYTORCH_FID = """
import json, sys, torch, warnings
warnings.simplefilter("ignore")
from grader.judges import torchvision_shim
import pytorch_fid.inception, pytorch_fid.fid_score as peer
a, b, weights = sys.argv[1:]
pytorch_fid.inception.load_state_dict_from_url = lambda *_, **__: torch.load(weights, weights_only=True)
if b.endswith(".npz"):
    print(json.dumps({"fid": float(peer.calculate_fid_given_paths([a, b], 50, "cpu", 2048, 2))}))
else:
    peer.save_fid_stats([b, a], 50, "cpu", 2048, 2)
"""
_PLAIN_DECODING = """
import sys
from pathlib import Path
from PIL import Image
for path in sorted(Path(sys.argv[1]).iterdir()):
    with Image.open(path) as image:
        image.load()
"""
_NETWORK = """
import json, sys, time
if sys.argv[2] == "torch":
    sys.modules["onnxruntime"] = None
from pathlib import Path
import numpy as np, torch
from grader.judges.engines import ON_CPU, build_engine, prepare
from grader.judges.protocols import PROTOCOLS
from grader.judges.weights import find_weights
protocol = PROTOCOLS["torch-fidelity"]
engine = build_engine(protocol, find_weights("inception", {"inception": Path(sys.argv[1])}), "cpu")
x = prepare(protocol, np.random.default_rng(0).integers(0, 256, (ON_CPU, 64, 64, 3), dtype=np.uint8), engine.device)
a = torch.randn(4096, 4096)
network, product = [], []
with torch.inference_mode():
    for i in range(6):
        start = time.perf_counter(); engine.network(x); middle = time.perf_counter(); a @ a
        end = time.perf_counter()
        network.append(ON_CPU / (middle - start)); product.append(2 * 4096**3 / (end - middle) / 1e9)
print(json.dumps({"images": float(np.median(network[1:])), "gflops": float(np.median(product[1:]))}))
"""


@dataclass(frozen=True)
class Row:
    """One line of the table. `ratio`: how many times ours is better; `wanted`: at least this."""

    what: str
    ours: str
    other: str
    ratio: float
    wanted: float | None = None


def rows(setting: Setting, say: Callable[[str], None]) -> Iterator[Row]:
    """All rows in turn, with `say` told what is being measured."""
    say("torch-fidelity, FID and IS")
    theirs = _torch_fidelity(setting)
    cold = {}
    for extra, wanted in ((False, 1.8), (True, 2.2)):
        say(f"ours, FID and IS, {'with ONNX Runtime' if extra else 'torch alone'}")
        cold[extra] = ours = setting.score("torch-fidelity", f"cold {extra}", extra)
        name = f"FID + IS of {IMAGES}, whole process, {'ONNX Runtime' if extra else 'torch alone'}"
        yield Row(name, _seconds(ours), f"torch-fidelity {_seconds(theirs)}", theirs.seconds / ours.seconds, wanted)
    yield from _agreement(cold[True], theirs, "torch-fidelity")
    yield Row("largest memory of that", _mib(cold[True]), f"torch-fidelity {_mib(theirs)}", _share(theirs, cold[True]))
    most = max(taken.memory for taken in cold.values())
    yield Row("largest memory against 2.5 GiB", f"{most:.0f} MiB", "2560 MiB", 2560 / most, 1)
    yield from _against_pytorch_fid(setting, say)
    yield from _network(setting, say)
    yield from _again(setting, cold[True], say)
    say("the Fréchet term")
    yield _frechet_term()
    say("grader check")
    ours = setting.grader("check", setting.top / "submission", "--assignment", setting.top / "pytorch-fid.toml")
    plain = run(_PLAIN_DECODING, setting.generated)
    yield Row(f"check of {IMAGES} images", _seconds(ours), f"Pillow alone {_seconds(plain)}", _ratio(plain, ours))


def _torch_fidelity(setting: Setting) -> Taken:
    arguments = [setting.reference, setting.top / "w.pth", setting.top / "peer"]
    run(_TORCH_FIDELITY, setting.few, *arguments)  # fills its cache of the reference
    return run(_TORCH_FIDELITY, setting.generated, *arguments)


def _against_pytorch_fid(setting: Setting, say: Callable[[str], None]) -> Iterator[Row]:
    say("pytorch-fid")
    statistics = setting.top / "peer.npz"
    run(_PYTORCH_FID, statistics, setting.reference, setting.top / "w.pth")
    theirs = run(_PYTORCH_FID, setting.generated, statistics, setting.top / "w.pth")
    say("ours, FID by the protocol pytorch-fid")
    ours = setting.score("pytorch-fid", "cold p", extra=False)
    name = f"FID of {IMAGES}, whole process, torch alone"
    yield Row(name, _seconds(ours), f"pytorch-fid {_seconds(theirs)}", _ratio(theirs, ours))
    yield from _agreement(ours, theirs, "pytorch-fid")


def _network(setting: Setting, say: Callable[[str], None]) -> Iterator[Row]:
    for engine in ("torch", "onnxruntime"):
        say(f"the network in {engine}")
        found = run(_NETWORK, setting.top / "w.safetensors", engine).said
        limit = found["gflops"] / _GFLOP
        name = f"Inception in {engine}, images a second"
        yield Row(name, f"{found['images']:.1f}", f"sgemm's {limit:.1f}", found["images"] / limit, 0.8)


def _again(setting: Setting, cold: Taken, say: Callable[[str], None]) -> Iterator[Row]:
    say("the same submission again")
    warm = setting.score("torch-fidelity", "cold True")
    yield Row("the same again, all in the cache", _seconds(warm), f"cold {_seconds(cold)}", _ratio(cold, warm))
    yield Row("the same again against 4 s", _seconds(warm), "4.00 s", 4 / warm.seconds, 1)
    for i in range(10):
        face(f"changed {i}").save(setting.generated / f"{97 * i:04d}.png")
    say("ten changed images")
    changed = setting.score("torch-fidelity", "cold True")
    yield Row("ten images of them changed", _seconds(changed), f"cold {_seconds(cold)}", _ratio(cold, changed))
    shutil.rmtree(setting.top / "cold True")


def _frechet_term() -> Row:
    """Features as the network gives them would not differ in speed: the term knows only their shape."""
    from grader.judges import torchvision_shim  # noqa: F401  (before torch_fidelity)
    from grader.metrics.fid import frechet_distance, gaussian

    from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric  # isort: skip

    rng = np.random.default_rng(0)
    a, b = (np.abs(rng.normal(size=(IMAGES, 2048))) + i * 0.1 for i in range(2))
    reference = gaussian(b)
    theirs = [fid_features_to_statistics(torch.from_numpy(f)) for f in (a, b)]
    frechet_distance(gaussian(a), reference)
    start = time.perf_counter()
    ours = frechet_distance(gaussian(a), reference)
    middle = time.perf_counter()
    peer = fid_statistics_to_metric(*theirs, False)["frechet_inception_distance"]
    end = time.perf_counter()
    name = f"Fréchet term, n = {IMAGES}, d = 2048 (values differ by {abs(ours / peer - 1):.0e})"
    ratio = (end - middle) / (middle - start)
    return Row(name, f"{middle - start:.2f} s", f"torch-fidelity {end - middle:.2f} s", ratio)


def _agreement(ours: Taken, theirs: Taken, peer: str) -> Iterator[Row]:
    for name, value in theirs.said.items():
        same = value / ours.said[name]
        yield Row(f"value of {name}, {peer}", f"{ours.said[name]:.6g}", f"{value:.6g}", same)


def _ratio(theirs: Taken, ours: Taken) -> float:
    return theirs.seconds / ours.seconds


def _share(theirs: Taken, ours: Taken) -> float:
    return theirs.memory / ours.memory


def _seconds(taken: Taken) -> str:
    return f"{taken.seconds:.2f} s"


def _mib(taken: Taken) -> str:
    return f"{taken.memory:.0f} MiB"
