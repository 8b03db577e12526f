"""Rows of many requests are computed together, in a fair order."""

import threading
import time
from concurrent.futures import CancelledError

import pytest

from bert.serving import http_batches
from bert.serving.http_batches import (
    Batches,
    ClosedError,
    FullError,
    Settings,
)

SECONDS = 20


class Model:
    """Answers a row of n tokens with -n; waits where it is told to."""

    def __init__(self):
        self.batches = []
        self.may_go = threading.Event()
        self.may_go.set()
        self.is_in = threading.Event()

    def __call__(self, rows):
        self.is_in.set()
        assert self.may_go.wait(SECONDS)
        self.batches.append(list(rows))
        if 13 in rows:
            raise ArithmeticError("thirteen")
        return [-row for row in rows]

    def stop(self):
        """Makes the next batch wait; call `may_go.set` to go on."""
        self.may_go.clear()
        self.is_in.clear()


@pytest.fixture
def model():
    return Model()


@pytest.fixture
def make(model):
    made = []

    def make(timeout_s=0.0, max_tokens=100, max_rows=1000):
        settings = Settings(timeout_s, max_tokens, max_rows)
        made.append(Batches(model, int, settings))
        return made[-1]

    yield make
    model.may_go.set()
    for each in made:
        each.close()


def busy(batches, model):
    """Lets the model compute a row that does not end before `may_go.set`."""
    model.stop()
    first = batches.submit([1])
    assert model.is_in.wait(SECONDS)
    return first


def test_rows_of_several_requests_are_one_batch(make, model):
    batches = make(timeout_s=0.2)
    futures = [batches.submit([n, n + 1]) for n in (10, 11)]
    assert [f.result(SECONDS) for f in futures] == [[-10, -11], [-11, -12]]
    assert [sorted(batch) for batch in model.batches] == [[10, 11, 11, 12]]


def test_a_single_request_waits_no_longer_than_told(make):
    start = time.monotonic()
    assert make(timeout_s=0.05).submit([3]).result(SECONDS) == [-3]
    assert 0.05 <= time.monotonic() - start < 5


def test_a_full_batch_does_not_wait(make):
    batches = make(timeout_s=1000, max_tokens=20)
    assert batches.submit([10, 10]).result(SECONDS) == [-10, -10]


def test_no_rows_are_no_work(make, model):
    assert make().submit([]).result(0) == []
    assert model.batches == []


def test_a_batch_has_at_most_its_tokens_with_padding(make, model):
    rows = [30, 29, 5, 4, 3, 100, 99, 120]
    found = make(max_tokens=100).submit(rows).result(SECONDS)
    assert found == [-row for row in rows]
    for batch in model.batches:
        assert len(batch) * max(batch) <= 100 or len(batch) == 1


def test_like_lengths_are_computed_together():
    class Entry:
        def __init__(self, length):
            self.length = length

    def lengths(entries, most):
        found = http_batches.like_length(map(Entry, entries), most)
        return [[e.length for e in batch] for batch in found]

    # Little padding is no reason for a batch of its own.
    assert lengths([8, 20, 9], 1000) == [[20, 9, 8]]
    assert lengths([500, 8, 480, 8], 4000) == [[500, 480], [8, 8]]
    assert lengths([6, 6, 6], 12) == [[6, 6], [6]]
    assert lengths([50], 12) == [[50]]


def test_a_long_request_gives_way_to_a_short_one(make, model):
    batches = make(max_tokens=1000)
    first = busy(batches, model)
    long = batches.submit([500] * 40)
    short = batches.submit([500])
    before = []
    short.add_done_callback(
        lambda _: before.append(sum(map(len, model.batches)))
    )
    model.may_go.set()
    assert short.result(SECONDS) == [-500]
    assert before[0] < 12
    assert long.result(SECONDS) == [-500] * 40
    assert first.result(SECONDS) == [-1]


def test_short_requests_are_answered_in_their_order(make, model):
    batches = make(max_tokens=300)
    busy(batches, model)
    order = []
    futures = [batches.submit([100] * 3) for _ in range(4)]
    for number, future in enumerate(futures):
        future.add_done_callback(lambda _, n=number: order.append(n))
    model.may_go.set()
    futures[-1].result(SECONDS)
    assert order == [0, 1, 2, 3]


def test_a_long_request_is_answered_while_short_ones_keep_coming(make, model):
    batches = make(max_tokens=1000)
    busy(batches, model)
    long = batches.submit([500] * 20)
    shorts = [batches.submit([500]) for _ in range(4)]
    model.may_go.set()
    for _ in range(2000):
        if long.done():
            break
        shorts.pop(0).result(SECONDS)
        shorts.append(batches.submit([500]))
    assert long.result(0) == [-500] * 20


def test_more_rows_than_may_wait_are_refused(make, model):
    batches = make(max_rows=3)
    busy(batches, model)
    futures = [batches.submit([2, 2])]
    with pytest.raises(FullError):
        batches.submit([2, 2])
    futures.append(batches.submit([2]))
    assert batches.waiting_rows == 3
    model.may_go.set()
    assert [f.result(SECONDS) for f in futures] == [[-2, -2], [-2]]
    assert batches.submit([3, 3]).result(SECONDS) == [-3, -3]


def test_cancelled_rows_are_not_computed_and_leave_their_place(make, model):
    batches = make(max_rows=3)
    busy(batches, model)
    gone, kept = batches.submit([7, 7]), batches.submit([8])
    assert gone.cancel()
    assert batches.waiting_rows == 1
    kept_too = batches.submit([9, 9])
    model.may_go.set()
    assert kept.result(SECONDS) == [-8]
    assert kept_too.result(SECONDS) == [-9, -9]
    assert not any(7 in batch for batch in model.batches)
    with pytest.raises(CancelledError):
        gone.result(0)
    assert batches.waiting_rows == 0


def test_all_cancelled_leaves_nothing(make, model):
    batches = make()
    busy(batches, model)
    futures = [batches.submit([5]) for _ in range(50)]
    assert all(future.cancel() for future in futures)
    model.may_go.set()
    assert batches.submit([6]).result(SECONDS) == [-6]
    assert not any(5 in batch for batch in model.batches)


def test_a_row_that_cannot_be_computed_fails_its_own_request(make, model):
    batches = make(timeout_s=0.1)
    good, bad, other = (batches.submit([n, n]) for n in (12, 13, 14))
    with pytest.raises(ArithmeticError, match="thirteen"):
        bad.result(SECONDS)
    assert good.result(SECONDS) == [-12, -12]
    assert other.result(SECONDS) == [-14, -14]
    assert batches.submit([4]).result(SECONDS) == [-4]


def test_closed_it_computes_what_waits_and_takes_no_more(make, model):
    batches = make(timeout_s=1000)
    futures = [batches.submit([n]) for n in (3, 4)]
    batches.close()
    assert [f.result(SECONDS) for f in futures] == [[-3], [-4]]
    with pytest.raises(ClosedError):
        batches.submit([5])


def test_batches_are_counted(model):
    counted = []
    batches = Batches(
        model,
        int,
        Settings(0.1, 100, 10),
        lambda rows, seconds: counted.append((rows, seconds >= 0)),
    )
    batches.submit([5, 6]).result(SECONDS)
    batches.close()
    batches._thread.join(SECONDS)
    assert counted == [(2, True)]


@pytest.mark.parametrize("seed", range(3))
def test_many_threads_get_their_own_answers(make, seed):
    import random

    batches = make(timeout_s=0.001, max_tokens=64, max_rows=10**6)
    wrong = []

    def client(number):
        rng = random.Random(f"{seed} {number}")
        for _ in range(50):
            rows = [rng.choice([2, 5, 9, 33, 80]) for _ in range(4)]
            future = batches.submit(rows)
            if rng.random() < 0.2:
                future.cancel()
            elif future.result(SECONDS) != [-row for row in rows]:
                wrong.append(rows)

    threads = [threading.Thread(target=client, args=[n]) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    assert not wrong
    for _ in range(200):
        if not batches.waiting_rows:
            break
        time.sleep(0.01)
    assert batches.waiting_rows == batches._tokens == 0
