"""The training of the judge `anime_tags`: what it sees, how it is tested, what it leaves."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from grader.judges.anime_tags import EYES, HAIR
from grader.judges.networks import TagReader
from grader.judges.protocols import PROTOCOLS
from grader.judges.states import fill
from grader.judges.weights import find_weights
from reference_models import tag_classifier as trainer
from reference_models.core.anime import Anime
from tests.reference_models.core.test_anime import make


def test_augmented_faces_fit_the_network() -> None:
    torch.manual_seed(0)
    made = trainer.augment(torch.randint(0, 256, (8, 3, 96, 96), dtype=torch.uint8))
    side = PROTOCOLS["anime-tags"].side
    assert made.shape == (8, 3, side, side) and made.min() >= -127 / 128 and made.max() <= 1


def test_accuracies_are_of_either_colour() -> None:
    network = TagReader()
    torch.nn.init.zeros_(network.network._fc.weight)
    with torch.no_grad():
        network.network._fc.bias.zero_()
        network.network._fc.bias[HAIR.index("red")] = 1
        network.network._fc.bias[len(HAIR) + EYES.index("green")] = 1
    hair = torch.tensor([HAIR.index(colour) for colour in ("red", "red", "red", "blue")])
    eyes = torch.tensor([EYES.index(colour) for colour in ("green", "red", "red", "gray")])
    faces = Anime(torch.zeros(4, 3, 64, 64, dtype=torch.uint8), hair, eyes)
    assert trainer.accuracies(network, faces) == (0.75, 0.25)


def test_a_training_leaves_a_judge(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["x", "--data", str(make(tmp_path, 40)), "--run", str(tmp_path / "run"), "--epochs", "1"]
    monkeypatch.setattr("sys.argv", command)
    monkeypatch.setattr("reference_models.core.finetuning.BATCH", 16)
    trainer.main()
    told = capsys.readouterr().out.splitlines()
    assert told[0].startswith("step 1/1") and "validation_hair" in told[0]
    assert [line.split(":")[0] for line in told[1:]] == [
        f"{p} at {s}x{s}" for p in ("validation", "test") for s in (96, 64, 40)
    ]
    path = tmp_path / "run" / "anime_tags.safetensors"
    assert {tensor.dtype for tensor in load_file(path).values()} == {torch.float16, torch.int64}
    fill(TagReader().network, find_weights("anime_tags", {"anime_tags": path}))
