"""The server's application: what is answered at which path."""

import asyncio
import json
import random
import threading

import pytest

pytest.importorskip("starlette", reason="requirements-serve.txt")

from bert.serving import http_app
from tests.serving.asgi import ask
from tests.serving.http_toys import PREDICT, SECONDS, Model, run, wait_for

# What a client may be told; 503 is for those that come too late.
CODES = {200, 400, 401, 404, 405, 413, 429, 503, 504}


def test_rows_are_answered_in_their_order(make_app):
    _, app = make_app()
    found = run(app, "POST", PREDICT, {"instances": ["abc", "", "a"]})
    assert found.code == 200
    assert found.headers["content-type"] == "application/json"
    lengths = [{"length": 3}, {"length": 0}, {"length": 1}]
    assert found.json == {"predictions": lengths}
    found = run(app, "POST", PREDICT, {"inputs": ["abc", ""]})
    assert found.json == {"outputs": {"length": [3, 0]}}
    versioned = "/v1/models/m/versions/7:predict"
    found = run(app, "POST", versioned, {"instances": ["ab"]})
    assert found.json == {"predictions": [{"length": 2}]}


def test_models_are_told(make_app):
    _, app = make_app()
    assert run(app, "GET", "/v1/models").json == {
        "models": [
            {"name": "m", "version": "7", "task": "toy", "asks": ["text"]}
        ]
    }
    for path in ("/v1/models/m", "/v1/models/m/versions/7"):
        (status,) = run(app, "GET", path).json["model_version_status"]
        assert (status["version"], status["state"]) == ("7", "AVAILABLE")
        found = run(app, "GET", f"{path}/metadata").json
        assert found["model_spec"]["name"] == "m"


def test_health_and_figures(make_app):
    service, app = make_app()
    assert run(app, "GET", "/healthz").code == 200
    run(app, "POST", PREDICT, {"instances": ["a", "b"]})
    run(app, "POST", PREDICT, b"{")
    found = run(app, "GET", "/metrics")
    assert found.headers["content-type"].startswith("text/plain; version=0.0.4")
    text = found.body.decode()
    assert 'bert_requests_total{model="m",code="200"} 1\n' in text
    assert 'bert_requests_total{model="m",code="400"} 1\n' in text
    assert 'bert_rows_total{model="m",code="200"} 2\n' in text
    assert 'bert_queue_rows{model="m"} 0\n' in text
    service.is_leaving = True
    found = run(app, "GET", "/healthz")
    assert (found.code, found.json) == (503, {"error": "the server is leaving"})
    found = run(app, "POST", PREDICT, {"instances": ["a"]})
    assert found.code == 503
    assert found.headers["connection"] == "close"


def test_while_models_are_loaded_it_says_so(make_app, toy):
    service, app = make_app(models=("m", "n"))
    for method, path, body in (
        ("GET", "/healthz", b""),
        ("GET", "/v1/models", b""),
        ("GET", "/v1/models/n", b""),
        ("POST", "/v1/models/n:predict", {"instances": ["a"]}),
    ):
        found = run(app, method, path, body)
        assert found.code == 503
        assert found.json == {"error": "the models are being loaded"}
        assert found.headers["retry-after"] == "1"
    # Those that are there answer.
    assert run(app, "POST", PREDICT, {"instances": ["a"]}).code == 200
    service.models["n"] = toy
    assert run(app, "GET", "/healthz").code == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "code", "expected"),
    [
        ("GET", "/x", b"", 404, "Not Found"),
        ("POST", "/", b"", 405, "Method Not Allowed"),
        ("GET", "/v1/models/", b"", 404, "Not Found"),
        ("GET", "/v1/models/x", b"", 404, "no model 'x'; there are m"),
        ("POST", "/v1/models/x:predict", b"{}", 404, "no model 'x'"),
        ("POST", "/v1/models/m:classify", b"{}", 404, "Not Found"),
        ("GET", "/v1/models/m/versions/8", b"", 404, "no version '8' of m"),
        ("GET", "/v1/models/m/versions/x", b"", 404, "no version 'x' of m"),
        ("GET", PREDICT, b"", 405, "Method Not Allowed"),
        ("PUT", PREDICT, b"", 405, "Method Not Allowed"),
        ("POST", "/v1/models/m", b"", 405, "Method Not Allowed"),
        ("POST", "/healthz", b"", 405, "Method Not Allowed"),
        ("POST", PREDICT, b"", 400, "The body must be JSON"),
        ("POST", PREDICT, b"\xff", 400, "no UTF-8"),
        ("POST", PREDICT, {"instances": [3]}, 400, "instances[0]: expected a"),
        ("POST", PREDICT, {"inputs": ["a", 3]}, 400, "inputs[1]: expected a"),
        ("POST", PREDICT, b"x" * 1001, 413, "longer than 1000 bytes"),
        ("POST", PREDICT, [b"x" * 400] * 3, 413, "longer than 1000 bytes"),
        ("POST", PREDICT, {"instances": ["a"] * 9}, 413, "9 rows are more"),
        ("POST", PREDICT, {"instances": [3] * 9}, 413, "9 rows are more"),
        ("POST", PREDICT, {"instances": ["9"]}, 413, "9 rows are more"),
        ("POST", PREDICT, {"instances": ["nan"]}, 500, "is not a number"),
        ("POST", PREDICT, {"instances": ["inf"]}, 500, "is not a number"),
        ("POST", PREDICT, {"instances": ["bug"]}, 500, "fault of the server"),
    ],
)
def test_what_cannot_be_answered_is_one_line(
    make_app, method, path, body, code, expected
):
    _, app = make_app()
    found = run(app, method, path, body)
    assert found.code == code
    assert list(found.json) == ["error"]
    assert expected in found.json["error"]
    assert len(found.json["error"]) <= 300
    # The next one is answered.
    assert run(app, "POST", PREDICT, {"instances": ["a"]}).code == 200


def test_a_full_queue_is_told_to_come_again(make_app, toy):
    _, app = make_app()
    toy.may_go.clear()

    async def crowd():
        asked = [
            asyncio.create_task(ask(app, "POST", PREDICT, {"instances": rows}))
            for rows in (["a"], ["6"], ["7"])
        ]
        found = await asked[2]
        toy.may_go.set()
        return [found, *await asyncio.gather(*asked[:2])]

    refused, *answered = asyncio.run(crowd())
    assert refused.code == 429
    assert refused.headers["retry-after"] == "1"
    assert [found.code for found in answered] == [200, 200]


def test_long_bodies_hold_up_no_short_ones(make_app, toy, monkeypatch):
    monkeypatch.setattr(http_app, "_LONG_BODY", 100)
    _, app = make_app()
    may_go = threading.Event()
    reading = []
    ask_toy = toy.ask

    def slow(value):
        if len(value) > 100:
            reading.append(value)
            assert may_go.wait(SECONDS)
        return ask_toy(value)

    toy.ask = slow

    async def both():
        body = {"instances": ["a" * 200]}
        long = [
            asyncio.create_task(ask(app, "POST", PREDICT, body))
            for _ in range(4)
        ]
        await wait_for(lambda: reading)
        short = await ask(app, "POST", PREDICT, {"instances": ["a"]})
        may_go.set()
        return short.code, [each.code for each in await asyncio.gather(*long)]

    assert asyncio.run(both()) == (200, [200] * 4)


def test_rows_of_a_client_that_has_gone_are_not_computed(make_app, toy):
    service, app = make_app()
    toy.may_go.clear()

    async def leave():
        leaves = asyncio.Event()
        asked = []
        for text, event in (("a", None), ("gone", leaves), ("c", None)):
            body = {"instances": [text]}
            asked.append(
                asyncio.create_task(
                    ask(app, "POST", PREDICT, body, leaves=event)
                )
            )
            await asyncio.to_thread(toy.is_in.wait, SECONDS)
        await wait_for(lambda: toy.batches.waiting_rows == 2)
        assert service.open_requests == 3
        leaves.set()
        await asked[1]
        toy.may_go.set()
        return await asyncio.gather(*asked)

    assert [found.code for found in asyncio.run(leave())] == [200, 0, 200]
    assert sorted(toy.computed) == ["a", "c"]
    assert service.open_requests == 0


def test_a_new_model_takes_over_between_two_requests(make_app, toy):
    """The old one is closed after its successor has its place."""
    service, app = make_app()
    newer = Model()
    submit = toy.batches.submit

    def swapped(rows):
        service.models["m"] = newer
        toy.batches.close()
        return submit(rows)

    toy.batches.submit = swapped
    found = run(app, "POST", PREDICT, {"instances": ["abc"]})
    newer.batches.close()
    assert found.json == {"predictions": [{"length": 3}]}
    assert (toy.computed, newer.computed) == ([], ["abc"])


def mangled(rng):
    """A request that is wrong somewhere: method, path, header or body."""
    values = [
        *("a", "", "é\u0000", 3, -1.5, True, None, [], {}, [[]], ["a", "b"]),
        *({"text": "a"}, {"text": 3}, {"input_ids": [1]}, 10**30, "\ud800"),
        {"b64": "?"},
    ]

    def value(depth=3):
        kind = rng.randrange(4) if depth else 0
        if kind < 2:
            return rng.choice(values)
        if kind == 2:
            return [value(depth - 1) for _ in range(rng.randrange(4))]
        keys = ["text", "instances", "inputs", "b64", "id", "", "x" * 50]
        picked = rng.sample(keys, rng.randrange(4))
        return {key: value(depth - 1) for key in picked}

    body = value()
    if rng.random() < 0.6:
        body = {rng.choice(["instances", "inputs"]): body}
    if rng.random() < 0.1:
        body = {"instances": ["a"], "signature_name": value()}
    data = json.dumps(body).encode()
    for _ in range(rng.choice([0, 0, 0, 1, 3, 9])):
        at = rng.randrange(len(data) + 1)
        data = rng.choice(
            [
                data[:at],
                data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :],
                data[at:] + data[:at],
                data + data,
            ]
        )
    path = rng.choice([PREDICT] * 9 + ["/v1/models/é:predict", "//", ""])
    method = rng.choice(["POST"] * 9 + ["GET", "BREW", ""])
    headers = rng.choice([{}, {"content-type": "\x00"}, {"expect": "tea"}])
    cuts = sorted(rng.choices(range(len(data) + 1), k=rng.randrange(3)))
    parts = [
        data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)
    ]
    return method, path, parts, headers


def test_2000_malformed_requests_get_their_codes(make_app, toy, caplog):
    service, app = make_app()
    found = []

    async def fuzz():
        rng = random.Random(1)
        for _ in range(2000):
            method, path, parts, headers = mangled(rng)
            answer = await ask(app, method, path, parts, headers)
            found.append(answer.code)
            if answer.code != 200:
                assert list(answer.json) == ["error"]
                assert 0 < len(answer.json["error"]) <= 300
            elif method == "POST":
                assert set(answer.json) <= {"predictions", "outputs"}
        return await ask(app, "POST", PREDICT, {"instances": ["abc"]})

    last = asyncio.run(fuzz())
    assert last.json == {"predictions": [{"length": 3}]}
    assert set(found) <= CODES
    assert found.count(400) > 500
    assert found.count(200) > 10
    assert not caplog.records
    assert service.open_requests == 0
    assert toy.batches.waiting_rows == 0
