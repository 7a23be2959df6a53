"""DANN: its network, the reversed gradient, and that no label of the target is read."""

from __future__ import annotations

import math
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
import torch
from torch import Tensor

from reference_models import dann
from reference_models.core.runs import Machine
from reference_models.core.summary import layers

MACHINE = Machine(torch.device("cpu"), bfloat16=False)
SHORT = replace(dann.PRESETS["cpu"], steps=3, batch=8, direction="usps-svhn")


def read(path: Path) -> list[list[str]]:
    return [line.split(",") for line in path.read_text().splitlines()]


def relabelled(course: Path, to: Path, domain: str) -> Path:
    """A copy of the course whose labels of one domain's train part are others."""
    shutil.copytree(course / "digits", to / "digits")
    path = to / "digits" / domain / "train.csv"
    header, *rows = read(path)
    path.write_text(
        "".join(f"{name},{label}\n" for name, label in [header, *((n, (int(x) + 3) % 10) for n, x in rows)])
    )
    return to


def trained(settings: dann.Settings, data: Path | None, target: int | None = None) -> dict[str, Tensor]:
    """`target`: a grey that replaces the target's pictures."""
    torch.manual_seed(0)
    trainer = dann.Trainer(settings, data, 0, MACHINE)
    if target is not None:
        trainer.domains.target.fill_(target)
    for step in range(settings.steps):
        torch.manual_seed(step)
        trainer.update(step)
    return trainer.weights()


def same(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("method", ["source-only", "dann"])
def test_labels_of_the_target_are_not_read(
    method: Literal["source-only", "dann"], course: Path, tmp_path: Path
) -> None:
    settings = replace(SHORT, method=method)
    other = relabelled(course, tmp_path / "other", "svhn")
    first = trained(settings, course)
    assert same(first, trained(settings, other))
    (other / "digits" / "svhn" / "train.csv").unlink()
    assert same(first, trained(settings, other))
    assert not same(first, trained(settings, relabelled(course, tmp_path / "source", "usps")))


def test_the_upper_bound_reads_the_target_alone(course: Path, tmp_path: Path) -> None:
    settings = replace(SHORT, method="target-only", augment="target-aware")
    first = trained(settings, course)
    shutil.copytree(course / "digits", tmp_path / "digits")
    shutil.rmtree(tmp_path / "digits" / "usps")
    assert same(first, trained(settings, tmp_path))
    assert not same(first, trained(settings, relabelled(course, tmp_path / "other", "svhn")))


def test_pictures_of_the_target_count_under_dann_alone() -> None:
    both: tuple[tuple[Literal["dann", "source-only"], bool], ...] = (("dann", False), ("source-only", True))
    for method, same_weights in both:
        settings = replace(SHORT, method=method)
        assert same(trained(settings, None, target=30), trained(settings, None, target=200)) is same_weights


def test_the_adversary_alone_carries_the_target_without_norms_of_the_batch() -> None:
    plain = replace(SHORT, per_domain=True, instance_norm=False, augment="none", adversary=0.0)
    first, second = trained(plain, None, target=30), trained(plain, None, target=200)
    learnt = [name for name in first if name.endswith(("weight", "bias"))]
    assert all(torch.equal(first[name], second[name]) for name in learnt)
    first, second = (trained(replace(plain, adversary=1.0), None, target=grey) for grey in (30, 200))
    assert not all(torch.equal(first[name], second[name]) for name in learnt)


def test_the_three_directions_share_one_architecture() -> None:
    shapes = set()
    for direction in ("mnistm-usps", "svhn-mnistm", "usps-svhn"):
        found = dann.networks(replace(dann.PRESETS["report2"], direction=direction))
        shapes.add(str([[(layer.kind, layer.shape, layer.parameters) for layer in layers(n, x)] for _, n, x in found]))
    assert len(shapes) == 1
    assert [name for name, _, _ in found] == ["label predictor", "domain head"]
    assert sum(layer.parameters for layer in layers(found[0][1], found[0][2])) == 242_570


def test_lambda_is_the_papers() -> None:
    assert dann.adversary_factor(0) == 0
    assert dann.adversary_factor(0.1) == pytest.approx((math.e - 1) / (math.e + 1))
    assert dann.adversary_factor(1) == pytest.approx(1, abs=1e-4)


def test_lambda_follows_the_whole_run(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[float] = []

    def noted(progress: float) -> float:
        seen.append(progress)
        return 0.0

    monkeypatch.setattr(dann, "adversary_factor", noted)
    trainer = dann.Trainer(replace(SHORT, steps=40), None, 0, MACHINE)
    for step in (0, 10, 39):
        trainer.update(step)
    assert seen == [0, 0.25, 0.975]


def test_uncertainty_in_closed_form() -> None:
    spread, one = 100 * torch.eye(10), 100 * torch.eye(10)[:1].expand(10, 10)
    assert dann.uncertainty(spread) == pytest.approx(-math.log(10))
    assert dann.uncertainty(one) == pytest.approx(0, abs=1e-6)
    assert dann.uncertainty(torch.zeros(10, 10)) == pytest.approx(0, abs=1e-6)
