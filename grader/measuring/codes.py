"""Enumerated codes of an InfoGAN: what the judge sees change, and whether the network Q reads them back."""

from __future__ import annotations

from typing import Any

from grader.assignment import MeasureSpec
from grader.checks.images import CheckedImages
from grader.checks.tables import CheckedTable
from grader.judges.attributes import ATTRIBUTES
from grader.measuring.accuracies import counted
from grader.measuring.context import Context, network_provenance, pixel_array, versions
from grader.results import Measurement

FIELDS = ("code", "value", "row")


def code_nmi(spec: MeasureSpec, images: CheckedImages, context: Context) -> Measurement:
    """Mean over the codes of the information that they share with the attribute of which they tell most."""
    import numpy as np

    from grader.metrics.codes import code_information

    names = images.spec.names
    assert names is not None  # the assignment was validated
    order = [[f.name for f in names.fields].index(name) for name in FIELDS]
    parsed = [values for name in images.names if (values := names.parse(name))]
    code, value, row = np.array(parsed, np.int64)[:, order].T
    seen = context.extractor().run(spec.protocol, pixel_array(images), context.show("attributes"))
    logits = seen.outputs["logits"].astype("float64")
    per_code: dict[str, dict[str, Any]] = {}
    for c in sorted(set(code.tolist())):
        rows = np.flatnonzero(code == c)
        told = code_information(value[rows], row[rows], logits[rows])
        about = {"attribute": ATTRIBUTES[told.attribute], "nmi": told.nmi, "unadjusted": told.unadjusted}
        per_code[str(c)] = about | {"chance": told.chance, "spearman": told.spearman, "n": len(rows)}
    field = names.fields[order[0]]
    asked = field.high - field.low + 1  # a code without any image tells nothing
    mean = sum(about["nmi"] for about in per_code.values()) / asked
    above = [c for c, about in per_code.items() if about["nmi"] > about["chance"]]
    chance = sum(about["chance"] for about in per_code.values()) / asked
    remark = f"{len(above)} of {asked} codes change an attribute"
    if above:
        remark += ": " + ", ".join(f"{c} {per_code[c]['attribute']}" for c in above)
    remark += f"; chance reaches {100 * chance:.1f} %"
    details = {"per_code": per_code, "mean_chance": chance, "above_chance": above, "remark": remark}
    provenance = network_provenance(spec.protocol, seen, images.spec.count) | {"judged": len(images.names)}
    return Measurement(mean, len(images.names), details=details, provenance=provenance)


def code_recovery(spec: MeasureSpec, table: CheckedTable, context: Context, problem: str) -> Measurement:
    """The share of the enumerated images whose row has the value that the name enumerates; no row is a wrong one."""
    if not table.present:
        return Measurement(None, 0, f"{table.spec.path} is not there", "fail")
    answers = context.answers.get(f"images:{problem}/{table.spec.images}", {})
    if not answers:
        return Measurement(None, 0, f"the images that {table.spec.path} is about are not there", "fail")
    low, high = table.spec.labels
    judged = [name for name in table.predictions if name in answers]
    sizes = [0] * (high - low + 1)
    for label in answers.values():
        sizes[label - low] += 1
    provenance = {
        "protocol": spec.protocol,
        "n": len(answers),
        "judged": len(judged),
        "versions": versions("numpy"),
    }
    wanted, taken = [answers[n] for n in judged], [table.predictions[n] for n in judged]
    found = counted(wanted, taken, sizes, low, provenance)
    values = sum(size > 0 for size in sizes)
    found.details["remark"] = f"{100 / values:.3g} % is chance"
    return found
