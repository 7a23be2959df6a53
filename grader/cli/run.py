"""`grader run`: a repository's own scripts in a sandbox, then check and score."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grader.cli.grade import _not_empty, named_file
from grader.cli.output import progress_bar, report_place
from grader.cli.showing import Showing
from grader.documents import write_whole
from grader.reporting import KINDS

if TYPE_CHECKING:
    from grader.assignment import Assignment
    from grader.results import ScoreReport
    from grader.running.homework import Homework

_GIB = 2**30
_MOST_MEMORY = 8.0  # GiB, where the machine has as much


@click.command()
@click.argument("repository", required=False, callback=_not_empty)
@click.option("--problem", "problems", multiple=True, metavar="P", help="Only this problem's scripts; repeatable.")
@click.option(
    "--assignment",
    default="dlcv-fall2021-hw2",
    show_default=True,
    metavar="ID|FILE",
    help="A known assignment or a TOML file.",
)
@click.option(
    "--data",
    callback=_not_empty,
    metavar="DIR",
    help="The course's data folder. A script sees of it what the assignment's arguments name, never the labels.",
)
@click.option(
    "-o",
    "--output",
    "target",
    required=True,
    callback=_not_empty,
    metavar="SUBMISSION",
    help="The folder for what the scripts write; SUBMISSION.run beside it gets run.json and the logs.",
)
@click.option(
    "--time",
    "minutes",
    type=click.FloatRange(0, 1440, min_open=True),
    metavar="MINUTES",
    help="For each call. Default: the assignment's, mostly 10.",
)
@click.option(
    "--memory",
    type=click.FloatRange(0, min_open=True),
    metavar="GIB",
    help="For a call's processes and files together. Default: 8, or three quarters of this machine's.",
)
@click.option(
    "--processes",
    type=click.IntRange(8, 100_000),
    default=512,
    show_default=True,
    metavar="N",
    help="Processes and threads of a call.",
)
@click.option(
    "--output-size",
    type=click.FloatRange(0, 64, min_open=True),
    default=1.0,
    show_default=True,
    metavar="GIB",
    help="What a call may write for the submission.",
)
@click.option(
    "--scratch-size",
    type=click.FloatRange(0, 64, min_open=True),
    default=2.0,
    show_default=True,
    metavar="GIB",
    help="Each of /tmp, /dev/shm, and what it adds to its copy of the repository.",
)
@click.option("--fetch", is_flag=True, help="First run the course's download script, with the network.")
@click.option("--twice", is_flag=True, help="Run everything a second time and compare.")
@click.option("--gpu", is_flag=True, help="Let scripts use this machine's NVIDIA GPUs, which are not isolated.")
@click.option(
    "--python-environment",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="The virtual environment that scripts run in. Default: the grader's own.",
)
@click.option("--judge", "judges", multiple=True, metavar="NAME=PATH", help="Weights for a judge; repeatable.")
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda", "mps"]),
    default="auto",
    show_default=True,
    help="Where to score.",
)
@click.option(
    "--reference",
    "references",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Statistics made by `grader reference build`; repeatable.",
)
@click.option("--allow-skipped", is_flag=True, help="A measure that could not be taken here does not fail the run.")
@click.option("--exit-zero", is_flag=True, help="Exit with 0 whatever the result is.")
@click.option("--hidden", is_flag=True, help="Say no name, label or path of the course's data.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option(
    "--report",
    "reports",
    multiple=True,
    metavar="KIND=PATH",
    callback=lambda _, __, given: tuple(report_place(text) for text in given),
    help=f"Write a report there; - is stdout. Repeatable. Kinds: {', '.join(KINDS)}.",
)
def run(
    repository: Path | None,
    problems: tuple[str, ...],
    assignment: str,
    data: Path | None,
    target: Path,
    judges: tuple[str, ...],
    device: str,
    references: tuple[Path, ...],
    twice: bool,
    allow_skipped: bool,
    **options: Any,
) -> None:
    """Run a repository's own scripts in a sandbox; then check and score what they wrote.

    REPOSITORY is a folder; without it, the current one. Needs Linux and bubblewrap. A script gets no network, no file
    of this machine but the system, Python and its own repository, and is ended with all that it has started at the
    first limit that it runs into.
    """
    from grader.assignment import TableSpec, load_assignment
    from grader.references.data import find_data
    from grader.running.homework import Homework, Options, check_places
    from grader.running.sandbox import python_environments, shown_trees

    top = repository or Path()
    shown = Showing(options["form"], None, options["reports"], options["exit_zero"], options["hidden"])
    whole = load_assignment(assignment)
    work = whole.only(problems)
    where = find_data(data, work.data_folder)
    logs = target.with_name(f"{target.name}.run")
    environments = python_environments(options["python_environment"])
    labels = {d.answers for p in whole.problems for d in p.deliverables if isinstance(d, TableSpec) and d.answers}
    check_places(top, where, target, logs, shown=shown_trees(environments), labels=labels)
    chosen = Options(_limits(options), (options["minutes"] or 0) * 60, options["fetch"], options["gpu"], environments)
    with shown.discreet():
        homework = Homework(top, whole, work, where, chosen)
        shown.submission(top)  # refuses places for reports before anything runs
        target.mkdir(exist_ok=True)
        logs.mkdir(exist_ok=True)
        settings: dict[str, Any] = {"problems": homework.scored, "data": data, "judges": dict(map(named_file, judges))}
        settings |= {"references": references, "device": device}
        with tempfile.TemporaryDirectory(prefix="grader-second-") as second, homework.fetched(logs):
            homework.run(target, logs)
            if twice:
                homework.run(Path(second), logs, attempt=2)
            write_whole(logs / "run.json", homework.record.to_json())
            report = _score(homework, whole, target, Path(second) if twice else None, settings)
    shown.finish(report, target, whole, allow_skipped=allow_skipped)


def _limits(options: dict[str, Any]) -> Any:
    from grader.running.limits import RunLimits

    here = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GIB if hasattr(os, "sysconf") else _MOST_MEMORY
    memory = options["memory"] or min(_MOST_MEMORY, 0.75 * here)
    return RunLimits(
        seconds=(options["minutes"] or 10) * 60,
        memory=int(memory * _GIB),
        processes=options["processes"],
        output=max(int(options["output_size"] * _GIB), 4096),
        scratch=max(int(options["scratch_size"] * _GIB), 4096),
    )


def _score(
    homework: Homework, whole: Assignment, first: Path, second: Path | None, settings: dict[str, Any]
) -> ScoreReport:
    """The score of the first run, with what the runs themselves have to say."""
    from grader.grading import score
    from grader.running.comparing import compare_folders, compare_measures
    from grader.running.findings import difference_finding
    from grader.running.points import with_runs

    with progress_bar() as progress:
        report = score(first, whole, progress=progress, **settings)
        findings, discounts = list(homework.findings), {}
        if second is not None and compare_folders(first, second) is None:
            report = replace(report, notes=("Both runs wrote the same bytes.", *report.notes))
        elif second is not None:
            other = score(second, whole, progress=progress, **settings)
            for verdict, again in zip(report.problems, other.problems, strict=True):
                paths = tuple(d.path for p in whole.problems if p.id == verdict.id for d in p.deliverables)
                difference = compare_folders(first, second, paths)
                if difference is None:
                    continue
                measures = compare_measures(verdict, again)
                share = whole.policy.reproducibility_penalty if measures else 0.0
                discounts[verdict.id] = share
                findings.append(difference_finding(verdict.id, difference, measures, share))
    report = with_runs(report, findings, homework.void, discounts)
    return replace(report, notes=(*homework.notes, *report.notes))
