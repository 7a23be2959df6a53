"""DANN (Ganin et al., JMLR 2016) on digits, with its lower and upper bound: one architecture for three directions.

Pictures are uint8 ``(n, 3, 28, 28)``; networks take them as floats in [-1, 1]. Labels of the target are never read,
but for the upper bound.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from grader.references.data import Data
from grader.references.pictures import list_pictures
from reference_models.core.data import INNER, Batches, Digits, load_digits, read_digits, split
from reference_models.core.digit_augment import Augment, augmented
from reference_models.core.runs import Machine, Stateful, Values
from reference_models.dann_deliverables import ASSIGNMENT as ASSIGNMENT
from reference_models.dann_deliverables import PROBLEM as PROBLEM
from reference_models.dann_deliverables import belongs as belongs
from reference_models.dann_deliverables import figures as figures
from reference_models.dann_deliverables import generate as generate
from reference_models.dann_networks import WIDTH, DomainHead, Net, penultimate, reverse

Direction = Literal["mnistm-usps", "svhn-mnistm", "usps-svhn"]


@dataclass(frozen=True)
class Settings:
    """`direction`: source-target. `method`: the bounds train on the labels of one domain alone.

    `augment`: of both domains; `target-aware` adds knowledge of SVHN to the source where that is the target.
    `instance_norm`: each channel of each picture to mean 0 and variance 1. `per_domain`: BatchNorm keeps and uses
    statistics of each domain, under DANN; the affine part is shared. `adversary`: a factor on the paper's lambda.
    """

    direction: Direction = "mnistm-usps"
    method: Literal["source-only", "dann", "target-only"] = "dann"
    steps: int = 4000
    batch: int = 64  # a domain
    rate: float = 1e-3
    augment: Augment = "generic"
    instance_norm: bool = True
    per_domain: bool = True
    adversary: float = 1.0
    validations: int = 20  # in a whole run


PRESETS = {
    "gpu": Settings(steps=30_000),
    "cpu": Settings(),
    # A student's report: plain, with nothing but the reversed gradient.
    "report2": Settings(augment="none", instance_norm=False, per_domain=False),
}


def adversary_factor(progress: float) -> float:
    """The paper's lambda from 0 to 1; `progress` is the fraction of the whole run, not of an epoch."""
    return 2 / (1 + math.exp(-10 * progress)) - 1


def cosine(progress: float) -> float:
    """A factor on the rate, from 1 to 0."""
    return (1 + math.cos(math.pi * progress)) / 2


def make(settings: Settings) -> Net:
    """The network; the bounds see one domain, so they have one set of statistics."""
    return Net(settings.instance_norm, 2 if settings.per_domain and settings.method == "dann" else 1)


def networks(settings: Settings) -> list[tuple[str, nn.Module, Tensor]]:
    """Each network with its name and a batch of its input."""
    head = [("domain head", DomainHead(), torch.zeros(1, WIDTH))] if settings.method == "dann" else []
    return [("label predictor", make(settings), torch.zeros(1, 3, 28, 28)), *head]


@dataclass(frozen=True)
class Domains:
    """The source's digits and the target's pictures, each to train on and held out: nobody holds a target's label."""

    source: Digits
    source_held: Digits
    target: Tensor
    target_held: Tensor

    @classmethod
    def load(cls, data: Path | None, direction: str) -> Domains:
        """From the course's data folder, which may lack the target's csv; made up where `data` is None."""
        if data is None:
            images, labels = torch.randint(0, 256, (40, 3, 28, 28), dtype=torch.uint8), torch.arange(40) % 10
            source, target = Digits(images, labels), Digits(images.flip(0), labels)
        else:
            before, after = direction.split("-")
            pictures = list_pictures(Data(data, INNER).need(f"digits/{after}/train"))
            images = read_digits(pictures)
            source, target = load_digits(data, before, "train"), Digits(images, torch.zeros(len(images)))
        train, held = split(target)
        return cls(*split(source), train.images, held.images)


def uncertainty(logits: Tensor) -> float:
    """A score without labels, the smaller the better: mean entropy of the predictions minus entropy of their mean.

    In nats, from 0 down to -log 10 for confident predictions that are spread over all ten digits. Its negative is the
    mutual information that Krause et al. (NeurIPS 2010) maximise.
    """
    p = logits.cpu().double().softmax(1)  # not every device has float64
    each, whole = -(p * p.clamp_min(1e-12).log()).sum(1).mean(), p.mean(0)
    return float(each + (whole * whole.clamp_min(1e-12).log()).sum())


class Trainer:
    """Trains one of the three methods; no label of the target is read, but for the upper bound.

    The best weights have the least `uncertainty` on the target's held-out pictures under DANN; the bounds, which train
    on one domain, have the least error on that domain's. The last weights are there beside them.
    """

    def __init__(self, settings: Settings, data: Path | None, seed: int, machine: Machine) -> None:
        self.settings, self.machine = settings, machine
        self.steps, self.every = settings.steps, max(1, settings.steps // settings.validations)
        self.adapts = settings.method == "dann"
        self.final = "best"
        self.selection: str | None = "target_uncertainty" if self.adapts else "error"
        target = settings.direction.split("-")[1]
        labelled = f"{target}-{target}" if settings.method == "target-only" else settings.direction
        self.domains = Domains.load(data, labelled)
        self.source_batches = Batches(len(self.domains.source), settings.batch, seed)
        self.target_batches = Batches(len(self.domains.target), settings.batch, seed + 1)
        layout: dict[str, Any] = {"device": machine.device, "memory_format": torch.channels_last}
        self.network, self.head = make(settings).to(**layout), DomainHead().to(machine.device)
        parameters = [*self.network.parameters(), *(self.head.parameters() if self.adapts else ())]
        self.optimizer = torch.optim.AdamW(parameters, settings.rate)
        self.parts: dict[str, Stateful] = {"network": self.network, "head": self.head, "optimizer": self.optimizer}

    def update(self, step: int) -> Values:
        """One step on the labels of a batch and, under DANN, against the domain head."""
        settings, progress = self.settings, step / self.steps
        chosen = self.source_batches(step)
        labels = self.domains.source.labels[chosen].to(self.machine.device)
        images = self._augmented(self.domains.source.images[chosen], True)
        sources = len(images)
        if self.adapts:
            images = torch.cat([images, self._augmented(self.domains.target[self.target_batches(step)], False)])
        with self.machine.autocast():
            found = self.network.features(images, sources)
            logits = self.network.label(found[:sources])
        loss = F.cross_entropy(logits.float(), labels)
        values = {"loss": float(loss.detach())}
        if self.adapts:
            with self.machine.autocast():
                said = self.head(reverse(found, settings.adversary * adversary_factor(progress)))
            truth = (torch.arange(len(said)) < sources).float().to(said.device)[:, None]
            of_domain = F.binary_cross_entropy_with_logits(said.float(), truth)
            right = ((said > 0) == truth.bool()).float().mean()
            values |= {"loss_domain": float(of_domain.detach()), "domain_right": float(right)}
            loss = loss + of_domain
        for group in self.optimizer.param_groups:
            group["lr"] = settings.rate * cosine(progress)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        return values

    def _augmented(self, images: Tensor, source: bool) -> Tensor:
        settings = self.settings
        source = source and settings.method != "target-only"
        return augmented(images.to(self.machine.device), settings.augment, settings.direction, source)

    def validate(self) -> Values:
        """On held-out pictures: the error on the labelled domain, and the uncertainty on the target."""
        return validation(self.network, self.domains)

    def weights(self) -> dict[str, Tensor]:
        """The label predictor's."""
        return self.network.state_dict()


@torch.no_grad()
def validation(network: Net, domains: Domains) -> Values:
    """`error` on the labelled domain's held-out pictures, `target_uncertainty` on the target's."""
    said = network.label(penultimate(network, domains.source_held.images, source=True)).argmax(1).cpu()
    uncertain = uncertainty(network.label(penultimate(network, domains.target_held)))
    return {"error": float((said != domains.source_held.labels).double().mean()), "target_uncertainty": uncertain}
