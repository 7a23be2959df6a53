"""Faces whose names promise an attribute or its absence: does a judge see it, does it change within pairs?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from grader.assignment import MeasureSpec
from grader.checks.images import CheckedImages
from grader.judges.attributes import ATTRIBUTES
from grader.measuring.accuracies import counted
from grader.measuring.context import Context, network_provenance
from grader.results import Measurement

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from grader.judges.features import Features
    from grader.metrics.attributes import Recognised

_NAMED = 20  # pairs that are named


def attribute_accuracy(spec: MeasureSpec, images: CheckedImages, context: Context) -> Measurement:
    """The share of the images asked for that the judge answers as their names promise."""
    seen, there = _asked(spec, images, context)
    provenance = network_provenance(spec.protocol, seen, images.spec.count) | {"judged": len(images.names)}
    labels = _labels(images)
    told = _recognised(spec, there, labels)
    if isinstance(told, str):
        return Measurement(None, len(images.names), told, "fail", provenance=provenance)
    name, on = ATTRIBUTES[told.attribute], told.on
    read = [on if yes else 1 - on for yes in there[:, told.attribute]]
    sizes = [images.spec.count // 2] * 2
    taken = counted(labels, read, sizes, 0, provenance)
    words = {on: name, 1 - on: f"not {name}"}
    misread = {image: words[r] for image, wanted, r in zip(images.names, labels, read, strict=True) if wanted != r}
    return replace(taken, details=taken.details | _about(spec, told) | {"misread": misread})


def pair_flip(spec: MeasureSpec, images: CheckedImages, context: Context) -> Measurement:
    """The share of the pairs asked for of which the judge sees the attribute in the right image and in that alone."""
    from grader.metrics.accuracy import wilson_interval

    seen, there = _asked(spec, images, context)
    pairs, asked = partners(images), images.spec.count // 2
    provenance = network_provenance(spec.protocol, seen, asked) | {"judged": len(pairs)}
    if not pairs:
        return Measurement(None, 0, f"no pair of {images.spec.path}/ is whole", "fail", provenance=provenance)
    labels = _labels(images)
    told = _recognised(spec, there, labels)
    if isinstance(told, str):
        return Measurement(None, len(pairs), told, "fail", provenance=provenance)
    yes = there[:, told.attribute]
    right = [bool(yes[i]) == (labels[i] == told.on) for i in range(len(labels))]
    failing = [pair for pair in pairs if not (right[pair[0]] and right[pair[1]])]
    flipped = len(pairs) - len(failing)
    per_value = {str(v): sum(right[pair[v]] for pair in pairs) / asked for v in (0, 1)}
    details: dict[str, Any] = {
        "pairs": asked,
        "whole_pairs": len(pairs),
        "flipped": flipped,
        "per_class": per_value,
        "failing": [[images.names[i] for i in pair] for pair in failing[:_NAMED]],
        "failing_count": asked - flipped,
    }
    interval = wilson_interval(flipped, asked)
    details |= _about(spec, told)
    return Measurement(flipped / asked, asked, interval=interval, details=details, provenance=provenance)


def pair_identity(spec: MeasureSpec, images: CheckedImages, context: Context) -> Measurement:
    """How often an image is nearer to its partner than to another pair's image of the partner's value."""
    from grader.metrics.attributes import identity

    pairs = partners(images)
    if len(pairs) < 2:
        return Measurement(None, len(pairs), f"{spec.metric} needs 2 whole pairs or more", "fail")
    seen = context.extractor().run(spec.protocol, images.array, context.show("generated images"))
    features = seen.outputs["features"].astype("float64")
    first, second = (features[[pair[v] for pair in pairs]] for v in (0, 1))
    found = identity(first, second)
    same = sum(images.pixels[a] == images.pixels[b] for a, b in pairs)
    remark = "50 % is chance" + (f"; {same} of {len(pairs)} pairs are one picture twice" if same else "")
    details = {"cosine_within": found.within, "cosine_across": found.across, "equal_pairs": same, "remark": remark}
    provenance = network_provenance(spec.protocol, seen, len(pairs))
    return Measurement(found.value, len(pairs), interval=found.interval, details=details, provenance=provenance)


def _asked(spec: MeasureSpec, images: CheckedImages, context: Context) -> tuple[Features, NDArray[np.bool_]]:
    """What the judge says of the images, and its answers: bool ``(n, 13)``."""
    seen = context.extractor().run(spec.protocol, images.array, context.show("attributes"))
    return seen, seen.outputs["logits"] > 0


def _labels(images: CheckedImages) -> list[int]:
    names, field = images.spec.names, images.spec.label_field
    assert names is not None and field is not None  # the assignment was validated
    return [values[field] for name in images.names if (values := names.parse(name))]


def partners(images: CheckedImages) -> list[tuple[int, int]]:
    """Indices of the images of value 0 and 1 that have the same name but for that; whole pairs, in order."""
    names, field = images.spec.names, images.spec.label_field
    assert names is not None and field is not None
    place = {names.parse(name): i for i, name in enumerate(images.names)}
    found = []
    for values, i in place.items():
        if values is not None and values[field] == 0:
            partner = place.get((*values[:field], 1, *values[field + 1 :]))
            if partner is not None:
                found.append((i, partner))
    return found


def _recognised(spec: MeasureSpec, there: NDArray[np.bool_], labels: Sequence[int]) -> Recognised | str:
    """The attribute that the label stands for, as the assignment says or as the judge sees it; or why there is none."""
    import numpy as np

    from grader.metrics.attributes import Recognised, recognise

    known = ATTRIBUTES.index(spec.attribute) if spec.attribute else None
    if known is not None and spec.on is not None:
        return Recognised(known, spec.on, float("nan"), float("nan"))
    label = np.array(labels) == 1
    if label.all() or not label.any():
        return "the images are all of one value, so that no attribute can be told from the other value"
    told = recognise(there if known is None else there[:, [known]], label, on=spec.on)
    told = told if known is None else replace(told, attribute=known)
    if told.found:
        return told
    if known is None:
        what = f"no attribute follows the names; the best, {ATTRIBUTES[told.attribute]}, does with"
    else:
        what = f"{spec.attribute} does not follow the names:"
    accuracy, chance = 100 * told.accuracy, 100 * told.chance
    return f"{what} {accuracy:.1f} % balanced accuracy, and chance reaches {chance:.1f} %"


def _about(spec: MeasureSpec, told: Recognised) -> dict[str, Any]:
    """Which attribute was judged, who said so, and what chance would have found."""
    name = ATTRIBUTES[told.attribute]
    found = not spec.attribute or spec.on is None
    details: dict[str, Any] = {"attribute": name, "on": told.on, "found": found}
    if not found:
        return details | {"remark": f"{name} is {told.on}"}
    remark = f"{name} is {told.on}, found by the judge ({100 * told.accuracy:.1f} % balanced accuracy; "
    remark += f"chance reaches {100 * told.chance:.1f} %)"
    return details | {"balanced_accuracy": told.accuracy, "chance": told.chance, "remark": remark}
