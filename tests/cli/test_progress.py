import contextlib
import os
import pty
import sys

import pytest
from absl import logging

from bert.cli import progress


class Clock:
    """A clock that the test moves."""

    def __init__(self, monkeypatch):
        self.now = 100.0
        monkeypatch.setattr(progress.time, "monotonic", lambda: self.now)


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


def test_line_has_count_figures_rate_and_time_left(clock):
    with progress.Progress(1500, "step", start=100) as shown:
        clock.now += 10
        shown.update(200, loss=7.25)
        assert shown.line() == "step 300/1,500, loss 7.25, 20/s, 1:00 left"
        assert shown.line(figures=False) == "step 300/1,500, 20/s, 1:00 left"


def test_line_without_a_total_has_no_time_left(clock):
    with progress.Progress(None, "lines") as shown:
        clock.now += 10
        shown.update(5)
        assert shown.line() == "lines 5, 0.5/s"


def test_a_rate_leaves_out_what_compiles(clock):
    with progress.Progress(None, "lines", compiles=True) as shown:
        clock.now += 8  # the first batch, with TensorFlow's compiling
        shown.update(32)
        assert shown.line() == "lines 32"  # nobody knows yet
        clock.now += 2
        shown.update(32)
        assert shown.line() == "lines 64, 16/s"


def test_a_rate_that_the_caller_measured_is_shown(clock):
    with progress.Progress(100, "step") as shown:
        clock.now += 50  # most of them no steps
        shown.update(20)
        shown.set_rate(4.0)
        assert shown.line() == "step 20/100, 4/s, 0:20 left"
        assert shown.fields() == {
            "unit": "step",
            "done": 20,
            "total": 100,
            "per_second": 4.0,
            "seconds_left": 20.0,
        }


def test_hours_are_hours(clock):
    with progress.Progress(7322, "x") as shown:
        clock.now += 1
        shown.update(1)
        assert shown.line().endswith("2:02:01 left")


def test_a_log_gets_a_plain_line_now_and_then(clock, monkeypatch):
    lines = []
    monkeypatch.setattr(
        logging, "info", lambda _, line, extra: lines.append(line)
    )
    with progress.Progress(100, "records", log_seconds=10) as shown:
        for _ in range(25):
            clock.now += 1
            shown.update(1)
    assert [line.split(",")[0] for line in lines] == [
        "records 10/100",
        "records 20/100",
    ]


def test_a_terminal_gets_a_live_line_and_log_lines_above_it(monkeypatch):
    master, slave = pty.openpty()
    with os.fdopen(slave, "w", buffering=1) as terminal:
        monkeypatch.setattr(sys, "stderr", terminal)
        handler = logging.get_absl_handler().python_handler
        monkeypatch.setattr(handler, "stream", terminal)
        logging.use_absl_handler()
        with progress.Progress(10, "step") as shown:
            shown._shown -= 1
            shown.update(3)
            logging.get_absl_logger().warning("a line of the log")
        assert handler.stream is terminal
        assert sys.stderr is terminal
    text = ""
    # Linux ends a closed terminal with an error instead of an empty read.
    with contextlib.suppress(OSError):
        while chunk := os.read(master, 100_000):
            text += chunk.decode()
    os.close(master)
    assert "a line of the log" in text
    assert "step 3/10" in text.splitlines()[-1]


def test_a_closed_standard_error_shows_nothing(monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    with progress.Progress(10, "step") as shown:
        shown.update(3)
