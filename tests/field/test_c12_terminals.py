"""C12: a terminal that goes away, or none; `tests/cli/test_log_stream.py`."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tests.scripts.conftest import command as command
from tests.scripts.conftest import record_file as record_file
from tests.scripts.runner import ROOT

SCRIPT = str(ROOT / "run_pretraining.py")


def start(args, log, **kwargs):
    return subprocess.Popen(
        [sys.executable, SCRIPT, *args], stderr=log, **kwargs
    )


def await_training(process, out):
    while not list(out.glob("events*")):
        assert process.poll() is None
        time.sleep(0.01)


@pytest.mark.slow
def test_a_run_outlives_its_terminal(command, tmp_path):
    """It ended after training, before the evaluation."""
    ours, theirs = os.openpty()
    process = start(
        [*command, "--do_train", "--do_eval", "--max_eval_steps=2"],
        theirs,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    )
    os.close(theirs)
    await_training(process, tmp_path / "out")
    os.close(ours)
    assert process.wait() == 0
    assert "global_step = 12" in (tmp_path / "out/eval_results.txt").read_text()


@pytest.mark.slow
def test_a_terminal_that_hangs_up_saves(command, tmp_path):
    """As SIGTERM does; here the terminal is the process's own."""
    ours, theirs = os.openpty()
    process = start(
        [
            *[*command, "--do_train", "--num_train_steps=100000"],
            "--save_checkpoints_steps=100000",
        ],
        theirs,
        stdin=theirs,
        start_new_session=True,
        preexec_fn=lambda: os.close(os.open(os.ttyname(theirs), os.O_RDWR)),
    )
    os.close(theirs)
    await_training(process, tmp_path / "out")
    os.close(ours)
    assert process.wait() == 128 + signal.SIGHUP
    steps = [
        int(path.stem.rpartition("-")[2])
        for path in (tmp_path / "out").glob("model.ckpt-*.index")
    ]
    assert max(steps) > 0


@pytest.mark.slow
@pytest.mark.parametrize("log", ["2>&-", "2>/dev/full"])
def test_a_run_needs_no_log(command, tmp_path, log):
    """It ended at step 0."""
    args = [SCRIPT, *command, "--do_train", "--do_eval", "--max_eval_steps=2"]
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {log}', "sh", sys.executable, *args],
        check=False,
    )
    assert done.returncode == 0
    assert "global_step = 12" in (tmp_path / "out/eval_results.txt").read_text()
