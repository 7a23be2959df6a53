"""Every measure of one protocol, from pictures to numbers, against torch-fidelity's own code and weights in common."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors.torch import load_file, save_file
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_isc import isc_features_to_metric
from torch_fidelity.metric_kid import kid_features_to_metric
from torch_fidelity.metric_prc import calculate_precision_recall_full

import grader
from fixtures.faces import face
from grader.judges.inception import FidInception
from tests.judges.test_inception import _randomised

N = 24
HEAD = f"""schema = "grader/assignment/1"
id = "small"
title = "Faces"
data_folder = "data"
[[problem]]
id = "gan"
title = "Faces"
[[problem.deliverable]]
id = "faces"
kind = "images"
path = "gan"
count = {N}
size = [64, 64]
"""
MEASURES = ("fid", "kid", "inception_score", "precision", "recall", "density", "coverage")


@pytest.fixture(scope="module")
def top(tmp_path_factory: pytest.TempPathFactory) -> Path:
    top = tmp_path_factory.mktemp("all")
    for folder in ("s/gan", "data/face/test"):
        (top / folder).mkdir(parents=True)
        for i in range(N):
            face(f"{folder} {i}").save(top / folder / f"{i:04d}.png")
    text = HEAD
    for name in MEASURES:
        text += f'[[problem.measure]]\nid = "{name}"\ndeliverable = "faces"\nprotocol = "torch-fidelity"\n'
        text += "" if name == "inception_score" else 'reference = "face/test"\n'
    (top / "small.toml").write_text(text)
    save_file(_randomised(FidInception(), 5), top / "w.safetensors")
    return top


def _peer(top: Path) -> dict[str, float]:
    state = FidInception().state_dict() | load_file(top / "w.safetensors")
    torch.save(state, top / "w.pth")
    network = FeatureExtractorInceptionV3("x", ["2048", "logits_unbiased"], str(top / "w.pth"))

    def run(folder: str) -> tuple[torch.Tensor, torch.Tensor]:
        arrays = [np.asarray(Image.open(p)) for p in sorted((top / folder).iterdir())]
        features, logits = network(torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2))
        return features.double(), logits.double()

    (ours, logits), (real, _) = run("s/gan"), run("data/face/test")
    fid = fid_statistics_to_metric(fid_features_to_statistics(ours), fid_features_to_statistics(real), False)
    kid = kid_features_to_metric(ours, real, kid_subsets=1, kid_subset_size=N, verbose=False)
    score = isc_features_to_metric(logits, splits=10, shuffle=True, rng_seed=2020)
    precision, recall = calculate_precision_recall_full(ours, real, neighborhood=3)
    return {
        "fid": fid["frechet_inception_distance"],
        "exact_fid": _exact_fid(ours.numpy(), real.numpy()),
        "kid": kid["kernel_inception_distance_mean"],
        "inception_score": score["inception_score_mean"],
        "precision": precision,
        "recall": recall,
    }


def _exact_fid(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """The peer's features by the formula for few images: its own square root of a 2048 x 2048 product of rank 23 is
    off by 3e-5, since two thousand eigenvalues of 0 are rounded before their roots are added.
    """
    x, y = ((f - f.mean(0)) / np.sqrt(len(f) - 1) for f in (a, b))
    root = np.sqrt(np.maximum(np.linalg.eigvals((x @ y.T) @ (y @ x.T)).real, 0)).sum()
    return float(np.square(a.mean(0) - b.mean(0)).sum() + np.square(x).sum() + np.square(y).sum() - 2 * root)


def test_all_measures_of_the_torch_fidelity_protocol(top: Path) -> None:
    passes: list[tuple[str, int, int]] = []
    report = grader.score(
        top / "s",
        top / "small.toml",
        data=top / "data",
        judges={"inception": top / "w.safetensors"},
        device="cpu",
        cache=False,
        progress=lambda *step: passes.append(step),
    )
    found = {m.id: m.value for m in report.problems[0].measures}
    assert all(m.state == "pass" for m in report.problems[0].measures)
    theirs = _peer(top)

    assert found["fid"] == pytest.approx(theirs["exact_fid"], rel=1e-5)
    assert found["fid"] == pytest.approx(theirs["fid"], rel=1e-4)
    assert found["kid"] == pytest.approx(theirs["kid"], rel=1e-6)
    assert found["inception_score"] == pytest.approx(theirs["inception_score"], rel=1e-6)
    assert found["inception_score"] is not None and found["inception_score"] > 1
    assert (found["precision"], found["recall"]) == pytest.approx((theirs["precision"], theirs["recall"]))
    details = next(m.details for m in report.problems[0].measures if m.id == "inception_score")
    assert details["renaming_std"] > 0 and details["remark"] == f"±{details['renaming_std']:.3f} under other names"
    assert found["density"] is not None and found["coverage"] is not None
    # One pass for each of the two sets, whatever the number of measures.
    assert sum(done == total for _, done, total in passes) == 2


def test_order_of_the_sorted_names_counts(top: Path) -> None:
    """The Inception Score splits the images in the order of their names: another order is another value."""
    from grader.judges.features import Extractor
    from grader.metrics.inception_score import inception_score

    images = np.stack([np.asarray(Image.open(p)) for p in sorted((top / "s/gan").iterdir())])
    outputs = (
        Extractor({"inception": top / "w.safetensors"}, "cpu", None)
        .run("torch-fidelity", images, lambda *_: None)
        .outputs
    )
    p = torch.from_numpy(outputs["logits"]).double().softmax(1).numpy()
    assert inception_score(p)[0] != pytest.approx(inception_score(p[::-1])[0], rel=1e-6)


def test_statistics_alone_are_too_little_for_kid(top: Path, tmp_path: Path) -> None:
    from grader.judges.features import Extractor
    from grader.references.statistics import build_reference

    judges = {"inception": top / "w.safetensors"}
    extractor = Extractor(judges, "cpu", None)
    for with_features in (False, True):
        file = build_reference(
            "face/test",
            top / "data/face/test",
            "torch-fidelity",
            extractor,
            with_features=with_features,
            done=lambda *_: None,
        )
        (tmp_path / "r.npz").write_bytes(file.to_bytes())
        report = grader.score(
            top / "s", top / "small.toml", judges=judges, references=[tmp_path / "r.npz"], device="cpu"
        )
        states = {m.id: m.state for m in report.problems[0].measures}
        assert states["fid"] == "pass"
        assert states["kid"] == states["precision"] == ("pass" if with_features else "skipped")
