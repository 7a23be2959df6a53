"""Takes the measures: binds a checked deliverable, a judge and a reference to a metric."""

from __future__ import annotations

import importlib
import importlib.metadata
import platform
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from grader.assignment import MeasureSpec
from grader.checks.images import CheckedImages
from grader.checks.tables import CheckedTable
from grader.errors import CannotMeasure
from grader.references.data import Data, read_labels
from grader.results import Measurement

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

INSTALL = "pip install 'vision-grader[score]'"
Progress = Callable[[str, int, int], None]


def silent(task: str, done: int, total: int) -> None:
    """Progress that nobody looks at."""


@dataclass
class Context:
    """What measures share: data, judges' files, device, progress, and the labels read so far."""

    data: Data
    judges: Mapping[str, Path]
    device: str = "auto"
    progress: Progress = silent
    answers: dict[str, Mapping[str, int]] = field(default_factory=dict)


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
    return flat.reshape(len(deliverable.names), height, width, -1)


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
    return _accuracy(wanted, [int(d) for d in read], sizes, field_.low, provenance)


def _fid(spec: MeasureSpec, images: CheckedImages, context: Context) -> Measurement:
    if len(images.names) < 2:
        return Measurement(None, len(images.names), "a Fréchet distance needs 2 images or more", "fail")
    reference = context.data.need(spec.reference)

    from grader.judges.devices import choose_device
    from grader.judges.inception import fid_features, fid_network
    from grader.metrics.fid import frechet_distance, frechet_interval, gaussian
    from grader.references.pictures import read_pictures

    device = choose_device(context.device)
    network, weights = fid_network(context.judges)
    faces = read_pictures(reference)
    show = context.progress
    ours = fid_features(network, _array(images), device, lambda i, n: show("FID: generated images", i, n))
    real = fid_features(network, faces, device, lambda i, n: show("FID: reference images", i, n))
    provenance = {
        "protocol": spec.protocol,
        "n": len(images.names),
        "reference": spec.reference,
        "reference_n": len(faces),
        "judge": "inception",
        "judge_sha256": weights.sha256,
        "judge_known": weights.known,
        "device": device.type,
        "versions": _versions("torch", "torch-fidelity", "numpy", "pillow"),
    }
    statistics = gaussian(real)
    value = frechet_distance(gaussian(ours), statistics)
    interval = frechet_interval(ours, statistics, value)
    return Measurement(value, len(images.names), interval=interval, provenance=provenance)


def _inception_score(spec: MeasureSpec, images: CheckedImages, context: Context) -> Measurement:
    from grader.metrics.inception_score import SPLITS, inception_score

    if len(images.names) < SPLITS:
        reason = f"an Inception Score needs {SPLITS} images or more"
        return Measurement(None, len(images.names), reason, "fail")

    from grader.judges.devices import choose_device
    from grader.judges.inception import class_probabilities, score_network

    device = choose_device(context.device)
    network, weights = score_network(context.judges)
    show = context.progress
    found = class_probabilities(network, _array(images), device, lambda i, n: show("Inception Score", i, n))
    mean, deviation = inception_score(found)
    provenance = {
        "protocol": spec.protocol,
        "n": len(images.names),
        "splits": SPLITS,
        "order": "sorted names",
        "judge": "torchvision_inception",
        "judge_sha256": weights.sha256,
        "judge_known": weights.known,
        "device": device.type,
        "versions": _versions("torch", "torchvision", "numpy", "pillow"),
    }
    return Measurement(mean, len(images.names), details={"std": deviation}, provenance=provenance)


_OF_IMAGES = {"fid": _fid, "inception_score": _inception_score, "digit_accuracy": _digit_accuracy}
