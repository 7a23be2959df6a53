"""Measures of a whole set of images: by the features of a network, most of them against a reference."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from grader.assignment import MeasureSpec
from grader.checks.images import CheckedImages
from grader.errors import CannotMeasure, UsageError
from grader.measuring.context import Context, network_provenance
from grader.results import Measurement

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from grader.judges.features import Features
    from grader.judges.weights import Weights
    from grader.metrics.fid import Gaussian
    from grader.references.statistics import ReferenceFile

_SHUFFLE_SEED = 2020  # torch-fidelity's default
FEW = 40  # images below which there is no interval, and a distance is mostly that of the sample
_SEEN_AS_IT_IS = "efficientnet-lite0"  # of this protocol no published values must be met, so that sizes are made equal
_INTERVALS = 3  # counts up when the computation of a cached interval changes


@dataclass(frozen=True)
class _Reference:
    """What a submission's features are compared with; `features` are None if only statistics were published."""

    gaussian: Gaussian
    features: NDArray[np.float64] | None
    provenance: dict[str, Any]


@dataclass(frozen=True)
class _Pair:
    """A submission's features, float64 ``(n, d)``, and the reference for them."""

    ours: NDArray[np.float64]
    reference: _Reference
    provenance: dict[str, Any]

    def reference_features(self, name: str) -> NDArray[np.float64]:
        """The reference's features; CannotMeasure where only statistics were published."""
        if self.reference.features is None:
            raise CannotMeasure(f"needs the features of {name}: the reference file has statistics alone")
        return self.reference.features


def frechet(spec: MeasureSpec, images: CheckedImages, context: Context) -> Measurement:
    """Fréchet distance of the images' features from the reference's."""
    from grader.metrics.fid import factor_product, frechet_distance, frechet_interval, gaussian

    if len(images.names) < 2:
        return Measurement(None, len(images.names), "a Fréchet distance needs 2 images or more", "fail")
    pair = _pair(spec, images, context)
    ours, other = gaussian(pair.ours), pair.reference.gaussian
    product = factor_product(ours, other)
    value = frechet_distance(ours, other, product)
    interval = _interval(
        *(context, "frechet", (pair.ours, other.mean, other.factor)),
        lambda: frechet_interval(pair.ours, other, value, product),
    )
    details: dict[str, Any] = _error(value, interval)
    if len(pair.ours) < FEW:
        details["remark"] = f"{len(pair.ours)} images rank generators roughly only"
    return Measurement(value, len(pair.ours), interval=interval, details=details, provenance=pair.provenance)


def kid(spec: MeasureSpec, images: CheckedImages, context: Context) -> Measurement:
    """Kernel distance of the images' features from the reference's."""
    from grader.metrics.kid import kernel_distance

    if len(images.names) < 2:
        return Measurement(None, len(images.names), "a kernel distance needs 2 images or more", "fail")
    pair = _pair(spec, images, context)
    value, interval = kernel_distance(pair.ours, pair.reference_features(spec.reference))
    details = _error(value, interval)
    return Measurement(value, len(pair.ours), interval=interval, details=details, provenance=pair.provenance)


def manifold(spec: MeasureSpec, images: CheckedImages, context: Context) -> Measurement:
    """Precision, recall, density or coverage. Precision counts images against a fixed reference: an exact interval."""
    from grader.metrics import manifold
    from grader.metrics.accuracy import exact_interval

    n = len(images.names)
    if n < 6:
        return Measurement(None, n, f"{spec.metric} needs 6 images or more", "fail")
    pair = _pair(spec, images, context)
    value = float(getattr(manifold.manifold(pair.ours, pair.reference_features(spec.reference)), spec.metric))
    interval = exact_interval(round(value * n), n) if spec.metric == "precision" else None
    return Measurement(value, n, interval=interval, provenance=pair.provenance)


def inception_score(spec: MeasureSpec, images: CheckedImages, context: Context) -> Measurement:
    """Inception Score, with how far the value moves when the same images get other names."""
    from scipy.special import softmax

    from grader.metrics import inception_score as score

    n = len(images.names)
    if n < score.SPLITS:
        return Measurement(None, n, f"an Inception Score needs {score.SPLITS} images or more", "fail")
    found = context.extractor().run(spec.protocol, images.array, context.show("Inception Score"))
    rows = softmax(found.outputs["logits"].astype("float64"), axis=1)
    provenance = network_provenance(spec.protocol, found, n) | {"splits": score.SPLITS, "order": "sorted names"}
    peer = spec.protocol == "torch-fidelity"
    if peer:
        provenance |= {"order": "shuffled", "seed": _SHUFFLE_SEED}
        rows = rows[score.shuffled_order(n, _SHUFFLE_SEED)]
    value, deviation = score.inception_score(rows, every_row=peer)
    renaming = score.renaming_deviation(rows, every_row=peer)
    details = {"std": deviation, "renaming_std": renaming, "remark": f"±{renaming:.3f} under other names"}
    interval = score.inception_score_interval(rows, value, every_row=peer)
    return Measurement(value, n, interval=interval, details=details, provenance=provenance)


def _error(value: float, interval: tuple[float, float] | None) -> dict[str, float]:
    from grader.metrics.jackknife import standard_error

    return {} if interval is None else {"standard_error": standard_error(value, interval)}


def _pair(spec: MeasureSpec, images: CheckedImages, context: Context) -> _Pair:
    found = context.extractor().run(spec.protocol, images.array, context.show("generated images"))
    reference = _reference(spec, found.weights, context, images.spec.size)
    provenance = network_provenance(spec.protocol, found, len(images.names)) | reference.provenance
    return _Pair(found.outputs["features"].astype("float64"), reference, provenance)


def _reference(spec: MeasureSpec, weights: Weights, context: Context, size: tuple[int, int]) -> _Reference:
    """From a reference file given for it, else from the pictures under the data folder, else from published statistics.

    Whoever has the course's data gets a value on them; published statistics are for those who have none. size: that of
    the images, which the pictures are brought to where no published value depends on it.
    """
    from grader.metrics.fid import gaussian
    from grader.references.pictures import list_pictures, read_pictures, read_resized, spaced
    from grader.references.statistics import read_reference

    for file in context.references:
        if (file.name, file.protocol) == (spec.reference, spec.protocol):
            return _from_file(file, weights, "given file")
    folder = context.data.find(spec.reference)
    if folder is None and spec.reference_file is not None:
        file = read_reference(spec.reference_file)
        if (file.name, file.protocol) != (spec.reference, spec.protocol):
            raise UsageError(
                f"{spec.reference_file} holds {file.name} by the protocol {file.protocol}; "
                f"the measure {spec.id} wants {spec.reference} by {spec.protocol}."
            )
        return _from_file(file, weights, "published statistics")

    def from_pictures() -> _Reference:
        every = list_pictures(context.data.need(spec.reference))
        paths = spaced(every, spec.reference_most)
        about: dict[str, Any] = {}
        if spec.protocol == _SEEN_AS_IT_IS:
            pictures, resized = read_resized(paths, size)
            about |= {"reference_resized": f"to {size[0]}x{size[1]}, bicubic"} if resized else {}
        else:
            pictures = read_pictures(paths)
        found: Features = context.extractor().run(spec.protocol, pictures, context.show("reference images"))
        features = found.outputs["features"].astype("float64")
        if len(paths) < len(every):
            about["reference_of"] = len(every)
        about |= {"reference": spec.reference, "reference_n": len(pictures), "reference_source": "data"}
        return _Reference(gaussian(features), features, about)

    key = spec.reference, spec.protocol, spec.reference_most, size if spec.protocol == _SEEN_AS_IT_IS else None
    return context.once(("reference", *key), from_pictures)


def _from_file(file: ReferenceFile, weights: Weights, source: str) -> _Reference:
    if file.judge_sha256 != weights.sha256:
        raise UsageError(
            f"The reference file for {file.name} was made with other weights of {file.judge} "
            f"({file.judge_sha256[:8]}…) than these ({weights.sha256[:8]}…). Build it anew, or pass those weights."
        )
    about = {"reference": file.name, "reference_n": file.gaussian.n, "reference_source": source}
    features = None if file.features is None else file.features.astype("float64")
    return _Reference(file.gaussian, features, about | {"reference_pixels": file.pixel_digest})


def _interval(
    context: Context,
    kind: str,
    of: tuple[NDArray[np.float64], ...],
    compute: Callable[[], tuple[float, float] | None],
) -> tuple[float, float] | None:
    """The interval of a distance, which has no negative end; kept by the digest of the arrays that it follows from."""
    import numpy as np

    digest = hashlib.sha256(f"{kind} {_INTERVALS} {np.__version__}".encode())
    for array in of:
        digest.update(f"{array.shape}".encode() + np.ascontiguousarray(array).tobytes())
    found = context.recall(f"interval {digest.hexdigest()}", lambda: np.array(compute() or (), np.float64))
    return (max(0.0, float(found[0])), float(found[1])) if len(found) == 2 else None
