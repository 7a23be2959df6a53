"""Enumerated codes of an InfoGAN: what the judge sees change, and whether the network Q reads them back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from grader.assignment import MeasureSpec
from grader.checks.images import CheckedImages
from grader.checks.tables import CheckedTable
from grader.judges.attributes import ATTRIBUTES
from grader.measuring.accuracies import of_table
from grader.measuring.context import Context, network_provenance
from grader.results import Measurement

if TYPE_CHECKING:
    from grader.metrics.codes import Ints

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
    seen = context.extractor().run(spec.protocol, images.array, context.show("attributes"))
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
    details: dict[str, Any] = {"per_code": per_code, "mean_chance": chance, "above_chance": above}
    if kept := _rows_kept(code, value, row, images, context):
        details |= kept
        remark += f"; rows keep what they show in {100 * kept['row_identity']:.1f} % of the comparisons, 50 % is chance"
    details["remark"] = remark
    provenance = network_provenance(spec.protocol, seen, images.spec.count) | {"judged": len(images.names)}
    return Measurement(mean, len(images.names), details=details, provenance=provenance)


def _rows_kept(code: Ints, value: Ints, row: Ints, images: CheckedImages, context: Context) -> dict[str, float]:
    """How often an image is nearer to that of the next value in its row than to that in another row of its code.

    Empty for fewer than two rows with two values.
    """
    import numpy as np

    from grader.metrics.attributes import identity

    where = np.stack([code, value, row], 1).tolist()
    place = {(c, v, r): i for i, (c, v, r) in enumerate(where)}
    steps = np.array([(i, place[c, v + 1, r]) for (c, v, r), i in place.items() if (c, v + 1, r) in place], np.int64)
    if not len(steps):
        return {}
    kind = np.unique(np.stack([code, value], 1)[steps[:, 0]], axis=0, return_inverse=True)[1].reshape(-1)
    if np.bincount(kind).max() < 2:
        return {}
    seen = context.extractor().run("efficientnet-lite0", images.array, context.show("generated images"))
    first, second = seen.outputs["features"].astype("float64")[steps.T]
    return {"row_identity": identity(first, second, kind).value, "rows": len(set(row[steps[:, 0]].tolist()))}


def code_recovery(spec: MeasureSpec, table: CheckedTable, context: Context, problem: str) -> Measurement:
    """The share of the enumerated images whose row has the value that the name enumerates; no row is a wrong one."""
    if not table.present:
        return Measurement(None, 0, f"{table.spec.path} is not there", "fail")
    answers = context.answers.get(f"images:{problem}/{table.spec.images}", {})
    if not answers:
        return Measurement(None, 0, f"the images that {table.spec.path} is about are not there", "fail")
    found = of_table(spec, table, answers, {})
    values = len(set(answers.values()))
    found.details["remark"] = f"{100 / values:.3g} % is chance; whether Q gave these answers can't be told here"
    return found
