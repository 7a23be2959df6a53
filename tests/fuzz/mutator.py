"""Changes bytes at random, the same way for the same seed: a fuzzer for where none is installed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

_ODD = (0, 1, 0x7F, 0x80, 0xFF, ord("\n"), ord('"'), ord(","), ord("."), ord("/"))


def mutated(seeds: Sequence[bytes], words: Sequence[bytes], runs: int, seed: int, longest: int) -> Iterator[bytes]:
    """So many inputs: the seeds themselves, then seeds with one to eight changes."""
    rng = random.Random(seed)
    for i in range(runs):
        if i < len(seeds):
            yield seeds[i]
            continue
        content = bytearray(rng.choice(seeds))
        for _ in range(rng.randint(1, 8)):
            _change(content, seeds, words, rng)
        yield bytes(content[:longest])


def _change(content: bytearray, seeds: Sequence[bytes], words: Sequence[bytes], rng: random.Random) -> None:
    at = rng.randint(0, len(content))
    until = min(len(content), at + rng.choice((1, 1, 2, 4, 8, 32, 256)))
    kind = rng.randrange(7)
    if kind == 0 and at < len(content):
        content[at] ^= 1 << rng.randrange(8)
    elif kind == 1 and at < len(content):
        content[at] = rng.choice(_ODD)
    elif kind == 2:
        del content[at:until]
    elif kind == 3:
        content[at:at] = content[at:until] * rng.randint(1, 4)
    elif kind == 4 and words:
        content[at : at + rng.choice((0, 4))] = rng.choice(words)
    elif kind == 5:
        other = rng.choice(seeds)
        start = rng.randint(0, len(other))
        content[at:until] = other[start : start + rng.randint(1, 64)]
    else:
        content[at:until] = rng.randbytes(until - at)
