"""Colours of hair and eyes that tags ask for: does a judge see them in the images, one by one?"""

from __future__ import annotations

from typing import Any

from grader.assignment import MeasureSpec
from grader.checks import rules
from grader.checks.images import CheckedImages
from grader.judges.anime_tags import EYES, HAIR
from grader.measuring.context import Context, network_provenance, pixel_array
from grader.references.data import BadReference
from grader.references.tags import parse_tags, read_tags
from grader.results import Finding, Measurement
from grader.text import listing, plural

_PARTS = {"hair_accuracy": ("hair", HAIR), "eye_accuracy": ("eyes", EYES)}


class BrokenTags(BadReference):
    """A list of tags that can't be used. `faults`: what is wrong with it, one by one."""

    def __init__(self, path: str, faults: tuple[str, ...]) -> None:
        super().__init__(f"{path} can't be used: {listing(faults)}")
        self.faults = faults


def colour_accuracy(spec: MeasureSpec, images: CheckedImages, context: Context) -> Measurement:
    """The share of the images asked for whose colour of hair, or of eyes, the judge reads as the tag says.

    The tags are those of the images in their order. `details["wrong_tags"]`: image, colour asked for, colour read.
    """
    from grader.metrics.accuracy import wilson_interval

    part, colours = _PARTS[spec.metric]
    asked, source = wanted(spec, images.spec.count, context)
    found = context.extractor().run(spec.protocol, pixel_array(images), context.show("colours"))
    read = [colours[i] for i in found.outputs[part].argmax(1)]
    right_ones = [pair[part == "eyes"] for pair in asked]
    # Images beyond the tags are wrong ones already: the grid has another size than was asked for.
    told = list(zip(images.names, right_ones, read, strict=False))
    wrong = [(name, tag, colour) for name, tag, colour in told if tag != colour]
    n, right = len(asked), len(told) - len(wrong)
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
    provenance = network_provenance(spec.protocol, found, n) | {"judged": len(told), "tags": source}
    interval = wilson_interval(right, n)
    return Measurement(right / n, n, interval=interval, details=details, provenance=provenance)


def wanted(spec: MeasureSpec, count: int, context: Context) -> tuple[list[tuple[str, str]], str]:
    """Hair and eyes asked for in so many images, in the order of the lines, and where that was read.

    Raises BrokenTags, and CannotMeasure where the file isn't here and nothing was published.
    """
    path = context.data.find(spec.tags) if spec.tags else None
    if path is None and spec.published_tags:
        numbered = "\n".join(f"{i},{text}" for i, text in enumerate(spec.published_tags, 1))
        tags, source = parse_tags(numbered), "as published"
    else:
        tags, source = read_tags(context.data.need(spec.tags)), spec.tags
    faults = tags.faults + tuple(f"the tags of {key} name no one colour of hair and of eyes" for key in tags.unclear)
    if not faults and len(tags.pairs) != count:
        faults = (f"it holds tags of {plural(len(tags.pairs), 'image')}, and {count} are asked for",)
    if faults:
        raise BrokenTags(source, faults)
    return list(tags.pairs.values()), source


def tag_findings(problem: str, spec: MeasureSpec, images: CheckedImages, context: Context) -> list[Finding]:
    """A warning about the data where their tags can't be used; nobody's points rest on such a list."""
    try:
        wanted(spec, images.spec.count, context)
    except BrokenTags as e:
        finding = rules.BROKEN_TAGS.finding(
            problem=problem,
            deliverable=spec.deliverable,
            path=spec.tags,
            message=f"The tags of the data ({spec.tags}) can't be used; no points rest on them.",
            expected=f"{images.spec.count} lines such as 1,blue hair red eyes",
            actual=listing(e.faults, 2),
            help="This is the course's list, not the submission's: mend it, or leave it out for the published one.",
            count=len(e.faults),
            examples=e.faults,
        )
        return [finding]
    except Exception:  # the measure says what else is wrong
        return []
    return []
