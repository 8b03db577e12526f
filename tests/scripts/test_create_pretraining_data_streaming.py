"""create_pretraining_data.py --num_workers as a user meets it."""

import os
import random
import re
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import tensorflow as tf

from bert import create_pretraining_data as script
from bert.data.corpus import worker_pool
from bert.data.corpus.record_fields import pretraining_fields
from bert.data.records import record_bytes, record_files
from bert.errors import UserError
from tests.scripts.test_create_pretraining_data import (
    ROOT,
    VOCAB,
    config_of,
)

COMMAND = [sys.executable, "create_pretraining_data.py"]
WORDS = ["a", "b", "c", "d"]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """A vocabulary, a small text, and one of several shards."""
    folder = tmp_path_factory.mktemp("inputs")
    (folder / "vocab.txt").write_text("".join(f"{t}\n" for t in VOCAB))
    (folder / "text.txt").write_text("a b c\nb c d\n\nc d\nd a b c\n")
    rng = random.Random(0)
    lines = [" ".join(rng.choices(WORDS, k=60)) + "\n" for _ in range(200)]
    (folder / "large.txt").write_text(
        "\n".join("".join(rng.sample(lines, 20)) for _ in range(3600))
    )
    return folder


def args_of(inputs, output, text="text.txt", *more):
    return [
        f"--input_file={inputs}/{text}",
        f"--output_file={output}",
        f"--vocab_file={inputs}/vocab.txt",
        "--max_seq_length=128",
        "--max_predictions_per_seq=3",
        "--dupe_factor=1",
        *more,
    ]


def start(*args, file_size=resource.RLIM_INFINITY):
    """Starts the command in a session of its own."""

    def prepare():
        # A shell's background jobs ignore it.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        resource.setrlimit(resource.RLIMIT_FSIZE, (file_size, file_size))

    return subprocess.Popen(
        [*COMMAND, *args],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=prepare,
    )


def finish(process):
    """Returns the log of a command that must end well."""
    log = process.communicate()[1]
    assert process.returncode == 0, log
    return log


def wait_for(condition):
    for _ in range(600):
        if condition():
            return
        time.sleep(0.05)
    raise TimeoutError


def processes_of(session):
    """The processes of a session that are still there."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as file:
                fields = file.read().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(int(name))
    return found


def test_restart_after_a_kill_ends_with_the_same_bytes(inputs, tmp_path):
    """All is killed in the middle; no process stays, no work is lost."""
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    args = args_of(inputs, whole, "large.txt", "--num_workers=1")
    log = finish(start(*args))
    expected = [p.read_bytes() for p in sorted(tmp_path.glob("whole-*"))]
    assert len(expected) > 3

    args = args_of(inputs, killed, "large.txt", "--num_workers=2")
    process = start(*args)
    wait_for(lambda: len(list(tmp_path.glob("killed-*"))) >= 2)
    process.kill()
    process.communicate()
    wait_for(lambda: not processes_of(process.pid))
    before = {p: p.stat().st_mtime_ns for p in tmp_path.glob("killed-*")}
    assert len(before) < len(expected)
    log = finish(start(*args))

    assert f"{len(before)} of {len(expected)} shards are there already" in log
    assert {p: p.stat().st_mtime_ns for p in before} == before
    found = [p.read_bytes() for p in sorted(tmp_path.glob("killed-*"))]
    assert found == expected
    assert not list(tmp_path.glob(".tmp*"))


@pytest.mark.parametrize("whole_group", [True, False])
def test_ctrl_c_is_one_line_and_no_process_stays(inputs, tmp_path, whole_group):
    args = args_of(inputs, tmp_path / "out", "large.txt", "--num_workers=2")
    process = start(*args, "--verbosity=-1")
    wait_for(lambda: list(tmp_path.glob("out-*")))
    if whole_group:  # as a terminal does
        os.killpg(process.pid, signal.SIGINT)
    else:
        process.send_signal(signal.SIGINT)
    log = process.communicate()[1]

    assert (process.returncode, log) == (130, "error: interrupted\n")
    wait_for(lambda: not processes_of(process.pid))
    assert not list(tmp_path.glob(".tmp-bert-out-*"))


def test_killed_worker_ends_the_command_with_one_line(inputs, tmp_path):
    args = args_of(inputs, tmp_path / "out", "large.txt", "--num_workers=2")
    process = start(*args, "--verbosity=-1")
    wait_for(lambda: list(tmp_path.glob("out-*")))
    workers = [
        pid
        for pid in processes_of(process.pid)
        if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]
    os.kill(workers[0], signal.SIGKILL)
    log = process.communicate()[1]

    assert process.returncode == 1
    assert log.startswith("error: A worker process ended by signal SIGKILL")
    assert log.count("\n") == 1
    wait_for(lambda: not processes_of(process.pid))


def test_full_disk_is_one_line(inputs, tmp_path):
    """A limit of the file size stands for it."""
    args = args_of(inputs, tmp_path / "out", "large.txt", "--num_workers=2")
    process = start(*args, "--verbosity=-1", file_size=2_000_000)
    log = process.communicate()[1]

    assert process.returncode == 1
    assert log.startswith("error: ")
    assert log.endswith(": File too large\n")
    assert log.count("\n") == 1
    assert not list(tmp_path.glob(".tmp-bert-out-*"))


def test_log_says_what_is_read_and_written(inputs, tmp_path):
    process = start(
        *args_of(inputs, f"{tmp_path}/out", "text.txt"), "--num_workers=1"
    )
    log = finish(process)

    assert f"{inputs}/text.txt" in log
    assert f"{tmp_path}/out-00000-of-00001" in log
    assert re.search(r"Wrote \d+ total instances to 1 shards", log)


def test_original_records_may_be_gzip(inputs, tmp_path):
    for kind in ("none", "gzip"):
        args = args_of(inputs, tmp_path / kind, "text.txt")
        config = config_of(script, *args, f"--output_compression={kind}")
        script.create_pretraining_data(config)

    def read(path):
        return [r.numpy() for r in record_files.serialized([str(path)])]

    assert read(tmp_path / "gzip") == read(tmp_path / "none") != []
    assert (tmp_path / "gzip").read_bytes()[:2] == b"\x1f\x8b"
    raw = tf.data.TFRecordDataset(str(tmp_path / "none"))
    assert read(tmp_path / "gzip") == [r.numpy() for r in raw]
    assert record_bytes.values(
        pretraining_fields(128, 3), read(tmp_path / "gzip")[0]
    )


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--num_workers=2", "--output_file=a,b"], "must be one path, which"),
        (
            ["--num_workers=2", "--beam_runner=DirectRunner"],
            "--num_workers must not be given with --beam_runner",
        ),
        (["--beam_options=--a=1"], "--beam_options must come with --beam_r"),
    ],
)
def test_flags_that_contradict_one_another(args, message):
    files = ["--input_file=a", "--output_file=b", "--vocab_file=c"]
    with pytest.raises(UserError, match=message):
        config_of(script, *files, *args)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--input_file=none-*"], "No file matches --input_file"),
        (["--input_file=../a.jsonl"], "Received: JSON objects; make text of"),
        (["--vocab_file=none"], "Expected a vocabulary file"),
        (["--output_file=none/out"], "--output_file=.*does not exist"),
    ],
)
def test_bad_files_are_errors(inputs, tmp_path, monkeypatch, args, message):
    (tmp_path / "a.jsonl").write_text('{"text": "a"}\n')
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    config = config_of(
        script, *args_of(inputs, empty / "out"), "--num_workers=1", *args
    )
    with pytest.raises(UserError, match=message):
        script.create_pretraining_data(config)
    assert os.listdir(empty) == []


def test_missing_beam_is_one_line(inputs, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "apache_beam", None)
    monkeypatch.delitem(
        sys.modules, "bert.data.corpus.beam_pool", raising=False
    )
    config = config_of(
        script, *args_of(inputs, tmp_path / "out"), "--beam_runner=DirectRunner"
    )
    with pytest.raises(UserError, match=r"pip install -r requirements-beam"):
        script.create_pretraining_data(config)


def test_pipe_is_an_error(inputs, tmp_path):
    """Its size is 0: it would seem to hold no text."""
    os.mkfifo(tmp_path / "pipe")
    args = args_of(inputs, tmp_path / "out", "text.txt", "--num_workers=1")
    config = config_of(script, *args, f"--input_file={tmp_path}/pipe")
    with pytest.raises(UserError, match=r"needs plain files.*write the text"):
        script.create_pretraining_data(config)


def test_no_more_workers_than_blocks(inputs, tmp_path, monkeypatch):
    """A thousand processes for one block would take 100 GB."""
    made = []

    class Pool(worker_pool.WorkerPool):
        def __init__(self, num_workers, make_worker):
            made.append(num_workers)
            super().__init__(num_workers, make_worker)

    monkeypatch.setattr(worker_pool, "WorkerPool", Pool)
    args = args_of(inputs, tmp_path / "out", "text.txt", "--num_workers=1000")
    script.create_pretraining_data(config_of(script, *args))
    assert made == [1]
