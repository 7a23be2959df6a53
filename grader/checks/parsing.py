"""Scripts are parsed by a program of its own under limits, as pictures are decoded: the parser is C code, it reads what
strangers wrote, and nothing else ends it.
"""

from __future__ import annotations

import json
import subprocess
import sys

from grader.checks import shell
from grader.checks.shell import SECONDS, TooNested, Use
from grader.errors import GraderError

_WAIT = 10 * SECONDS  # seconds of the clock, for a busy machine and for systems without a limit on the processor's
_KINDS = {"command", "variable", "path"}


class Unparsed(Exception):
    """The parser came to no end; `str()` says why in a few words."""


class CannotParse(GraderError):
    """The parser can't be started: a fault of the machine."""


def uses_within_limits(script: str) -> list[Use]:
    """As `uses` of `shell.py`, in a process of its own. Raises TooNested, Unparsed or CannotParse."""
    try:
        # -P: nothing of the current folder, which may be the student's, gets into its imports.
        done = subprocess.run(
            [sys.executable, "-P", shell.__file__],
            input=script.encode("utf-8", "surrogateescape"),
            capture_output=True,
            timeout=_WAIT,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise Unparsed(f"the parser took more than {_WAIT} seconds") from None
    except OSError as e:
        raise CannotParse(f"The process that parses scripts can't be started: {e.strerror}.") from None
    if done.returncode < 0:
        raise Unparsed(f"the parser was ended, after {SECONDS} seconds at most")
    if done.returncode:  # it can't be imported, or there is no memory for the syntax tree
        if b"MemoryError" in done.stderr:
            raise Unparsed("the parser needed more memory than a script may take")
        raise CannotParse("The process that parses scripts ended with an error: is tree-sitter installed?")
    found = json.loads(done.stdout)
    if found is None:
        raise TooNested
    return [Use(kind, word, line) for kind, word, line in found if kind in _KINDS]
