"""`grader batch`: a folder of submissions, graded by many workers, again only where something changed."""

from __future__ import annotations

import os
import sys
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from grader.cli.grade import _not_empty, named_file
from grader.cli.joining import given_papers, paper_options, write_class
from grader.cli.output import check_folder
from grader.cli.progress import progress

if TYPE_CHECKING:
    from grader.assignment import Assignment
    from grader.batch.papers import Papers
    from grader.batch.running import Tally
    from grader.batch.tasks import Shard, Task
    from grader.batch.work import Job

_GIB = 2**30
_EVERY = 2.0  # seconds between two looks for what arrives, at least
_SHARE = 10  # and so many times as long as a look takes: with 300,000 files it is a second or two


@click.command()
@click.argument("submissions", type=click.Path(path_type=Path))
@click.option("-o", "--output", "results", required=True, callback=_not_empty, metavar="RESULTS", help="A folder.")
@click.option(
    "--assignment", metavar="ID|FILE", help="Known, or a TOML file. Default: that of RESULTS, or dlcv-fall2021-hw2."
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
@paper_options
def batch(submissions: Path, results: Path, **options: Any) -> None:
    """Grade every submission in a folder; again only what changed.

    SUBMISSIONS holds a sub-folder or a zip for each student, named after the student. Whatever ends the run, the same
    command goes on where it was. Exit code 3: the machine could not finish some; 5: there is nothing to grade.
    """
    if sys.platform == "win32":
        from grader.errors import UsageError

        raise UsageError("`grader batch` needs Linux or macOS: on Windows, run it in WSL.")
    from grader.batch.assigned import assignment_of
    from grader.batch.papers import read_papers
    from grader.batch.running import opened
    from grader.batch.tasks import Shard

    check_folder(results, "-o")
    shard = Shard.parse(options["shard"]) if options["shard"] else None
    work, options["assignment"] = assignment_of([results], options["assignment"])
    job = _job(results, work, **options)
    papers = given_papers(options, [results])
    read_papers(papers, job.assignment)  # what is wrong with one is told now, not after hours
    with opened(results, shard):
        ended = _Run(job, submissions, shard, papers, options).until_done()
    raise click.exceptions.Exit(ended)


def _job(results: Path, work: Assignment, **options: Any) -> Job:
    """What is graded with, all of it read once so that what is wrong is told before anything starts."""
    from grader.batch.digests import find_ground
    from grader.batch.work import Job
    from grader.judges import check_judges
    from grader.references.data import find_data
    from grader.scoring import Scorer

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

    def __init__(
        self, job: Job, submissions: Path, shard: Shard | None, papers: Papers, options: dict[str, Any]
    ) -> None:
        self.job = job
        self.submissions = submissions.resolve()
        self.shard = shard
        self.papers = papers
        self.options = options
        self._known: dict[str, str] = {}  # what the submissions looked like before they were graded
        self._names: set[str] = set()  # those of the whole folder, when they were kept last

    def until_done(self) -> int:
        from grader.batch.engines import dask, local
        from grader.batch.tasks import find_tasks

        everyone, notes = find_tasks(self.submissions)
        for note in notes:
            click.echo(note, err=True)
        tasks = self._own(everyone)
        self._keep(everyone)
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
        return 3 if any(state == "error" for name, state in states.items() if name in self._names) else 0

    def _own(self, everyone: list[Task]) -> list[Task]:
        return [t for t in everyone if self.shard is None or self.shard.holds(t.student)]

    def _keep(self, everyone: list[Task]) -> None:
        """Keeps who is in the class, for the join. An empty folder says nothing: it may be one that wasn't mounted."""
        from grader.batch.seen import Seen, write_seen

        self._names = {t.student for t in everyone}
        if everyone:
            seen = Seen(self.job.assignment.id, self.options["assignment"], tuple(self._names))
            write_seen(self.job.results, seen)

    def _pass(self, engine: Any, tasks: list[Task]) -> dict[str, str]:
        from grader.batch.arriving import signatures
        from grader.batch.running import run

        if self.options["watch"]:
            self._known |= signatures(tasks)  # first: what changes while it is graded is graded again
        tally = run(engine, self.job, tasks, self.options["tries"], progress(len(tasks)))
        self._tell(tally)
        return {o.student: o.state for o in tally.outcomes}

    def _wait(self, engine: Any) -> dict[str, str]:
        """Waits until something has arrived, or gone, and lies still; grades what arrived."""
        from grader.batch.arriving import signatures

        before, names_before, said, took = self._known, self._names, "", 0.0
        while True:
            time.sleep(max(_EVERY, _SHARE * took))
            began = time.monotonic()
            everyone, why = self._look()
            if why != said and why:
                click.echo(why, err=True)
            said = why
            if why:
                continue
            tasks, names = self._own(everyone), {t.student for t in everyone}
            now = signatures(tasks)
            took = time.monotonic() - began
            fresh = [t for t in tasks if now[t.student] != self._known.get(t.student)]
            still = names == names_before and all(now[t.student] == before.get(t.student) for t in fresh)
            if still and (fresh or names != self._names):
                self._known = {name: look for name, look in self._known.items() if name in now}
                self._keep(everyone)
                return self._pass(engine, fresh)
            before, names_before = now, names

    def _look(self) -> tuple[list[Task], str]:
        """What the folder holds, and why that says nothing: neither ends a run that waits, nor empties the class."""
        from grader.batch.tasks import find_tasks
        from grader.errors import UsageError

        try:
            everyone, _ = find_tasks(self.submissions)
        except UsageError as e:
            return [], f"{e} The class stays as it was until then."
        gone = self._names and not everyone
        return everyone, f"{self.submissions} holds no submission now. The class stays as it was." if gone else ""

    def _tell(self, tally: Tally) -> None:
        from grader.errors import UsageError
        from grader.text import plural, printable

        states = ", ".join(f"{tally.states[s]} {s}" for s in ("pass", "fail", "skipped", "error") if tally.states[s])
        again = f"; {plural(tally.kept, 'submission')} had not changed" if tally.kept else ""
        if tally.total:
            click.echo(f"{plural(tally.done, 'submission')}: {states}{again}. Results: {self.job.results}")
        if self.shard:
            for outcome in tally.outcomes:
                if outcome.state == "error":
                    click.echo(f"{outcome.student}: could not be finished: {outcome.reason}", err=True)
            return
        try:
            write_class([self.job.results], self.job.results, self.job.assignment, self.papers, self.options["names"])
        except UsageError as e:
            if not self.options["watch"]:
                raise
            click.echo(
                f"The class could not be joined, and will be after the next round: {printable(str(e), 500)}", err=True
            )


def _workers(memory: float, threads: int, tasks: int) -> int:
    """As many processes as cores and memory allow, and no more than tasks."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / _GIB
    return max(1, min(cores // threads, int(0.9 * whole / memory), max(tasks, 1)))
