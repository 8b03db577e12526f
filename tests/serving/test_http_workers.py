"""Processes that share a port: started, replaced and ended.

What they do is a toy's here; tests/scripts/test_serve.py runs the real one.
"""

import os
import signal
import socket
import subprocess
import sys
import time

import pytest

from bert.errors import UserError
from bert.serving import http_workers
from tests.scripts.runner import ROOT

SECONDS = 60
# Serves nothing: it says who it is, and ends as it is told. Its arguments are
# the folder of its notes, how many processes, and what it does wrong.
TOY = """
import os, select, signal, sys, types
from absl import logging
from bert.cli import error_guard
from bert.errors import UserError
from bert.serving import http_workers
logging.set_verbosity(logging.INFO)
notes, workers, fault = sys.argv[1:]

def note(text):
    with open(notes, "a") as file:
        file.write(f"{text} {os.getpid()}\\n")

def serve(config, metrics, listener, parent, loaded, is_first):
    if fault == "always":
        raise UserError("no model")
    if fault == "later" and os.path.exists(notes):
        raise UserError("no model any more")
    signal.signal(signal.SIGHUP, lambda *_: note("renewed"))
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    listener.listen()
    note("started")
    os.write(loaded, b"1")
    os.close(loaded)
    select.select([parent], [], [])
    note("orphan")

sys.modules["bert.serving.http_server"] = types.SimpleNamespace(serve=serve)
import bert.serving
bert.serving.http_server = sys.modules["bert.serving.http_server"]
config = types.SimpleNamespace(
    models={"m": ""}, workers=int(workers), host="127.0.0.1", port=0
)
sys.exit(error_guard.exit_code(lambda: http_workers.run(config)))
"""


class Toy:
    def __init__(self, notes, workers=1, fault=""):
        self.notes = notes
        self.process = subprocess.Popen(
            [sys.executable, "-c", TOY, str(notes), str(workers), fault],
            cwd=ROOT,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wait_for(self, word, count):
        """Returns the processes that have noted a word, once it is so many."""
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            text = self.notes.read_text() if self.notes.exists() else ""
            pairs = [line.split() for line in text.splitlines()]
            found = [int(pid) for name, pid in pairs if name == word]
            if len(found) >= count:
                return found
            time.sleep(0.01)
        raise AssertionError(text)

    def end(self, number=None):
        """Returns exit code and log, after a signal."""
        if number is not None:
            self.process.send_signal(number)
        _, log = self.process.communicate(timeout=SECONDS)
        return self.process.returncode, log


@pytest.fixture
def start(tmp_path):
    made = []

    def start(*args):
        made.append(Toy(tmp_path / "notes", *args))
        return made[-1]

    yield start
    for toy in made:
        if toy.process.poll() is None:
            toy.process.kill()
            toy.process.wait()
        toy.process.stderr.close()


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)]
)
def test_a_signal_ends_all(start, number, code):
    toy = start(3)
    assert len(set(toy.wait_for("started", 3))) == 3
    found, log = toy.end(number)
    assert found == code
    assert "Listening at http://127.0.0.1:" in log
    assert "Traceback" not in log


def test_sighup_reaches_each(start):
    toy = start(2)
    processes = toy.wait_for("started", 2)
    # The second one has noted it before it can be told.
    time.sleep(0.2)
    toy.process.send_signal(signal.SIGHUP)
    assert set(toy.wait_for("renewed", 2)) == set(processes)
    assert toy.end(signal.SIGTERM)[0] == 0


def test_one_that_is_killed_is_replaced(start):
    toy = start(2)
    first, second = toy.wait_for("started", 2)
    os.kill(second, signal.SIGKILL)
    *_, third = toy.wait_for("started", 3)
    os.kill(third, signal.SIGKILL)
    assert len({first, second, *toy.wait_for("started", 4)}) == 4
    code, log = toy.end(signal.SIGTERM)
    assert code == 0
    assert log.count("ended with signal 9") == 2


def test_a_first_one_that_cannot_start_says_so_once(start):
    code, log = start(3, "always").end()
    assert (code, log) == (1, "error: no model\n")


def test_without_any_left_that_can_start_it_ends(start):
    toy = start(1, "later")
    (only,) = toy.wait_for("started", 1)
    os.kill(only, signal.SIGKILL)
    code, log = toy.end()
    assert code == 1
    assert "error: no model any more\n" in log


def test_while_one_is_left_it_goes_on(start):
    toy = start(2, "later")
    (first,) = toy.wait_for("started", 1)
    time.sleep(1)
    assert toy.process.poll() is None
    os.kill(first, 0)
    code, log = toy.end(signal.SIGTERM)
    assert code == 0
    assert "ended with exit code 1; another one follows in 2 s" in log


def test_all_end_with_the_one_that_watches(start):
    toy = start(2)
    processes = toy.wait_for("started", 2)
    toy.process.kill()
    toy.process.wait()
    assert set(toy.wait_for("orphan", 2)) == set(processes)


def config_of(host, port):
    class Config:
        pass

    Config.host, Config.port = host, port
    return Config


def test_a_port_that_cannot_be_had_is_one_line():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for host, expected in (
            ("127.0.0.1", f"--port={port}: Address already in use; name"),
            ("192.0.2.1", "Cannot assign requested address"),
            ("x" * 80, "Cannot listen at --host=xxx"),
            ("no host", "Cannot listen at --host=no host"),
        ):
            bound = http_workers._bound(config_of(host, port))
            with pytest.raises(UserError) as raised, bound:
                pass
            assert expected in str(raised.value)
            assert len(str(raised.value)) <= 300


def test_a_bound_port_takes_no_clients_yet():
    with http_workers._bound(config_of("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address, timeout=5)
