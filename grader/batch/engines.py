"""What carries tasks to workers: processes of this machine, or a cluster of Dask. Both answer with ordinary futures."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from typing import Any, Protocol

from grader.batch.tasks import Task
from grader.batch.watching import OVER_TIME, end_with_parent, resident, too_long, too_much
from grader.batch.work import Job, Outcome, grade
from grader.errors import UsageError

# Before a library of linear algebra is loaded: it makes its threads then.
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_EVERY = 0.2  # seconds between two looks at a worker: it watches itself more often, and knows more


class Engine(Protocol):
    """Runs `grade` somewhere else."""

    def submit(self, task: Task, attempt: int) -> Future[Outcome]:
        """Begins with a task."""
        ...

    def explain(self, error: BaseException) -> str:
        """Why a future has no outcome, in words."""
        ...


@contextmanager
def local(job: Job, workers: int) -> Iterator[Engine]:
    """Processes of this machine, each with its own networks. One that ends is replaced, and only its task is lost."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, str(job.threads)))  # the workers inherit them
    engine = _Local(job, workers)
    try:
        yield engine
        engine.close()
    finally:
        engine.end()
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


class _Local:
    """A thread for each worker, and for each thread a pool of one process: a pool shares locks among its processes,
    and one that is killed while it holds them would take the others with it."""

    def __init__(self, job: Job, workers: int) -> None:
        self._job = job
        self._threads = ThreadPoolExecutor(workers)
        self._own = threading.local()
        self._workers: list[_Worker] = []
        self._over = threading.Event()

    def submit(self, task: Task, attempt: int) -> Future[Outcome]:
        return self._threads.submit(self._grade, task, attempt)

    def _grade(self, task: Task, attempt: int) -> Outcome:
        if getattr(self._own, "worker", None) is None:
            self._own.worker = _Worker(self._job, self._over)
            self._workers.append(self._own.worker)
        try:
            outcome: Outcome = self._own.worker.grade(task, attempt)
        except _Ended:
            self._own.worker = None
            raise
        return outcome

    def explain(self, error: BaseException) -> str:
        if isinstance(error, _Ended):
            return str(error)
        return f"{type(error).__name__}: {error}"

    def close(self) -> None:
        """After the last task: lets the workers end by themselves."""
        for worker in self._workers:
            worker.pool.shutdown()

    def end(self) -> None:
        """Ends the workers, whatever they do."""
        self._over.set()
        self._threads.shutdown(cancel_futures=True)
        for process in multiprocessing.active_children():
            process.kill()
        self.close()


class _Ended(Exception):
    """A worker ended in the middle of a task; `str()` says why."""


class _Worker:
    """A pool of one process, seen from the parent. over: once it is set, the process is ended with its task."""

    def __init__(self, job: Job, over: threading.Event) -> None:
        self._job = job
        self._over = over
        context = multiprocessing.get_context("spawn")
        self.pool = ProcessPoolExecutor(1, context, initializer=_begin, initargs=(job, os.getpid()))
        self._process: BaseProcess | None = None

    def grade(self, task: Task, attempt: int) -> Outcome:
        """Raises _Ended."""
        looks = 0  # one after the other at which it held too much: after the first it may still say so itself
        try:
            if self._process is None:
                self._process = self._started()
            future = self.pool.submit(_grade_here, task, attempt)
            while not wait([future], _EVERY).done:
                looks = looks + 1 if resident(self._process.pid) > self._job.memory * 2**30 else 0
                if looks > 1 or self._over.is_set():
                    self._process.kill()
            return future.result()
        except BrokenProcessPool:
            raise _Ended(self._why(looks)) from None

    def _started(self) -> BaseProcess:
        pid = self.pool.submit(os.getpid).result()
        for process in multiprocessing.active_children():
            if process.pid == pid:
                return process
        raise BrokenProcessPool  # it has ended since

    def _why(self, looks: int) -> str:
        self.pool.shutdown()  # from then on the exit code is known
        if self._process is not None and self._process.exitcode == OVER_TIME:
            return too_long(self._job.minutes)
        if looks > 1:
            return too_much(self._job.memory)
        return "the worker's process ended: it was killed, it crashed, or the machine was out of memory"


_job: list[Job] = []


def _begin(job: Job, parent: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's: it ends the pool
    end_with_parent(parent)
    _limit_threads(job.threads)
    _job[:] = [job]


def _grade_here(task: Task, attempt: int) -> Outcome:
    return grade(_job[0], task, attempt)


def _limit_threads(threads: int) -> None:
    """Of what this process computes from now on, also where its environment came from elsewhere."""
    os.environ.update(dict.fromkeys(_THREADS, str(threads)))
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(threads)


@contextmanager
def dask(job: Job, workers: int, address: str) -> Iterator[Engine]:
    """A cluster of Dask: `local` for one of separate processes on this machine, else the address of its scheduler.

    Its workers must reach submissions, data and results by the same paths. Raises UsageError where it isn't there.
    """
    try:
        import distributed
    except ModuleNotFoundError:
        raise UsageError("--dask needs the package distributed: pip install 'vision-grader[dask]'") from None
    library: Any = distributed  # its classes carry no types
    environment = dict.fromkeys(_THREADS, str(job.threads))
    cluster = None
    try:
        if address == "local":
            cluster = library.LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                memory_limit=int(job.memory * 2**30 * 1.2),  # the worker's own watch comes first and says why
                dashboard_address=None,
                env=environment,
            )
        client = library.Client(cluster or address, timeout="20s")
    except (OSError, ValueError, TypeError) as e:
        raise UsageError(f"--dask {address}: no scheduler of Dask answers there ({type(e).__name__}: {e}).") from None
    try:
        yield _Dask(client.get_executor(pure=False), job)
    finally:
        client.close()
        if cluster is not None:
            cluster.close()


class _Dask:
    def __init__(self, executor: Any, job: Job) -> None:
        self._executor = executor
        self._job = job

    def submit(self, task: Task, attempt: int) -> Future[Outcome]:
        future: Future[Outcome] = self._executor.submit(_grade_there, self._job, task, attempt)
        return future

    def explain(self, error: BaseException) -> str:
        if type(error).__name__ == "KilledWorker":
            return "the workers that had it ended, one after the other"
        return f"{type(error).__name__}: {error}"


def _grade_there(job: Job, task: Task, attempt: int) -> Outcome:
    _limit_threads(job.threads)
    return grade(job, task, attempt)
