"""The mean teacher: its losses in closed form, its schedule, and that no label of the target is read."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from reference_models import dann, uda
from reference_models.core.runs import fit
from tests.reference_models.test_dann import MACHINE, relabelled, same

SHORT = replace(uda.PRESETS["cpu"], steps=3, batch=8, direction="usps-svhn", warmup=0.0, ramp=0.0, confidence=0.1)


def trained(settings: uda.Settings, data: Path | None) -> dict[str, Tensor]:
    torch.manual_seed(0)
    trainer = uda.Trainer(settings, data, 0, MACHINE)
    for step in range(settings.steps):
        torch.manual_seed(step)
        trainer.update(step)
    return trainer.weights()


def test_labels_of_the_target_are_not_read(course: Path, tmp_path: Path) -> None:
    other = relabelled(course, tmp_path / "other", "svhn")
    first = trained(SHORT, course)
    assert same(first, trained(SHORT, other))
    (other / "digits" / "svhn" / "train.csv").unlink()
    assert same(first, trained(SHORT, other))
    assert not same(first, trained(SHORT, relabelled(course, tmp_path / "source", "usps")))


def test_answers_of_the_teacher_teach() -> None:
    without = trained(replace(SHORT, teacher=False), None)
    assert not same(trained(SHORT, None), without)
    # Nothing passes this bar; the loss has the same weights as none.
    assert same(
        trained(replace(SHORT, confidence=1.1), None), trained(replace(SHORT, confidence=1.1, weight=5.0), None)
    )


def test_the_schedule() -> None:
    settings = uda.Settings(warmup=0.2, ramp=0.2, weight=2.0)
    weights = [uda.target_weight(progress, settings) for progress in (0, 0.19, 0.2, 0.3, 0.4, 1)]
    assert weights == pytest.approx([0, 0, 0, 1, 2, 2])
    assert uda.target_weight(1, replace(settings, teacher=False)) == 0
    assert uda.target_weight(0.5, replace(settings, warmup=0.0, ramp=0.0)) == 2


def test_only_confident_answers_count() -> None:
    student = torch.zeros(4, 10, requires_grad=True)
    answers = torch.full((4, 10), 0.02)
    answers[0, 3], answers[1, 7] = 0.82, 0.82
    answers[2:] = 0.1
    loss, counted = uda.consistency(student, answers, 0.8)
    assert counted.tolist() == [True, True, False, False]
    assert float(loss.detach()) == pytest.approx(math.log(10) / 2)
    loss.backward()
    assert student.grad is not None
    assert student.grad[0, 3] < 0 and student.grad[1, 7] < 0 and student.grad[2:].abs().max() == 0


def test_balance_moves_answers_towards_rare_digits() -> None:
    answers = torch.tensor([[0.45, 0.55, *[0.0] * 8]])
    shares = uda.Shares()
    shares.shares[:2] = torch.tensor([0.02, 0.4])
    assert shares(answers, 1.0).argmax() == 0
    assert torch.allclose(shares(answers, 0.0), answers)
    assert float(shares(answers, 0.5).sum()) == pytest.approx(1)
    assert uda.Shares()(answers, 1.0).argmax() == 1
    assert float(shares.shares.sum()) != 1 and shares.shares[0] > 0.02  # what came in has entered the mean


def test_the_teacher_follows_the_student_and_is_what_is_kept() -> None:
    torch.manual_seed(0)
    trainer = uda.Trainer(replace(SHORT, steps=40), None, 0, MACHINE)
    for step in range(30):
        trainer.update(step)
    kept, student = trainer.weights(), trainer.student.state_dict()
    assert set(kept) == set(student) and not same(kept, student)
    assert same(kept, trainer.teacher.network.state_dict())
    assert not any(p.requires_grad for p in trainer.teacher.network.parameters())
    assert not trainer.teacher.network.training


@pytest.mark.parametrize("preset", uda.PRESETS)
def test_two_steps_of_each_preset(preset: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    trainer = uda.Trainer(uda.PRESETS[preset], None, 0, MACHINE)
    trainer.steps = 2
    fit(trainer, tmp_path / "run", {}, 0, lambda _: None)
    assert (tmp_path / "run" / "last.safetensors").exists()


def test_a_run_that_was_interrupted_ends_in_the_same_weights(tmp_path: Path) -> None:
    def begun() -> uda.Trainer:
        torch.manual_seed(0)
        trainer = uda.Trainer(replace(SHORT, steps=8), None, 0, MACHINE)
        trainer.every = 3
        return trainer

    whole, part = begun(), begun()
    fit(whole, tmp_path / "whole", {}, 0, lambda _: None)

    class Killed(Exception):
        pass

    def stop(text: str) -> None:
        if text.startswith("step 6/"):
            raise Killed

    with pytest.raises(Killed):
        fit(part, tmp_path / "part", {}, 0, stop)
    again = begun()
    fit(again, tmp_path / "part", {}, 0, lambda _: None)
    assert same(whole.weights(), again.weights())


def test_it_shares_the_network_of_dann() -> None:
    (_, network, _), *_ = uda.networks(uda.PRESETS["cpu"])
    (_, other, _), *_ = dann.networks(dann.PRESETS["cpu"])
    assert {n: p.shape for n, p in network.state_dict().items()} == {n: p.shape for n, p in other.state_dict().items()}
