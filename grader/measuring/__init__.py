"""Takes the measures: binds a checked deliverable, a judge and a reference to a metric."""

from __future__ import annotations

import importlib
import importlib.metadata
import platform
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grader.assignment import MeasureSpec
from grader.checks.images import CheckedImages
from grader.checks.tables import CheckedTable
from grader.errors import CannotMeasure, UsageError
from grader.references.data import Data, read_labels
from grader.results import Measurement

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from grader.judges.features import Extractor
    from grader.judges.weights import Weights
    from grader.metrics.fid import Gaussian
    from grader.references.statistics import ReferenceFile

_SHUFFLE_SEED = 2020  # torch-fidelity's default
INSTALL = "pip install 'vision-grader[score]'"
Progress = Callable[[str, int, int], None]


def silent(task: str, done: int, total: int) -> None:
    """Progress that nobody looks at."""


@dataclass
class Context:
    """What measures share: data, judges' files, reference files, device, progress, and what was read so far.

    `cache`: keep features between runs.
    """

    data: Data
    judges: Mapping[str, Path]
    device: str = "auto"
    progress: Progress = silent
    references: Sequence[ReferenceFile] = ()
    cache: bool = True
    answers: dict[str, Mapping[str, int]] = field(default_factory=dict)
    _extractor: Extractor | None = None

    def extractor(self) -> Extractor:
        """The networks of this run, made at their first use."""
        if self._extractor is None:
            from grader.judges.cache import FeatureCache
            from grader.judges.devices import choose_device
            from grader.judges.features import Extractor

            cache = FeatureCache() if self.cache else None
            self._extractor = Extractor(self.judges, choose_device(self.device), cache)
        return self._extractor

    def show(self, task: str) -> Callable[[int, int], None]:
        """Progress of one task."""
        return lambda done, total: self.progress(task, done, total)


@contextmanager
def needs_packages() -> Iterator[None]:
    """Turns a missing package of the extra `score` into CannotMeasure with the command that installs it."""
    try:
        yield
    except ModuleNotFoundError as e:
        if e.name and e.name.startswith("grader"):
            raise
        raise CannotMeasure(f"needs the package {e.name}: {INSTALL}") from None


def measure(spec: MeasureSpec, deliverable: CheckedImages | CheckedTable, context: Context) -> Measurement:
    """Takes one measure of one deliverable. Raises CannotMeasure, UsageError or BadReference."""
    if isinstance(deliverable, CheckedTable):
        return _target_accuracy(spec, deliverable, context)
    if not deliverable.names:
        return Measurement(None, 0, f"no image of {deliverable.spec.path}/ can be judged", "fail")
    with needs_packages():
        return _OF_IMAGES[spec.metric](spec, deliverable, context)


def _versions(*packages: str) -> dict[str, str]:
    found = {"python": platform.python_version()}
    return found | {name: importlib.metadata.version(name) for name in packages}


def _array(deliverable: CheckedImages) -> NDArray[np.uint8]:
    import numpy as np

    width, height = deliverable.spec.size
    flat = np.frombuffer(bytearray().join(deliverable.pixels), np.uint8)  # writable, as torch wants it
    pixels = flat.reshape(len(deliverable.names), height, width, len(deliverable.spec.mode))
    return pixels if pixels.shape[3] == 3 else np.repeat(pixels, 3, axis=3)  # networks take three channels


def _accuracy(
    wanted: list[int], taken: list[int], sizes: list[int], low: int, provenance: dict[str, Any]
) -> Measurement:
    import numpy as np

    from grader.metrics.accuracy import accuracy

    found = accuracy(
        np.array(wanted, np.int64) - low, np.array(taken, np.int64) - low, np.array(sizes, np.int64), len(sizes)
    )
    classes = [str(low + i) for i in range(len(sizes))]
    details = {
        "classes": classes,
        "class_sizes": sizes,
        "per_class": dict(zip(classes, found.per_class, strict=True)),
        "confusion": found.confusion,
        "unjudged": found.unjudged,
    }
    return Measurement(found.value, found.n, interval=found.interval, details=details, provenance=provenance)


def _target_accuracy(spec: MeasureSpec, table: CheckedTable, context: Context) -> Measurement:
    if not table.present:
        return Measurement(None, 0, f"{table.spec.path} is not there", "fail")
    answers = context.answers.get(table.spec.answers)
    if answers is None:  # absent or wrong: reading again says which
        answers = read_labels(context.data.need(table.spec.answers), table.spec.columns, table.spec.labels)
    low, high = table.spec.labels
    judged = [name for name in table.predictions if name in answers]
    sizes = [0] * (high - low + 1)
    for label in answers.values():
        sizes[label - low] += 1
    provenance = {
        "protocol": spec.protocol,
        "n": len(answers),
        "judged": len(judged),
        "reference": table.spec.answers,
        "reference_n": len(answers),
        "versions": _versions("numpy"),
    }
    return _accuracy([answers[n] for n in judged], [table.predictions[n] for n in judged], sizes, low, provenance)


def _digit_accuracy(spec: MeasureSpec, images: CheckedImages, context: Context) -> Measurement:
    from grader.judges.devices import choose_device
    from grader.judges.digit_classifier import read_digits

    names, label = images.spec.names, images.spec.label_field
    assert names is not None and label is not None  # the assignment was validated
    device = choose_device(context.device)
    read, weights = read_digits(_array(images), context.judges, device)
    wanted = [values[label] for name in images.names if (values := names.parse(name))]
    # A digit outside of the assignment's range is no class of it: the image stays without a judgement, which is wrong.
    pairs = [(w, int(r)) for w, r in zip(wanted, read, strict=True) if names.fields[label].holds(int(r))]
    field_ = names.fields[label]
    classes = field_.high - field_.low + 1
    provenance = {
        "protocol": spec.protocol,
        "n": images.spec.count,
        "judged": len(images.names),
        "judge": "digit_classifier",
        "judge_sha256": weights.sha256,
        "judge_known": weights.known,
        "device": device.type,
        "versions": _versions("torch", "numpy", "pillow"),
    }
    sizes = [images.spec.count // classes] * classes
    return _accuracy([w for w, _ in pairs], [r for _, r in pairs], sizes, field_.low, provenance)


@dataclass(frozen=True)
class _Reference:
    """What a submission's features are compared with; `features` are None if only statistics were published."""

    gaussian: Gaussian
    features: NDArray[np.float64] | None
    provenance: dict[str, Any]


def _features(spec: MeasureSpec, images: CheckedImages, context: Context) -> tuple[NDArray[np.float64], Weights]:
    outputs, weights = context.extractor().run(spec.protocol, _array(images), context.show("generated images"))
    return outputs["features"].astype("float64"), weights


def _reference(spec: MeasureSpec, weights: Weights, context: Context) -> _Reference:
    """From a reference file given for it, else from the pictures under the data folder."""
    from grader.metrics.fid import gaussian
    from grader.references.pictures import read_pictures

    for file in context.references:
        if (file.name, file.protocol) != (spec.reference, spec.protocol):
            continue
        if file.judge_sha256 != weights.sha256:
            raise UsageError(
                f"The reference file for {file.name} was made with other weights of {file.judge} "
                f"({file.judge_sha256[:8]}…) than these ({weights.sha256[:8]}…). Build it anew, or pass those weights."
            )
        about = {"reference": file.name, "reference_n": file.gaussian.n, "reference_pixels": file.pixel_digest}
        features = None if file.features is None else file.features.astype("float64")
        return _Reference(file.gaussian, features, about)
    pictures = read_pictures(context.data.need(spec.reference))
    outputs, _ = context.extractor().run(spec.protocol, pictures, context.show("reference images"))
    features = outputs["features"].astype("float64")
    return _Reference(gaussian(features), features, {"reference": spec.reference, "reference_n": len(pictures)})


def _network_provenance(spec: MeasureSpec, images: CheckedImages, weights: Weights, context: Context) -> dict[str, Any]:
    from grader.judges.features import PROTOCOLS

    return {
        "protocol": spec.protocol,
        "n": len(images.names),
        "judge": PROTOCOLS[spec.protocol].judge,
        "judge_sha256": weights.sha256,
        "judge_known": weights.known,
        "device": context.extractor().device.type,
        "versions": _versions("torch", "torchvision", "torch-fidelity", "numpy", "pillow"),
    }


def _frechet(spec: MeasureSpec, images: CheckedImages, context: Context) -> Measurement:
    from grader.metrics.fid import frechet_distance, frechet_interval, gaussian

    if len(images.names) < 2:
        return Measurement(None, len(images.names), "a Fréchet distance needs 2 images or more", "fail")
    ours, weights = _features(spec, images, context)
    reference = _reference(spec, weights, context)
    value = frechet_distance(gaussian(ours), reference.gaussian)
    interval = frechet_interval(ours, reference.gaussian, value)
    provenance = _network_provenance(spec, images, weights, context) | reference.provenance
    return Measurement(value, len(ours), interval=interval, provenance=provenance)


def _kid(spec: MeasureSpec, images: CheckedImages, context: Context) -> Measurement:
    from grader.metrics.kid import kernel_distance

    if len(images.names) < 2:
        return Measurement(None, len(images.names), "a kernel distance needs 2 images or more", "fail")
    ours, weights = _features(spec, images, context)
    reference = _reference(spec, weights, context)
    if reference.features is None:
        raise CannotMeasure(f"needs the features of {spec.reference}: the reference file has statistics alone")
    value, interval = kernel_distance(ours, reference.features)
    provenance = _network_provenance(spec, images, weights, context) | reference.provenance
    return Measurement(value, len(ours), interval=interval, provenance=provenance)


def _manifold(spec: MeasureSpec, images: CheckedImages, context: Context) -> Measurement:
    from grader.metrics.manifold import manifold

    if len(images.names) < 6:
        return Measurement(None, len(images.names), f"{spec.metric} needs 6 images or more", "fail")
    ours, weights = _features(spec, images, context)
    reference = _reference(spec, weights, context)
    if reference.features is None:
        raise CannotMeasure(f"needs the features of {spec.reference}: the reference file has statistics alone")
    found = manifold(ours, reference.features)
    provenance = _network_provenance(spec, images, weights, context) | reference.provenance
    return Measurement(getattr(found, spec.metric), len(ours), provenance=provenance)


def _inception_score(spec: MeasureSpec, images: CheckedImages, context: Context) -> Measurement:
    from scipy.special import softmax

    from grader.metrics.inception_score import SPLITS, inception_score, shuffled_order

    n = len(images.names)
    if n < SPLITS:
        return Measurement(None, n, f"an Inception Score needs {SPLITS} images or more", "fail")
    outputs, weights = context.extractor().run(spec.protocol, _array(images), context.show("Inception Score"))
    found = softmax(outputs["logits"].astype("float64"), axis=1)
    provenance = _network_provenance(spec, images, weights, context) | {"splits": SPLITS, "order": "sorted names"}
    if spec.protocol == "torch-fidelity":
        provenance |= {"order": "shuffled", "seed": _SHUFFLE_SEED}
        found = found[shuffled_order(n, _SHUFFLE_SEED)]
    mean, deviation = inception_score(found, every_row=spec.protocol == "torch-fidelity")
    return Measurement(mean, n, details={"std": deviation}, provenance=provenance)


_OF_IMAGES = {
    "fid": _frechet,
    "fd_efficientnet_lite0": _frechet,
    "kid": _kid,
    "precision": _manifold,
    "recall": _manifold,
    "density": _manifold,
    "coverage": _manifold,
    "inception_score": _inception_score,
    "digit_accuracy": _digit_accuracy,
}
