"""runs.jsonl: a line for each start, and nothing that stops a run."""

import hashlib
import threading
import types

import numpy as np
import pytest
import tensorflow as tf
from absl import logging

import bert
from bert import run_pretraining
from bert.errors import UserError
from bert.files import json_log
from bert.training import diary
from bert.training.diary import Diary
from tests.scripts.runner import config_of


@pytest.fixture
def config(tmp_path):
    return config_of(
        run_pretraining,
        f"--output_dir={tmp_path}",
        "--bert_config_file=c",
        "--input_file=i",
        "--do_train",
        "--random_seed=3",
    )


@pytest.fixture
def keep(config, monkeypatch):
    """Returns a function: data files → the diary of a run."""
    monkeypatch.setattr("sys.argv", ["run_it.py", "--do_train"])
    strategy = tf.distribute.get_strategy()
    return lambda files=None, is_chief=True: Diary(
        config, lambda: files or [], strategy, is_chief
    )


def entries(tmp_path):
    found = json_log.read(str(tmp_path / "runs.jsonl"))
    assert not found.broken
    return found.entries


def test_a_line_tells_a_run_from_start_to_end(keep, tmp_path):
    data = tmp_path / "train.csv"
    data.write_text("text,label\na,b\n")
    with keep([("train", str(data), 1)]) as kept:
        (begun,) = entries(tmp_path)
        kept.figures["accuracy"] = np.float32(0.9)
        kept.figures["loss"] = np.float32("nan")
    (entry,) = entries(tmp_path)
    assert begun["status"] == "started"
    assert entry["status"] == "finished"
    assert begun.items() <= {**entry, "status": "started"}.items()
    assert entry["command"] == ["run_it.py", "--do_train"]
    assert entry["folder"] == str(tmp_path)
    assert entry["flags"]["random_seed"] == 3
    assert entry["flags"]["learning_rate"] == 5e-5
    assert entry["versions"]["bert"] == bert.__version__
    assert entry["versions"]["tensorflow"] == tf.__version__
    assert entry["devices"]["replicas"] == 1
    assert entry["figures"] == {"accuracy": 0.9, "loss": "nan"}
    assert entry["peak_rss_mib"] > 50
    assert entry["start"] <= entry["end"]
    assert entry["seconds"] >= 0
    (file,) = entry["data"]
    assert (file["set"], file["file"]) == ("train", str(data))
    assert (file["rows"], file["bytes"]) == (1, 15)
    assert file["sha256"] == hashlib.sha256(data.read_bytes()).hexdigest()


def test_a_second_start_is_a_second_line(keep, tmp_path):
    for _ in range(2):
        with keep():
            pass
    assert [e["status"] for e in entries(tmp_path)] == ["finished"] * 2


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (UserError("no such row"), ("failed", "no such row")),
        (RuntimeError("a\nb"), ("failed", "RuntimeError: a b")),
        (SystemExit(2), ("failed", "SystemExit: 2")),
        (KeyboardInterrupt(), ("stopped", "SIGINT")),
        (SystemExit(143), ("stopped", "SIGTERM")),
        (SystemExit(129), ("stopped", "SIGHUP")),
    ],
)
def test_how_a_run_ended_is_told(keep, tmp_path, error, told):
    with pytest.raises(type(error)), keep():
        raise error
    (entry,) = entries(tmp_path)
    ending = entry.get("error") or entry.get("signal")
    assert (entry["status"], ending) == told


def test_other_workers_write_nothing(keep, tmp_path):
    with keep(is_chief=False):
        pass
    assert not list(tmp_path.iterdir())


def test_a_folder_without_room_is_one_warning(keep, tmp_path, monkeypatch):
    told = []
    monkeypatch.setattr(logging, "warning", lambda *args: told.append(args))
    (tmp_path / "runs.jsonl").mkdir()
    with keep([("train", str(tmp_path / "missing"), None)]) as kept:
        kept.figures["accuracy"] = 1.0
    assert len(told) == 1
    assert "the run goes on" in told[0][0]


def test_hashing_does_not_hold_up_the_start(keep, tmp_path, monkeypatch):
    goes_on = threading.Event()

    def slow(path):
        goes_on.wait(10)
        return {"bytes": 0}

    monkeypatch.setattr(diary, "described", slow)
    with keep([("dev", "a", 1), ("test", "a", 2)]):
        assert "data" not in entries(tmp_path)[0]
        goes_on.set()
    assert entries(tmp_path)[0]["data"] == [
        {"set": "dev", "file": "a", "rows": 1, "bytes": 0},
        {"set": "test", "file": "a", "rows": 2, "bytes": 0},
    ]


def test_a_large_file_is_hashed_at_both_ends(tmp_path, monkeypatch):
    monkeypatch.setattr(diary, "_LARGE_BYTES", 9)
    monkeypatch.setattr(diary, "_END_BYTES", 4)
    path = tmp_path / "data"
    path.write_bytes(b"0123456789")
    found = diary.described(str(path))
    assert "sha256" not in found
    ends = hashlib.sha256(b"01236789").hexdigest()
    assert found["sha256_of_ends"] == ends
    assert found == diary.described(f"file://{path}")


def test_a_clone_has_a_commit(tmp_path, monkeypatch):
    if (diary._ROOT / ".git").exists():
        assert len(diary._commit()["commit"].removesuffix("-dirty")) == 40
    monkeypatch.setattr(diary, "_ROOT", tmp_path)
    assert diary._commit() == {}


def test_a_gpu_has_its_name(monkeypatch):
    gpu = types.SimpleNamespace(name="/physical_device:GPU:0")
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda _: [gpu])
    monkeypatch.setattr(
        tf.config.experimental,
        "get_device_details",
        lambda _: {"device_name": "H200"},
    )
    assert diary._devices(1)["gpus"] == ["H200"]
