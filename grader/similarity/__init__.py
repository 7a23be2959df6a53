"""Copies across the students of a class: what is kept of each submission, and the pairs that it tells of."""

from grader.similarity.fingerprints import Fingerprint, fingerprint, read_fingerprint
from grader.similarity.pairs import Found, Pair, find_pairs

__all__ = ["Fingerprint", "Found", "Pair", "find_pairs", "fingerprint", "read_fingerprint"]
