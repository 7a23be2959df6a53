"""Colours of hair and eyes that tags ask for: does a judge see them in the images, one by one?"""

from __future__ import annotations

from typing import Any

from grader.assignment import MeasureSpec
from grader.checks.images import CheckedImages
from grader.judges.anime_tags import EYES, HAIR
from grader.measuring.context import Context, network_provenance
from grader.references.tags import asked_tags
from grader.results import Measurement
from grader.text import plural

_PARTS = {"hair_accuracy": ("hair", HAIR), "eye_accuracy": ("eyes", EYES)}


def colour_accuracy(spec: MeasureSpec, images: CheckedImages, context: Context) -> Measurement:
    """The share of the images asked for whose colour of hair, or of eyes, the judge reads as the tag says.

    The tags are those of the images in their order. `details["wrong_tags"]`: image, colour asked for, colour read.
    """
    from grader.metrics.accuracy import wilson_interval

    part, colours = _PARTS[spec.metric]
    asked = asked_tags(context.data, spec.tags, spec.published_tags, images.spec.count)
    found = context.extractor().run(spec.protocol, images.array, context.show("colours"))
    read = [colours[i] for i in found.outputs[part].argmax(1)]
    right_ones = [pair[part == "eyes"] for pair in asked.pairs]
    # Images beyond the tags are wrong ones already: the grid has another size than was asked for.
    told = list(zip(images.names, right_ones, read, strict=False))
    wrong = [(name, tag, colour) for name, tag, colour in told if tag != colour]
    n, right = len(asked.pairs), len(told) - len(wrong)
    per_class = {}
    for tag in dict.fromkeys(right_ones):
        hits = sum(colour == tag for _, wanted_tag, colour in told if wanted_tag == tag)
        per_class[tag] = hits / right_ones.count(tag)
    details: dict[str, Any] = {
        "misread": {name: f"{colour} {part}" for name, _, colour in wrong},
        "wrong_tags": wrong,
        "part": part,
        "per_class": per_class,
        "remark": f"{right} of {plural(n, 'image')}",
    }
    provenance = network_provenance(spec.protocol, found, n) | {"judged": len(told), "tags": asked.source}
    interval = wilson_interval(right, n)
    return Measurement(right / n, n, interval=interval, details=details, provenance=provenance)
