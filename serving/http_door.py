"""What every request to the server comes through.

Keys, deadlines, errors, the log and the figures.
"""

import asyncio
import hmac
import logging
import sys
import time
import traceback
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bert.cli import relay_process
from bert.errors import UserError, one_line

if TYPE_CHECKING:
    from bert.serving.http_app import Service

_CLIENT_IS_GONE = 499  # in log and figures; nobody reads it
_ERROR_CHARS = 300
# What says nothing of the models; the page asks for the key.
_WITHOUT_KEY = ("/", "/healthz")


class Door:
    """What every request comes through: key, deadline, log and figures.

    Args:
        app: what answers those that may pass.
        service: whose door it is.
    """

    def __init__(self, app: ASGIApp, service: "Service"):
        self._app = app
        self._service = service
        self._log = _Log(service.config.log_style, service.config.models)

    async def __call__(
        self, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Answers a request, whatever happens."""
        start = time.monotonic()
        codes: list[int] = []

        async def send_once(message: Message) -> None:
            if message["type"] == "http.response.start":
                codes.append(message["status"])
            await send(message)

        self._service.open_requests += 1
        try:
            await self._answer(scope, receive, send_once, codes)
        finally:
            self._service.open_requests -= 1
            code = codes[0] if codes else _CLIENT_IS_GONE
            model, rows = scope.get("bert.model", ""), scope.get("bert.rows", 0)
            seconds = time.monotonic() - start
            self._service.metrics.request(model, code, rows, seconds)
            self._log.write(scope, code, rows, seconds)

    async def _answer(
        self, scope: Scope, receive: Receive, send: Send, codes: Sequence[int]
    ) -> None:
        failed: Response
        try:
            self._check_key(scope)
            limit = self._service.config.request_timeout_s
            async with asyncio.timeout(limit):
                await self._app(scope, receive, send)
            return
        except HTTPException as fault:
            failed = await refused(None, fault)
        except UserError as fault:
            failed = error(400, str(fault))
        except TimeoutError:
            if "bert.is_whole" in scope:
                failed = error(504, f"no answer within {limit:g} seconds")
            else:
                text = f"no whole request within {limit:g} seconds"
                failed = error(408, text, {"Connection": "close"})
        except ClientDisconnect:
            return
        except Exception as fault:
            # Without its message: that may have a text of the request.
            trace = "".join(traceback.format_tb(fault.__traceback__))
            logging.error("%s\n%s", type(fault).__name__, trace)
            failed = error(500, "a fault of the server, which its log tells")
        if not codes:
            await failed(scope, receive, send)

    def _check_key(self, scope: Scope) -> None:
        """Raises HTTPException where a key is needed, and not given."""
        keys = self._service.config.api_keys
        if not keys or scope["path"] in _WITHOUT_KEY:
            return
        given = dict(scope["headers"]).get(b"authorization", b"")
        kind, _, key = given.partition(b" ")
        # All are compared: the time must not tell which.
        fits = [hmac.compare_digest(key.strip(), each) for each in keys]
        if kind.lower() != b"bearer" or not any(fits):
            raise HTTPException(
                401,
                "expected a key: Authorization: Bearer KEY",
                {"WWW-Authenticate": "Bearer"},
            )


class _Log:
    """A line on stderr for each request; none of them holds a text.

    Args:
        style: see `cli/log_styles.py`.
        models: their names.
    """

    def __init__(self, style: str, models: Collection[str]):
        self._is_json = style == "json"
        self._models = models
        self._logger = logging.Logger("bert.access")
        self._logger.addHandler(logging.StreamHandler(sys.stderr))

    def write(self, scope: Scope, code: int, rows: int, seconds: float) -> None:
        """Logs a request."""
        entry = {
            "client": (scope.get("client") or ("-",))[0],
            "method": scope["method"][:10],
            "path": scope["path"] if self._is_known(scope, code) else "-",
            "code": code,
            "rows": rows,
            "seconds": round(seconds, 4),
        }
        text = " ".join(str(value) for value in entry.values())
        now = time.time()
        if self._is_json:
            line = relay_process.json_line(now, "info", text, entry)
        else:
            at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now))
            line = f"{at} {text}"
        self._logger.info(line)

    def _is_known(self, scope: Scope, code: int) -> bool:
        """Whether a path is one of ours; others could hold anything."""
        if code == 404 or "endpoint" not in scope:
            return False
        given = scope["path_params"]
        if "version" in given:  # checked together with the model
            return "bert.model" in scope
        return "name" not in given or given["name"] in self._models


async def refused(request: Any, fault: Exception) -> Response:
    """Returns the answer of an HTTPException, as TensorFlow Serving's are."""
    assert isinstance(fault, HTTPException)
    return error(fault.status_code, fault.detail, fault.headers)


def error(
    code: int, message: str, headers: Mapping[str, str] | None = None
) -> Response:
    """Returns an answer that says what was wrong, in one line."""
    text = one_line(message)
    if len(text) > _ERROR_CHARS:
        text = text[: _ERROR_CHARS - 1] + "…"
    return JSONResponse({"error": text}, code, headers)
