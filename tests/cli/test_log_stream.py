"""What becomes of the log is of no matter to a run."""

import os
import subprocess
import sys
import time

import pytest

from bert.cli import log_stream
from tests.scripts.runner import ROOT

# Logs and shows its progress; waits for `gone` in between, if it is to come.
CODE = """
import pathlib, sys, time
from absl import flags, logging
from bert.cli import command_line
from bert.cli.progress import Progress
from bert.errors import UserError

folder, waits, fails = sys.argv.pop(1), sys.argv.pop(1), sys.argv.pop(1)
folder = pathlib.Path(folder)

def main():
    logging.info("begin")
    with Progress(3, "step") as progress:
        progress.update(1)
        (folder / "begun").touch()
        while waits == "yes" and not (folder / "gone").exists():
            time.sleep(0.01)
        for _ in range(2):
            logging.warning("x" * 9999)
            progress.update(1)
            time.sleep(0.15)  # so that the live line is drawn
    with open(folder / "done", "w") as file:
        file.write(str(file.fileno()))
    if fails == "yes":
        raise UserError("as asked")

command_line.run(main, flags.FlagValues(), lambda: None)
"""


def command(folder, *, waits="no", fails="no"):
    return [sys.executable, "-c", CODE, str(folder), waits, fails]


@pytest.mark.parametrize("fails", ["no", "yes"])
@pytest.mark.parametrize("log", ["2>&-", "2>/dev/full", ">&- 2>&- <&-"])
def test_a_closed_or_full_log_ends_nothing(tmp_path, log, fails):
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {log}', "sh", *command(tmp_path, fails=fails)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        check=False,
    )
    assert (done.returncode, done.stdout) == (int(fails == "yes"), b"")
    # No file may have the number that TensorFlow writes its notes to.
    assert int((tmp_path / "done").read_text()) > 2


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_log_that_goes_away_ends_nothing(tmp_path, is_terminal):
    reader, writer = os.openpty() if is_terminal else os.pipe()
    process = subprocess.Popen(
        command(tmp_path, waits="yes"), cwd=ROOT, stderr=writer
    )
    os.close(writer)
    while not (tmp_path / "begun").exists():
        assert process.poll() is None
        time.sleep(0.01)
    os.close(reader)
    (tmp_path / "gone").touch()
    assert process.wait() == 0
    assert (tmp_path / "done").exists()


def test_a_full_pipe_that_is_not_awaited_fails_nothing():
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    log = log_stream.unfailing(writer)
    for _ in range(99):
        print("x" * 9999, file=log)
    assert os.read(reader, 4) == b"xxxx"
    os.close(reader)
    print("nobody reads", file=log)
    os.close(writer)
    print("closed", file=log)


def test_what_can_be_written_is(tmp_path):
    with open(tmp_path / "log", "wb") as file:
        log = log_stream.unfailing(file.fileno())
        print("ä", "\udcff", file=log)
        assert (tmp_path / "log").read_bytes() == "ä \\udcff\n".encode()


def test_a_stream_that_is_not_the_systems_is_left_alone(capsys):
    before = sys.stderr
    log_stream.protect()
    assert sys.stderr is before
