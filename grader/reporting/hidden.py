"""What a student may see where the course's data are hidden: no name, label or path of them.

One pure function, applied to a report before anything is rendered. It fails closed: a rule, note, detail or field of
provenance that isn't known to be harmless is left out. Counts, values and points stay, and so do paths as the
assignment writes them (`digits/usps/test.csv`), which students know. What it can't take away is the value itself:
whoever may score as often as he likes can learn labels from accuracies.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from grader.results import CheckReport, Finding, MeasureResult, ScoreReport, State, Verdict
from grader.text import plural

_Report = TypeVar("_Report", bound=CheckReport | ScoreReport)

# Rules that look at nothing but the submission, or say of the data no more than a count.
HARMLESS = frozenset(
    {
        *(
            "empty-submission",
            "bad-archive",
            "clashing-names",
            "foreign-file",
            "missing-deliverable",
            "too-many-files",
            "misplaced",
        ),
        *("not-a-regular-file", "missing-images", "extra-images", "misnamed", "zero-based-numbers"),
        *("unbalanced-classes", "wrong-format", "unreadable", "wrong-size", "wrong-mode", "wrong-depth", "animated"),
        *(
            "extra-file",
            "duplicate-images",
            "near-duplicates",
            "low-diversity",
            "at-chance",
            "constant-image",
            "faces-beyond-images",
        ),
        *("blank-figure", "figure-size", "tile-count", "no-grid", "blank-tiles", "repeated-tiles"),
        *("csv-unreadable", "csv-delimiter", "csv-header", "csv-bom", "csv-row-shape", "csv-doubled-rows"),
        *("csv-bad-label", "reference-count", "missing-script", "missing-report", "not-a-pdf", "shell-syntax"),
        *("forbidden-command", "use-instead", "absolute-path"),
        *("wrong-pixel-range", "wrong-channels", "wrong-orientation", "wrong-image-order"),
        *("unrelated-images", "pasted-patch", "too-few-options", "same-files"),
        *("run-failed", "run-not-started", "run-timed-out", "run-out-of-memory", "run-too-much-output"),
        *("run-too-many-processes", "run-output-refused", "not-reproducible"),
        *("log-columns", "log-values", "log-order", "log-too-short", "log-not-finite"),
    }
)
_HARMLESS_NOTES = (
    "Everything in the zip lies in ",
    "The deliverables are those in submission/.",
    "bash is not on this machine: ",
    "Both runs wrote the same bytes.",
    "Without the labels (",
    "Without the pictures (",
    "Not taken apart into single images: ",
    "Nothing was handed in for ",
    "The judge ",
    "The diversity of ",
)
_DETAILS = {"std", "renaming_std", "remark", "standard_error", "mean_share_of_reference"}
_CLASSES = {"classes", "class_sizes", "per_class", "confusion", "unjudged"}
_ATTRIBUTE = {"attribute", "on", "found", "balanced_accuracy", "chance"}
# Of the submission's own images. Those of a table would tell how many images of each class the course has.
_DETAILS_OF = {
    "digit_accuracy": {*_CLASSES, "misread"},
    "diversity": {"per_class"},
    "vendi_score": {"per_class"},
    # The names are those of the student's own files, as the assignment prescribes them.
    "reconstruction_mse": {"missing", "psnr", "worst", "best"},
    "psnr": {"missing", "mse", "mean_of_images", "without_error"},
    "ssim": {"missing", "worst", "best"},
    "attribute_accuracy": {*_CLASSES, *_ATTRIBUTE, "misread"},
    "pair_flip": {*_ATTRIBUTE, "pairs", "whole_pairs", "flipped", "per_class", "failing", "failing_count"},
    "pair_identity": {"cosine_within", "cosine_across", "equal_pairs"},
    "code_nmi": {"per_code", "mean_chance", "above_chance", "row_identity", "rows"},
    "code_recovery": _CLASSES,  # its answers are in the names of the student's own images
    "face_count": {"boxes", "asked", "without_face", "several_faces"},
    "face_count_change": {"with", "without", "fisher_p", "boxes"},
    "face_share": {"without_face", "without_face_count"},
    # What was read, and that it is wrong: what was asked for stands in the data.
    "hair_accuracy": {"misread", "part"},
    "eye_accuracy": {"misread", "part"},
    "domain_accuracy": {"held_out_accuracy", "source_n", "target_n", "taken_for_source", "taken_for_source_count"},
    "content_similarity": {"others", "nearest_own", "unchanged", "unchanged_count"},
}
_PROVENANCE = {
    *("protocol", "n", "judged", "judge", "judge_sha256", "judge_known", "device", "computed_by", "versions"),
    *("splits", "order", "seed", "reference", "reference_n", "reference_source"),
    *("reference_of", "reference_resized"),
}
_REASONS: dict[State, str] = {
    "skipped": "something that it needs is not on the grading machine, which is not your submission's fault",
    "error": "the grading machine failed here, which is not your submission's fault",
}


def hide(report: _Report) -> _Report:
    """The same report without any name, label or path of the course's data."""
    findings = tuple(map(_finding, report.findings))
    if isinstance(report, CheckReport):
        return replace(report, findings=findings, notes=_notes(report.notes))
    return replace(
        report, findings=findings, notes=_notes(report.notes), problems=tuple(map(_verdict, report.problems))
    )


def _verdict(verdict: Verdict) -> Verdict:
    return replace(
        verdict, measures=tuple(map(_measure, verdict.measures)), findings=tuple(map(_finding, verdict.findings))
    )


def _measure(m: MeasureResult) -> MeasureResult:
    allowed = _DETAILS | _DETAILS_OF.get(m.metric, set())
    return replace(
        m,
        reason=_REASONS.get(m.state, m.reason),
        details=_only(m.details, allowed),
        provenance=_only(m.provenance, _PROVENANCE),
    )


def _only(values: dict[str, Any], allowed: set[str]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name in allowed}


def _notes(notes: tuple[str, ...]) -> tuple[str, ...]:
    kept = tuple(note for note in notes if note.startswith(_HARMLESS_NOTES))
    left = len(notes) - len(kept)
    return (*kept, f"{plural(left, 'note')} for the course left out.") if left else kept


def _finding(f: Finding) -> Finding:
    if f.rule in HARMLESS:
        return f
    return REWRITTEN.get(f.rule, _bare)(f)


def _copied(f: Finding) -> Finding:
    # `1_001.png = face/train/secret.png (the same pixels)`: the name before the sign is the student's.
    own = tuple(example.partition(" = ")[0] for example in f.examples)
    return replace(f, actual=f"{plural(f.count, 'image')} of the course's data", examples=own)


def _missing_rows(f: Finding) -> Finding:
    return replace(f, actual=f"no row for {plural(f.count, 'image')}", examples=())


def _missing_counterparts(f: Finding) -> Finding:
    return replace(f, actual=f"no image for {plural(f.count, 'picture')}", examples=())


def _unknown_rows(f: Finding) -> Finding:
    help = "Name the test images of the target domain, exactly as their files are named."
    return replace(f, expected="names of the test images", help=help)


def _bare(f: Finding) -> Finding:
    """A finding of a rule that nobody has looked at in this respect."""
    return replace(
        f,
        path=f.deliverable,
        message="What was found is not shown here.",
        expected="",
        actual="",
        help=f"`grader explain {f.rule}` says what the rule means; the course can say more.",
        examples=(),
        images=(),
        line=None,
    )


def _broken_tags(f: Finding) -> Finding:
    actual = f"{plural(f.count, 'line')} that can't be used"
    return replace(f, path=f.deliverable, message="The tags of the data can't be used.", actual=actual, examples=())


REWRITTEN: dict[str, Callable[[Finding], Finding]] = {
    "broken-tags": _broken_tags,
    "copied-images": _copied,
    "missing-counterparts": _missing_counterparts,
    "csv-missing-rows": _missing_rows,
    "csv-unknown-rows": _unknown_rows,
}
