import os
import signal
import sys
import time
from pathlib import Path

import pytest

from bert.data.corpus.worker_pool import Work, WorkerPool
from bert.errors import UserError
from tests.scripts.runner import run_code

ROOT = Path(__file__).parents[3]


class Worker:
    def __init__(self):
        self.count = 0

    def square(self, number):
        self.count += 1
        return number * number

    def name(self, _):
        time.sleep(0.05)
        return os.getpid()

    def fail(self, error):
        raise error

    def die(self, _):
        os.kill(os.getpid(), signal.SIGKILL)

    def modules(self, _):
        return sorted(sys.modules)


def report_none(_):
    pass


def run(num_workers, method, arguments):
    with WorkerPool(num_workers, Worker) as pool:
        return sorted(pool.run(method, arguments))


@pytest.mark.parametrize("num_workers", [1, 2])
def test_all_results_come(num_workers):
    reported = []

    with WorkerPool(num_workers, Worker) as pool:
        total = pool.combine(Work("square", range(9), sum, reported.append))
        again = pool.combine(Work("square", [], sum, reported.append))

    assert (total, again) == (204, 0)
    assert sorted(reported) == list(range(9))


def test_work_is_shared():
    found = run(2, "name", range(6))

    assert len({process for _, process in found} - {os.getpid()}) == 2


def test_a_single_worker_is_this_process():
    assert run(1, "name", [0]) == [(0, os.getpid())]


@pytest.mark.parametrize("num_workers", [1, 2])
@pytest.mark.parametrize(
    "error", [UserError("bad line"), OSError(28, "No space left", "out")]
)
def test_errors_arrive_as_they_are(num_workers, error):
    with pytest.raises(type(error)) as caught:
        run(num_workers, "fail", [error])

    assert str(caught.value) == str(error)


def test_other_errors_arrive_with_their_trace():
    with pytest.raises(RuntimeError, match=r"in fail[\s\S]*KeyError: 'x'"):
        run(2, "fail", [KeyError("x")])


def test_a_killed_worker_is_one_line():
    with pytest.raises(
        UserError, match=r"ended by signal SIGKILL; did memory run out\? Give"
    ):
        run(2, "die", range(3))


def test_workers_need_no_tensorflow():
    code = (
        "from bert.data.corpus.worker_pool import WorkerPool\n"
        "from tests.data.corpus.test_worker_pool import Worker\n"
        "import bert.data.corpus.streaming\n"
        "if __name__ == '__main__':\n"
        "    import sys; print('tensorflow' in sys.modules)\n"
    )
    ran = run_code(code)

    assert (ran.stdout, ran.returncode) == ("False\n", 0), ran.stderr
