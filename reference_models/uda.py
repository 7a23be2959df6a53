"""Mean-teacher adaptation of digits (French et al., ICLR 2018): a teacher's confident answers label the target.

The network, the data and the augmentation are those of `dann`, so that the two differ in the method alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from reference_models.core.data import Batches, to_range
from reference_models.core.digit_augment import Augment, augmented, weak
from reference_models.core.ema import Average
from reference_models.core.runs import Machine, Stateful, Values
from reference_models.dann import Direction, Domains, cosine, validation
from reference_models.dann_deliverables import ASSIGNMENT as ASSIGNMENT
from reference_models.dann_deliverables import PROBLEM as PROBLEM
from reference_models.dann_deliverables import belongs as belongs
from reference_models.dann_deliverables import figures as figures
from reference_models.dann_deliverables import generate as generate
from reference_models.dann_networks import Net


@dataclass(frozen=True)
class Settings:
    """`direction`, `augment`, `instance_norm` and `per_domain` are those of `dann.Settings`.

    `teacher`: without it, source labels alone train the network, and target pictures only set BatchNorm's statistics.
    `average`: the teacher's decay a step. `confidence`: of an answer that counts. `warmup`: fraction of the run without
    the target; over the next `ramp` its weight rises to `weight`. `balance`: how far, from 0 to 1, the teacher's
    answers are moved towards equally many of each digit (an exponent; ReMixMatch's alignment, ICLR 2020, is 1).
    """

    direction: Direction = "mnistm-usps"
    steps: int = 8000
    batch: int = 64  # a domain
    rate: float = 1e-3
    augment: Augment = "target-aware"
    instance_norm: bool = True
    per_domain: bool = True
    teacher: bool = True
    average: float = 0.995
    confidence: float = 0.9
    warmup: float = 0.2
    ramp: float = 0.15
    weight: float = 1.0
    balance: float = 0.5
    validations: int = 20  # in a whole run


PRESETS = {
    "gpu": Settings(steps=60_000),
    "cpu": Settings(),
}


class Shares(nn.Module):
    """A running mean of the teacher's answers: how much of the target it takes for each digit."""

    shares: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("shares", torch.full((10,), 0.1))

    def forward(self, answers: Tensor, power: float) -> Tensor:
        """Probabilities ``(n, 10)``, moved towards equal shares; what comes in enters the mean."""
        self.shares.lerp_(answers.mean(0), 0.01)
        moved = answers * (0.1 / self.shares.clamp_min(1e-3)) ** power
        return moved / moved.sum(1, keepdim=True)


def make(settings: Settings) -> Net:
    """The network that teacher and student share."""
    return Net(settings.instance_norm, 2 if settings.per_domain else 1)


def networks(settings: Settings) -> list[tuple[str, nn.Module, Tensor]]:
    """The network with its name and a batch of its input; teacher and student are alike."""
    return [("student and teacher", make(settings), torch.zeros(1, 3, 28, 28))]


def target_weight(progress: float, settings: Settings) -> float:
    """The weight of the target's loss at this fraction of the run: 0, then a line, then all of it."""
    if not settings.teacher or progress < settings.warmup:
        return 0.0
    return settings.weight * min(1.0, (progress - settings.warmup) / max(settings.ramp, 1e-9))


def consistency(student: Tensor, answers: Tensor, confidence: float) -> tuple[Tensor, Tensor]:
    """Cross entropy of the student's logits ``(n, 10)`` with the teacher's confident answers, and which those are.

    A mean over all pictures, so that few confident answers weigh little.
    """
    sure, labels = answers.max(1)
    counted = sure >= confidence
    each: Tensor = F.cross_entropy(student, labels, reduction="none")
    return (each * counted).mean(), counted


class Trainer:
    """Trains the student; the teacher is its average, is what is validated, and is kept.

    No label of the target is read: `target_uncertainty` on its held-out pictures selects.
    """

    selection = "target_uncertainty"
    final = "last"

    def __init__(self, settings: Settings, data: Path | None, seed: int, machine: Machine) -> None:
        self.settings, self.machine = settings, machine
        self.steps, self.every = settings.steps, max(1, settings.steps // settings.validations)
        self.domains = Domains.load(data, settings.direction)
        self.source_batches = Batches(len(self.domains.source), settings.batch, seed)
        self.target_batches = Batches(len(self.domains.target), settings.batch, seed + 1)
        layout: dict[str, Any] = {"device": machine.device, "memory_format": torch.channels_last}
        self.student = make(settings).to(**layout)
        self.teacher, self.shares = Average(self.student, settings.average), Shares().to(machine.device)
        self.optimizer = torch.optim.AdamW(self.student.parameters(), settings.rate)
        self.parts: dict[str, Stateful] = {
            "student": self.student,
            "teacher": self.teacher,
            "shares": self.shares,
            "optimizer": self.optimizer,
        }

    def update(self, step: int) -> Values:
        """One step of the student on source labels and the teacher's answers, then one of the teacher."""
        settings, progress = self.settings, step / self.steps
        chosen = self.source_batches(step)
        labels = self.domains.source.labels[chosen].to(self.machine.device)
        source = self._augmented(self.domains.source.images[chosen], True)
        unlabelled = self.domains.target[self.target_batches(step)]
        with self.machine.autocast():
            said = self.student(torch.cat([source, self._augmented(unlabelled, False)]), len(source)).float()
        loss = F.cross_entropy(said[: len(source)], labels)
        values = {"loss": float(loss.detach())}
        weight = target_weight(progress, settings)
        if weight:
            answers = self._ask(unlabelled)
            of_target, counted = consistency(said[len(source) :], answers, settings.confidence)
            agrees = (said[len(source) :].argmax(1) == answers.argmax(1)).float().mean()
            values |= {
                "loss_target": float(of_target.detach()),
                "confident": float(counted.float().mean()),
                "agrees": float(agrees),
            }
            loss = loss + weight * of_target
        for group in self.optimizer.param_groups:
            group["lr"] = settings.rate * cosine(progress)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        self.teacher.update(self.student)
        return values

    @torch.no_grad()
    def _ask(self, images: Tensor) -> Tensor:
        """The teacher's answers ``(n, 10)`` on target pictures that are moved a little."""
        pictures = weak(to_range(images.to(self.machine.device)))
        with self.machine.autocast():
            logits = self.teacher.network(pictures)
        answers: Tensor = self.shares(logits.float().softmax(1), self.settings.balance)
        return answers

    def _augmented(self, images: Tensor, source: bool) -> Tensor:
        return augmented(images.to(self.machine.device), self.settings.augment, self.settings.direction, source)

    def validate(self) -> Values:
        """On held-out pictures: the teacher's error on the source, and its uncertainty on the target."""
        return validation(self.teacher.network, self.domains)

    def weights(self) -> dict[str, Tensor]:
        """The teacher's."""
        return self.teacher.network.state_dict()
