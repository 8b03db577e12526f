"""Processes that do parts of a job, and end with it."""

import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable, Iterable, Iterator
from multiprocessing import connection
from typing import Any, NamedTuple, Protocol, Self

from absl import logging

from bert.errors import UserError

_MOST_BY_DEFAULT = 4


def num_workers(given: int | None) -> int:
    """Returns how many processes: as given, else one a core, at most four."""
    return given or min(_MOST_BY_DEFAULT, os.cpu_count() or 1)


class Work(NamedTuple):
    """A part of a job that is done in many calls.

    Attributes:
        method: a method of the workers, by its name.
        arguments: one for each call.
        merge: makes one result of several, in any order; its own results may
            be among them.
        report: called with each argument that is done, if that is known.
    """

    method: str
    arguments: Iterable[Any]
    merge: Callable[[Iterable[Any]], Any]
    report: Callable[[Any], None]


class Pool(Protocol):
    """Runs the parts of a job, in processes here or by Apache Beam."""

    def combine(self, work: Work) -> Any:
        """Returns the merged results of all calls."""


class WorkerPool:
    """Workers, each in a process of its own; a single one in this process.

    Use it as a context manager: at its end, whatever the reason, the processes
    end too. They also do when this process is killed.

    Args:
        num_workers: how many.
        make_worker: makes a worker, in its process; must pickle.
    """

    def __init__(
        self, num_workers: int, make_worker: Callable[[], Any]
    ) -> None:
        self._num_workers = num_workers
        self._make_worker = make_worker
        self._processes: dict[connection.Connection, Any] = {}

    def __enter__(self) -> Self:
        if self._num_workers == 1:
            self._worker = self._make_worker()
            return self
        # A fork would copy the locks of this process's threads.
        context = multiprocessing.get_context("spawn")
        for _ in range(self._num_workers):
            ours, theirs = context.Pipe()
            process = context.Process(
                target=_work, args=(theirs, self._make_worker), daemon=True
            )
            process.start()
            theirs.close()
            self._processes[ours] = process
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            process.join(timeout=10)
            process.kill()
        self._processes.clear()

    def combine(self, work: Work) -> Any:
        """See `Pool`."""

        def reported() -> Iterator[Any]:
            for argument, result in self.run(work.method, work.arguments):
                work.report(argument)
                yield result

        return work.merge(reported())

    def run(
        self, method: str, arguments: Iterable[Any]
    ) -> Iterator[tuple[Any, Any]]:
        """Yields (argument, result) of a method, as they are done.

        Args:
            method: of the worker; its argument and result must pickle.
            arguments: one for each call, taken when a worker is free.

        Raises:
            UserError, OSError: what the method raises.
            UserError: a process was killed.
        """
        if self._num_workers == 1:
            for argument in arguments:
                yield argument, getattr(self._worker, method)(argument)
            return
        arguments = iter(arguments)
        free = list(self._processes)
        busy: dict[connection.Connection, Any] = {}
        while True:
            for pipe in free:
                for argument in arguments:
                    self._send(pipe, (method, argument))
                    busy[pipe] = argument
                    break
            if not busy:
                return
            ready = connection.wait(list(busy))
            free = [pipe for pipe in busy if pipe in ready]
            for pipe in free:
                yield busy.pop(pipe), self._receive(pipe)

    def _send(self, pipe: connection.Connection, task: Any) -> None:
        try:
            pipe.send(task)
        except (BrokenPipeError, ConnectionResetError):
            self._raise_dead(pipe)

    def _receive(self, pipe: connection.Connection) -> Any:
        try:
            error, result = pipe.recv()
        except (EOFError, ConnectionResetError):
            self._raise_dead(pipe)
        if error:
            raise error
        return result

    def _raise_dead(self, pipe: connection.Connection) -> None:
        process = self._processes[pipe]
        process.join()
        code = process.exitcode
        reason = (
            f"by signal {signal.Signals(-code).name}; did memory run out?"
            if code < 0
            else f"with exit code {code}."
        )
        raise UserError(
            f"A worker process ended {reason} Give the same command again, "
            "with fewer workers where memory is short (--num_workers)."
        ) from None


def _work(pipe: connection.Connection, make_worker: Callable[[], Any]) -> None:
    """Answers (method, argument) with (error, result), until the pipe ends."""
    # Ctrl-C goes to all processes; the first one then ends the others.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _exit)
    logging.set_verbosity(logging.ERROR)  # their warnings have been shown
    threading.Thread(target=_end_with_parent, daemon=True).start()
    worker = make_worker()
    while True:
        try:
            method, argument = pipe.recv()
        except EOFError:
            return
        result = None
        error: Exception | None = None
        try:
            result = getattr(worker, method)(argument)
        except (UserError, OSError) as raised:
            error = raised
        except Exception:
            error = RuntimeError(traceback.format_exc())
        pipe.send((error, result))


def _exit(*_: object) -> None:
    raise SystemExit(1)  # through every `finally`: no temporary file stays


def _end_with_parent() -> None:
    if parent := multiprocessing.parent_process():
        parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
