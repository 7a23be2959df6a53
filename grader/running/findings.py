"""What calls of scripts say in a report."""

from __future__ import annotations

from collections.abc import Iterable

from grader.checks import rules
from grader.results import Finding
from grader.running.comparing import Difference
from grader.running.limits import GIB, MIB, RunLimits
from grader.running.record import CallRecord, Step
from grader.text import plural

_LIMITS = {
    "timed-out": rules.RUN_TIMED_OUT,
    "out-of-memory": rules.RUN_OUT_OF_MEMORY,
    "too-much-output": rules.RUN_TOO_MUCH_OUTPUT,
    "too-many-processes": rules.RUN_TOO_MANY_PROCESSES,
}


def call_findings(step: Step, call: CallRecord, limits: RunLimits) -> list[Finding]:
    """Findings about one call: how it ended, and what of its output was refused."""
    found = [*_ending(step, call, limits)]
    if call.refused_count:
        finding = rules.RUN_OUTPUT_REFUSED.finding(
            problem=step.script.problem,
            path=call.script,
            message=f"{plural(call.refused_count, 'item')} that {_which(step, call)} wrote can't be taken.",
            expected="regular files, in the folders of its problem",
            actual=f"{call.refused[0][0]}: {call.refused[0][1]}",
            help="Write the files themselves, to the place that the arguments name.",
            count=call.refused_count,
            examples=[f"{path}: {reason}" for path, reason in call.refused],
        )
        found.append(finding)
    return found


def _which(step: Step, call: CallRecord) -> str:
    return f"`{step.words}`" + (" in the second run" if call.attempt == 2 else "")


def _ending(step: Step, call: CallRecord, limits: RunLimits) -> Iterable[Finding]:
    problem, path = step.script.problem, call.script
    which, log = _which(step, call), f"Its log is {call.err.file}."
    if call.state == "could-not-start":
        yield rules.RUN_NOT_STARTED.finding(
            problem=problem,
            path=path,
            message=f"{which} could not be started.",
            expected="a script and a repository that can be copied",
            actual=call.reason or "no reason given",
            help="Hand in what the script needs and nothing larger; links, pipes and devices are of no use to it.",
        )
    elif call.state == "failed":
        full = f"; full: {', '.join(call.full)}" if call.full else ""
        yield rules.RUN_FAILED.finding(
            problem=problem,
            path=path,
            message=f"{which} ended with an error after {call.seconds:.1f} seconds.",
            expected="exit code 0",
            actual=f"exit code {call.exit_code}{full}",
            help=f"{log} Inside there is no network and no file of your machine.",
        )
    elif call.state != "ok":
        expected, actual = _broken(call, limits)
        yield _LIMITS[call.state].finding(
            problem=problem,
            path=path,
            message=f"{which} was ended after {call.seconds:.1f} seconds: {call.state.replace('-', ' ')}.",
            expected=expected,
            actual=actual,
            help=f"{log} What it wrote until then earns nothing.",
        )


def _broken(call: CallRecord, limits: RunLimits) -> tuple[str, str]:
    """The limit that was run into, and what was found."""
    if call.state == "timed-out":
        return f"an end within {limits.seconds / 60:g} minutes", f"still running after {call.seconds:.1f} seconds"
    if call.state == "out-of-memory":
        return f"at most {limits.memory / GIB:g} GiB of memory, files included", "more than that"
    if call.state == "too-many-processes":
        return f"at most {limits.processes} processes and threads", "more than that"
    printed = call.out.printed + call.err.printed
    expected = (
        f"at most {limits.output / GIB:g} GiB and {limits.files} files of output, {limits.printed // MIB} MiB printed"
    )
    return expected, f"{printed} bytes printed" if printed > limits.printed else "a folder without room left"


def difference_finding(problem: str, difference: Difference, measures: list[str], share: float) -> Finding:
    """Two runs that wrote different bytes. measures: those that differ too; share: what of the points that costs."""
    cost = f" The course takes {share:.0%} of the problem's points off." if measures and share else ""
    values = f"the measures differ: {'; '.join(measures)}" if measures else "the measures are equal as printed"
    count = f"{difference.count} of {plural(difference.of, 'file')}"
    return rules.NOT_REPRODUCIBLE.finding(
        problem=problem,
        path=difference.path,
        message=f"A second run wrote something else: {count} differ, and {values}.{cost}",
        expected="the same bytes in both runs",
        actual=f"{difference.path} {difference.what}",
        help="Fix every seed (random, numpy, torch, the data loader's workers) at the start of the script.",
        count=difference.count,
        examples=difference.examples,
    )
