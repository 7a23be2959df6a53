"""What a script is known by: its words without comments and layout, as one digest and as winnowed fingerprints.

Winnowing: Schleimer, Wilkerson and Aiken, "Winnowing: local algorithms for document fingerprinting", SIGMOD 2003. Of
every run of `_WINDOW` hashes of `_WORDS` words in a row the least is kept, so that every stretch of
`_WINDOW + _WORDS - 1` words that two files have in common leaves a hash in both.
"""

from __future__ import annotations

import hashlib
import re
import zlib

import numpy as np
from numpy.typing import NDArray

from grader.submission import Submission, Unreadable

ENDINGS = (".py", ".sh")
_MOST_FILES = 40
_LARGEST = 256 * 1024  # bytes of one file
_MOST_KEPT = 600  # hashes of one file
_WORDS, _WINDOW = 6, 4
# Strings before comments: a # in a string begins none. A string of several lines that stands alone is a comment.
_PIECES = re.compile(
    r"(?P<alone>^[ \t]*[rRbBuUfF]{0,2}(?:\"\"\".*?\"\"\"|'''.*?''')[ \t]*$)"
    r"|(?P<string>\"\"\".*?\"\"\"|'''.*?'''|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*')"
    r"|(?P<comment>(?:^|(?<=\s))\#[^\n]*)"
    r"|(?P<word>\w+(?:\.\d+)?)|(?P<sign>[^\w\s])",
    re.DOTALL | re.MULTILINE,
)


def words(text: str) -> list[str]:
    """The words and signs of a Python or shell script, without comments, blanks and line ends.

    >>> words("x = 1  # one\\ny = '#'")
    ['x', '=', '1', 'y', '=', "'#'"]
    """
    return [m[0] for m in _PIECES.finditer(text) if m.lastgroup not in ("comment", "alone")]


def winnowed(found: list[str]) -> NDArray[np.uint32]:
    """Fingerprints of a script's words, sorted: uint32 ``(k,)``."""
    grams = ["\0".join(found[i : i + _WORDS]) for i in range(len(found) - _WORDS + 1)]
    if not grams:
        return np.zeros(0, np.uint32)
    hashes = np.array([zlib.crc32(gram.encode("utf-8", "surrogatepass")) for gram in grams], np.uint32)
    windows = np.lib.stride_tricks.sliding_window_view(hashes, min(_WINDOW, len(hashes)))
    return np.unique(windows.min(axis=1))[:_MOST_KEPT]


def scripts(view: Submission) -> list[tuple[str, int, str, NDArray[np.uint32]]]:
    """Name, number of words, digest and fingerprints of each script at the top of a submission."""
    names = [n for n, e in view.peek(".").items() if e.kind == "file" and n.lower().endswith(ENDINGS)]
    found = []
    for name in names[:_MOST_FILES]:
        try:
            text = view.read(name, _LARGEST).decode("utf-8", "replace")
        except Unreadable:
            continue
        told = words(text)
        digest = hashlib.blake2b("\0".join(told).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
        found.append((name, len(told), digest, winnowed(told)))
    return found
