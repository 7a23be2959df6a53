"""Predictions that two students have in common beyond what two models that err on the same pictures would have.

The statistic is that of the tests for copied answers in examinations (Wesolowsky, "Detecting excessive similarity in
answers on multiple choice exams", Journal of Applied Statistics 27, 2000; van der Linden and Sotaridona, "Detecting
answer copying when the regular response process follows a known response model", Journal of Educational and
Behavioral Statistics 31, 2006): how many wrong answers are the same. Null hypothesis: given that both are wrong about a
picture, they give the same answer with the chance that two others of the class who are wrong about it have. Right
answers are no evidence, so that two good models are not suspected for being good; hard pictures and their usual wrong
answer are in the chance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from grader.similarity.fingerprints import MISSING, Table
from grader.similarity.people import NOBODY, numbered

LEAST_WRONG = 20  # pictures that both are wrong about
LEAST_Z = 6.0  # standard deviations beyond chance
# Of the wrong answers that chance leaves to differ this share is the same. Independent networks of one design, trained
# on the same pictures, reach 0.7 in a class of other designs: what they have in common is no chance, and no copy.
LEAST_EXCESS = 0.75
_WEIGHT = 2.0  # pairs that the class's rate is worth beside the pairs that are wrong about a picture
_USUAL, _USUAL_WEIGHT = 0.75, 100.0  # the rate where there is no class, and the pictures that it is worth

Numbers = NDArray[np.float32]


@dataclass(frozen=True)
class Agreement:
    """Wrong answers of two students: of `wrong` pictures that both are wrong about `same` have the same answer.

    expected: how many would by chance. z: how far beyond, in standard deviations. rows: the pictures' numbers in the
    order of the names. right: the shares of right answers.
    """

    students: tuple[str, str]
    wrong: int
    same: int
    expected: float
    z: float
    excess: float
    right: tuple[float, float]
    equal: int
    of: int


def agreements(found: Mapping[str, Table], people: Mapping[str, str] = NOBODY) -> list[Agreement]:
    """Pairs of students whose predictions agree beyond chance; what can't be compared is left out.

    people: whose each submission is, where it isn't its own name's. Nobody is compared with themselves, and who handed
    in several counts in the chance as one.
    """
    pairs: list[Agreement] = []
    for group in _comparable(found):
        pairs += _of_group({s: found[s] for s in group}, people)
    return pairs


def _comparable(found: Mapping[str, Table]) -> list[list[str]]:
    groups: dict[tuple[str, bytes], list[str]] = {}
    for student in sorted(found):
        table = found[student]
        groups.setdefault((table.names, table.truth.tobytes()), []).append(student)
    return [group for group in groups.values() if len(group) > 1]


def _of_group(found: Mapping[str, Table], people: Mapping[str, str]) -> list[Agreement]:
    students = list(found)
    labels = np.stack([found[s].labels for s in students])
    truth = found[students[0]].truth
    wrong = (labels != truth) & (labels != MISSING)
    person = numbered(students, people)
    both, same, expected, variance = _counts(labels, wrong, person)
    expected = np.maximum(expected, _of_habits(labels, wrong, truth))
    upper = np.triu(person[:, None] != person, 1) & (both >= LEAST_WRONG)
    z = np.where(upper, (same - expected) / np.sqrt(np.maximum(variance, 0.25)), 0)
    excess = (same - expected) / np.maximum(both - expected, 1)
    right = 1 - (wrong | (labels == MISSING)).mean(1)
    return [
        Agreement(
            (students[a], students[b]),
            int(both[a, b]),
            int(same[a, b]),
            float(expected[a, b]),
            float(z[a, b]),
            float(excess[a, b]),
            (float(right[a]), float(right[b])),
            int((labels[a] == labels[b]).sum()),
            labels.shape[1],
        )
        for a, b in np.argwhere(upper & (z >= LEAST_Z) & (excess >= LEAST_EXCESS)).tolist()
    ]


def _counts(
    labels: NDArray[np.uint16], wrong: NDArray[np.bool_], person: NDArray[np.int64]
) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """Of every pair: wrong in both, the same wrong answer, how many of these are expected, and the variance.

    The chance of a picture is the share of agreeing pairs among all pairs of students that are wrong about it, drawn to
    the share over all pictures where these are few; both without the pair itself, so that it takes no part in what it
    is compared with. All of it follows from sums over pairs.

    person: whose each table is. Of somebody with several tables each counts for a part in the chance, and all of them
    are left out where one is compared.
    """
    w: Numbers = wrong.astype(np.float32)
    shares = _of_people(w, person)
    pairs = _pairs(shares)
    answers = np.unique(labels[wrong]).tolist()
    agreeing = np.zeros_like(pairs)
    for k in answers:
        agreeing += _pairs(_of_people((wrong & (labels == k)).astype(np.float32), person))
    weight: Numbers = np.asarray(1 / (np.maximum(pairs - 1, 0) + _WEIGHT), np.float32)
    both: Numbers = w @ w.T
    same, own, agreed = np.zeros_like(both), np.zeros_like(both), np.zeros_like(both)
    for k in answers:  # one answer at a time: a class's tables are large
        given: Numbers = (wrong & (labels == k)).astype(np.float32)
        equal = given @ given.T
        same += equal
        part = _of_people(given, person)
        agreed += equal if part is given else (part @ part.T)[np.ix_(person, person)]
        if part is not given:
            given = w * part[person]
        own += (given * weight) @ given.T
    others = pairs.sum() - (both if shares is w else (shares @ shares.T)[np.ix_(person, person)])
    rate = (agreeing.sum() - agreed + _USUAL * _USUAL_WEIGHT) / (others + _USUAL_WEIGHT)
    expected = (w * agreeing * weight) @ w.T - own + rate * ((w * _WEIGHT * weight) @ w.T)
    chance: Numbers = np.asarray(np.clip((agreeing + _WEIGHT * _USUAL) * weight, 0.02, 0.98), np.float32)
    variance: Numbers = np.asarray((w * chance * (1 - chance)) @ w.T, np.float32)
    return both, same, np.asarray(expected, np.float32), variance


def _of_habits(labels: NDArray[np.uint16], wrong: NDArray[np.bool_], truth: NDArray[np.uint16]) -> Numbers:
    """Wrong answers that each pair would have in common by its own habits: how often each gives which for which label.

    Two models that have collapsed to the same label agree in nearly everything, whatever the rest of the class does.
    """
    found = np.zeros((len(labels), len(labels)), np.float32)
    answers = np.unique(labels[wrong])
    for label in np.unique(truth) if len(answers) else ():
        here = wrong[:, truth == label]
        given = np.stack([(here & (labels[:, truth == label] == k)).sum(1) for k in answers], 1).astype(np.float32)
        share = given / np.maximum(given.sum(1, keepdims=True), 1)
        w = here.astype(np.float32)
        found += (w @ w.T) * (share @ share.T)
    return found


def _of_people(found: Numbers, person: NDArray[np.int64]) -> Numbers:
    """Means of each student's rows; the rows themselves where nobody has several."""
    counts = np.bincount(person)
    if len(counts) == len(person):
        return found
    mean = np.zeros((len(counts), len(person)), np.float32)
    mean[person, np.arange(len(person))] = 1 / counts[person]
    return np.asarray(mean @ found, np.float32)


def _pairs(shares: Numbers) -> Numbers:
    """Pairs of different people at each picture, of their shares ``(people, pictures)``."""
    return np.asarray((shares.sum(0) ** 2 - (shares**2).sum(0)) / 2, np.float32)
