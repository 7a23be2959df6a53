"""FID and IS from pictures to numbers, against recipes written anew, with seeded random weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import scipy.linalg
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import save_file
from scipy.stats import entropy
from torchvision.models import inception_v3

import grader
from fixtures.faces import face
from grader.errors import UsageError
from grader.judges.features import Extractor
from grader.judges.inception import FidInception

OWN = """schema = "grader/assignment/1"
id = "small"
title = "Twelve faces"
data_folder = "data"
[[problem]]
id = "gan"
title = "Faces"
[[problem.deliverable]]
id = "faces"
kind = "images"
path = "gan"
count = 12
size = [64, 64]
[[problem.measure]]
id = "fid"
deliverable = "faces"
reference = "face/test"
reference_count = 14
[[problem.measure]]
id = "inception_score"
deliverable = "faces"
"""


def _randomised(network: torch.nn.Module, seed: int) -> dict[str, torch.Tensor]:
    """Weights that keep the signal's size through the layers, so that features differ from image to image."""
    generator = torch.Generator().manual_seed(seed)
    state = {}
    for name, t in network.state_dict().items():
        if name.endswith("running_var") or (name.endswith("weight") and t.dim() == 1):
            state[name] = torch.rand(t.shape, generator=generator) + 0.5
        elif t.dim() > 1:
            fan = t[0].numel()
            state[name] = torch.randn(t.shape, generator=generator) * (2 / fan) ** 0.5
        elif t.is_floating_point():
            state[name] = torch.randn(t.shape, generator=generator) * 0.1
    return state


@pytest.fixture(scope="module")
def setting(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("gan")
    for folder, count, kind in (("s/gan", 12, "gan"), ("data/face/test", 14, "test")):
        (top / folder).mkdir(parents=True)
        for i in range(count):
            face(f"{kind} {i}").save(top / folder / f"{i:04d}.png")
    (top / "small.toml").write_text(OWN)
    save_file(_randomised(FidInception(), 1), top / "fid.safetensors")
    is_network = inception_v3(weights=None, transform_input=False, init_weights=False)
    torch.save(_randomised(is_network, 2), top / "is.pth")
    return top


def _pictures(folder: Path) -> list[NDArray[np.uint8]]:
    return [np.asarray(Image.open(p).convert("RGB")) for p in sorted(folder.iterdir())]


def _half_pixel_bilinear(image: NDArray[np.float64], side: int) -> NDArray[np.float64]:
    """Bilinear enlargement written out: pixel centres at +0.5, edges repeated."""

    def matrix(n: int) -> NDArray[np.float64]:
        m = np.zeros((side, n))
        for i in range(side):
            at = max(0.0, (i + 0.5) * n / side - 0.5)
            low = min(int(at), n - 1)
            m[i, low] += 1 - (at - low)
            m[i, min(low + 1, n - 1)] += at - low
        return m

    found = np.einsum("ih,hwc,jw->ijc", matrix(image.shape[0]), image, matrix(image.shape[1]), optimize=True)
    return np.asarray(found)


def _layers(state: dict[str, torch.Tensor]) -> FidInception:
    network = FidInception()
    network.load_state_dict(state, strict=False)
    network.eval()
    return network


def _fid_by_hand(setting: Path) -> float:
    """The recipe of pytorch-fid: enlarge in floating point, network, np.cov, square root of the product."""
    from safetensors.torch import load_file

    network = _layers(load_file(setting / "fid.safetensors"))

    def features(folder: Path) -> NDArray[np.float64]:
        rows = []
        for image in _pictures(folder):
            large = 2 * _half_pixel_bilinear(image / 255.0, 299) - 1
            x = torch.from_numpy(large.transpose(2, 0, 1)[None].astype(np.float32))
            with torch.no_grad():  # the layers one after the other, pooled by hand
                for layer in list(network.children())[:-2]:
                    x = layer(x)
            rows.append(x.mean((2, 3))[0].double().numpy())
        return np.stack(rows)

    a, b = features(setting / "s" / "gan"), features(setting / "data" / "face" / "test")
    ca, cb = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    # The product has rank 11: its nonzero eigenvalues are those of a small matrix.
    x, y = (a - a.mean(0)) / np.sqrt(len(a) - 1), (b - b.mean(0)) / np.sqrt(len(b) - 1)
    eigenvalues = scipy.linalg.eigvals((x @ y.T) @ (y @ x.T))
    root = np.sqrt(np.maximum(eigenvalues.real, 0)).sum()
    return float(((a.mean(0) - b.mean(0)) ** 2).sum() + np.trace(ca) + np.trace(cb) - 2 * root)


def _is_by_hand(setting: Path) -> float:
    network = inception_v3(weights=None, transform_input=False, init_weights=False)
    network.load_state_dict(torch.load(setting / "is.pth", weights_only=True), strict=False)
    network.eval()
    rows = []
    for image in _pictures(setting / "s" / "gan"):
        large = _half_pixel_bilinear((image / 255.0 - 0.5) / 0.5, 299)
        with torch.no_grad():
            logits = network(torch.from_numpy(large.transpose(2, 0, 1)[None].astype(np.float32)))[0].double().numpy()
        rows.append(np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum())
    scores = []
    for k in range(10):  # splits of one image, since 12 // 10 is 1
        part = np.stack(rows)[k : k + 1]
        scores.append(np.exp(np.mean([entropy(row, part.mean(0)) for row in part])))
    return float(np.mean(scores))


def test_fid_and_is_agree_with_recipes_written_anew(setting: Path) -> None:
    judges = {"inception": setting / "fid.safetensors", "torchvision_inception": setting / "is.pth"}
    shown = []
    report = grader.score(
        setting / "s",
        setting / "small.toml",
        data=setting / "data",
        judges=judges,
        device="cpu",
        progress=lambda *step: shown.append(step),
    )
    fid, score = report.problems[0].measures
    assert fid.value == pytest.approx(_fid_by_hand(setting), rel=1e-4)
    assert fid.value is not None and fid.value > 1e-3
    assert score.value == pytest.approx(_is_by_hand(setting), rel=1e-4)
    assert fid.n == 12 and fid.provenance["reference_n"] == 14 and fid.provenance["protocol"] == "pytorch-fid"
    assert fid.provenance["judge_known"] is False and len(fid.provenance["judge_sha256"]) == 64
    assert ("generated images", 12, 12) in shown and ("Inception Score", 12, 12) in shown
    assert report.state == "pass" and fid.baselines == () and report.problems[0].findings == ()


def test_features_do_not_depend_on_the_batch_or_the_company(setting: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"inception": setting / "fid.safetensors"}
    images = np.stack(_pictures(setting / "s" / "gan"))[:5]

    def run(images: NDArray[np.uint8]) -> NDArray[np.float32]:
        return Extractor(given, "cpu", None).run("pytorch-fid", images, lambda *_: None).outputs["features"]

    together = run(images)
    monkeypatch.setattr("grader.judges.engines.ON_CPU", 2)
    assert run(images) == pytest.approx(together, rel=1e-4, abs=1e-6)
    assert run(images[::-1])[::-1] == pytest.approx(together, rel=1e-4, abs=1e-6)


def test_a_wrong_file_for_a_judge(setting: Path) -> None:
    with pytest.raises(UsageError, match="holds another network"):
        grader.score(
            setting / "s", setting / "small.toml", data=setting / "data", judges={"inception": setting / "is.pth"}
        )


def test_too_few_images(setting: Path, tmp_path: Path) -> None:
    (tmp_path / "gan").mkdir()
    face("one").save(tmp_path / "gan" / "1.png")
    report = grader.score(tmp_path, setting / "small.toml", data=setting / "data")
    states = {m.id: (m.state, m.reason) for m in report.problems[0].measures}
    assert states["fid"][0] == "fail" and "2 images" in states["fid"][1]
    assert states["inception_score"][0] == "fail" and "10 images" in states["inception_score"][1]


def test_device_that_is_not_there(setting: Path) -> None:
    if not torch.cuda.is_available():
        with pytest.raises(UsageError, match="--device cuda"):
            grader.score(setting / "s", setting / "small.toml", data=setting / "data", device="cuda")
