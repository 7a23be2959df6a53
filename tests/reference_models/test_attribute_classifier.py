"""The training of the judge `attributes`: what it begins with, what it sees, what it leaves."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from grader.judges.attributes import ATTRIBUTES
from grader.judges.networks import AttributeReader
from grader.judges.protocols import PROTOCOLS
from grader.judges.states import fill
from grader.judges.weights import find_weights
from reference_models import attribute_classifier as trainer
from reference_models.core import finetuning
from reference_models.core.faces import Faces, load_test_faces


def test_augmented_faces_fit_the_network(course: Path) -> None:
    torch.manual_seed(0)
    faces = load_test_faces(course).images[:40]
    made = trainer.augment(faces)
    side = PROTOCOLS["face-attributes"].side
    assert made.shape == (40, 3, side, side) and made.dtype == torch.float32
    assert made.min() >= -127 / 128 and made.max() <= 1 and made.std() > 0.2
    hidden = (made == 0).all(1).flatten(1).sum(1) > side
    assert 0.2 < hidden.float().mean() < 0.8  # half of them have a grey square


def test_accuracies_are_shares_of_each_attribute() -> None:
    network = AttributeReader()
    torch.nn.init.zeros_(network.network._fc.weight)
    with torch.no_grad():
        network.network._fc.bias.copy_(torch.tensor([1.0] * 6 + [-1.0] * 7))
    attributes = torch.zeros(4, 13, dtype=torch.int64)
    attributes[:3] = 1
    faces = Faces(torch.zeros(4, 3, 64, 64, dtype=torch.uint8), attributes, ("a", "b", "c", "d"))
    assert trainer.accuracies(network, faces).tolist() == [0.75] * 6 + [0.25] * 7


@pytest.mark.slow  # the classifiers of digits and tags train by the same code, in seconds
def test_a_training_leaves_a_judge(
    course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(finetuning, "BATCH", 90)
    command = ["x", "--data", str(course), "--run", str(tmp_path / "run"), "--epochs", "1"]
    monkeypatch.setattr("sys.argv", command)
    trainer.main()
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("step 2/2")
    path = tmp_path / "run" / "attributes.safetensors"
    assert {tensor.dtype for tensor in load_file(path).values()} == {torch.float16, torch.int64}
    fill(AttributeReader().network, find_weights("attributes", {"attributes": path}))
    assert [line.split()[1] for line in told[-13:]] == list(ATTRIBUTES)
