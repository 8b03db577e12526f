"""Figures of all processes of a server, in Prometheus' text format.

They are numbers in memory that the processes share: each writes its own part,
and each can answer for all. Imports neither TensorFlow nor a web framework.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/.
"""

import mmap
import threading
from collections.abc import Iterator, Sequence
from math import inf

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# What a request may be answered with; any other code counts as the last.
CODES = (200, 400, 401, 404, 405, 408, 413, 429, 499, 503, 504, 500)

_BOUNDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, inf)
_BYTES = 8  # of a number
# Name, kind, whether by code, what it is.
_FIGURES = (
    ("requests_total", "counter", True, "Requests that were answered."),
    ("rows_total", "counter", True, "Rows of these requests."),
    ("request_seconds", "histogram", True, "From a request to its answer."),
    ("batches_total", "counter", False, "Batches that were computed."),
    ("batch_rows_total", "counter", False, "Sequences in these batches."),
    ("batch_seconds", "histogram", False, "To compute a batch."),
    ("queue_rows", "gauge", False, "Sequences that wait to be computed."),
)
# Of a figure: its name, the model, the code; of a histogram's parts the
# suffix and the upper bound, too.
_Key = tuple[str, str, int | None, str, float | None]


class Metrics:
    """The figures of a server; made before its processes.

    Args:
        models: their names; "" stands for requests that name none.
        processes: how many write.
    """

    def __init__(self, models: Sequence[str], processes: int):
        self._places = {key: i for i, key in enumerate(_keys(models))}
        size = len(self._places) * processes * _BYTES
        self._numbers = memoryview(mmap.mmap(-1, size)).cast("d")
        self._lock = threading.Lock()
        self._first = 0

    def write_as(self, process: int) -> None:
        """Says which process this is; nothing waits in its queues yet."""
        self._first = process * len(self._places)
        for key, place in self._places.items():
            if key[0] == "queue_rows":
                self._numbers[self._first + place] = 0

    def request(self, model: str, code: int, rows: int, seconds: float) -> None:
        """Counts a request and its answer."""
        code = code if code in CODES else CODES[-1]
        self._add("requests_total", model, code)
        self._add("rows_total", model, code, amount=rows)
        self._observe("request_seconds", model, code, seconds)

    def batch(self, model: str, rows: int, seconds: float) -> None:
        """Counts a batch; called by the thread that computes."""
        with self._lock:  # another may compute for the model that it follows
            self._add("batches_total", model)
            self._add("batch_rows_total", model, amount=rows)
            self._observe("batch_seconds", model, None, seconds)

    def queue(self, model: str, rows: int) -> None:
        """Says how many rows wait."""
        place = self._places["queue_rows", model, None, "", None]
        self._numbers[self._first + place] = rows

    def text(self) -> str:
        """Returns the figures of all processes, without those that are 0."""
        return "".join(self._lines())

    def _lines(self) -> Iterator[str]:
        kinds = {name: (kind, text) for name, kind, _, text in _FIGURES}
        told = ""
        for key in self._places:
            name, model, code, suffix, bound = key
            kind, text = kinds[name]
            if name != told:
                yield f"# HELP bert_{name} {text}\n# TYPE bert_{name} {kind}\n"
                told = name
            count = "_count" if kind == "histogram" else ""
            if kind != "gauge" and not self._total(
                (name, model, code, count, None)
            ):
                continue
            labels = [f'model="{model}"']
            if code is not None:
                labels.append(f'code="{code}"')
            if bound is not None:
                shown = "+Inf" if bound == _BOUNDS[-1] else f"{bound:g}"
                labels.append(f'le="{shown}"')
            total = self._total(key)
            yield f"bert_{name}{suffix}{{{','.join(labels)}}} {total:.12g}\n"

    def _total(self, key: _Key) -> float:
        """Returns a figure of all processes."""
        return sum(self._numbers[self._places[key] :: len(self._places)])

    def _observe(
        self, name: str, model: str, code: int | None, seconds: float
    ) -> None:
        self._add(name, model, code, "_sum", amount=seconds)
        self._add(name, model, code, "_count")
        for bound in _BOUNDS:
            if seconds <= bound:
                self._add(name, model, code, "_bucket", bound)

    def _add(
        self,
        name: str,
        model: str,
        code: int | None = None,
        suffix: str = "",
        bound: float | None = None,
        amount: float = 1,
    ) -> None:
        place = self._places[name, model, code, suffix, bound]
        self._numbers[self._first + place] += amount


def _keys(models: Sequence[str]) -> Iterator[_Key]:
    """Yields what is counted, in the order of the text."""
    for name, kind, is_by_code, _ in _FIGURES:
        for model in ("", *models) if is_by_code else models:
            for code in sorted(CODES) if is_by_code else (None,):
                if kind != "histogram":
                    yield name, model, code, "", None
                    continue
                for bound in _BOUNDS:
                    yield name, model, code, "_bucket", bound
                yield name, model, code, "_sum", None
                yield name, model, code, "_count", None
