"""What the adaptation families hand in and draw: predictions as csv, learning curves, t-SNE plots."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from grader.errors import UsageError
from grader.references.data import Data
from grader.references.pictures import list_pictures
from reference_models.core.data import INNER, load_digits, read_digits
from reference_models.core.deliverables import write_labels
from reference_models.core.models import Model
from reference_models.dann_networks import Net, features, predict

ASSIGNMENT = "dlcv-fall2021-hw2"
PROBLEM = "dann"
# Where the predictions of a method lie in a submission.
PLACES = {"dann": "dann", "source-only": "dann/source_only", "target-only": "dann/target_only", "uda": "dann/improved"}
TITLES = {"dann": "DANN", "source-only": "Source only", "target-only": "Target only", "uda": "Mean teacher"}
NAMES = {"mnistm": "MNIST-M", "usps": "USPS", "svhn": "SVHN"}


def method(model: Model) -> str:
    """One of `PLACES`."""
    return str(model.config["settings"].get("method", model.config["family"]))


def direction(model: Model) -> str:
    """The model's source-target."""
    return str(model.config["settings"]["direction"])


def belongs(model: Model, measure: str) -> bool:
    """Whether a measure of the problem is of this model: `target_accuracy.improved.usps-svhn` and the like."""
    place = PLACES[method(model)].partition("/")[2]
    return measure == ".".join(["target_accuracy", *([place] if place else []), direction(model)])


def network(model: Model) -> Net:
    """The network with the model's weights, in float64."""
    return model.fill(Net(bool(model.config["settings"]["instance_norm"]), len(model.weights["norms.0.mean"])))


def write_predictions(net: Net, data: Path, domain: str, out: Path) -> int:
    """Reads every picture of a domain's test part and writes `image_name,label`; true labels aren't needed.

    Returns how many there are. Raises CannotMeasure or BadReference.
    """
    paths = list_pictures(Data(data, INNER).need(f"digits/{domain}/test"))
    labels = predict(net, read_digits(paths))
    write_labels(out, {path.name: int(label) for path, label in zip(paths, labels, strict=True)})
    return len(paths)


def generate(models: list[Model], out: Path, data: Path | None) -> str:
    """Writes a csv for each direction, such as `dann/usps-svhn.csv`; says so. Raises UsageError without data."""
    if data is None:
        raise UsageError("adaptation predicts the test pictures of the course: pass --data")
    told = []
    for model in models:
        path = out / PLACES[method(model)] / f"{direction(model)}.csv"
        count = write_predictions(network(model), data, direction(model).split("-")[1], path)
        told.append(f"{path}: {count} predictions")
    return "\n".join(told)


def figures(models: list[Model], out: Path, data: Path | None) -> list[Path]:
    """Learning curves of each direction, and t-SNE of features of both test parts: by class and by domain.

    Raises UsageError without data, CannotMeasure or BadReference.
    """
    if data is None:
        raise UsageError("t-SNE plots show the test pictures of the course: pass --data")
    from reference_models.core import plots, tsne

    drawn = []
    panels = {
        "losses": ["loss", "loss_domain", "loss_target"],
        "shares of a batch": ["domain_right", "confident", "agrees"],
        "error on held-out labelled digits": ["error"],
        "uncertainty on held-out target, no label": ["target_uncertainty"],
    }
    for model in models:
        name = f"{method(model).replace('-', '_')}_{direction(model)}"
        drawn.append(out / f"{name}_curves.png")
        log = model.log()
        shown = {title: columns for title, columns in panels.items() if any(set(columns) & set(row) for row in log)}
        plots.curves(log, shown, f"steps of {model.config['settings']['batch']} pictures a domain", drawn[-1])
        source, target = direction(model).split("-")
        both = [load_digits(data, domain, "test").part(slice(tsne.SHOWN)) for domain in (source, target)]
        found = [features(network(model), part.images, source=i == 0).numpy() for i, part in enumerate(both)]
        classes = torch.cat([part.labels for part in both]).numpy().astype(np.int64)
        title = f"{TITLES[method(model)]}, {NAMES[source]} to {NAMES[target]}"
        drawn += tsne.both(found[0], found[1], classes, (NAMES[source], NAMES[target]), title, out / f"{name}_tsne")
    return drawn
