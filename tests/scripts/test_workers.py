"""Several worker processes on one machine, through TF_CONFIG."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from benchmarks.scale import worker_environments
from bert.modeling import checkpoint
from tests.modeling import checkpoints
from tests.scripts.runner import ROOT
from tests.training.test_loop import assert_same_end

SCRIPT = "run_pretraining.py"


def start_two(script, *args):
    """Starts a command as two workers."""
    return [
        subprocess.Popen(
            [sys.executable, ROOT / script, *args],
            env={**os.environ, **environment},
            stderr=subprocess.PIPE,
            text=True,
        )
        for environment in worker_environments(2)
    ]


def logs_of(workers):
    """Returns what workers write until both have done."""
    # At a time: one whose pipe is full would wait, and the other one for it.
    with ThreadPoolExecutor() as pool:
        logs = list(pool.map(lambda worker: worker.communicate()[1], workers))
    assert [worker.returncode for worker in workers] == [0, 0], "".join(logs)
    return logs


def test_two_workers_go_the_way_of_the_original(golden, command, tmp_path):
    start = golden / "train_pretraining/model.ckpt-0"
    workers = start_two(
        SCRIPT,
        *command,
        "--do_train",
        "--do_eval",
        "--max_eval_steps=2",
        f"--init_checkpoint={start}",
    )
    logs = logs_of(workers)
    out = tmp_path / "out"
    assert_same_end(
        checkpoints.tensors(out),
        checkpoint.Reader(str(golden / "train_pretraining/model.ckpt-12")),
    )
    assert "global_step = 12" in (out / "eval_results.txt").read_text()
    assert len(list(out.glob("events*"))) == 1  # the chief's alone
    assert "Saved" in logs[0]
    assert "Saved" not in logs[1]


@pytest.mark.parametrize("killed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_a_worker_without_the_other_stops_with_one_line(
    command, tmp_path, killed
):
    workers = start_two(
        SCRIPT,
        *command,
        "--do_train",
        "--num_train_steps=1000000",
        "--save_checkpoints_steps=5",
    )
    while not (tmp_path / "out/model.ckpt-5.index").exists():
        assert [worker.poll() for worker in workers] == [None, None]
        time.sleep(0.05)
    workers[killed].send_signal(signal.SIGKILL)
    log = workers[1 - killed].communicate(timeout=60)[1]
    workers[killed].communicate()
    assert workers[1 - killed].returncode == 1
    assert "Traceback" not in log
    assert log.splitlines()[-1].startswith("error: Another worker stopped")
