"""The command `grader`. Commands are thin: arguments in, one call, a report out."""

from __future__ import annotations

import os
import sys

import click

from grader._version import __version__
from grader.cli.assignments import assignments, baselines, explain
from grader.cli.batch import batch
from grader.cli.convert import convert
from grader.cli.copies import copies
from grader.cli.doctor import doctor
from grader.cli.export import export, gradebook
from grader.cli.grade import check, score
from grader.cli.joining import class_
from grader.cli.run import run
from grader.cli.start import completion, init
from grader.cli.stores import cache, reference
from grader.cli.verify import verify
from grader.cli.weights import weights
from grader.errors import GraderError
from grader.text import printable

_EXIT_USAGE, _EXIT_ERROR, _EXIT_INTERRUPTED = 2, 3, 130
_LONGEST = 5000  # characters of a message


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="grader")
def grader() -> None:
    """Checks and scores homework on generative models and domain adaptation.

    \b
    grader check submission/                    is everything there and in the right form?
    grader score submission/ --problem acgan    what is it worth?

    Exit codes: 0 passed, 1 the submission falls short, 2 wrong usage, 3 the grader could not finish or had to skip a
    measure, 5 nothing to grade.
    """


for command in (
    *(check, score, run, batch, class_, copies, verify, assignments, baselines, explain, reference, cache, weights),
    *(doctor, init, export, gradebook, convert, completion),
):
    grader.add_command(command)


def main() -> None:
    """Runs the command line. No traceback reaches a user, unless GRADER_DEBUG is set."""
    if sys.stdout is None:  # started with stdout closed: nobody reads
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal that isn't UTF-8 shows '?' instead of failing
            stream.reconfigure(errors="replace")
    try:
        try:
            # Without standalone mode click returns the code of `Exit` instead of exiting.
            code = grader.main(prog_name="grader", standalone_mode=False) or 0
        except SystemExit as e:  # click's own: 0 after completing words, 1 where the reader has gone
            if e.code == 1:  # but here 1 says that the submission falls short
                raise BrokenPipeError from None
            raise
        sys.stdout.flush()  # a full disk is told here, not at the interpreter's end
        sys.exit(code)
    except (click.Abort, KeyboardInterrupt):
        _stop("Interrupted.", _EXIT_INTERRUPTED)
    except click.ClickException as e:
        e.show()
        sys.exit(e.exit_code)
    except BrokenPipeError:
        _leave_stdout()  # the reader has gone (`grader … | head`): nothing is left to say
        sys.exit(_EXIT_ERROR)
    except OSError as e:
        _leave_stdout()
        where = f": {e.filename}" if e.filename else ""
        _stop(f"The grader could not finish: {printable(f'{e.strerror or e}{where}', _LONGEST)}", _EXIT_ERROR)
    except GraderError as e:  # it may name a path, which may be a student's
        _stop(f"Error: {printable(str(e), _LONGEST)}", _EXIT_USAGE)
    except Exception as e:
        if os.environ.get("GRADER_DEBUG"):
            raise
        told = "This is its own mistake, not the submission's. GRADER_DEBUG=1 shows where."
        _stop(f"The grader failed: {type(e).__name__}: {printable(str(e), _LONGEST)}\n{told}", _EXIT_ERROR)


def _leave_stdout() -> None:
    """What can't be written any more must not fail again as the interpreter ends: that changes the exit code."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _stop(message: str, code: int) -> None:
    click.echo(message, err=True)
    sys.exit(code)
