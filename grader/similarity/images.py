"""Images that two students have in common: equal ones, and ones that nearly are, also after usual edits."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from grader.similarity.descriptors import EDITS, edited
from grader.similarity.fingerprints import Images
from grader.similarity.neighbours import Keyed, among, between, cosines, keyed
from grader.similarity.people import NOBODY, numbered

NEAR = 0.95  # cosine of descriptors from which on two images are nearly the same
LEAST_EQUAL = 3  # equal images that a pair needs
LEAST_NEAR, NEAR_SHARE = 5, 0.03  # nearly equal ones, and their share of the smaller folder
_ASKED = 64  # images of each student that are looked for with edits
NEAR_EDITED = 0.92  # cosine after an edit, which is only about the one that was made
LEAST_EDITED = 0.125  # share of those that the same edit explains
_NEAREST = 0.9999  # likeness of what isn't the same pixel by pixel, at most: 1 says that it is
_SHOWN = 60  # pairs of images that are kept as examples


@dataclass(frozen=True)
class Alike:
    """What two students' folders have in common. count: images of the first and of the second, the smaller number.

    of: images that were compared. examples: names, first student's first, with their likeness. edit: what was done to
    all of them; "" for nothing.
    """

    students: tuple[str, str]
    kind: str
    count: int
    of: int
    examples: tuple[tuple[str, str, float], ...]
    edit: str = ""


@dataclass(frozen=True)
class _Class:
    """All images of a deliverable. owner: the submission's number; local: the image's number among the submission's.

    person: whose each submission is, as a number.
    """

    students: Sequence[str]
    person: NDArray[np.int64]
    parts: Sequence[Images]
    owner: NDArray[np.int64]
    local: NDArray[np.int64]
    digests: NDArray[np.uint64]  # (n, 2)
    details: NDArray[np.int8]

    def name(self, row: int) -> str:
        name: str = self.parts[int(self.owner[row])].names[int(self.local[row])]
        return name


def alike_images(
    found: Mapping[str, Images], common: int, people: Mapping[str, str] = NOBODY
) -> tuple[list[Alike], int]:
    """Pairs of students with equal or nearly equal images in one deliverable, and how many images are common.

    people: whose each submission is, where it isn't its own name's; nobody is compared with themselves.

    What the course's data hold is left out, and so is what shows nothing. common: of an image that more students have
    than this, the first is paired with each of the others and these not with each other. One that more than half of the
    class have stands for no pair; such ones are counted.
    """
    whole = _gather(found, people)
    if len(whole.owner) < 2:
        return [], 0
    equal, many, first, handed_out = _equal(whole, common)
    pairs = [_alike(whole, key, "identical-images", rows) for key, rows in equal.items()]
    pairs = [pair for pair in pairs if pair.count >= min(LEAST_EQUAL, pair.of)]
    if not any(part.alike for part in found.values()):
        known = {pair.students for pair in pairs}
        group = _groups(known)
        own = replace(whole, **{k: getattr(whole, k)[~handed_out] for k in _ROWS})
        index = keyed(own.details)
        near = [*_near(own, index, first[~handed_out]), *_after_edits(own, index)] if len(own.owner) > 1 else []
        for pair in near:
            a, b = pair.students
            if pair.students not in known and not (a in group and group[a] == group.get(b)):
                known.add(pair.students)
                pairs.append(pair)
    return pairs, many


_ROWS = ("owner", "local", "digests", "details")


def _gather(found: Mapping[str, Images], people: Mapping[str, str]) -> _Class:
    students = sorted(found)
    parts = [found[s] for s in students]
    kept = [np.nonzero(~part.of_course & part.details.any(1))[0] for part in parts]
    return _Class(
        students,
        numbered(students, people),
        parts,
        np.repeat(np.arange(len(parts)), [len(rows) for rows in kept]),
        np.concatenate([np.zeros(0, np.int64), *kept]),
        np.concatenate([np.zeros((0, 16), np.uint8), *(p.digests[r] for p, r in zip(parts, kept, strict=True))]).view(
            np.uint64
        ),
        np.concatenate(
            [np.zeros((0, parts[0].details.shape[1] if parts else 1), np.int8)]
            + [p.details[r] for p, r in zip(parts, kept, strict=True)]
        ),
    )


def _groups(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Those who have equal images with each other, also by way of others: each student's first of the group."""
    first: dict[str, str] = {}
    for a, b in sorted(pairs):
        old, new = sorted((first.setdefault(a, a), first.setdefault(b, b)), reverse=True)
        first.update({s: new for s in first if first[s] == old})
    return first


_Rows = dict[tuple[int, int], list[tuple[int, int, float]]]  # by students: rows of images, and their likeness


def _equal(whole: _Class, common: int) -> tuple[_Rows, int, NDArray[np.bool_], NDArray[np.bool_]]:
    """Equal images by pairs of students, how many are too common, which rows are the first of their pixels, and which
    are of too common ones.
    """
    order = np.lexsort((whole.digests[:, 1], whole.digests[:, 0]))
    ranked = whole.digests[order]
    new = np.concatenate([[True], (ranked[1:] != ranked[:-1]).any(1)])
    first = np.zeros(len(order), np.bool_)
    first[order[new]] = True
    edges = np.append(np.nonzero(new)[0], len(order))
    pairs: _Rows = defaultdict(list)
    many, handed_out = 0, np.zeros(len(order), np.bool_)
    for at in np.nonzero(np.diff(edges) > 1)[0]:
        rows = order[edges[at] : edges[at + 1]]
        owners, one = np.unique(whole.owner[rows], return_index=True)
        who = whole.person[owners]
        several = len(np.unique(who))
        if several > max(common, (int(whole.person.max()) + 1) // 2):
            many += 1
            handed_out[rows] = True
            continue
        # Of many only the first with each of the others: everybody is named, and the pairs don't grow with the square.
        firsts = range(1 if several > common else len(owners))
        for i, j in [(x, y) for x in firsts for y in range(x + 1, len(owners)) if who[x] != who[y]]:
            pairs[int(owners[i]), int(owners[j])].append((int(rows[one[i]]), int(rows[one[j]]), 1.0))
    return pairs, many, first, handed_out


def _near(whole: _Class, index: Keyed, first: NDArray[np.bool_]) -> Iterator[Alike]:
    """Pairs of students with many images that are nearly the same without any edit that moves them."""
    rows = np.nonzero(first)[0]  # equal ones would be nothing but each other's neighbours
    own = Keyed(index.rows[rows], index.keys[rows])
    pairs = rows[among(own)]
    pairs = pairs[_apart(whole, pairs[:, 0], pairs[:, 1])]
    likeness = cosines(whole.details, whole.details, pairs)
    for key, found in _by_students(whole, pairs, likeness, NEAR).items():
        pair = _alike(whole, key, "similar-images", found)
        if pair.count >= max(LEAST_NEAR, NEAR_SHARE * pair.of):
            yield pair


def _after_edits(whole: _Class, index: Keyed) -> Iterator[Alike]:
    """Pairs of students of which one has the other's images mirrored, shifted, turned or the like."""
    starts = np.searchsorted(whole.owner, np.arange(len(whole.students) + 1))
    asked = np.concatenate(
        [np.unique(np.linspace(a, b - 1, min(_ASKED, b - a)).astype(np.int64)) for a, b in pairwise(starts) if b > a]
    )
    of_student = Counter(whole.owner[asked].tolist())
    best: dict[tuple[int, int], Alike] = {}
    for edit in EDITS:
        changed = edited(whole.details[asked], edit)
        pairs = between(keyed(changed), index)
        pairs = pairs[_apart(whole, asked[pairs[:, 0]], pairs[:, 1])]
        likeness = cosines(changed, whole.details, pairs)
        pairs = np.stack([asked[pairs[:, 0]], pairs[:, 1]], 1)
        near = likeness >= NEAR_EDITED
        by: _Rows = defaultdict(list)
        for a, b, value in zip(*pairs[near].T.tolist(), likeness[near].tolist(), strict=True):
            by[int(whole.owner[a]), int(whole.owner[b])].append((a, b, value))
        for (a, b), rows in by.items():
            count = len({row for row, _, _ in rows})
            if count < max(LEAST_NEAR, LEAST_EDITED * of_student[a]):
                continue
            key = min(a, b), max(a, b)
            rows = rows if a < b else [(y, x, value) for x, y, value in rows]
            if key not in best or best[key].count < count:
                best[key] = _alike(whole, key, "similar-images", rows, edit.title, of_student[a], count)
    yield from best.values()


def _apart(whole: _Class, one: NDArray[np.int64], other: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Which rows are of different people."""
    return np.asarray(whole.person[whole.owner[one]] != whole.person[whole.owner[other]])


def _by_students(whole: _Class, pairs: NDArray[np.int64], likeness: NDArray[np.float32], least: float) -> _Rows:
    found: _Rows = defaultdict(list)
    near = likeness >= least
    for a, b, value in zip(*pairs[near].T.tolist(), likeness[near].tolist(), strict=True):
        if whole.owner[a] > whole.owner[b]:
            a, b = b, a
        found[int(whole.owner[a]), int(whole.owner[b])].append((a, b, value))
    return found


def _alike(
    whole: _Class,
    key: tuple[int, int],
    kind: str,
    rows: Sequence[tuple[int, int, float]],
    edit: str = "",
    of: int = 0,
    count: int = 0,
) -> Alike:
    count = count or min(len({a for a, _, _ in rows}), len({b for _, b, _ in rows}))
    of = of or min(len(whole.parts[i].names) for i in key)
    best = sorted(rows, key=lambda row: (-round(row[2], 4), row))
    used: set[int] = set()
    examples: list[tuple[str, str, float]] = []
    for a, b, value in best:
        if a not in used and len(examples) < _SHOWN:
            used.add(a)
            same = bool((whole.digests[a] == whole.digests[b]).all())
            examples.append((whole.name(a), whole.name(b), 1.0 if same else min(round(value, 4), _NEAREST)))
    students = whole.students[key[0]], whole.students[key[1]]
    return Alike(students, kind, count, of, tuple(examples), edit)
