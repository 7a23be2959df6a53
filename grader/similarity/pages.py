"""What `grader copies` writes: `copies.json`, a page with all pairs, and one page for each pair of students."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from typing import Any

from markupsafe import Markup

from grader._version import __version__
from grader.documents import write_whole
from grader.similarity.evidence import Exhibit, exhibits, sources
from grader.similarity.fingerprints import Fingerprint
from grader.similarity.pairs import Found, Pair
from grader.similarity.rates import RATES
from grader.text import listing, safe_name

SCHEMA = "grader/copies/1"
FOLDER = "copies"
TITLES = {
    "identical-images": "the same images",
    "similar-images": "nearly the same images",
    "predictions": "the same wrong predictions",
    "scripts": "the same scripts",
}


@dataclass(frozen=True)
class _Part:
    """One respect in which two students' work is alike, as a page shows it."""

    pair: Pair
    title: str
    rates: Sequence[str]
    fewer: str
    exhibits: Sequence[Exhibit]
    sources: Sequence[Sequence[str]]
    more: int


def page_name(students: tuple[str, str]) -> str:
    """The file name of a pair's page."""
    return f"{safe_name(students[0])}--{safe_name(students[1])}.html"


def to_json(found: Found) -> str:
    """The pairs as JSON text (`docs/schemas/copies-1.json`), one newline at the end."""
    pairs = [
        {
            "students": list(pair.students),
            "problem": pair.problem,
            "deliverable": pair.deliverable,
            "kind": pair.kind,
            "count": pair.count,
            "of": pair.of,
            "strength": pair.strength,
            "page": f"{FOLDER}/{page_name(pair.students)}",
        }
        for pair in found.pairs
    ]
    rates = {kind: [asdict(rate) for rate in measured] for kind, measured in sorted(RATES.items())}
    whole: dict[str, Any] = {"schema": SCHEMA, "grader": __version__, "students": found.students, "pairs": pairs}
    whole |= {"false_alarms": rates, "notes": list(found.notes)}
    return json.dumps(whole, indent=1, allow_nan=False) + "\n"


def write_pages(
    found: Found, prints: Mapping[str, Fingerprint], out: Path, submissions: Mapping[str, Path] | None = None
) -> None:
    """Writes everything into `out`; pages of pairs that are none any more are taken away.

    submissions: where they lie by student, so that pictures can be shown.
    """
    folder = out / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    by_students = [(key, list(group)) for key, group in groupby(found.pairs, key=lambda p: p.students)]
    kept = {"index.html"}
    for students, pairs in by_students:
        places = tuple((submissions or {}).get(s) for s in students)
        both = prints[students[0]], prints[students[1]]
        parts = [_evident(pair, both, places) for pair in pairs]
        kept.add(page_name(students))
        text = _render("copies_pair.html", students=students, parts=parts, pictures=submissions is not None)
        write_whole(folder / page_name(students), text)
    rows = [(students, page_name(students), [_part(p) for p in pairs]) for students, pairs in by_students]
    text = _render("copies.html", rows=rows, found=found, rates=[(TITLES[k], r) for k, r in sorted(RATES.items())])
    write_whole(folder / "index.html", text)
    write_whole(out / "copies.json", to_json(found))
    for path in folder.glob("*.html"):
        if path.name not in kept:
            path.unlink()


def _evident(pair: Pair, prints: tuple[Fingerprint, Fingerprint], places: tuple[Path | None, ...]) -> _Part:
    if pair.kind == "scripts":
        return _part(pair, read=sources(pair, prints, places))
    if pair.kind.endswith("-images"):
        return _part(pair, exhibits(pair, prints, places), fewer=_fewer(pair, prints))
    return _part(pair)


def _part(
    pair: Pair, shown: Sequence[Exhibit] = (), read: Sequence[Sequence[str]] = ((), ()), fewer: str = ""
) -> _Part:
    rates = [str(rate) for rate in RATES[pair.kind]]
    return _Part(pair, TITLES[pair.kind], rates, fewer, shown, read, max(0, pair.count - len(shown)) if shown else 0)


def _fewer(pair: Pair, prints: tuple[Fingerprint, Fingerprint]) -> str:
    """What a pair of folders rests on, where that is another number of images than the rates were measured with."""
    place = pair.problem, pair.deliverable
    counts = [len(i.names) for p in prints for i in p.images if (i.problem, i.deliverable) == place]
    measured = sorted({rate.images for rate in RATES[pair.kind]})
    if not counts or set(counts) <= set(measured):
        return ""
    held = " and ".join(str(n) for n in sorted(set(counts)))
    return (
        f"with {listing([str(n) for n in measured])} images of each student. This pair has {held}, for which it was "
        "not measured."
    )


def _render(template: str, **values: Any) -> str:
    from grader.reporting.html import environment

    style = "\n".join(
        (files("grader.reporting") / "templates" / name).read_text(encoding="utf-8")
        for name in ("page.css", "copies.css")
    )
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return (
        environment()
        .get_template(template)
        .render(style=Markup(style), style_hash=digest, version=__version__, **values)
    )
