"""Style transfer: do the outputs look like the target domain, and do they still show what their inputs show?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grader.assignment import MeasureSpec
from grader.checks.images import CheckedImages
from grader.measuring.context import Context, network_provenance
from grader.references.data import BadReference
from grader.results import Measurement
from grader.text import plural

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_MOST = 1000  # pictures of a domain, unless the assignment says otherwise
_LEAST = 10
_SURE = 0.9  # accuracy on held-out pictures below which the judge is called a poor one
_UNCHANGED = 2.0  # levels: the mean difference of an output that is its input
_NAMED = 20


def domain_accuracy(spec: MeasureSpec, images: CheckedImages, context: Context) -> Measurement:
    """The share of the images asked for that a judge fitted on both domains of the data takes for the target's."""
    from grader.metrics import domains
    from grader.metrics.accuracy import wilson_interval

    source, target = (_domain(spec, path, images, context) for path in (spec.against_reference, spec.reference))
    found = context.extractor().run(spec.protocol, images.array, context.show("images"))
    judge = domains.fit(source, target)
    held_out = domains.held_out_accuracy(source, target)
    taken = judge.logits(found.outputs["features"].astype("float64")) > 0
    n, hits = images.spec.count, int(taken.sum())  # an output that is not there is a wrong one
    remark = f"the judge is right on {100 * (held_out or 0):.0f} % of the domains' own pictures that it has not seen"
    if (held_out or 0) < _SURE:
        remark += ": a poor judge of these domains"
    strange = [name for name, yes in zip(images.names, taken, strict=True) if not yes]
    details: dict[str, Any] = {
        "held_out_accuracy": held_out,
        "source_n": len(source),
        "target_n": len(target),
        "taken_for_source": strange[:_NAMED],
        "taken_for_source_count": len(strange),
        "remark": remark,
    }
    provenance = network_provenance(spec.protocol, found, n) | {"reference": spec.reference, "judged": len(taken)}
    return Measurement(hits / n, n, interval=wilson_interval(hits, n), details=details, provenance=provenance)


def _domain(spec: MeasureSpec, folder: str, images: CheckedImages, context: Context) -> NDArray[np.float64]:
    """Features of a domain's pictures, brought to the size of the images: a network sees blur."""
    from grader.references.pictures import list_pictures, read_resized, spaced

    paths = spaced(list_pictures(context.data.need(folder)), spec.reference_most or _MOST)
    if len(paths) < _LEAST:
        raise BadReference(f"{folder}: expected {_LEAST} pictures or more, found {len(paths)}")
    pictures, _ = read_resized(paths, images.spec.size)
    found = context.extractor().run(spec.protocol, pictures, context.show(f"pictures of {folder}"))
    return found.outputs["features"].astype("float64")


def content_similarity(
    spec: MeasureSpec, images: CheckedImages, inputs: CheckedImages | None, context: Context
) -> Measurement:
    """Mean cosine of the features of each output and its input, the image of the same name."""
    from grader.metrics.content import content

    place = {name: i for i, name in enumerate(inputs.names)} if inputs else {}
    names = [name for name in images.names if name in place]
    if inputs is None or not names:
        return Measurement(None, 0, f"no image of {images.spec.place} has an input of its name", "fail")
    ours = images.array[[i for i, name in enumerate(images.names) if name in place]]
    theirs = inputs.array[[place[name] for name in names]]
    runs = [context.extractor().run(spec.protocol, part, context.show("images")) for part in (ours, theirs)]
    found = content(*(run.outputs["features"].astype("float64") for run in runs))
    same = _unchanged(names, ours, theirs)
    told = []
    if found.others is not None and found.nearest is not None:
        told.append(f"{found.others:.3f} to other inputs; nearest to their own: {100 * found.nearest:.0f} %")
    if same:
        told.append(f"{len(same)} of {plural(len(names), 'output')} are their inputs unchanged")
    details: dict[str, Any] = {
        "others": found.others,
        "nearest_own": found.nearest,
        "unchanged": same[:_NAMED],
        "unchanged_count": len(same),
    }
    details |= {"remark": "; ".join(told)} if told else {}
    provenance = network_provenance(spec.protocol, runs[0], len(names))
    return Measurement(found.value, len(names), interval=found.interval, details=details, provenance=provenance)


def _unchanged(names: list[str], ours: NDArray[np.uint8], theirs: NDArray[np.uint8]) -> list[str]:
    import numpy as np

    if ours.shape != theirs.shape:
        return []
    found = []
    for name, a, b in zip(names, ours, theirs, strict=True):
        if np.abs(a.astype(np.int16) - b).mean() < _UNCHANGED:
            found.append(name)
    return found
