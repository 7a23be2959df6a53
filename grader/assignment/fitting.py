"""Whether a metric can measure a deliverable: what its names have to tell, what of the data it has to name."""

from __future__ import annotations

from grader.assignment.specs import Deliverable, FigureSpec, ImagesSpec, TableSpec
from grader.assignment.toml import Section
from grader.judges.attributes import ATTRIBUTES
from grader.metrics import Metric

_RECONSTRUCTIONS = ("reconstruction_mse", "psnr", "ssim")
_OF_A_LABEL = ("attribute_accuracy", "pair_flip")
_OF_PAIRS = ("pair_flip", "pair_identity")
_OF_NAMES = ("code_nmi", *_OF_A_LABEL, *_OF_PAIRS)
_CODE_FIELDS = {"code", "value", "row"}


def check_kind(section: Section, metric: Metric, measured: Deliverable) -> None:
    """Fails where the metric is one of another kind of deliverable. A figure's grid will do for images."""
    grid = isinstance(measured, FigureSpec) and measured.grid is not None
    kinds = {
        "images": ("an image folder", isinstance(measured, ImagesSpec) or (grid and not metric.needs_label)),
        "table": ("a table", isinstance(measured, TableSpec)),
        "figure": ("a figure with a grid of images", grid),
    }
    wanted, fits = kinds[metric.deliverable]
    if not fits:
        section.fail(f"{metric.id} measures {wanted}, which {measured.id!r} is not", "deliverable")


def check_fit(section: Section, metric: Metric, measured: Deliverable) -> None:
    """Fails, at the measure's section, where the deliverable has not what the metric needs."""
    if isinstance(measured, TableSpec):
        if metric.id == "code_recovery" and not measured.images:
            section.fail("code_recovery needs a table with 'images', whose names tell the right values", "deliverable")
        if metric.id == "target_accuracy" and measured.images:
            section.fail(
                "target_accuracy needs a table with 'answers'; code_recovery is for one with 'images'", "deliverable"
            )
    elif isinstance(measured, ImagesSpec):
        _check_images(section, metric, measured)
    elif isinstance(measured, FigureSpec) and metric.id in (*_OF_NAMES, *_RECONSTRUCTIONS):
        section.fail(f"{metric.id} needs an image folder, whose names say what is what", "deliverable")


def _check_images(section: Section, metric: Metric, images: ImagesSpec) -> None:
    if metric.id in _RECONSTRUCTIONS and not images.one_for_each:
        section.fail(f"{metric.id} needs images with 'one_for_each', the folder of their originals", "deliverable")
    fields = images.names.fields if images.names else ()
    if metric.id == "code_nmi" and {f.name for f in fields} != _CODE_FIELDS:
        section.fail("code_nmi needs names with the numbers 'code', 'value' and 'row', and no other", "deliverable")
    if metric.id in (*_OF_A_LABEL, *_OF_PAIRS) and images.label_field is not None:
        label = fields[images.label_field]
        if (label.low, label.high) != (0, 1):
            section.fail(f"{metric.id} needs a label with the values 0 and 1", "deliverable")
        if metric.id in _OF_PAIRS and len(fields) < 2:
            section.fail(
                f"{metric.id} needs names with a number beside the label, by which two make a pair", "deliverable"
            )


def read_attribute(section: Section, metric: Metric) -> tuple[str, int | None]:
    """What the label means, and which value of it is the attribute's presence, where the assignment says so."""
    if metric.id not in _OF_A_LABEL:
        return "", None
    attribute = section.choice("attribute", ["", *ATTRIBUTES], "")
    if "on" not in section.values:
        return attribute, None
    on = section.count("on")
    if on not in (0, 1):
        section.fail(f"expected the label's value that means the attribute, 0 or 1, found {on}", "on")
    return attribute, on
