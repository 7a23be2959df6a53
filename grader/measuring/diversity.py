"""Diversity of the images of each class, beside that of as many reference images of the class.

Where tags say what the images of a grid are to show, the images of one tag are a class: one face for each tag, repeated
for all of its images, is as diverse as its tags are in the grid as a whole.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from grader.assignment import MeasureSpec
from grader.checks import rules
from grader.checks.images import CheckedImages
from grader.errors import CannotMeasure
from grader.measuring.context import Context, network_provenance
from grader.measuring.distributions import FEW
from grader.references.data import read_labels
from grader.references.tags import asked_tags
from grader.results import Finding, Measurement
from grader.text import listing

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

COLLAPSED = 0.5  # share of the reference's Vendi score below which a class has collapsed
_COLLAPSED_FEW = 0.65  # the same for fewer images than FEW, where even ten different ones have half of it
_LEAST = 10  # images of a class that a comparison needs
_LEAST_OF_TAG = 5  # the same for a tag, for which several sets of real images are there
_SETS = 8  # of as many real images, where they are few
_COLUMNS = ("image_name", "label")


def diversity(spec: MeasureSpec, images: CheckedImages, context: Context) -> Measurement:
    """Mean over the classes of the mean pairwise distance of features, or of their Vendi score."""
    from grader.metrics.diversity import distances, mean_of_pairs, pairwise_distance, pairwise_interval, vendi_score

    of_class = _classes(spec, images, context)
    small = [name for name, rows in of_class.items() if len(rows) < 2]
    if small:
        of_each = f" of each class; {listing(small)} has fewer" if small != [""] else ""
        reason = f"{spec.metric} needs 2 images or more{of_each}"
        return Measurement(None, len(images.names), reason, "fail")
    found = context.extractor().run(spec.protocol, images.array, context.show("generated images"))
    features = found.outputs["features"].astype("float64")
    compute = pairwise_distance if spec.metric == "diversity" else vendi_score
    tables: list[NDArray[np.float64]] = []
    if spec.metric == "diversity":
        tables = [distances(features[rows]) for rows in of_class.values()]
        per_class = dict(zip(of_class, map(mean_of_pairs, tables), strict=True))
    else:
        per_class = {name: vendi_score(features[rows]) for name, rows in of_class.items()}
    value = sum(per_class.values()) / len(per_class)
    interval = pairwise_interval(tables, value) if tables else None
    details: dict[str, Any] = {"per_class": per_class}
    provenance = network_provenance(spec.protocol, found, len(features))
    # Both numbers grow with n, so that as many images are taken on both sides.
    real = _real_values(spec, images, {name: len(rows) for name, rows in of_class.items()}, context, compute)
    shares = {}
    for name, (n, of_real) in real.items():
        rows = of_class[name]
        shares[name] = (per_class[name] if n == len(rows) else compute(features[rows[:n]])) / of_real
    if shares:
        mean = sum(shares.values()) / len(shares)
        remark = f"{100 * mean:.0f} % of real images'"
        if len(features) < FEW:
            remark += f"; {len(features)} images tell it roughly only"
        details |= {"share_of_reference": shares, "mean_share_of_reference": mean, "remark": remark}
        provenance |= {"reference": spec.reference}
    elif spec.reference:
        note = f"The diversity of {images.spec.place} was not compared with that of {spec.reference}: "
        context.notes.append(note + f"it takes {_LEAST} pictures of a class, with their labels.")
    return Measurement(value, len(features), interval=interval, details=details, provenance=provenance)


def _real_values(
    spec: MeasureSpec,
    images: CheckedImages,
    counts: Mapping[str, int],
    context: Context,
    compute: Callable[[NDArray[np.float64]], float],
) -> dict[str, tuple[int, float]]:
    """For each class that can be compared how many real images are taken, and what is computed of so many."""
    size, tagged = images.spec.size, _tagged(spec)
    # Of classes with few images several sets are taken: one such set says little. Tags share the reference's images.
    times = _SETS if len(images.names) < FEW else 1
    wanted = {"": len(images.names) * times} if tagged else {name: n * times for name, n in counts.items()}
    key = spec.reference, spec.reference_labels, spec.protocol, size, *wanted.items()
    least = _LEAST_OF_TAG if tagged else _LEAST

    def values() -> dict[str, tuple[int, float]]:
        real = context.once(("features", *key), lambda: _features_of_classes(spec, wanted, size, context))
        if tagged:
            real = dict.fromkeys(counts, real[""]) if real else {}
        sizes = {name: min(counts[name], len(found)) for name, found in real.items()}
        found = {name: (n, _mean_of_sets(compute, real[name], n)) for name, n in sizes.items() if n >= least}
        return {name: (n, value) for name, (n, value) in found.items() if value > 0}

    return context.once((spec.metric, *key, *(counts.items() if tagged else ())), values)


def _mean_of_sets(compute: Callable[[NDArray[np.float64]], float], real: NDArray[np.float64], n: int) -> float:
    """The mean over all disjoint sets of n real images."""
    sets = [compute(real[start : start + n]) for start in range(0, len(real) - n + 1, n)]
    return sum(sets) / len(sets)


def collapse_findings(problem: str, images: CheckedImages, taken: Measurement) -> list[Finding]:
    """A warning that names the classes whose images differ much less than the reference's do."""
    shares: dict[str, float] = taken.details.get("share_of_reference", {})
    least = COLLAPSED if len(images.names) >= FEW else _COLLAPSED_FEW
    collapsed = {name: share for name, share in shares.items() if share < least}
    if not collapsed:
        return []
    worst = sorted(collapsed, key=collapsed.__getitem__)
    told = [f"{_title(name)}: {collapsed[name]:.0%} of the reference's variety" for name in worst]
    finding = rules.LOW_DIVERSITY.finding(
        problem=problem,
        deliverable=images.spec.id,
        path=images.spec.path,
        message=f"The images of {images.spec.place} differ far less from each other than real ones do.",
        expected=f"at least {least:.0%} of the Vendi score of as many real images",
        actual=listing(told, 2),
        help="The generator has collapsed to few pictures: look at a sheet of them, and at its noise input.",
        count=len(collapsed),
        examples=told,
    )
    return [finding]


def _title(name: str) -> str:
    if name and not name.isdigit():
        return name
    return f"label {name}" if name else "all images"


def _tagged(spec: MeasureSpec) -> bool:
    return bool(spec.tags or spec.published_tags)


def _classes(spec: MeasureSpec, images: CheckedImages, context: Context) -> dict[str, list[int]]:
    """Indices of the images of each label, or of each tag; all of them under "" where there is neither."""
    return _of_tags(spec, images, context) if _tagged(spec) else _of_labels(images)


def _of_tags(spec: MeasureSpec, images: CheckedImages, context: Context) -> dict[str, list[int]]:
    """Indices of the images of each tag that stands more than once. Raises BrokenTags and CannotMeasure.

    They are called by the place of their first image: the tags themselves may be what a course hides.
    """
    asked = asked_tags(context.data, spec.tags, spec.published_tags, images.spec.count).pairs
    found: dict[tuple[str, str], list[int]] = defaultdict(list)
    for i, pair in enumerate(asked[: len(images.names)]):
        found[pair].append(i)
    several = {f"asked for as {images.names[rows[0]]}": rows for rows in found.values() if len(rows) > 1}
    if not several:
        raise CannotMeasure("compares the images of each tag, and no tag stands twice")
    return several


def _of_labels(images: CheckedImages) -> dict[str, list[int]]:
    names, field = images.spec.names, images.spec.label_field
    if names is None or field is None:
        return {"": list(range(len(images.names)))}
    found: dict[str, list[int]] = defaultdict(list)
    for i, name in enumerate(images.names):
        if values := names.parse(name):
            found[str(values[field])].append(i)
    return dict(sorted(found.items(), key=lambda item: int(item[0])))


def _features_of_classes(
    spec: MeasureSpec, counts: Mapping[str, int], size: tuple[int, int], context: Context
) -> dict[str, NDArray[np.float64]]:
    """Features of the first reference images of each class, so many at most; none where they aren't here.

    Pictures of another size are brought to that of the images.
    """
    from grader.references.pictures import list_pictures, read_resized

    try:
        paths = list_pictures(context.data.need(spec.reference)) if spec.reference else []
        labels = {"": ""} if not spec.reference_labels else _labels(spec, context)
    except CannotMeasure:
        return {}
    chosen: dict[str, list[int]] = {name: [] for name in counts}
    wanted: list[Path] = []
    for path in paths:
        label = labels.get(path.name if spec.reference_labels else "")
        if label in chosen and len(chosen[label]) < counts[label]:
            chosen[label].append(len(wanted))
            wanted.append(path)
    if not wanted:
        return {}
    pictures, _ = read_resized(wanted, size)
    found = context.extractor().run(spec.protocol, pictures, context.show("reference images"))
    features = found.outputs["features"].astype("float64")
    return {name: features[rows] for name, rows in chosen.items()}


def _labels(spec: MeasureSpec, context: Context) -> dict[str, str]:
    path = context.data.need(spec.reference_labels)
    # Labels of the reference may go beyond those that are asked for.
    return {name: str(label) for name, label in read_labels(path, _COLUMNS, (0, 2**31)).items()}
