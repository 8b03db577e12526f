"""A child runs to its end, or is told to save."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bert.tools.sweeping import child_run

ROOT = Path(__file__).parents[3]
# Says that it runs; at a SIGINT or SIGTERM it saves, and ends.
CHILD = """
import signal, sys, time
def save(number, _):
    print('saved', number, flush=True)
    sys.exit(128 + number)
signal.signal(signal.SIGINT, save)
signal.signal(signal.SIGTERM, save)
print('runs', flush=True)
time.sleep(60)
"""
PARENT = """
import sys
from bert.tools.sweeping import child_run
child_run.run([sys.executable, '-c', sys.argv[1]], sys.argv[2])
"""


def test_a_child_has_its_code_and_its_output(tmp_path):
    log = tmp_path / "log.txt"
    code = "import sys; print('a'); sys.exit('b\\n')"
    for _ in range(2):
        assert child_run.run([sys.executable, "-c", code], str(log)) == 1
    assert log.read_text() == "a\nb\n\n" * 2
    assert child_run.last_line(str(log)) == "b"


def test_the_command_finds_this_package_from_anywhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    log = tmp_path / "log.txt"
    words = child_run.command("run_ner", ["--zzz=1"])
    assert child_run.run(words, str(log)) == 1
    assert "required flags are missing" in child_run.last_line(str(log))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_goes_on_to_the_child_once(tmp_path, number):
    log = tmp_path / "log.txt"
    parent = _parent(log)
    parent.send_signal(number)
    code = parent.wait(20)
    assert log.read_text() == f"runs\nsaved {number:d}\n"
    # A KeyboardInterrupt that nobody catches ends Python by the signal.
    assert code == (-number if number == signal.SIGINT else 128 + number)


@pytest.mark.skipif(sys.platform != "linux", reason="of Linux")
def test_a_killed_parent_lets_the_child_save(tmp_path):
    log = tmp_path / "log.txt"
    parent = _parent(log)
    parent.kill()
    parent.wait(20)
    _await(lambda: "saved 15\n" in log.read_text())


def _parent(log):
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, CHILD, str(log)],
        cwd=ROOT,
        stderr=subprocess.DEVNULL,
    )
    _await(lambda: log.exists() and log.read_text() == "runs\n")
    return parent


def _await(holds):
    end = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_nothing_is_left_to_the_shell(tmp_path):
    log = tmp_path / "log.txt"
    words = [sys.executable, "-c", "import sys; print(sys.argv[1])", "$(id)"]
    assert child_run.run(words, str(log)) == 0
    assert child_run.last_line(str(log)) == "$(id)"
    assert os.path.getsize(log) == 6
