"""Takes the measures: binds a checked deliverable, a judge and a reference to a metric."""

from __future__ import annotations

from grader.assignment import MeasureSpec
from grader.checks.figures import CheckedFigure, as_images
from grader.checks.images import CheckedImages
from grader.checks.tables import CheckedTable
from grader.measuring import accuracies, attributes, codes, distributions, diversity, reconstruction
from grader.measuring.context import Context, needs_packages
from grader.results import Measurement


def measure(
    spec: MeasureSpec,
    deliverable: CheckedImages | CheckedTable | CheckedFigure,
    context: Context,
    problem: str = "",
) -> Measurement:
    """Takes one measure of one deliverable of a problem. Raises CannotMeasure, UsageError or BadReference."""
    if isinstance(deliverable, CheckedTable):
        if spec.metric == "code_recovery":
            return codes.code_recovery(spec, deliverable, context, problem)
        return accuracies.target_accuracy(spec, deliverable, context)
    if isinstance(deliverable, CheckedFigure):
        deliverable = as_images(deliverable)
    if not deliverable.names:
        return Measurement(None, 0, f"no image of {deliverable.spec.place} can be judged", "fail")
    with needs_packages():
        return _OF_IMAGES[spec.metric](spec, deliverable, context)


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
}
