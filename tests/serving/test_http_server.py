"""A process that answers: newer models, and connections that wait too long."""

import asyncio
import contextlib
import functools
import os
import socket

import pytest

pytest.importorskip("uvicorn", reason="requirements-serve.txt")

import uvicorn

from bert.errors import UserError
from bert.serving import http_models, http_server
from bert.serving.http_server import Shelf

SECONDS = 20


class Config:
    """What a shelf reads of serve.py's flags."""

    models = {"a": "folder_a", "b": "folder_b"}  # noqa: RUF012
    batch_timeout_ms = 5.0
    max_batch_tokens = 100
    max_queue_rows = 10


class Models:
    """Folders, and the models that are loaded from them."""

    def __init__(self):
        self.stamps = {"folder_a": 1, "folder_b": 1}
        self.fault = None
        self.closed = []

    def stamp(self, folder, given):
        return self.stamps[folder]

    def find(self, folder, given):
        return folder

    def load(self, source, folder, settings, computed):
        if self.fault:
            raise self.fault

        number = self.stamps[folder]

        class Model:
            version = number

            class task:  # noqa: N801
                class spec:  # noqa: N801
                    name = "toy"

            class batches:  # noqa: N801
                close = functools.partial(self.closed.append, number)

        return Model


@pytest.fixture
def models(monkeypatch):
    made = Models()
    monkeypatch.setattr(http_models, "stamp", made.stamp)
    monkeypatch.setattr(http_models, "find", made.find)
    monkeypatch.setattr(http_models, "ServedModel", made.load)
    monkeypatch.setattr(http_server, "ServedModel", made.load)
    return made


class Metrics:
    batch = None

    def __init__(self):
        self.batch = lambda *args: None


def loaded_shelf():
    shelf = Shelf(Config(), Metrics())
    assert not shelf.models
    shelf.load()
    return shelf


def test_a_newer_model_takes_the_place_of_the_old_one(models):
    shelf = loaded_shelf()
    old = dict(shelf.models)
    shelf.renew(always=False)
    assert shelf.models == old
    models.stamps["folder_b"] = 2
    shelf.renew(always=False)
    assert shelf.models["a"] is old["a"]
    assert shelf.models["b"].version == 2
    assert models.closed == [1]
    shelf.renew(always=True)
    assert shelf.models["a"] is not old["a"]
    assert models.closed == [1, 1, 2]


def test_the_old_model_stays_where_the_new_one_is_not_whole(models, caplog):
    shelf = loaded_shelf()
    old = dict(shelf.models)
    models.stamps["folder_b"] = 2
    for fault in (UserError("half\na model"), MemoryError("no room")):
        models.fault = fault
        for _ in range(3):
            shelf.renew(always=False)
    assert shelf.models == old
    assert models.closed == []
    # It is told once, and again where that is asked.
    assert [r.getMessage() for r in caplog.records] == [
        "Kept the old model b, as the new one cannot be loaded: "
        "UserError: half a model",
        "Kept the old model b, as the new one cannot be loaded: "
        "MemoryError: no room",
    ]
    shelf.renew(always=True)
    assert len(caplog.records) == 4
    models.fault = None
    shelf.renew(always=False)
    assert shelf.models["b"].version == 2


def test_a_model_that_cannot_be_loaded_ends_the_start(models):
    models.fault = UserError("no model")
    shelf = Shelf(Config(), Metrics())
    with pytest.raises(UserError, match="no model"):
        shelf.load()


@pytest.fixture
def serve(make_app):
    """Serves an application whose models are kept by a coroutine."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    parent, lifeline = os.pipe()
    service, _ = make_app()

    async def serve(keep):
        with listener:
            await http_server._run(service, keep, listener, parent)

    yield serve, listener.getsockname(), lambda: os.close(lifeline)
    os.close(parent)


def test_one_that_cannot_load_its_models_ends(serve):
    run, address, end = serve

    async def keep():
        asked = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        assert b" 200 " in await talk(address, asked)
        raise UserError("no model")

    with pytest.raises(UserError, match="no model"):
        asyncio.run(run(keep))
    end()


def test_one_may_be_told_to_leave_while_it_loads(serve):
    run, _, end = serve

    async def keep():
        end()
        await asyncio.sleep(SECONDS)
        pytest.fail("it is still there")

    asyncio.run(run(keep))


@contextlib.asynccontextmanager
async def connections(app, seconds):
    """Serves an application with our connections; yields their address."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    connection = type("Timed", (http_server._Connection,), {"seconds": seconds})
    config = uvicorn.Config(
        app,
        http=connection,
        ws="none",
        lifespan="off",
        log_config=None,
        timeout_keep_alive=SECONDS,
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server._serve([listener]))
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield listener.getsockname()
    finally:
        server.should_exit = True
        await serving


async def talk(address, *parts, pause=0.0):
    """Sends some bytes; returns all that comes until the end."""
    reader, writer = await asyncio.open_connection(*address)
    for part in parts:
        writer.write(part)
        await asyncio.sleep(pause)
    found = b""
    with contextlib.suppress(ConnectionError):
        found = await asyncio.wait_for(reader.read(), SECONDS)
    writer.close()
    return found


async def echo(scope, receive, send):
    """Answers once the body is there, and a second later if so told."""
    while (await receive()).get("more_body"):
        pass
    if scope["path"] == "/late":
        await asyncio.sleep(1)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"x"})


HEAD = b"POST /late HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"


def test_connections_that_keep_us_waiting_are_cut():
    async def all_of_them():
        async with connections(echo, seconds=0.3) as address:
            return await asyncio.gather(
                talk(address),
                talk(address, b"GET / HT"),
                talk(address, HEAD + b"\r\na"),
                talk(address, *[b"a"] * 10, pause=0.2),
            )

    assert asyncio.run(all_of_them()) == [b""] * 4


def test_connections_that_wait_for_us_are_not_cut():
    async def late():
        async with connections(echo, seconds=0.2) as address:
            request = HEAD + b"\r\nabc"
            return await talk(address, request, request, pause=0.0)

    # Two answers, one after the other; then it waits for us no more.
    assert asyncio.run(late()).count(b"HTTP/1.1 200 ") == 2


def test_an_answer_that_nobody_reads_is_cut():
    async def much(scope, receive, send):
        await receive()
        await send(
            {"type": "http.response.start", "status": 200, "headers": []}
        )
        for _ in range(1000):
            body = {"body": b"x" * 10**5, "more_body": True}
            await send({"type": "http.response.body", **body})

    async def never_read():
        async with connections(much, seconds=0.3) as (host, port):
            client = socket.socket()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.setblocking(False)
            loop = asyncio.get_running_loop()
            await loop.sock_connect(client, (host, port))
            await loop.sock_sendall(
                client, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
            )
            await asyncio.sleep(1.5)
            total = 0
            with contextlib.suppress(ConnectionError):
                while part := await loop.sock_recv(client, 2**20):
                    total += len(part)
            client.close()
            return total

    assert asyncio.run(never_read()) < 10**8


@pytest.mark.parametrize(
    "data",
    [
        b"hello\r\n\r\n",
        HEAD + b"Content-Length: 4\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\n"
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
def test_what_is_no_http_is_told(data):
    async def told():
        async with connections(echo, seconds=5) as address:
            return await talk(address, data)

    head, _, body = asyncio.run(told()).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert body == b'{"error": "the request is not HTTP/1.1"}'


def test_what_is_no_http_after_an_answer_is_cut():
    async def early(scope, receive, send):
        await send(
            {"type": "http.response.start", "status": 200, "headers": []}
        )
        await send({"type": "http.response.body", "body": b"x"})

    async def cut():
        async with connections(early, seconds=5) as address:
            head = b"POST / HTTP/1.1\r\nHost: x\r\n"
            head += b"Transfer-Encoding: chunked\r\n\r\n"
            return await talk(address, head, b"1\r\na\r\nzz\r\n", pause=0.2)

    found = asyncio.run(cut())
    assert found.count(b"HTTP/1.1") == 1
    assert b" 200 " in found
