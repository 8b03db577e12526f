"""A toy model and its server's flags, for tests of the application."""

import asyncio
import dataclasses
import threading
from collections.abc import Collection

from bert.errors import UserError
from bert.serving.http_batches import Batches, Settings
from bert.serving.http_models import Asked
from bert.tasks.requests import UnfitError
from tests.serving.asgi import ask

SECONDS = 20
PREDICT = "/v1/models/m:predict"


@dataclasses.dataclass
class Config:
    """What the application reads of serve.py's flags."""

    models: Collection[str] = ("m",)
    request_timeout_s: float = SECONDS
    max_queue_rows: int = 8
    max_body_bytes: int = 1000
    api_keys: tuple[bytes, ...] = ()
    log_style: str = "original"


class Model:
    """Says how long a text is; a text with a number is computed so often."""

    version = 7
    about = {"asks": ["text"]}  # noqa: RUF012
    outputs = {"length": ("int32", (-1,))}  # noqa: RUF012

    class task:  # noqa: N801
        class spec:  # noqa: N801
            name = "toy"

    def __init__(self):
        self.may_go = threading.Event()
        self.may_go.set()
        self.is_in = threading.Event()
        self.computed = []
        self.batches = self.make_batches()

    def make_batches(self):
        return Batches(self.compute, len, Settings(0.0, 10**6, 8))

    def compute(self, rows):
        self.is_in.set()
        assert self.may_go.wait(SECONDS)
        self.computed += rows
        if "inf" in rows:
            raise UserError("the model's output is not a number")
        if "bug" in rows:
            raise ArithmeticError(rows)
        return list(map(len, rows))

    def ask(self, value):
        if not isinstance(value, str):
            raise UnfitError("a text")
        rows = [value] * int(value) if value.isdigit() else [value]

        def answer(found):
            if value == "nan":
                raise UserError("the model's output is not a number")
            return {"length": sum(found)}

        return Asked(rows, answer)


async def wait_for(holds):
    for _ in range(1000):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it does not come")


def run(app, *args, **kwargs):
    return asyncio.run(ask(app, *args, **kwargs))
