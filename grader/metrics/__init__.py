"""The table of metrics. Each is one file beside this one; assignments refer to the ids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Metric:
    """What assignments and reports need to know of a metric without computing it.

    `op` is the direction of its baselines; `fraction` means a value in [0, 1] that people read in per cent.
    """

    id: str
    title: str
    deliverable: Literal["images", "table"]
    op: Literal["ge", "le"]
    fraction: bool
    protocols: tuple[str, ...]
    needs_reference: bool = False
    needs_label: bool = False

    def show(self, value: float) -> str:
        """The value as people read it.

        >>> METRICS["digit_accuracy"].show(0.912), METRICS["fid"].show(24.7377)
        ('91.20 %', '24.738')
        """
        return f"{100 * value:.2f} %" if self.fraction else f"{value:.3f}"


METRICS = {
    metric.id: metric
    for metric in (
        Metric("fid", "Fréchet Inception distance", "images", "le", False, ("pytorch-fid",), needs_reference=True),
        Metric("inception_score", "Inception Score", "images", "ge", False, ("torchvision-is",)),
        Metric("digit_accuracy", "digit accuracy", "images", "ge", True, ("course-classifier",), needs_label=True),
        Metric("target_accuracy", "target accuracy", "table", "ge", True, ("all-test-images",)),
    )
}
