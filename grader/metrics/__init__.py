"""The table of metrics. Each is one file beside this one; assignments refer to the ids."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from grader.text import number


@dataclass(frozen=True)
class Metric:
    """What assignments and reports need to know of a metric without computing it.

    `op` is the direction of its baselines; `fraction` means a value in [0, 1], or a difference of two such, that people
    read in per cent; `unit` is what stands behind a value, `whole` that it counts things. A figure's metric looks at
    the picture as a whole; one of images also takes the tiles of a figure's grid. `beside`: the metric whose other
    side this one is, which reports show next to it.
    """

    id: str
    title: str
    deliverable: Literal["images", "table", "figure"]
    op: Literal["ge", "le"]
    fraction: bool
    protocols: tuple[str, ...]
    needs_reference: bool = False
    needs_label: bool = False
    unit: str = ""
    whole: bool = False
    beside: str = ""

    def show(self, value: float) -> str:
        """The value as people read it.

        >>> METRICS["digit_accuracy"].show(0.912), METRICS["fid"].show(24.7377), METRICS["kid"].show(-0.0002346)
        ('91.20 %', '24.738', '-0.000235')
        >>> METRICS["face_count"].show(24.0), METRICS["face_count"].show(1.0), METRICS["face_count_change"].show(-0.12)
        ('24 faces', '1 face', '-12.00 pp')
        """
        if self.whole and value == 1:
            return f"1{self.suffix.removesuffix('s')}"
        return (number(value) if self.whole else self._bare(value)) + self.suffix

    def span(self, ends: tuple[float, float]) -> str:
        """An interval as people read it.

        >>> METRICS["psnr"].span((23.1, 23.62))
        '23.100–23.620 dB'
        >>> METRICS["face_count"].span((19.9079, 25.0)), METRICS["face_count_change"].span((-0.281, 0.034))
        ('19.9–25.0 faces', '-28.10 to 3.40 pp')
        """
        between = " to " if ends[0] < 0 else "–"
        return f"{self._bare(ends[0])}{between}{self._bare(ends[1])}{self.suffix}"

    @property
    def suffix(self) -> str:
        """What follows the number, with its space."""
        unit = self.unit or ("%" if self.fraction else "")
        return f" {unit}" if unit else ""

    def _bare(self, value: float) -> str:
        if self.fraction:
            return f"{100 * value:.2f}"
        if self.whole:
            return f"{value:.1f}"
        return f"{value:.3f}" if abs(value) >= 0.1 else f"{value:.3g}"


_FID_PROTOCOLS = ("pytorch-fid", "torch-fidelity", "clean-fid")
_ANY_FEATURES = (*_FID_PROTOCOLS, "efficientnet-lite0")
_PIXELS = ("pixels-0-1",)
_ATTRIBUTES = ("face-attributes",)
_TAGS = ("anime-tags",)
_DIGITS = ("course-classifier", "svhn-classifier")  # a measure is by the first, unless it names another
_DRAWN_FACES = ("opencv-cascade",)


def _of_images(
    id: str,
    title: str,
    op: Literal["ge", "le"],
    protocols: tuple[str, ...],
    *,
    fraction: bool = False,
    reference: bool = False,
    label: bool = False,
    unit: str = "",
    beside: str = "",
) -> Metric:
    return Metric(id, title, "images", op, fraction, protocols, reference, label, unit, beside=beside)


METRICS = {
    metric.id: metric
    for metric in (
        _of_images("fid", "Fréchet Inception distance", "le", _FID_PROTOCOLS, reference=True),
        _of_images(
            "fd_efficientnet_lite0",
            "Fréchet distance of EfficientNet features",
            "le",
            ("efficientnet-lite0",),
            reference=True,
        ),
        _of_images("kid", "Kernel Inception distance", "le", _FID_PROTOCOLS, reference=True),
        _of_images("precision", "precision of the manifold", "ge", _ANY_FEATURES, fraction=True, reference=True),
        _of_images("recall", "recall of the manifold", "ge", _ANY_FEATURES, fraction=True, reference=True),
        _of_images("density", "density", "ge", _ANY_FEATURES, reference=True),
        _of_images("coverage", "coverage", "ge", _ANY_FEATURES, fraction=True, reference=True),
        _of_images("diversity", "mean pairwise distance of features", "ge", ("efficientnet-lite0",)),
        _of_images("vendi_score", "Vendi score, the effective number of images", "ge", ("efficientnet-lite0",)),
        _of_images("inception_score", "Inception Score", "ge", ("torchvision-is", "torch-fidelity")),
        _of_images("digit_accuracy", "digit accuracy", "ge", _DIGITS, fraction=True, label=True),
        Metric("target_accuracy", "target accuracy", "table", "ge", True, ("all-test-images",)),
        _of_images("reconstruction_mse", "mean squared error of the reconstructions", "le", _PIXELS),
        _of_images("psnr", "peak signal-to-noise ratio of the reconstructions", "ge", _PIXELS, unit="dB"),
        _of_images("ssim", "structural similarity of the reconstructions", "ge", _PIXELS),
        _of_images("attribute_accuracy", "attribute accuracy", "ge", _ATTRIBUTES, fraction=True, label=True),
        _of_images("pair_flip", "pairs whose attribute changes", "ge", _ATTRIBUTES, fraction=True, label=True),
        _of_images("pair_identity", "identity within pairs", "ge", ("efficientnet-lite0",), fraction=True, label=True),
        _of_images("code_nmi", "information of the codes about attributes", "ge", _ATTRIBUTES, fraction=True),
        Metric("code_recovery", "codes recovered", "table", "ge", True, ("all-images",)),
        Metric("face_count", "faces found", "figure", "ge", False, _DRAWN_FACES, unit="faces", whole=True),
        Metric(
            "face_count_change", "change of the share of faces found", "figure", "ge", True, _DRAWN_FACES, unit="pp"
        ),
        _of_images("hair_accuracy", "accuracy of the hair's colour", "ge", _TAGS, fraction=True),
        _of_images("eye_accuracy", "accuracy of the eyes' colour", "ge", _TAGS, fraction=True),
        _of_images(
            "domain_accuracy",
            "images taken for the target domain",
            "ge",
            ("efficientnet-lite0",),
            fraction=True,
            reference=True,
        ),
        _of_images(
            "content_similarity",
            "similarity of each image to its input",
            "ge",
            ("efficientnet-lite0",),
            beside="domain_accuracy",
        ),
        _of_images("face_share", "images with a face", "ge", ("opencv-face",), fraction=True),
    )
}
