"""What command lines share: an error is one line, not a traceback."""

from __future__ import annotations

from collections.abc import Callable

from grader.errors import CannotMeasure, GraderError, UsageError


def run_command(main: Callable[[], object]) -> None:
    """Calls a command line; ends with `error: …` where something is missing or wrong."""
    try:
        main()
    except (GraderError, CannotMeasure, UsageError) as e:
        raise SystemExit(f"error: {e}") from None
    except OSError as e:
        raise SystemExit(f"error: {e.filename or ''}: {e.strerror or e}") from None
    except ImportError as e:
        raise SystemExit(f"error: {e}. pip install '.[score,figures]' brings what is needed.") from None
