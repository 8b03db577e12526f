"""Asks an ASGI application in this process, as a server would."""

import asyncio
import json
from typing import Any, NamedTuple


class Answer(NamedTuple):
    """What an application says."""

    code: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


async def ask(
    app,
    method: str,
    path: str,
    body: Any = b"",
    headers: dict[str, str] | None = None,
    leaves: asyncio.Event | None = None,
) -> Answer:
    """Returns the answer to a request; code 0: there was none.

    Args:
        app: the application.
        method: of HTTP.
        path: without a query.
        body: bytes, parts of it, or what becomes JSON.
        headers: of the request.
        leaves: the client goes away once it is set.
    """
    if not isinstance(body, bytes | list):
        body = json.dumps(body).encode()
    parts = [body] if isinstance(body, bytes) else list(body)
    leaves = leaves or asyncio.Event()
    sent: list[dict] = []

    async def receive():
        if parts:
            part = parts.pop(0)
            return {
                "type": "http.request",
                "body": part,
                "more_body": bool(parts),
            }
        await leaves.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [
            (name.lower().encode(), value.encode())
            for name, value in (headers or {}).items()
        ],
        "client": ("127.0.0.1", 5),
        "server": ("127.0.0.1", 80),
    }
    await app(scope, receive, send)
    starts = [m for m in sent if m["type"] == "http.response.start"]
    if not starts:
        return Answer(0, {}, b"")
    (start,) = starts
    return Answer(
        start["status"],
        {k.decode(): v.decode() for k, v in start["headers"]},
        b"".join(m.get("body", b"") for m in sent if m is not start),
    )
