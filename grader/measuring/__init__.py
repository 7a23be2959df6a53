"""Takes the measures: binds a checked deliverable, a judge and a reference to a metric."""

from __future__ import annotations

from grader.assignment import MeasureSpec
from grader.checks.images import CheckedImages
from grader.checks.tables import CheckedTable
from grader.measuring import accuracies, distributions, diversity
from grader.measuring.context import Context, needs_packages
from grader.results import Measurement


def measure(spec: MeasureSpec, deliverable: CheckedImages | CheckedTable, context: Context) -> Measurement:
    """Takes one measure of one deliverable. Raises CannotMeasure, UsageError or BadReference."""
    if isinstance(deliverable, CheckedTable):
        return accuracies.target_accuracy(spec, deliverable, context)
    if not deliverable.names:
        return Measurement(None, 0, f"no image of {deliverable.spec.path}/ can be judged", "fail")
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
}
