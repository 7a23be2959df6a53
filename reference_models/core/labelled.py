"""Pictures with labels: faces by attribute, and how near generated pictures are to held-out ones, labels included."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from grader.metrics.diversity import pairwise_distance
from grader.metrics.fid import Gaussian, frechet_distance, gaussian
from grader.references.data import BadReference
from reference_models.core.data import Digits, load_digits, split, to_pixels, to_range
from reference_models.core.faces import load_attributes
from reference_models.core.judging import Pictures, efficientnet_features
from reference_models.core.runs import Values

Array = NDArray[np.float64]
CLASSES = {"digits": 10, "faces": 2}
SIDE = {"digits": 28, "faces": 64}  # width and height of a picture


def load(kind: str, attribute: str, data: Path | None) -> tuple[Digits, Digits]:
    """What is trained on and what is held out, `digits` or `faces` by attribute; made up where there is no data."""
    side, classes = SIDE[kind], CLASSES[kind]
    if data is None:
        labels = torch.arange(4 * classes) % classes
        pictures = torch.randint(0, 256, (len(labels), 3, side, side), dtype=torch.uint8)
        return Digits(pictures, labels), Digits(pictures, labels)
    if kind == "digits":
        return split(load_digits(data, "mnistm", "train"))
    faces = load_attributes(data), load_attributes(data, held_out=True)
    if faces[0].images.shape[2:] != (side, side):
        raise BadReference(
            f"expected faces of {side}x{side}, found {faces[0].images.shape[3]}x{faces[0].images.shape[2]}"
        )
    return Digits(faces[0].images, faces[0].of(attribute)), Digits(faces[1].images, faces[1].of(attribute))


def in_order(classes: int, per_class: int) -> Tensor:
    """Labels int64: all of the first one, then all of the second one, and so on.

    >>> in_order(2, 3)
    tensor([0, 0, 0, 1, 1, 1])
    """
    return torch.arange(classes).repeat_interleave(per_class)


def label_code(labels: Tensor, classes: int) -> Tensor:
    """-1 or 1, ``(n, 1)``, for an attribute that is there or not; one-hot ``(n, classes)`` for more classes."""
    return labels[:, None] * 2 - 1 if classes == 2 else F.one_hot(labels, classes)


def class_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy of logits ``(n, classes)``, or binary of ``(n, 1)``."""
    if logits.shape[1] == 1:
        return F.binary_cross_entropy_with_logits(logits[:, 0], labels.to(logits.dtype))
    return F.cross_entropy(logits, labels)


def class_accuracy(logits: Tensor, labels: Tensor) -> float:
    """The share of logits, as for `class_loss`, that tell the label."""
    told = (logits[:, 0] > 0).long() if logits.shape[1] == 1 else logits.argmax(1)
    return float((told == labels).float().mean())


@dataclass(frozen=True)
class LabelledDistance:
    """Distances to a fixed set of real pictures with as many of each label, in EfficientNet-Lite0 features.

    `scale` makes a label weigh as much as a picture in the joint distance, as DeVries et al. propose (On the evaluation
    of conditional GANs, 2019): the mean norm of the features over that of one-hot labels, which is 1.
    """

    features: Gaussian
    joint: Gaussian
    scale: float
    diversity: float
    classes: int
    device: torch.device

    @classmethod
    def to(cls, real: Digits, classes: int, device: torch.device) -> LabelledDistance:
        """The distance to as many of each label as there are of the rarest. Raises BadReference if that is one."""
        of_each = [torch.nonzero(real.labels == label).flatten() for label in range(classes)]
        least = min(map(len, of_each))
        if least < 2:
            raise BadReference("expected two pictures or more of each label in the validation part")
        rows = torch.cat([indices[:least] for indices in of_each])
        labels = real.labels[rows].numpy()
        features = efficientnet_features(to_pixels(to_range(real.images[rows])), device)
        scale = float(np.linalg.norm(features, axis=1).mean())
        joint = gaussian(_joined(features, labels, classes, scale))
        return cls(gaussian(features), joint, scale, _diversity(features, labels), classes, device)

    def of(self, pictures: Pictures, labels: NDArray[np.int64]) -> Values:
        """Fréchet distance, Fréchet joint distance, and diversity within a label as a share of the real one."""
        features = efficientnet_features(pictures, self.device)
        joint = gaussian(_joined(features, labels, self.classes, self.scale))
        return {
            "fd_validation": frechet_distance(gaussian(features), self.features),
            "fjd_validation": frechet_distance(joint, self.joint),
            "diversity_share": _diversity(features, labels) / self.diversity,
        }


def _joined(features: Array, labels: NDArray[np.int64], classes: int, scale: float) -> Array:
    """Features and scaled one-hot labels side by side, ``(n, d + classes)``."""
    return np.hstack([features, scale * np.eye(classes)[labels]])


def _diversity(features: Array, labels: NDArray[np.int64]) -> float:
    """Mean over labels of the mean distance of two pictures of a label."""
    return float(np.mean([pairwise_distance(features[labels == label]) for label in np.unique(labels)]))
