from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from grader.similarity import Fingerprint, find_pairs
from grader.similarity.fingerprints import MISSING
from grader.similarity.tables import _counts
from tests.similarity.prints import Exam


def _pairs(tables: dict[str, np.ndarray], exam: Exam) -> list[tuple[str, str]]:
    prints = {student: Fingerprint(tables=(exam.table(answers),)) for student, answers in tables.items()}
    return [pair.students for pair in find_pairs(prints).pairs]


@pytest.mark.parametrize("students", [2, 5, 40])
@pytest.mark.parametrize("usual", [0.2, 0.6, 0.9])
def test_models_that_err_on_the_same_pictures_are_no_pair(students: int, usual: float) -> None:
    exam = Exam(2000, students)
    accuracies = np.linspace(0.4, 0.95, students)
    tables = {f"s{i:02}": exam.model(a, usual) for i, a in enumerate(accuracies)}
    assert _pairs(tables, exam) == []


@pytest.mark.parametrize("students", [2, 5, 40])
def test_a_copy_with_changed_rows(students: int) -> None:
    exam = Exam(2000, 1)
    tables = {f"s{i:02}": exam.model(0.8) for i in range(students)}
    tables["copier"] = exam.changed(tables["s01"], 0.05)
    assert _pairs(tables, exam) == [("copier", "s01")]


def test_right_answers_are_no_evidence() -> None:
    exam = Exam(2000, 2)
    assert _pairs({"a": exam.truth, "b": exam.truth, "c": exam.changed(exam.truth, 0.005)}, exam) == []


def test_counts_are_those_of_a_loop() -> None:
    exam = Exam(60, 3)
    labels = np.stack([exam.model(0.5) for _ in range(5)]).astype(np.uint16)
    labels[0, :5] = MISSING
    wrong = (labels != exam.truth) & (labels != MISSING)
    both, same, expected, _ = _counts(labels, wrong, np.arange(5))
    everybody = [(i, p, q) for i in range(60) for p, q in combinations(range(5), 2) if wrong[p, i] and wrong[q, i]]
    for a, b in combinations(range(5), 2):
        others = [(i, labels[p, i] == labels[q, i]) for i, p, q in everybody if (p, q) != (a, b)]
        rate = (sum(agree for _, agree in others) + 75) / (len(others) + 100)
        chance, n, equal = 0.0, 0, 0
        for i in np.nonzero(wrong[a] & wrong[b])[0]:
            here = [agree for j, agree in others if j == i]
            chance += (sum(here) + 2 * rate) / (len(here) + 2)
            n, equal = n + 1, equal + (labels[a, i] == labels[b, i])
        assert (both[a, b], same[a, b]) == (n, equal)
        assert expected[a, b] == pytest.approx(chance, rel=1e-5)


def test_attempts_of_one_student_change_nothing_for_the_others() -> None:
    """The same table handed in four times weighs in the chance as much as once."""
    exam = Exam(300, 6)
    labels = np.stack([exam.model(0.5) for _ in range(4)]).astype(np.uint16)
    once = _counts(labels, labels != exam.truth, np.arange(4))
    several = np.concatenate([labels, labels[[0, 0, 0]]])
    many = _counts(several, several != exam.truth, np.array([0, 1, 2, 3, 0, 0, 0]))
    for one, other in zip(once, many, strict=True):
        # A student's pairs with themselves aside, which are compared with nothing.
        apart = ~np.eye(4, dtype=np.bool_)
        np.testing.assert_allclose(other[:4, :4][apart], one[apart], rtol=1e-5)
        np.testing.assert_allclose(other[4, 1:4], one[0, 1:], rtol=1e-5)


def test_a_copied_table_is_found_beside_attempts() -> None:
    exam = Exam(2000, 7)
    own = exam.model(0.6)
    tables = {"ada_1": own, "ada_2": exam.changed(own, 0.02), "bob": exam.changed(own, 0.03)}
    tables |= {name: exam.model(0.6) for name in ("cy", "dee")}
    prints = {s: Fingerprint(tables=(exam.table(t),)) for s, t in tables.items()}
    found = find_pairs(prints, people={"ada_1": "ada", "ada_2": "ada"}).pairs
    assert [pair.students for pair in found] == [("ada_1", "bob"), ("ada_2", "bob")]
    assert ("ada_1", "ada_2") in [pair.students for pair in find_pairs(prints).pairs]


def test_models_that_collapsed_to_one_label_are_no_pair() -> None:
    """Both say 1 to nine pictures of ten, and copied nothing; the same slips beside it are evidence again."""
    exam = Exam(2000, 8)
    random = np.random.default_rng(1)

    def collapsed() -> NDArray[np.int64]:
        return np.where(random.random(2000) < 0.9, 1, random.integers(0, 10, 2000))

    tables = {"a": collapsed(), "b": collapsed()} | {name: exam.model(0.6) for name in "cdefgh"}
    assert _pairs(tables, exam) == []
    tables["b"] = exam.changed(tables["a"], 0.01)
    assert _pairs(tables, exam) == [("a", "b")]
    tables["b"] = tables["a"] = np.ones(2000, np.int64)  # a constant is nobody's
    assert _pairs(tables, exam) == []


def test_tables_with_other_names_or_labels_are_not_compared() -> None:
    exam, other = Exam(500, 4), Exam(500, 5)
    answers = exam.model(0.5)
    prints = {"a": Fingerprint(tables=(exam.table(answers),)), "b": Fingerprint(tables=(other.table(answers),))}
    assert find_pairs(prints).pairs == ()
