"""Scripts that two students have in common, without what the course handed out to everybody."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from grader.similarity.fingerprints import Script
from grader.similarity.people import NOBODY

LEAST_WORDS = 30  # of a script: shorter ones are alike by chance
LEAST_HASHES = 15  # winnowed fingerprints in common that few others have
LEAST_SHARE = 0.6  # of those of the smaller script


@dataclass(frozen=True)
class Shared:
    """Two students' scripts: the first's name and the second's, and which share of the rarer parts they share."""

    students: tuple[str, str]
    names: tuple[str, str]
    same: bool
    count: int
    of: int


def shared_scripts(
    found: Mapping[str, Sequence[Script]], common: int, people: Mapping[str, str] = NOBODY
) -> tuple[list[Shared], int]:
    """Pairs of students with the same or nearly the same script, and how many scripts are common.

    common: what more students have than this counts as handed out, whole scripts as well as parts. people: whose each
    submission is, where it isn't its own name's; nobody is compared with themselves.
    """
    owners: dict[str, set[str]] = defaultdict(set)
    with_part: dict[str, set[int]] = defaultdict(set)
    for student, own in found.items():
        who = people.get(student, student)
        for script in own:
            owners[script.digest].add(who)
            with_part[who].update(script.hashes.tolist())
    parts = Counter(h for hashes in with_part.values() for h in hashes)
    handed_out = {digest for digest, who in owners.items() if len(who) > common}
    everywhere = np.array(sorted(h for h, n in parts.items() if n > common), np.uint32)
    rare = {
        student: [
            (script, np.setdiff1d(script.hashes, everywhere, assume_unique=True))
            for script in own
            if script.digest not in handed_out and script.words >= LEAST_WORDS
        ]
        for student, own in found.items()
    }
    with_hash: dict[int, list[tuple[str, int]]] = defaultdict(list)
    for student in sorted(rare):
        for i, (_, hashes) in enumerate(rare[student]):
            for h in hashes.tolist():
                with_hash[h].append((student, i))
    whose = {student: people.get(student, student) for student in found}
    together: Counter[tuple[tuple[str, int], tuple[str, int]]] = Counter()
    for places in with_hash.values():
        together.update((a, b) for a, b in combinations(places, 2) if whose[a[0]] != whose[b[0]])
    pairs: dict[tuple[str, str], Shared] = {}
    for ((a, i), (b, j)), count in sorted(together.items()):
        one, other = rare[a][i], rare[b][j]
        of = min(len(one[1]), len(other[1]))
        same = one[0].digest == other[0].digest
        if not same and (count < LEAST_HASHES or count < LEAST_SHARE * of):
            continue
        before = pairs.get((a, b))
        if before is None or (same, count) > (before.same, before.count):
            pairs[a, b] = Shared((a, b), (one[0].name, other[0].name), same, count, of)
    return list(pairs.values()), len(handed_out)
