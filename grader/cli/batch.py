"""`grader batch`: a folder of submissions, graded by many workers, again only where something changed."""

from __future__ import annotations

import os
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grader.cli.grade import _not_empty, named_file
from grader.cli.output import check_folder

if TYPE_CHECKING:
    from grader.assignment import Assignment
    from grader.batch.running import Tally
    from grader.batch.tasks import Shard, Task
    from grader.batch.work import Job

_GIB = 2**30
_EVERY = 2.0  # seconds between two looks for what arrives, at least
_SHARE = 10  # and so many times as long as a look takes: with 300,000 files it is a second or two
_LINES = 20  # of progress, where stderr is no terminal


Command = Callable[..., Any]


def _papers(command: Command) -> Command:
    """The options of the join."""
    file = click.Path(path_type=Path, exists=True, dir_okay=False)
    for option in reversed(
        [
            click.option("--times", type=file, metavar="CSV", help="When each was handed in: student,time[,attempt]."),
            click.option("--overrides", type=file, metavar="FILE", help="Decisions of persons: docs/guides/policy.md."),
            click.option("--roster", type=file, metavar="CSV", help="Everyone: student[,name,section,email,id]."),
            click.option("--manual", type=file, metavar="CSV", help="Points by hand: student,problem,title,points."),
            click.option("--names", is_flag=True, help="The leaderboard shows names and not pseudonyms."),
        ]
    ):
        command = option(command)
    return command


def _join(folders: list[Path], out: Path, work: Assignment, options: dict[str, Any]) -> None:
    """Writes what a class gets, and says what a person should look at."""
    from grader.batch.joining import Papers, join, told

    papers = Papers(options["times"], options["overrides"], options["roster"], options["manual"])
    found = join(folders, out, work, papers, names=options["names"])
    for line in told(found):
        click.echo(line, err=True)
    click.echo(f"The class: {out / 'index.html'}")


@click.command("class")
@click.argument("folders", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RESULTS...")
@click.option("-o", "--output", "out", callback=_not_empty, metavar="DIR", help="Default: the first RESULTS.")
@click.option(
    "--assignment", default="dlcv-fall2021-hw2", show_default=True, metavar="ID|FILE", help="Known, or a TOML file."
)
@_papers
def class_(folders: tuple[Path, ...], out: Path | None, assignment: str, **options: Any) -> None:
    """Join what `grader batch` graded: grade book, class page, leaderboard.

    RESULTS are its folders, several where parts were graded in different places. Nothing is graded.
    """
    from grader.assignment import load_assignment

    target = out or folders[0]
    check_folder(target, "-o")
    _join(list(folders), target, load_assignment(assignment), options)


@click.command()
@click.argument("submissions", type=click.Path(path_type=Path))
@click.option("-o", "--output", "results", required=True, callback=_not_empty, metavar="RESULTS", help="A folder.")
@click.option(
    "--assignment", default="dlcv-fall2021-hw2", show_default=True, metavar="ID|FILE", help="Known, or a TOML file."
)
@click.option("--problem", "problems", multiple=True, metavar="P", help="Grade only this problem; repeatable.")
@click.option("--data", callback=_not_empty, metavar="DIR", help="The course's data folder.")
@click.option("--judge", "judges", multiple=True, metavar="NAME=PATH", help="Weights for a judge; repeatable.")
@click.option(
    "--reference",
    "references",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Statistics made by `grader reference build`; repeatable.",
)
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda", "mps"]), default="auto", show_default=True)
@click.option(
    "--workers", type=click.IntRange(1, 1024), metavar="N", help="Processes. Default: what cores and memory allow."
)
@click.option("--threads", type=click.IntRange(1, 1024), default=1, show_default=True, help="Of each worker.")
@click.option(
    "--memory",
    type=click.FloatRange(0, 1024, min_open=True),
    default=3.0,
    show_default=True,
    metavar="GIB",
    help="A worker that holds more is ended, and its submission reported.",
)
@click.option(
    "--time",
    "minutes",
    type=click.FloatRange(0, 10_000, min_open=True),
    default=30.0,
    show_default=True,
    metavar="MINUTES",
    help="For one submission.",
)
@click.option(
    "--tries",
    type=click.IntRange(1, 100),
    default=3,
    show_default=True,
    help="How often a submission is tried where the machine fails.",
)
@click.option(
    "--shard", metavar="I/N", help="Only part I of N, as for a SLURM array; join the parts by `grader class`."
)
@click.option("--dask", metavar="ADDRESS|local", help="Workers of a Dask cluster in place of local processes.")
@click.option("--watch", is_flag=True, help="Keep grading what arrives, until Ctrl-C.")
@_papers
def batch(submissions: Path, results: Path, **options: Any) -> None:
    """Grade every submission in a folder; again only what changed.

    SUBMISSIONS holds a sub-folder or a zip for each student, named after the student. Whatever ends the run, the same
    command goes on where it was. Exit code 3: the machine could not finish some; 5: there is nothing to grade.
    """
    if sys.platform == "win32":
        from grader.errors import UsageError

        raise UsageError("`grader batch` needs Linux or macOS: on Windows, run it in WSL.")
    from grader.batch.running import opened
    from grader.batch.tasks import Shard

    check_folder(results, "-o")
    shard = Shard.parse(options["shard"]) if options["shard"] else None
    job = _job(results, **options)
    with opened(results, shard):
        ended = _Run(job, submissions, shard, options).until_done()
    raise click.exceptions.Exit(ended)


def _job(results: Path, **options: Any) -> Job:
    """What is graded with, all of it read once so that what is wrong is told before anything starts."""
    from grader.assignment import load_assignment
    from grader.batch.digests import find_ground
    from grader.batch.work import Job
    from grader.judges import check_judges
    from grader.references.data import find_data
    from grader.scoring import Scorer

    work = load_assignment(options["assignment"])
    work.only(options["problems"])
    judges = check_judges(dict(named_file(judge) for judge in options["judges"]))
    Scorer(work, data=options["data"], judges=judges, references=options["references"])
    data = find_data(options["data"], work.data_folder)
    ground = find_ground(work, data, judges, options["references"])
    return Job(
        assignment=work,
        data=data.home.resolve() if data.home else None,
        judges={name: path.resolve() for name, path in judges.items()},
        references=tuple(path.resolve() for path in options["references"]),
        device=options["device"],
        results=results.resolve(),
        problems=tuple(options["problems"]),
        ground=ground,
        run=uuid.uuid4().hex,
        threads=options["threads"],
        memory=options["memory"],
        minutes=options["minutes"],
    )


class _Run:
    """One call of the command: a pass over what is there, and with --watch one more for whatever arrives."""

    def __init__(self, job: Job, submissions: Path, shard: Shard | None, options: dict[str, Any]) -> None:
        self.job = job
        self.submissions = submissions.resolve()
        self.shard = shard
        self.options = options
        self._known: dict[str, str] = {}  # what the submissions looked like before they were graded

    def until_done(self) -> int:
        from grader.batch.engines import dask, local
        from grader.batch.tasks import find_tasks

        tasks, notes = find_tasks(self.submissions, self.shard)
        for note in notes:
            click.echo(note, err=True)
        if not tasks and not self.options["watch"]:
            click.echo(f"There is no submission in {self.submissions}.", err=True)
            return 5
        workers = self.options["workers"] or _workers(self.job.memory, self.job.threads, len(tasks))
        address = self.options["dask"]
        with dask(self.job, workers, address) if address else local(self.job, workers) as engine:
            states: dict[str, str] = {}
            try:
                states |= self._pass(engine, tasks)
                while self.options["watch"]:
                    states |= self._wait(engine)
            except KeyboardInterrupt:
                click.echo("Ended. The same command goes on from here.", err=True)
                if not self.options["watch"]:
                    raise
        return 3 if "error" in states.values() else 0

    def _pass(self, engine: Any, tasks: list[Task]) -> dict[str, str]:
        from grader.batch.arriving import signatures
        from grader.batch.running import run

        if self.options["watch"]:
            self._known |= signatures(tasks)  # first: what changes while it is graded is graded again
        tally = run(engine, self.job, tasks, self.options["tries"], _progress(len(tasks)))
        self._tell(tally)
        return {o.student: o.state for o in tally.outcomes}

    def _wait(self, engine: Any) -> dict[str, str]:
        """Waits until something has arrived and lies still, and grades it."""
        from grader.batch.arriving import signatures
        from grader.batch.tasks import find_tasks

        before, took = self._known, 0.0
        while True:
            time.sleep(max(_EVERY, _SHARE * took))
            began = time.monotonic()
            tasks = find_tasks(self.submissions, self.shard)[0]
            now = signatures(tasks)
            took = time.monotonic() - began
            fresh = [t for t in tasks if now[t.student] != self._known.get(t.student)]
            if fresh and all(now[t.student] == before.get(t.student) for t in fresh):
                return self._pass(engine, fresh)
            before = now

    def _tell(self, tally: Tally) -> None:
        from grader.text import plural

        states = ", ".join(f"{tally.states[s]} {s}" for s in ("pass", "fail", "skipped", "error") if tally.states[s])
        again = f"; {plural(tally.kept, 'submission')} had not changed" if tally.kept else ""
        click.echo(f"{plural(tally.done, 'submission')}: {states}{again}. Results: {self.job.results}")
        if self.shard:
            for outcome in tally.outcomes:
                if outcome.state == "error":
                    click.echo(f"{outcome.student}: could not be finished: {outcome.reason}", err=True)
        else:
            _join([self.job.results], self.job.results, self.job.assignment, self.options)


def _workers(memory: float, threads: int, tasks: int) -> int:
    """As many processes as cores and memory allow, and no more than tasks."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GIB
    return max(1, min(cores // threads, int(0.9 * whole / memory), max(tasks, 1)))


def _progress(total: int) -> Callable[[Tally], None]:
    """On a terminal a bar; elsewhere a line now and then."""
    shown = [0.0, 0]

    def show(tally: Tally) -> None:
        now, part = time.monotonic(), tally.done * _LINES // max(total, 1)
        terminal = sys.stderr.isatty()
        due = now - shown[0] > 0.2 or tally.done == total if terminal else part > shown[1]
        if not due:
            return
        shown[:] = [now, part]
        click.echo(_line(tally), err=True, nl=not terminal)
        if terminal and tally.done == total:
            click.echo("", err=True)

    return show


def _line(tally: Tally) -> str:
    states = " ".join(f"{state} {n}" for state, n in sorted(tally.states.items()))
    left = "" if tally.left is None or tally.done == tally.total else f", {_duration(tally.left)} left"
    rate = f", {60 * tally.rate:.3g} a minute" if tally.rate else ""
    again = f", {tally.retried} tried again" if tally.retried else ""
    start = "\r\x1b[K" if sys.stderr.isatty() else ""
    return f"{start}{tally.done} of {tally.total}: {states or 'begun'}{rate}{left}{again}"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"
