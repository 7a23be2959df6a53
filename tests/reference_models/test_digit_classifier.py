from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from grader.judges.states import fill
from grader.judges.weights import find_weights
from reference_models import digit_classifier as trainer


@pytest.mark.parametrize("judge", trainer.RECIPES)
def test_a_run_that_was_stopped_continues_to_the_same_weights(
    judge: str, course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer.train(judge, course, tmp_path / "whole", epochs=3, seed=1, peak=4e-3)
    calls = []

    def stop(*arguments: object) -> float:
        calls.append(arguments)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return 0.0

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(trainer, "accuracy", stop)
        trainer.train(judge, course, tmp_path / "parts", epochs=3, seed=1, peak=4e-3)
    assert not (tmp_path / "parts" / f"{judge}.safetensors").exists()
    trainer.train(judge, course, tmp_path / "parts", epochs=3, seed=1, peak=4e-3)
    whole, parts = (load_file(tmp_path / run / f"{judge}.safetensors") for run in ("whole", "parts"))
    assert all(torch.equal(whole[name], parts[name]) for name in whole)
    path = tmp_path / "whole" / f"{judge}.safetensors"
    fill(trainer.RECIPES[judge].network(), find_weights(judge, {judge: path}))
    assert {t.dtype for t in whole.values() if t.is_floating_point()} == {trainer.RECIPES[judge].published}


def test_augmentation_keeps_range_and_inverts_half(course: Path) -> None:
    images, labels = trainer.load_part(course, "mnistm", "train")
    assert images.shape == (200, 3, 28, 28) and labels.bincount().tolist() == [20] * 10
    changed = trainer.augment(images, torch.Generator().manual_seed(0))
    assert changed.shape == images.shape and changed.min() >= -1 and changed.max() <= 1
    means = torch.stack([images.mean((1, 2, 3)), changed.mean((1, 2, 3))])
    flipped = (means[0] * means[1] < 0)[means[0].abs() > 0.3].float().mean()
    assert 0.3 < flipped < 0.7
