"""The processes that answer on one port: started, replaced, ended.

The first process only watches. It imports no TensorFlow, so that it can fork a
new one at any time; all take their connections from one listening socket.
"""

import contextlib
import os
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Iterator
from typing import NamedTuple

from absl import logging

from bert.cli import error_guard
from bert.errors import UserError
from bert.serving.http_config import Config
from bert.serving.http_metrics import Metrics

_ENDING = (signal.SIGTERM, signal.SIGINT)
_SIGNALS = (*_ENDING, signal.SIGHUP, signal.SIGCHLD)
_LONGEST_PAUSE_S = 30
_EXIT_OF_SIGINT = 130


class _Worker(NamedTuple):
    """A process.

    Attributes:
        number: from 0; of those that are there at a time, each has another.
        loaded: a file descriptor that says when its models are there.
    """

    number: int
    loaded: int


def run(config: Config) -> None:
    """Answers on the configuration's port until SIGTERM.

    Raises:
        UserError: the port cannot be had.
        SystemExit: with the code of the first process, where it could not
            start and has said why; or 130 after Ctrl-C.
    """
    if not hasattr(os, "fork"):
        raise UserError(
            "serve.py needs processes that fork, as Linux and macOS have them. "
            f"Received: {sys.platform}; use WSL or a container."
        )
    _allow_many_files()
    with _bound(config) as listener:
        code = _Workers(config, listener).run()
    if code:
        raise SystemExit(code)


class _Workers:
    """Starts the processes and keeps their number.

    Args:
        config: the server's.
        listener: bound, not yet listened at.
    """

    def __init__(self, config: Config, listener: socket.socket):
        self._config = config
        self._listener = listener
        self._metrics = Metrics(list(config.models), config.workers)
        self._workers: dict[int, _Worker] = {}  # by the process's id
        self._failures = [0] * config.workers
        self._start_at: dict[int, float] = {0: 0.0}  # by number
        self._has_loaded = False
        self._ended_by: list[int] = []
        # Closed at the end of this process, whatever ends it.
        self._parent, self._lifeline = os.pipe()

    def run(self) -> int:
        """Returns the exit code, once all processes have ended."""
        wake, woken = os.pipe()
        os.set_blocking(woken, False)
        signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
        for number in _SIGNALS:
            signal.signal(number, lambda *_: None)
        while self._workers or self._start_at:
            self._start_those_due()
            loading = {w.loaded: w for w in self._workers.values()}
            ready, _, _ = select.select(
                [wake, *(f for f in loading if f >= 0)], [], [], self._pause()
            )
            for file in ready:
                if file == wake:
                    self._obey(os.read(wake, 4096))
                elif os.read(file, 1):
                    self._note_loaded(file)
            if code := self._bury():
                return code
        return _EXIT_OF_SIGINT if signal.SIGINT in self._ended_by else 0

    def _pause(self) -> float | None:
        """Returns how long nothing has to be started."""
        if not self._start_at:
            return None
        return max(0.0, min(self._start_at.values()) - time.monotonic())

    def _start_those_due(self) -> None:
        now = time.monotonic()
        for number in [n for n, at in self._start_at.items() if at <= now]:
            del self._start_at[number]
            self._start(number)

    def _start(self, number: int) -> None:
        reading, writing = os.pipe()
        sys.stdout.flush()
        sys.stderr.flush()
        # Signals wait until it is clear whose they are.
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        process = os.fork()
        if not process:
            os.close(reading)
            os.close(self._lifeline)
            self._be_worker(number, writing)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
        os.close(writing)
        self._workers[process] = _Worker(number, reading)

    def _be_worker(self, number: int, writing: int) -> None:
        """Does a worker's work, and ends the process."""
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            for each in _SIGNALS:
                signal.signal(each, signal.SIG_DFL)
            signal.signal(signal.SIGHUP, signal.SIG_IGN)  # nothing to renew yet
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            code = error_guard.exit_code(lambda: self._serve(number, writing))
        except BaseException:
            traceback.print_exc()
        finally:
            with contextlib.suppress(OSError, ValueError):
                sys.stderr.flush()
            os._exit(code)

    def _serve(self, number: int, writing: int) -> None:
        from bert.serving import http_server

        self._metrics.write_as(number)
        http_server.serve(
            self._config,
            self._metrics,
            self._listener,
            self._parent,
            loaded=writing,
            is_first=not self._has_loaded,
        )

    def _note_loaded(self, file: int) -> None:
        """Starts the others once the first can answer."""
        process, worker = next(
            (p, w) for p, w in self._workers.items() if w.loaded == file
        )
        os.close(file)
        self._workers[process] = worker._replace(loaded=-1)
        self._failures[worker.number] = 0
        if self._has_loaded:
            return
        self._has_loaded = True
        host, port = self._listener.getsockname()[:2]
        where = f"[{host}]" if ":" in host else host
        logging.info("Listening at http://%s:%d", where, port)
        if not self._ended_by:
            now = time.monotonic()
            self._start_at = dict.fromkeys(range(1, self._config.workers), now)

    def _obey(self, numbers: bytes) -> None:
        """Passes signals on."""
        for number in numbers:
            if number in _ENDING:
                # Asked twice: at once.
                self._tell(signal.SIGKILL if self._ended_by else signal.SIGTERM)
                self._ended_by.append(number)
                self._start_at.clear()
            elif number == signal.SIGHUP:
                self._tell(signal.SIGHUP)

    def _tell(self, number: int) -> None:
        for process in self._workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, number)

    def _bury(self) -> int:
        """Replaces processes that have ended; returns 1 where that is vain."""
        for process in list(self._workers):
            ended, status = os.waitpid(process, os.WNOHANG)
            if not ended:
                continue
            worker = self._workers.pop(process)
            if worker.loaded >= 0:
                os.close(worker.loaded)
            if self._ended_by:
                continue
            code = os.waitstatus_to_exitcode(status)
            if not self._has_loaded:
                return abs(code) or 1
            pause = self._pause_after(worker)
            how = f"signal {-code}" if code < 0 else f"exit code {code}"
            logging.error(
                "Worker %d ended with %s; another one follows in %d s",
                worker.number,
                how,
                pause,
            )
            if pause and not self._workers and not self._start_at:
                return 1
            self._start_at[worker.number] = time.monotonic() + pause
        return 0

    def _pause_after(self, worker: _Worker) -> int:
        """Returns how long to wait, the longer the more often it failed."""
        if worker.loaded < 0:
            return 0
        self._failures[worker.number] += 1
        return min(2 ** self._failures[worker.number], _LONGEST_PAUSE_S)


@contextlib.contextmanager
def _bound(config: Config) -> Iterator[socket.socket]:
    """Binds the port; that it is not listened at keeps clients away.

    Raises:
        UserError: the port is taken, or the host is not of this machine.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            config.host,
            config.port,
            type=socket.SOCK_STREAM,
            flags=socket.AI_PASSIVE,
        )[0]
        listener = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as error:
        raise port_fault(config, error) from error
    with listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
        except OSError as error:
            raise port_fault(config, error) from error
        yield listener


def port_fault(config: Config, error: Exception) -> UserError:
    """Returns what to raise where a port cannot be listened at."""
    reason = getattr(error, "strerror", None) or error
    return UserError(
        f"Cannot listen at --host={config.host} --port={config.port}: "
        f"{reason}; name another (--port=0: a free one)."
    )


def _allow_many_files() -> None:
    """Lets the processes have as many connections as the system allows."""
    import resource

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
