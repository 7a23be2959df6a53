"""Accuracies: of predictions in a table, and of the digits that a judge reads in generated images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from grader.assignment import MeasureSpec
from grader.checks.images import CheckedImages
from grader.checks.tables import CheckedTable
from grader.measuring.context import Context, network_provenance, versions
from grader.references.data import read_labels
from grader.results import Measurement


def target_accuracy(spec: MeasureSpec, table: CheckedTable, context: Context) -> Measurement:
    """The share of all test images whose prediction is right; an image without one counts as wrong."""
    if not table.present:
        return Measurement(None, 0, f"{table.spec.path} is not there", "fail")
    answers = context.answers.get(table.spec.answers)
    if answers is None:  # absent or wrong: reading again says which
        answers = read_labels(context.data.need(table.spec.answers), table.spec.columns, table.spec.labels)
    about = {"reference": table.spec.answers, "reference_n": len(answers)}
    return of_table(spec, table, answers, about)


def of_table(
    spec: MeasureSpec, table: CheckedTable, answers: Mapping[str, int], about: Mapping[str, Any]
) -> Measurement:
    """The share of the answers that a table has right; `about`: what else its provenance says."""
    low, high = table.spec.labels
    judged = [name for name in table.predictions if name in answers]
    sizes = [0] * (high - low + 1)
    for label in answers.values():
        sizes[label - low] += 1
    provenance = {"protocol": spec.protocol, "n": len(answers), "judged": len(judged)}
    provenance |= {**about, "versions": versions("numpy")}
    return counted([answers[n] for n in judged], [table.predictions[n] for n in judged], sizes, low, provenance)


def digit_accuracy(spec: MeasureSpec, images: CheckedImages, context: Context) -> Measurement:
    """The share of the images asked for in which the judge reads the digit that the name promises.

    `details["misread"]` has what it read instead, by file name.
    """
    names, label = images.spec.names, images.spec.label_field
    assert names is not None and label is not None  # the assignment was validated
    found = context.extractor().run(spec.protocol, images.array, context.show("digits"))
    read = found.outputs["logits"].argmax(1)
    wanted = [values[label] for name in images.names if (values := names.parse(name))]
    # A digit outside of the assignment's range is no class of it: the image stays without a judgement, which is wrong.
    pairs = [(w, int(r)) for w, r in zip(wanted, read, strict=True) if names.fields[label].holds(int(r))]
    field = names.fields[label]
    classes = field.high - field.low + 1
    provenance = network_provenance(spec.protocol, found, images.spec.count) | {"judged": len(images.names)}
    sizes = [images.spec.count // classes] * classes
    taken = counted([w for w, _ in pairs], [r for _, r in pairs], sizes, field.low, provenance)
    wrong = [(name, int(r)) for name, w, r in zip(images.names, wanted, read, strict=True) if w != r]
    return replace(taken, details=taken.details | {"misread": {name: str(r) for name, r in wrong}})


def counted(wanted: list[int], taken: list[int], sizes: list[int], low: int, provenance: dict[str, Any]) -> Measurement:
    """An accuracy with its interval and confusion matrix: classes from `low` on, of these sizes, judged or not."""
    import numpy as np

    from grader.metrics.accuracy import accuracy

    found = accuracy(
        np.array(wanted, np.int64) - low, np.array(taken, np.int64) - low, np.array(sizes, np.int64), len(sizes)
    )
    details = {
        "classes": [str(low + i) for i in range(len(sizes))],
        "class_sizes": sizes,
        "per_class": dict(zip((str(low + i) for i in range(len(sizes))), found.per_class, strict=True)),
        "confusion": found.confusion,
        "unjudged": found.unjudged,
    }
    return Measurement(found.value, found.n, interval=found.interval, details=details, provenance=provenance)
