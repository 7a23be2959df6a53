"""The judge of a face's attributes, with seeded random weights: the trained ones are tested where they are made."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file

from fixtures.faces import face
from grader.assignment import ImagesSpec, MeasureSpec, NameField, NameFormat
from grader.checks.images import CheckedImages
from grader.errors import CannotMeasure, UsageError
from grader.judges.attributes import ATTRIBUTES
from grader.judges.features import Extractor
from grader.judges.networks import AttributeReader, build_network
from grader.judges.weights import Weights, find_weights
from grader.measuring import measure
from grader.measuring.context import Context
from grader.references.data import Data
from tests.judges.test_inception import _randomised

NAMES = NameFormat("{attribute}_{number:03}.png", (NameField("attribute", 0, 1), NameField("number", 1, 3, 3)))


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "attributes.safetensors"
    save_file(_randomised(AttributeReader().network, 7), path)
    return path


@pytest.fixture(scope="module")
def images() -> NDArray[np.uint8]:
    return np.stack([np.asarray(face(f"attributes {i}")) for i in range(6)])


def _pairs(images: NDArray[np.uint8]) -> CheckedImages:
    spec = ImagesSpec("pairs", "acgan", 6, (64, 64), "RGB", "PNG", NAMES, "attribute", True)
    return CheckedImages(spec, tuple(NAMES.all_names()), tuple(p.tobytes() for p in images), ())


def test_folding_changes_no_answer(weights: Path) -> None:
    """The judge's network against the same one with its BatchNorms as they are."""
    from safetensors.torch import load_file

    plain = AttributeReader().eval()
    plain.network.load_state_dict(load_file(weights), strict=False)
    folded = build_network("attributes", Weights("attributes", weights, _digest(weights), False))
    assert not any(isinstance(m, torch.nn.BatchNorm2d) for m in folded.modules())
    x = torch.rand(3, 3, 128, 128, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.no_grad():
        theirs, ours = plain(x)["logits"], folded(x)["logits"]
    assert ours.shape == (3, len(ATTRIBUTES)) and theirs.std() > 0
    assert (ours - theirs).abs().max() <= 1e-4 * theirs.abs().max()


def _digest(path: Path) -> str:
    import hashlib

    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_measure_from_pictures_to_answers(weights: Path, images: NDArray[np.uint8]) -> None:
    context = Context(Data(None, "data"), {"attributes": weights}, device="cpu", cache=False)
    spec = MeasureSpec(
        "attribute_accuracy", "attribute_accuracy", "pairs", "face-attributes", "", 0, (), attribute="Smiling", on=1
    )
    taken = measure(spec, _pairs(images), context)
    logits = Extractor({"attributes": weights}, "cpu", None).run("face-attributes", images, lambda *_: None).outputs
    there = logits["logits"][:, ATTRIBUTES.index("Smiling")] > 0
    assert taken.value == (there == np.array([False] * 3 + [True] * 3)).mean()
    assert taken.provenance["judge"] == "attributes" and taken.provenance["judge_known"] is False
    assert taken.provenance["judge_sha256"] == _digest(weights)


def test_a_missing_package_is_said_in_a_sentence(
    weights: Path, images: NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "efficientnet_lite_pytorch", None)
    context = Context(Data(None, "data"), {"attributes": weights}, device="cpu", cache=False)
    spec = MeasureSpec("pair_flip", "pair_flip", "pairs", "face-attributes", "", 0, (), attribute="Male", on=1)
    with pytest.raises(CannotMeasure) as told:
        measure(spec, _pairs(images), context)
    assert str(told.value) == "needs the package efficientnet_lite_pytorch: pip install 'vision-grader[score]'"


def test_weights_that_do_not_come_along_are_said_to_be_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import dataclasses

    from grader.judges import JUDGES

    gone = dataclasses.replace(JUDGES["attributes"], shipped=tmp_path / "attributes.safetensors")
    monkeypatch.setitem(JUDGES, "attributes", gone)
    with pytest.raises(CannotMeasure, match="no weights here for the judge attributes"):
        find_weights("attributes", {})


def test_another_network_is_refused(tmp_path: Path, images: NDArray[np.uint8]) -> None:
    state = _randomised(AttributeReader().network, 1)
    state["_fc.weight"] = state["_fc.weight"][:5].clone()
    save_file(state, tmp_path / "w.safetensors")
    with pytest.raises(UsageError, match="layers of another shape"):
        Extractor({"attributes": tmp_path / "w.safetensors"}, "cpu", None).run(
            "face-attributes", images, lambda *_: None
        )
