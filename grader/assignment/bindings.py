"""What a measure names beside its deliverable: another one to be held against, a second domain, tags."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

from grader.assignment.specs import FigureSpec
from grader.assignment.toml import Section
from grader.judges.anime_tags import EYES, HAIR
from grader.metrics import Metric
from grader.text import plural

_AGAINST = ("face_count_change", "content_similarity")
_TAGGED = ("hair_accuracy", "eye_accuracy")
_BY_TAG = ("diversity", "vendi_score")  # they may compare the images of each tag


class Bindings(TypedDict):
    """The fields of a MeasureSpec that are read here."""

    reference_most: int
    against_reference: str
    against: str
    tags: str
    published_tags: tuple[str, ...]


def read_bindings(section: Section, metric: Metric, deliverable: str, deliverables: Mapping[str, object]) -> Bindings:
    """These keys of a measure. Fails, at its section, where the metric needs one, or has no use for one."""
    given = "tags" in section.values or "published_tags" in section.values
    tagged = metric.id in _TAGGED or (metric.id in _BY_TAG and given)
    return Bindings(
        reference_most=_most(section),
        against_reference=_other_domain(section, metric),
        against=_against(section, metric, deliverable, deliverables),
        tags=section.path("tags", "") if tagged else "",
        published_tags=_published(section, deliverables[deliverable]) if tagged else (),
    )


def _most(section: Section) -> int:
    if "reference_most" not in section.values:
        return 0
    most = section.count("reference_most")
    if most < 2 or "reference" not in section.values:
        section.fail("expected how many pictures of 'reference' are taken, 2 or more", "reference_most")
    return most


def _other_domain(section: Section, metric: Metric) -> str:
    if metric.id != "domain_accuracy":
        return ""
    other = section.path("against_reference")
    if other == section.values.get("reference"):
        section.fail(
            "expected another folder than 'reference': a judge tells these two domains apart", "against_reference"
        )
    return other


def _against(section: Section, metric: Metric, deliverable: str, deliverables: Mapping[str, object]) -> str:
    if metric.id not in _AGAINST:
        return ""
    kind = type(deliverables[deliverable])
    return section.choice("against", [id for id, d in deliverables.items() if id != deliverable and type(d) is kind])


def _published(section: Section, measured: object) -> tuple[str, ...]:
    """Tags such as `blue hair red eyes`, one for each image, in their order."""
    told = section.texts("published_tags", ())
    for text in told:
        words = text.split(" ")
        if len(words) != 4 or words[1::2] != ["hair", "eyes"] or words[0] not in HAIR or words[2] not in EYES:
            section.fail(f"expected known colours, such as 'blue hair red eyes', found {text!r}", "published_tags")
    asked = (measured.count if isinstance(measured, FigureSpec) else 0) or len(told)
    if told and len(told) != asked:
        section.fail(f"expected one for each of {plural(asked, 'image')}, found {len(told)}", "published_tags")
    if not told and "tags" not in section.values:
        section.fail("needs 'tags', a file of the data, or 'published_tags', or both", "tags")
    return told
