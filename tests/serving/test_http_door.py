"""Keys, deadlines, errors and the log of the server."""

import asyncio
import json
import logging

import pytest

pytest.importorskip("starlette", reason="requirements-serve.txt")

from tests.serving.asgi import ask
from tests.serving.http_toys import PREDICT, SECONDS, run


def test_a_long_message_is_cut(make_app):
    _, app = make_app()
    body = {"instances": ["a"], **{f"k{n}" * 20: n for n in range(4)}}
    body["signature_name"] = 3
    found = run(app, "POST", "/v1/models/" + "x" * 999, body)
    assert found.code == 405
    found = run(app, "GET", "/v1/models/" + "x" * 999)
    assert len(found.json["error"]) <= 300


def test_a_request_that_takes_too_long_is_given_up(make_app, toy):
    service, app = make_app(request_timeout_s=0.1)
    toy.may_go.clear()

    async def late():
        first = asyncio.create_task(
            ask(app, "POST", PREDICT, {"instances": ["a"]})
        )
        await asyncio.to_thread(toy.is_in.wait, SECONDS)
        second = await ask(app, "POST", PREDICT, {"instances": ["b"]})
        return second, await first

    for found in asyncio.run(late()):
        assert found.code == 504
        assert found.json == {"error": "no answer within 0.1 seconds"}
    toy.may_go.set()
    assert run(app, "POST", PREDICT, {"instances": ["c"]}).code == 200
    assert toy.computed == ["a", "c"]
    assert service.open_requests == 0


def test_a_body_that_does_not_come_is_given_up(make_app):
    _, app = make_app(request_timeout_s=0.1)

    async def slow():
        sent = []
        parts = [{"type": "http.request", "body": b"{", "more_body": True}]

        async def receive():
            if parts:
                return parts.pop()
            return await asyncio.sleep(SECONDS)

        async def send(message):
            sent.append(message)

        scope = {
            "type": "http",
            "method": "POST",
            "path": PREDICT,
            "headers": [],
            "query_string": b"",
        }
        await app(scope, receive, send)
        return sent

    start, body = asyncio.run(slow())
    assert start["status"] == 408
    assert (b"connection", b"close") in start["headers"]
    assert json.loads(body["body"])["error"] == (
        "no whole request within 0.1 seconds"
    )


def test_a_client_that_goes_while_it_sends_is_no_fault(make_app, access_log):
    _, app = make_app()

    async def half():
        async def receive():
            return {"type": "http.disconnect"}

        sent = []
        scope = {
            "type": "http",
            "method": "POST",
            "path": PREDICT,
            "headers": [],
            "query_string": b"",
        }

        async def send(message):
            sent.append(message)

        await app(scope, receive, send)
        return sent

    assert asyncio.run(half()) == []
    assert " 499 0 " in access_log()


def test_a_key_is_asked_for(make_app):
    _, app = make_app(api_keys=(b"one", b"two"))
    body = {"instances": ["a"]}
    for headers in (
        {},
        {"Authorization": "Bearer thre"},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic one"},
        {"Authorization": "one"},
        {"Authorization": "Bearer one two"},
        {"X-Api-Key": "one"},
    ):
        for method, path in (("POST", PREDICT), ("GET", "/nothing")):
            found = run(app, method, path, body, headers)
            assert found.code == 401
            assert found.headers["www-authenticate"] == "Bearer"
    for key in ("Bearer one", "bearer two"):
        found = run(app, "POST", PREDICT, body, {"Authorization": key})
        assert found.code == 200
    assert run(app, "GET", "/healthz").code == 200
    assert run(app, "GET", "/metrics").code == 401


def test_the_log_has_a_line_for_each_request_and_no_text(
    make_app, access_log, caplog
):
    _, app = make_app()
    secret = "secret"
    run(app, "POST", PREDICT, {"instances": [secret, secret]})
    run(app, "POST", PREDICT, {"instances": [{secret: secret}]})
    run(app, "POST", PREDICT, {"instances": ["bug", secret]})
    run(app, "POST", f"/v1/models/{secret}:predict", b"")
    run(app, "GET", f"/{secret}\nx")
    run(app, "GET", f"/v1/models/{secret}\nx:predict")
    run(app, "PUT", f"/v1/models/m/versions/{secret}")
    run(app, "PUT", "/v1/models/m/metadata")
    text = access_log()
    lines = text.splitlines()
    assert [line.split()[1:-1] for line in lines] == [
        ["127.0.0.1", "POST", PREDICT, "200", "2"],
        ["127.0.0.1", "POST", PREDICT, "400", "0"],
        ["127.0.0.1", "POST", PREDICT, "500", "2"],
        ["127.0.0.1", "POST", "-", "404", "0"],
        ["127.0.0.1", "GET", "-", "404", "0"],
        ["127.0.0.1", "GET", "-", "405", "0"],
        ["127.0.0.1", "PUT", "-", "405", "0"],
        ["127.0.0.1", "PUT", "/v1/models/m/metadata", "405", "0"],
    ]
    assert secret not in text
    assert [r.levelno for r in caplog.records] == [logging.ERROR]
    assert "ArithmeticError" in caplog.text
    assert secret not in caplog.text


def test_the_log_may_be_json(make_app, access_log):
    _, app = make_app(log_style="json")
    run(app, "POST", PREDICT, {"instances": ["a", "b"]})
    entry = json.loads(access_log())
    assert entry["code"] == 200
    assert (entry["path"], entry["rows"]) == (PREDICT, 2)
