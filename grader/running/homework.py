"""`grader run`: calls every script of an assignment in the sandbox, takes what it wrote, and has it scored."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from grader.assignment import Assignment, Problem, ScriptSpec
from grader.assignment.scripts import data_of
from grader.checks.repository import missing_script
from grader.errors import UsageError
from grader.references.data import Data
from grader.results import Finding
from grader.running.collect import Collected, Collector
from grader.running.findings import call_findings
from grader.running.limits import GIB, RunLimits
from grader.running.log import Log
from grader.running.process import Ended, run_call
from grader.running.record import CallRecord, LogFile, RunRecord, Step
from grader.running.sandbox import DATA, OUT, WORK, Call, Sandbox, find_sandbox
from grader.submission import open_submission
from grader.text import listing

_LARGEST_REPOSITORY = 4 * GIB
_LONGEST_NAME = 60


@dataclass(frozen=True)
class Options:
    """What the caller chose. `seconds` 0: what the assignment says of each script."""

    limits: RunLimits = field(default_factory=RunLimits)
    seconds: float = 0
    fetch: bool = False
    gpu: bool = False
    environments: tuple[Path, ...] = ()


class Homework:
    """The scripts of one repository. `findings` and `record` grow with each call; `void`: what earns nothing.

    `scored`: the problems that are scored afterwards: those whose scripts the assignment says how to call.
    """

    def __init__(self, repository: Path, whole: Assignment, work: Assignment, data: Data, options: Options) -> None:
        """Raises UsageError, before anything runs, for what can't be run here."""
        self.sandbox: Sandbox = find_sandbox()
        self.repository, self.whole, self.work, self.data, self.options = repository, whole, work, data, options
        self.findings: list[Finding] = []
        self.notes: list[str] = []
        self.void: set[tuple[str, str]] = set()
        about = {"bubblewrap": self.sandbox.version, "user": "another" if self.sandbox.uid else "the same"}
        self.record = RunRecord(work.id, options.limits, {**about, "held_by": "", "seccomp": False}, [])
        scripts = [f for f in work.repository if isinstance(f, ScriptSpec)]
        self.fetching = [s for s in scripts if s.fetch]
        self.scripts = [s for s in scripts if s.runs and not s.fetch]
        if not self.scripts:
            raise UsageError(
                f"{work.id} doesn't say how its scripts are called: add `runs` to [[repository.script]], as "
                "docs/guides/running.md shows."
            )
        called = {s.problem for s in self.scripts}
        silent = [s for s in scripts if not s.runs and not s.fetch and s.problem not in called]
        # What was never called wrote nothing, which is not the student's fault.
        uncalled = {s.problem for s in silent}
        self.scored = tuple(p.id for p in work.problems if p.id not in uncalled)
        if silent:
            names = ", ".join(s.path for s in silent)
            self.notes.append(f"{names}: not run and not scored, since {work.id} doesn't say how to call it.")
        if options.fetch and not self.fetching:
            raise UsageError(f"--fetch: {work.id} has no script with `fetch = true`, so there is nothing to download.")
        if self.fetching and not options.fetch:
            names = ", ".join(s.path for s in self.fetching)
            self.notes.append(f"{names} was not run: --fetch allows it the network.")
        self.places = {path: self._place(path, s) for s in (*self.scripts, *self.fetching) for path in _all_data(s)}
        self.present = self._present()

    def _place(self, path: str, script: ScriptSpec) -> Path:
        found = self.data.find(path)
        if found is None:
            where = f"which is not under {self.data.home}" if self.data.home else "pass --data DIR"
            raise UsageError(f"{script.path} is called with {path} of the course's data, {where}.")
        return found

    def _present(self) -> set[str]:
        """Scripts that are in the repository; a required one that isn't becomes a finding."""
        present = set()
        with open_submission(self.repository) as view:
            for script in (*self.scripts, *self.fetching):
                entry = view.entry(script.path)
                if entry is not None and entry.kind == "file":
                    present.add(script.path)
                elif script.required:
                    self.findings.append(missing_script(view, script))
        return present

    @contextmanager
    def fetched(self, logs: Path) -> Iterator[None]:
        """Runs the scripts that download, and from then on calls the others in a copy with what they brought."""
        if not self.options.fetch:
            yield
            return
        with tempfile.TemporaryDirectory(prefix="grader-fetch-") as folder:
            for number, script in enumerate(s for s in self.fetching if s.path in self.present):
                target = Path(folder) / str(number)
                target.mkdir()
                for arguments in script.runs or ((),):
                    step = Step(script, arguments, ())
                    ended = self._run(step, network=True)
                    try:
                        # Limits of its own: the copy holds what was there before, too.
                        most = _size(self.repository) + self.options.limits.scratch
                        collector = Collector(target, self.options.limits.files, most, whole=True)
                        if WORK in ended.places:
                            collector.everything(ended.places[WORK])
                            self.repository = target
                    finally:
                        ended.close()
                    self._remember(step, ended, Collected(collector.result.files, collector.result.size), 1, logs)
            yield

    def run(self, target: Path, logs: Path, attempt: int = 1) -> None:
        """Calls every script; what they write goes into `target`, their logs into `logs`. Both are there, empty."""
        for script in self.scripts:
            if script.path not in self.present:
                continue
            for arguments in script.runs:
                step = Step(script, arguments, tuple(_touched(script, arguments, self.work.problems)))
                ended = self._run(step)
                try:
                    taken = self._collect(step, ended, target)
                finally:
                    ended.close()
                self._remember(step, ended, taken, attempt, logs)

    def _run(self, step: Step, *, network: bool = False) -> Ended:
        limits = self._limits(step.script)
        inside = tuple(a.replace("{out}", OUT).replace("{data}", DATA) if _is_placed(a) else a for a in step.arguments)
        skip = [c for s in self.scripts for c in s.collects]
        for path in self.options.environments:
            if path.is_relative_to(self.repository.resolve()):
                skip.append(path.relative_to(self.repository.resolve()).as_posix())
        call = Call(
            self.repository,
            step.script.path,
            inside,
            {f"{DATA}/{path}": self.places[path] for path in data_of(step.script, step.arguments)},
            tuple(skip),
            tuple(sorted(_folders(step))),
            network,
            self.options.gpu,
            _size(self.repository),
            self.options.environments,
        )
        return run_call(call, self.sandbox, limits)

    def _limits(self, script: ScriptSpec) -> RunLimits:
        return replace(self.options.limits, seconds=self.options.seconds or script.minutes * 60)

    def _collect(self, step: Step, ended: Ended, target: Path) -> Collected:
        owners = [p for p in self.work.problems if step.script.problem in ("", p.id)]
        tops = {d.path.partition("/")[0] for p in owners for d in p.deliverables}
        whose = f"lies in no folder of {step.script.problem}" if step.script.problem else "lies in no known folder"
        limits = self.options.limits
        collector = Collector(
            target, limits.files, limits.output, lambda path: "" if path.partition("/")[0] in tops else whose
        )
        if OUT in ended.places:
            collector.everything(ended.places[OUT])
            collector.only(ended.places[WORK], step.script.collects)
        return collector.result

    def _holding(self, paths: Collection[str]) -> set[tuple[str, str]]:
        """Problem and deliverable of files, wherever a call was told to write."""
        own = [(p.id, d.id, d.path) for p in self.work.problems for d in p.deliverables]
        return {(p, d) for p, d, path in own if any(f == path or f.startswith(f"{path}/") for f in paths)}

    def _remember(self, step: Step, ended: Ended, taken: Collected, attempt: int, logs: Path) -> None:
        self.record.sandbox |= {"held_by": ended.held_by, "seccomp": ended.seccomp}
        stem = f"{len(self.record.calls) + 1:02}-{_plain(step.script.path)}"
        call = CallRecord(
            problem=step.script.problem,
            script=step.script.path,
            arguments=step.arguments,
            attempt=attempt,
            network=step.script.fetch,
            state=ended.state,
            reason=ended.reason[:500],
            exit_code=ended.code,
            seconds=round(ended.seconds, 3),
            seconds_allowed=self._limits(step.script).seconds,
            folders_bytes=ended.memory,
            files=taken.files,
            file_bytes=taken.size,
            full=ended.full,
            refused=tuple((_plain_text(path), reason) for path, reason in taken.refused),
            refused_count=taken.refused_count,
            out=_write_log(ended.out, logs / f"{stem}.out.txt"),
            err=_write_log(ended.err, logs / f"{stem}.err.txt"),
        )
        self.record.calls.append((step, call))
        found = call_findings(step, call, self._limits(step.script))
        # What nobody has to hand in is no failure, however its script ended; what that wrote is void all the same.
        self.findings += found if step.script.required else [replace(f, severity="warning") for f in found]
        if call.state not in ("ok", "failed"):
            self.void |= set(step.touches) | self._holding(taken.paths)


def check_places(
    repository: Path, data: Data, target: Path, logs: Path, *, shown: Iterable[Path] = (), labels: Iterable[str] = ()
) -> None:
    """Refuses places that would show a script what it may not see, or overwrite something. Raises UsageError.

    shown: trees of this machine that scripts see as a whole. labels: paths of true labels in the data.
    """
    if not repository.is_dir():
        raise UsageError(f"{repository}: no such folder; give the student's repository.")
    top = repository.resolve()
    if data.home is not None and data.home.resolve().is_relative_to(top):
        raise UsageError(
            f"The data {data.home} lie inside of the repository, whose scripts would see the labels. "
            "Keep them elsewhere."
        )
    secret = [] if data.home is None else [data.home, *(p for p in map(data.find, labels) if p is not None)]
    for place in (*secret, target, logs):
        for tree in shown:
            if place.resolve().is_relative_to(tree.resolve()):
                raise UsageError(f"{place} lies in {tree}, which scripts see as a whole: keep it elsewhere.")
    for place in (target, logs):
        if place.resolve().is_relative_to(top):
            raise UsageError(
                f"{place} lies inside of the repository, whose scripts would see it: choose another place."
            )
        if place.is_symlink() or (place.exists() and (not place.is_dir() or any(place.iterdir()))):
            raise UsageError(f"{place} is there already: choose another name, or remove it.")
        if not place.parent.is_dir():
            raise UsageError(f"There is no folder {place.parent} to make {place.name} in.")


def _all_data(script: ScriptSpec) -> set[str]:
    return {path for arguments in script.runs or ((),) for path in data_of(script, arguments)}


def _touched(script: ScriptSpec, arguments: Iterable[str], problems: Iterable[Problem]) -> list[tuple[str, str]]:
    """Deliverables that a call writes, by its arguments; all of its problem's where they don't tell."""
    own = [(p.id, d.id, d.path) for p in problems if script.problem in ("", p.id) for d in p.deliverables]
    places = [a.removeprefix("{out}").lstrip("/") for a in arguments if a.startswith("{out}")] + list(script.collects)
    told = [(p, d) for p, d, path in own if any(_one_holds_the_other(path, place) for place in places)]
    return told or [(p, d) for p, d, _ in own]


def _one_holds_the_other(path: str, place: str) -> bool:
    return not place or path == place or path.startswith(f"{place}/") or place.startswith(f"{path}/")


def _is_placed(argument: str) -> bool:
    return argument.startswith(("{out}", "{data}"))


def _folders(step: Step) -> set[str]:
    """Folders inside that a call may count on: those that it is told to write to, of a file the one around it."""
    places = [Path(a.replace("{out}", OUT)) for a in step.arguments if a.startswith("{out}")]
    found = {(place.parent if place.suffix else place).as_posix() for place in places}
    return found | {(Path(WORK) / path).parent.as_posix() for path in step.script.collects}


def _size(repository: Path) -> int:
    """Bytes of the regular files, at most what a copy may have; what can't be looked at counts nothing."""
    total, folders = 0, [repository]
    while folders and total < _LARGEST_REPOSITORY:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(Path(entry.path))
                    elif entry.is_file(follow_symlinks=False):
                        total += -(-entry.stat(follow_symlinks=False).st_size // 4096) * 4096
        except OSError:  # deeper than a path may be long, say: the copy ends there, and says so
            continue
    return min(total, _LARGEST_REPOSITORY)


def _plain(path: str) -> str:
    kept = "".join(c if c.isalnum() or c in "-_" else "-" for c in path.removesuffix(".sh"))
    return kept[:_LONGEST_NAME]


def _plain_text(text: str) -> str:
    return listing([text])


def _write_log(log: Log, place: Path) -> LogFile:
    place.write_text(log.text(), encoding="utf-8")
    return LogFile(place.name, log.total, log.cut)
