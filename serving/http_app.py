"""The server's application: what is answered at which path.

It knows neither sockets nor processes: `http_server` runs it.
"""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any, TypeVar

from starlette.applications import Starlette
from starlette.convertors import StringConvertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bert.errors import UserError
from bert.serving import http_metrics, http_models, http_page, http_rows
from bert.serving.http_batches import ClosedError, FullError
from bert.serving.http_config import Config
from bert.serving.http_door import Door, error, refused
from bert.serving.http_metrics import Metrics
from bert.serving.http_models import ServedModel
from bert.tasks.requests import requests_of

T = TypeVar("T")

_MODEL = "/v1/models/{name:name}"
_VERSION = _MODEL + "/versions/{version}"
# Bodies that are being read, together: so many of the longest.
_BODIES = 16
_RETRY_AFTER = {"Retry-After": "1"}
_THREADS = 4
# Bytes of a body whose texts may take seconds to read: others do not wait.
_LONG_BODY = 2**17


class _NameConvertor(StringConvertor):
    """The name of a model in a path: what stands before `:predict`."""

    regex = "[^/:]+"


register_url_convertor("name", _NameConvertor())


class Service:
    """What the application answers with.

    Args:
        config: the server's.
        models: by name; those that are not there are being loaded, and an
            entry may be replaced.
        metrics: counts.

    Attributes:
        is_leaving: whether it takes no more requests.
        open_requests: how many are not yet answered.
    """

    def __init__(
        self,
        config: Config,
        models: Mapping[str, ServedModel],
        metrics: Metrics,
    ):
        self.config = config
        self.models = models
        self.metrics = metrics
        self.is_leaving = False
        self.open_requests = 0
        self._body_bytes = 0
        self._threads: Executor = ThreadPoolExecutor(_THREADS, "rows")
        # Several would be no faster, and leave others less of Python's lock.
        self._long_thread: Executor = ThreadPoolExecutor(1, "long rows")

    def app(self) -> Starlette:
        """Returns the application."""
        routes = [
            Route("/", self._page, methods=["GET"]),
            Route("/healthz", self._health, methods=["GET"]),
            Route("/metrics", self._metrics, methods=["GET"]),
            Route("/v1/models", self._list, methods=["GET"]),
            *(
                Route(path + ending, endpoint, methods=[method])
                for path in (_MODEL, _VERSION)
                for ending, endpoint, method in (
                    (":predict", self._predict, "POST"),
                    ("/metadata", self._metadata, "GET"),
                    ("", self._status, "GET"),
                )
            ),
        ]
        app = Starlette(
            routes=routes,
            middleware=[Middleware(Door, service=self)],
            exception_handlers={HTTPException: refused},
        )
        app.router.redirect_slashes = False
        return app

    async def _page(self, request: Request) -> Response:
        html, headers = http_page.page()
        return Response(html, headers=headers, media_type="text/html")

    async def _health(self, request: Request) -> Response:
        if self.is_leaving:
            return error(503, "the server is leaving")
        self._check_loaded()
        return JSONResponse({"status": "ok"})

    async def _metrics(self, request: Request) -> Response:
        return Response(
            self.metrics.text(), media_type=http_metrics.CONTENT_TYPE
        )

    async def _list(self, request: Request) -> Response:
        self._check_loaded()
        models = [
            {
                "name": name,
                "version": str(model.version),
                "task": model.task.spec.name,
                **model.about,
            }
            for name, model in self.models.items()
        ]
        return JSONResponse({"models": models})

    async def _status(self, request: Request) -> Response:
        return JSONResponse(http_rows.status(self._model(request).version))

    async def _metadata(self, request: Request) -> Response:
        model = self._model(request)
        return JSONResponse(
            http_rows.metadata(
                request.path_params["name"], model.version, model.outputs
            )
        )

    async def _predict(self, request: Request) -> Response:
        self._model(request)
        if self.is_leaving:
            raise HTTPException(
                503, "the server is leaving", {"Connection": "close"}
            )
        body = await self._body(request)
        while True:
            # An old one takes nothing more once a new one has its place.
            with contextlib.suppress(ClosedError):
                answer = await self._answer(request, body)
                return Response(answer, media_type="application/json")

    def _check_loaded(self) -> None:
        """Raises HTTPException while some model cannot answer yet."""
        if len(self.models) < len(self.config.models):
            raise HTTPException(
                503, "the models are being loaded", _RETRY_AFTER
            )

    def _model(self, request: Request) -> ServedModel:
        """Returns the model that a path names; 404 where there is none."""
        name = request.path_params["name"]
        model = self.models.get(name)
        if model is None:
            self._check_loaded()
            raise HTTPException(
                404,
                f"no model {name[:80]!r}; there are "
                f"{', '.join(self.models)} (GET /v1/models)",
            )
        request.scope["bert.model"] = name
        version = request.path_params.get("version")
        if version not in (None, str(model.version)):
            raise HTTPException(
                404,
                f"no version {version[:80]!r} of {name}; it is {model.version}",
            )
        return model

    async def _body(self, request: Request) -> bytes:
        """Returns the body, if it is not too long, and not one too many."""
        most = self.config.max_body_bytes
        body = bytearray()
        try:
            async for chunk in request.stream():
                body += chunk
                self._body_bytes += len(chunk)
                if len(body) > most:
                    raise HTTPException(
                        413,
                        f"the body is longer than {most} bytes; split it, or "
                        "raise --max_body_mb",
                    )
                if self._body_bytes > most * _BODIES:
                    raise HTTPException(
                        429, "too many long requests at once", _RETRY_AFTER
                    )
        finally:
            self._body_bytes -= len(body)
        request.scope["bert.is_whole"] = True
        return bytes(body)

    async def _answer(self, request: Request, body: bytes) -> bytes:
        """Returns the body of the answer.

        Raises:
            ClosedError: a newer version has taken the model's place.
        """
        model = self._model(request)
        most = self.config.max_queue_rows
        is_long = len(body) > _LONG_BODY
        thread = self._long_thread if is_long else self._threads
        run = asyncio.get_running_loop().run_in_executor
        asked, form = await run(thread, _read, body, model, most)
        request.scope["bert.rows"] = len(asked)
        rows = [row for each in asked for row in each.rows]
        _check_number(len(rows), most)
        try:
            future = asyncio.wrap_future(model.batches.submit(rows))
        except FullError as full:
            raise HTTPException(
                429, "too many rows wait; try again later", _RETRY_AFTER
            ) from full
        name = request.path_params["name"]
        self.metrics.queue(name, model.batches.waiting_rows)
        try:
            outputs = await _unless_gone(request, future)
        except UserError as fault:  # not the client's
            raise HTTPException(500, str(fault)) from fault
        self.metrics.queue(name, model.batches.waiting_rows)
        return await run(thread, _write, form, asked, outputs)


def _read(
    body: bytes, model: ServedModel, most: int
) -> tuple[list[http_models.Asked], str]:
    request = http_rows.parse(body)
    _check_number(len(request.values), most)
    return requests_of(request.values, model.ask, request.form), request.form


def _check_number(rows: int, most: int) -> None:
    if rows > most:
        raise HTTPException(
            413,
            f"{rows} rows are more than --max_queue_rows={most}; split the "
            "request",
        )


def _write(
    form: str,
    asked: Sequence[http_models.Asked],
    outputs: Sequence[Any],
) -> bytes:
    answers, start = [], 0
    try:
        for each in asked:
            end = start + len(each.rows)
            answers.append(each.answer(outputs[start:end]))
            start = end
    except UserError as fault:
        raise HTTPException(500, str(fault)) from fault
    return http_rows.to_body(form, answers)


async def _unless_gone(request: Request, future: asyncio.Future[T]) -> T:
    """Waits for a result, as long as the client does."""
    gone = asyncio.ensure_future(request.receive())
    both: set[asyncio.Future[Any]] = {future, gone}
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if not future.done():
            raise ClientDisconnect
        return future.result()
    finally:
        gone.cancel()
        future.cancel()
