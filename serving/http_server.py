"""A process that answers: it loads the models, listens, reloads, and leaves."""

import asyncio
import contextlib
import functools
import logging as python_logging
import os
import signal
import socket
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import h11
import uvicorn
from absl import logging
from uvicorn.protocols.http.h11_impl import H11Protocol

from bert.errors import UserError, one_line
from bert.model_folder.files import ModelFiles
from bert.serving import http_models, http_workers
from bert.serving.http_app import Service
from bert.serving.http_batches import Settings
from bert.serving.http_config import Config
from bert.serving.http_metrics import Metrics
from bert.serving.http_models import ServedModel

_BACKLOG = 2048
_HEAD_BYTES = 65536
_POLL_SECONDS = 0.02


class _Found(NamedTuple):
    """A model's files, and the stamp of before they were looked for."""

    files: ModelFiles
    stamp: object


class Shelf:
    """The models, and how newer ones take their place.

    Args:
        config: the server's.
        metrics: counts.

    Attributes:
        models: by name, each the newest that was whole; at first none.

    Raises:
        UserError: a model's files are not whole, or do not fit.
    """

    def __init__(self, config: Config, metrics: Metrics):
        self._config = config
        self._metrics = metrics
        self._stamps: dict[str, object] = {}
        self._faults: dict[str, str] = {}
        self.models: dict[str, ServedModel] = {}
        self._found = {name: self._find(name) for name in config.models}

    def load(self) -> None:
        """Loads those that are not yet there; UserError where one cannot be."""
        for name, found in self._found.items():
            if name not in self.models:
                self._load(name, found)

    def renew(self, always: bool) -> None:
        """Replaces models; one that cannot be loaded keeps its place.

        Args:
            always: also where there is no newer checkpoint or export.
        """
        for name in self._config.models:
            try:
                self._renew(name, always)
                self._faults.pop(name, None)
            except Exception as error:
                # Whatever it is: the old one answers on.
                fault = f"{type(error).__name__}: {one_line(error)}"
                if always or fault != self._faults.get(name):
                    logging.error(
                        "Kept the old model %s, as the new one cannot be "
                        "loaded: %s",
                        name,
                        fault,
                    )
                self._faults[name] = fault

    def _renew(self, name: str, always: bool) -> None:
        stamp = http_models.stamp(self._config.models[name], self._config)
        if not always and stamp == self._stamps[name]:
            return
        old = self.models[name]
        self._load(name, self._find(name))
        old.batches.close()

    def _find(self, name: str) -> _Found:
        folder = self._config.models[name]
        try:
            stamp = http_models.stamp(folder, self._config)
        except (OSError, UserError):
            stamp = None  # the model's own fault says more
        return _Found(http_models.find(folder, self._config), stamp)

    def _load(self, name: str, found: _Found) -> None:
        config = self._config
        folder = config.models[name]
        settings = Settings(
            config.batch_timeout_ms / 1000,
            config.max_batch_tokens,
            config.max_queue_rows,
        )
        model = ServedModel(
            found.files,
            folder,
            settings,
            functools.partial(self._metrics.batch, name),
        )
        self.models[name], self._stamps[name] = model, found.stamp
        logging.info(
            "Serving %s, version %d, %s, of %s",
            name,
            model.version,
            model.task.spec.name,
            folder,
        )


def serve(
    config: Config,
    metrics: Metrics,
    listener: socket.socket,
    parent: int,
    loaded: int,
    is_first: bool,
) -> None:
    """Loads the models, and answers until SIGTERM.

    Args:
        config: the server's.
        metrics: counts.
        listener: bound; it is listened at once the models' files are found.
        parent: a file descriptor that ends when the server is to.
        loaded: a file descriptor that is told when models can answer.
        is_first: whether nobody else answers: then clients are told to wait
            while the models are loaded.

    Raises:
        UserError: a model cannot be loaded, or the port is taken.
    """
    shelf = Shelf(config, metrics)
    if not is_first:
        shelf.load()
    try:
        listener.listen(_BACKLOG)
    except OSError as error:
        raise http_workers.port_fault(config, error) from error
    service = Service(config, shelf.models, metrics)
    keep = functools.partial(_keep, shelf, loaded, config.reload_seconds)
    asyncio.run(_run(service, keep, listener, parent))


async def _run(
    service: Service,
    keep: Callable[[], Coroutine[None, None, None]],
    listener: socket.socket,
    parent: int,
) -> None:
    """Answers until it is told to leave, or `keep` has failed."""
    server = _server(service)
    asyncio.get_running_loop().add_reader(parent, server.leave)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    keeping = asyncio.create_task(keep())
    await asyncio.wait({serving, keeping}, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    await serving
    if keeping.done():
        keeping.result()
    keeping.cancel()


def _server(service: Service) -> "_Server":
    config = service.config

    class Connection(_Connection):
        seconds = config.request_timeout_s

    # The application has a log of its own, and uvicorn's tells of no requests.
    python_logging.getLogger("uvicorn.error").setLevel(python_logging.ERROR)
    return _Server(
        uvicorn.Config(
            service.app(),
            http=Connection,
            loop="asyncio",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            backlog=_BACKLOG,
            timeout_keep_alive=max(1, int(config.request_timeout_s)),
            timeout_graceful_shutdown=max(1, int(config.request_timeout_s)),
            h11_max_incomplete_event_size=_HEAD_BYTES,
        ),
        service,
    )


async def _keep(shelf: Shelf, loaded: int, seconds: float | None) -> None:
    """Loads the models, and renews them on SIGHUP and every so many seconds.

    Args:
        shelf: theirs.
        loaded: is told once they are there.
        seconds: None: only on SIGHUP.

    Raises:
        UserError: one cannot be loaded.
    """
    loop = asyncio.get_running_loop()
    # Not asyncio's own: the end does not wait for it.
    thread = ThreadPoolExecutor(1, "models")
    await loop.run_in_executor(thread, shelf.load)
    os.write(loaded, b"1")
    os.close(loaded)
    asked = asyncio.Event()
    loop.add_signal_handler(signal.SIGHUP, asked.set)
    while True:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asked.wait(), seconds)
        always = asked.is_set()
        asked.clear()
        await loop.run_in_executor(thread, shelf.renew, always)


class _Server(uvicorn.Server):
    """Leaves in two steps: what was asked is answered, then it stops."""

    def __init__(self, config: uvicorn.Config, service: Service):
        super().__init__(config)
        self._service = service
        self._leaving: asyncio.Task | None = None
        self._loop = asyncio.get_running_loop()

    def handle_exit(self, sig, frame) -> None:
        """Is called for SIGTERM and SIGINT."""
        self._loop.call_soon_threadsafe(self.leave)

    def leave(self) -> None:
        """Answers what was asked, and stops."""
        if self._leaving is None:
            self._service.is_leaving = True
            self._leaving = self._loop.create_task(self._leave())

    async def _leave(self) -> None:
        while self._service.open_requests:
            await asyncio.sleep(_POLL_SECONDS)
        self.should_exit = True


class _Connection(H11Protocol):
    """A connection that is cut where its client keeps it waiting.

    A client waits for us, or we wait for it: for the rest of a request, or to
    take in its answer. We wait so many seconds, and for an answer as long as
    some of it is taken.

    Attributes:
        seconds: how long.
    """

    seconds: float

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self._resumed = 0
        self._state: object = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport) -> None:
        """Begins to watch."""
        super().connection_made(transport)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Ends it."""
        if self._timer:
            self._timer.cancel()
        super().connection_lost(exc)

    def resume_writing(self) -> None:
        """Some of the answer was taken."""
        self._resumed += 1
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """Answers what is no HTTP; unless another answer is on its way."""
        if self.conn.our_state not in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.abort()
            return
        body = b'{"error": "the request is not HTTP/1.1"}'
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        for event in (
            h11.Response(status_code=400, headers=headers, reason=b""),
            h11.Data(data=body),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _watch(self) -> None:
        cycle = self.cycle
        waits = (
            cycle is None
            or cycle.response_complete
            or cycle.more_body
            or self.flow.write_paused
        )
        state = (cycle, cycle and cycle.response_complete, self._resumed)
        if waits and state == self._state:
            self.transport.abort()
            return
        self._state = state if waits else None
        self._timer = self.loop.call_later(self.seconds, self._watch)
