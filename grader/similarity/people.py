"""Whose a submission is: a student may have handed in several, and has copied nothing from themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

NOBODY: Mapping[str, str] = MappingProxyType({})  # nobody is known to have handed in more than one


def numbered(submissions: Iterable[str], people: Mapping[str, str]) -> NDArray[np.int64]:
    """A number for each submission from 0, the same for those of one student.

    people: the student by submission; who isn't there is known by the submission's own name.

    >>> numbered(["ada_1", "ada_2", "bob"], {"ada_1": "ada", "ada_2": "ada"}).tolist()
    [0, 0, 1]
    """
    seen: dict[str, int] = {}
    return np.array([seen.setdefault(people.get(s, s), len(seen)) for s in submissions], np.int64)
