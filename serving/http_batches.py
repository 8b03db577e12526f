"""Rows of many requests → batches of like length → outputs of each request.

A thread computes; requests come from others. First come, first served, but for
long requests: the further a row stands in its request, the later it counts as
come. A clock of computed tokens says when. So the rows of a long request give
way to requests that come while it is computed, and none waits for ever.

Imports neither TensorFlow nor a web framework.
"""

import dataclasses
import heapq
import itertools
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, NamedTuple

# Tokens of a request that count as come at once.
_TOKENS_AT_ONCE = 2048
# Padding that costs less than another batch, in tokens; and as a share.
_FREE_PADDING = 128
_PADDING_SHARE = 0.125


class FullError(Exception):
    """So many rows wait that there is no place for more."""


class ClosedError(Exception):
    """Nothing more is computed: another model has taken the place."""


class Settings(NamedTuple):
    """How rows are put together.

    Attributes:
        timeout_s: how long a row waits at most for others, where nothing is
            being computed.
        max_tokens: tokens of a batch, with padding; a longer row is one alone.
        max_rows: how many rows may wait.
    """

    timeout_s: float
    max_tokens: int
    max_rows: int


@dataclasses.dataclass
class _Job:
    """A request's rows; what waits of them is counted under the lock."""

    future: Future
    outputs: list[Any]
    to_compute: int
    waiting_rows: int
    waiting_tokens: int


class _Entry(NamedTuple):
    """A row that waits; entries are ordered by place, then by arrival."""

    place: int
    number: int
    job: _Job
    position: int
    row: Any
    length: int


class Batches:
    """Computes rows, those of several requests together.

    Args:
        compute: rows → the outputs of each, in order.
        length: row → its tokens.
        settings: how rows are put together.
        computed: called with the rows and the seconds of each batch, in the
            thread that computes.
    """

    def __init__(
        self,
        compute: Callable[[Sequence[Any]], Sequence[Any]],
        length: Callable[[Any], int],
        settings: Settings,
        computed: Callable[[int, float], None] = lambda rows, seconds: None,
    ):
        self._compute = compute
        self._length = length
        self._settings = settings
        self._computed = computed
        self._heap: list[_Entry] = []
        self._numbers = itertools.count()
        self._clock = 0  # tokens that were computed
        self._rows = 0
        self._tokens = 0
        self._first_came = 0.0
        self._is_closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def waiting_rows(self) -> int:
        """How many rows wait."""
        return self._rows

    def submit(self, rows: Sequence[Any]) -> Future:
        """Returns what becomes the outputs of rows, in their order.

        Cancelled, it takes its rows out of the queue.

        Raises:
            FullError: too many rows wait.
            ClosedError: after `close`.
        """
        future: Future = Future()
        lengths = [self._length(row) for row in rows]
        total = sum(lengths)
        job = _Job(future, [None] * len(rows), len(rows), len(rows), total)
        if not rows:
            future.set_result([])
            return future
        with self._changed:
            if self._is_closed:
                raise ClosedError
            if self._rows + len(rows) > self._settings.max_rows:
                raise FullError
            if not self._rows:
                self._first_came = time.monotonic()
            before = 0
            for position, (row, length) in enumerate(
                zip(rows, lengths, strict=True)
            ):
                place = self._clock + before - before % _TOKENS_AT_ONCE
                number = next(self._numbers)
                entry = _Entry(place, number, job, position, row, length)
                heapq.heappush(self._heap, entry)
                before += length
            self._rows += len(rows)
            self._tokens += total
            self._changed.notify()
        future.add_done_callback(lambda _: self._forget(job))
        return future

    def close(self) -> None:
        """Takes no more rows; the thread ends when those that wait are done."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()

    def _forget(self, job: _Job) -> None:
        """Counts the rows that still wait out; `_take` passes them over."""
        with self._changed:
            self._rows -= job.waiting_rows
            self._tokens -= job.waiting_tokens
            job.waiting_rows = job.waiting_tokens = 0

    def _run(self) -> None:
        while batch := self._next():
            start = time.monotonic()
            self._do(batch)
            self._computed(len(batch), time.monotonic() - start)

    def _next(self) -> list[_Entry]:
        """Waits for rows, and returns a batch of them; [] at the end."""
        with self._changed:
            while True:
                if not self._rows:
                    self._heap.clear()
                    if self._is_closed:
                        return []
                    self._changed.wait()
                elif (left := self._seconds_left()) > 0:
                    self._changed.wait(left)
                elif batch := self._take():
                    return batch
                else:  # cancelled; `_forget` waits for the lock
                    self._changed.wait(0.001)

    def _seconds_left(self) -> float:
        """Returns how long the rows that are there wait for others."""
        if self._is_closed or self._tokens >= self._settings.max_tokens:
            return 0.0
        end = self._first_came + self._settings.timeout_s
        return end - time.monotonic()

    def _take(self) -> list[_Entry]:
        """Takes the row that is next, and those that fit to it."""
        window: list[_Entry] = []
        tokens = 0
        while self._heap and tokens < self._settings.max_tokens:
            entry = heapq.heappop(self._heap)
            if not entry.job.future.done():
                window.append(entry)
                tokens += entry.length
        if not window:
            return []
        first = window[0].number
        batch: list[_Entry] = []
        for run in like_length(window, self._settings.max_tokens):
            if any(entry.number == first for entry in run):
                batch = run
            else:
                for entry in run:
                    heapq.heappush(self._heap, entry)
        for entry in batch:
            entry.job.waiting_rows -= 1
            entry.job.waiting_tokens -= entry.length
            self._rows -= 1
            self._tokens -= entry.length
            self._clock += entry.length
        return batch

    def _do(self, batch: Sequence[_Entry]) -> None:
        try:
            outputs = self._compute([entry.row for entry in batch])
        except Exception as error:
            if len(batch) == 1:
                _fail(batch[0].job, error)
            # One row's fault, or its need for memory, is not the others'.
            for entry in batch if len(batch) > 1 else ():
                self._do([entry])
            return
        for entry, output in zip(batch, outputs, strict=True):
            job = entry.job
            job.outputs[entry.position] = output
            job.to_compute -= 1
            # False: nobody waits any more.
            if not job.to_compute and job.future.set_running_or_notify_cancel():
                job.future.set_result(job.outputs)


def like_length(entries: Sequence[Any], max_tokens: int) -> list[list[Any]]:
    """Puts rows of like length together, so that little is padded.

    Args:
        entries: with a `length` each.
        max_tokens: of a batch, with padding.

    Returns:
        Batches, longest rows first.
    """
    batches: list[list[Any]] = []
    longest = tokens = 0
    for entry in sorted(entries, key=lambda e: e.length, reverse=True):
        padded = (len(batches[-1]) + 1) * longest if batches else 0
        tokens += entry.length
        allowed = max(_FREE_PADDING, _PADDING_SHARE * padded)
        if not batches or padded > max_tokens or padded - tokens > allowed:
            batches.append([])
            longest = tokens = entry.length
        batches[-1].append(entry)
    return batches


def _fail(job: _Job, error: Exception) -> None:
    if not job.future.done() and job.future.set_running_or_notify_cancel():
        job.future.set_exception(error)
