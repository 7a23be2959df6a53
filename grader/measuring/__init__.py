"""Takes the measures: binds a checked deliverable, a judge and a reference to a metric."""

from __future__ import annotations

from grader.assignment import MeasureSpec
from grader.checks.figures import CheckedFigure, as_images
from grader.checks.images import CheckedImages
from grader.checks.tables import CheckedTable
from grader.measuring import (
    accuracies,
    attributes,
    codes,
    distributions,
    diversity,
    faces,
    reconstruction,
    styles,
    tags,
)
from grader.measuring.context import Context, needs_packages
from grader.metrics import METRICS
from grader.results import Measurement


def measure(
    spec: MeasureSpec,
    deliverable: CheckedImages | CheckedTable | CheckedFigure,
    context: Context,
    problem: str = "",
    against: CheckedImages | CheckedTable | CheckedFigure | None = None,
) -> Measurement:
    """Takes one measure of one deliverable of a problem. Raises CannotMeasure, UsageError or BadReference.

    against: the deliverable that the measure holds this one against, where it names one.
    """
    if isinstance(deliverable, CheckedTable):
        if spec.metric == "code_recovery":
            return codes.code_recovery(spec, deliverable, context, problem)
        return accuracies.target_accuracy(spec, deliverable, context)
    if isinstance(deliverable, CheckedFigure):
        if METRICS[spec.metric].deliverable == "figure":
            return _of_figure(spec, deliverable, against, context)
        deliverable = as_images(deliverable)
    if not deliverable.names:
        return Measurement(None, 0, f"no image of {deliverable.spec.place} can be judged", "fail")
    with needs_packages():
        if spec.metric == "content_similarity":
            inputs = against if isinstance(against, CheckedImages) else None
            return styles.content_similarity(spec, deliverable, inputs, context)
        return _OF_IMAGES[spec.metric](spec, deliverable, context)


def _of_figure(spec: MeasureSpec, figure: CheckedFigure, against: object, context: Context) -> Measurement:
    with needs_packages("faces"):
        if spec.metric == "face_count":
            return faces.face_count(spec, figure, context)
        return faces.face_count_change(spec, figure, against if isinstance(against, CheckedFigure) else None, context)


_OF_IMAGES = {
    "fid": distributions.frechet,
    "fd_efficientnet_lite0": distributions.frechet,
    "kid": distributions.kid,
    "precision": distributions.manifold,
    "recall": distributions.manifold,
    "density": distributions.manifold,
    "coverage": distributions.manifold,
    "inception_score": distributions.inception_score,
    "diversity": diversity.diversity,
    "vendi_score": diversity.diversity,
    "digit_accuracy": accuracies.digit_accuracy,
    "reconstruction_mse": reconstruction.reconstruction,
    "psnr": reconstruction.reconstruction,
    "ssim": reconstruction.reconstruction,
    "attribute_accuracy": attributes.attribute_accuracy,
    "pair_flip": attributes.pair_flip,
    "pair_identity": attributes.pair_identity,
    "code_nmi": codes.code_nmi,
    "hair_accuracy": tags.colour_accuracy,
    "eye_accuracy": tags.colour_accuracy,
    "domain_accuracy": styles.domain_accuracy,
    "face_share": faces.face_share,
}
