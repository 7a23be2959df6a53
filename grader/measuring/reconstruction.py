"""Reconstructions held against the pictures of the data that have their names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grader.assignment import MeasureSpec
from grader.checks import rules
from grader.checks.images import CheckedImages
from grader.checks.rule import MOST_EQUAL, MOST_NEAR, too_many
from grader.errors import CannotMeasure
from grader.measuring.context import Context, needs_packages, versions
from grader.references.data import BadReference
from grader.results import Finding, Measurement
from grader.text import are, listing, plural

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_NAMED = 10  # images that are named as the worst and as the best
_COPIED = 0.93  # SSIM: of 512 numbers an image, at most 0.89 was measured; of JPEGs at quality 75, 0.94 in the middle
RULES = {
    "range": rules.WRONG_PIXEL_RANGE,
    "channels": rules.WRONG_CHANNELS,
    "orientation": rules.WRONG_ORIENTATION,
    "order": rules.WRONG_IMAGE_ORDER,
}


def reconstruction(spec: MeasureSpec, images: CheckedImages, context: Context) -> Measurement:
    """Squared error, PSNR (of the error over all images) or SSIM of the images that have an original."""
    from grader.metrics import reconstruction as metric

    names, ours, originals, count = _pairs(images, context)
    folder = images.spec.one_for_each
    if not names:
        return Measurement(None, 0, f"no image of {images.spec.path}/ has the name of an image of {folder}/", "fail")
    provenance = {
        "protocol": spec.protocol,
        "n": len(names),
        "reference": folder,
        "reference_n": count,
        "versions": versions("numpy", "scipy"),
    }
    details: dict[str, Any] = {"missing": count - len(names)}
    if spec.metric == "ssim":
        if not metric.has_room(ours):
            raise CannotMeasure("needs pictures of 11 pixels or more: that is SSIM's window")
        each = metric.structural_similarities(ours, originals)
        value, interval = float(each.mean()), metric.mean_interval(each)
        interval = interval and (max(-1.0, interval[0]), min(1.0, interval[1]))
        details |= _ends(names, each, higher_is_better=True)
        return Measurement(value, len(names), interval=interval, details=details, provenance=provenance)
    each = metric.squared_errors(ours, originals)
    mse = float(each.mean())
    if spec.metric == "reconstruction_mse":
        interval = metric.mean_interval(each)
        interval = interval and (max(0.0, interval[0]), interval[1])
        details |= _ends(names, each, higher_is_better=False)
        if mse > 0:
            details |= {"psnr": metric.psnr(mse), "remark": f"PSNR {metric.psnr(mse):.2f} dB"}
        return Measurement(mse, len(names), interval=interval, details=details, provenance=provenance)
    if mse == 0:
        reason = f"all images of {images.spec.path}/ equal those of {folder}/, so that their PSNR is infinite"
        return Measurement(None, len(names), reason, "fail", details=details, provenance=provenance)
    # An image without any error has no finite PSNR, and would take the mean with it.
    per_image = [metric.psnr(float(e)) for e in each if e > 0]
    mean = sum(per_image) / len(per_image)
    details |= {"mse": mse, "mean_of_images": mean, "without_error": len(each) - len(per_image)}
    details |= {"remark": f"of the mean error {mse:.5f} on [0, 1]; the mean of the images' PSNRs is {mean:.2f} dB"}
    interval = metric.psnr_interval(each)
    return Measurement(metric.psnr(mse), len(names), interval=interval, details=details, provenance=provenance)


def mistake_findings(problem: str, images: CheckedImages, context: Context) -> list[Finding]:
    """A warning where a common mistake explains the pictures far better than none."""
    with needs_packages():
        from grader.metrics.mistakes import find_mistake

        names, ours, originals, _ = _pairs(images, context)
        found = find_mistake(ours, originals) if names else None
    if found is None:
        return []
    path = images.spec.path
    finding = RULES[found.mistake.kind].finding(
        problem=problem,
        deliverable=images.spec.id,
        path=path,
        message=f"It looks as if a mistake was made in {path}/: {found.mistake.what}.",
        expected="pictures of the same range, channels, orientation and order as the test images",
        actual=f"PSNR is about {found.as_handed_in:.1f} dB as handed in, and {found.allowed_for:.1f} dB once that is "
        "allowed for",
        help=f"Mend it and hand in again ({found.as_handed_in:.1f} dB would be about {found.allowed_for:.1f} dB): "
        f"{found.mistake.mend}",
        count=len(names),
    )
    return [finding]


def original_findings(problem: str, images: CheckedImages, context: Context) -> list[Finding]:
    """A finding where images are so near to their originals that they can't have come through a small code."""
    from grader.metrics import reconstruction as metric

    names, ours, originals, _ = _pairs(images, context)
    if not names:
        return []
    equal = (ours == originals).all((1, 2, 3))
    near = equal
    if metric.has_room(ours) and not images.spec.exact:
        near = equal | (metric.structural_similarities(ours, originals) >= _COPIED)
    copied = [name for name, yes in zip(names, near, strict=True) if yes]
    if not copied:
        return []
    path, folder = images.spec.path, images.spec.one_for_each
    pairs = [f"{name} = {folder}/{name}" for name in copied]
    finding = rules.COPIED_IMAGES.finding(
        problem=problem,
        deliverable=images.spec.id,
        path=path,
        message=f"{len(copied)} of {plural(len(names), 'image')} of {path}/ {are(len(copied))} as near to the test "
        f"image of the same name as a saved copy is; {int(equal.sum())} of them pixel by pixel.",
        expected=f"what the decoder makes of the code, with an SSIM below {_COPIED}",
        actual=listing(pairs, 2),
        help="Save the decoder's output, not its input. Only a code of thousands of numbers reconstructs as well.",
        count=len(copied),
        examples=pairs,
        images=[(name,) for name in copied],
        grave=not images.spec.exact
        and (too_many(int(equal.sum()), len(names), MOST_EQUAL) or too_many(len(copied), len(names), MOST_NEAR)),
    )
    return [finding]


def _pairs(images: CheckedImages, context: Context) -> tuple[list[str], NDArray[np.uint8], NDArray[np.uint8], int]:
    """Names, images and originals of all that have both, in the order of the names; and how many originals there are.

    Raises CannotMeasure without the data, BadReference for pictures of another size.
    """
    there, originals = _originals(images, context)
    format_ = images.spec.names
    if format_ is not None and all(format_.parse(name) is None for name in there):  # no fault of the student
        folder, wanted = images.spec.one_for_each, format_.template
        raise BadReference(f"the pictures of {folder} are named like {there[0]}, and {wanted} is expected")
    place = {name: i for i, name in enumerate(there)}
    rows = [i for i, name in enumerate(images.names) if name in place]
    names = [images.names[i] for i in rows]
    return names, images.array[rows], originals[[place[name] for name in names]], len(there)


def _originals(images: CheckedImages, context: Context) -> tuple[tuple[str, ...], NDArray[np.uint8]]:
    from grader.references.pictures import list_pictures, read_pictures

    folder, (width, height) = images.spec.one_for_each, images.spec.size

    def read() -> tuple[tuple[str, ...], NDArray[np.uint8]]:
        paths = list_pictures(context.data.need(folder), least=1)
        return tuple(p.name for p in paths), read_pictures(paths)

    names, pictures = context.once(("originals", folder), read)
    if pictures.shape[1:3] != (height, width):
        found = f"{pictures.shape[2]}x{pictures.shape[1]}"
        raise BadReference(f"the pictures of {folder} are {found}, and {width}x{height} are asked for")
    return names, pictures


def _ends(names: list[str], values: NDArray[np.float64], *, higher_is_better: bool) -> dict[str, dict[str, float]]:
    """The worst and the best few images by name, the most extreme one first."""
    order = values.argsort(kind="stable")
    low, high = order[:_NAMED], order[::-1][:_NAMED]
    worst, best = (low, high) if higher_is_better else (high, low)
    return {what: {names[i]: float(values[i]) for i in rows} for what, rows in (("worst", worst), ("best", best))}
