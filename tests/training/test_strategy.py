"""Which strategy a run gets, and what is refused before it starts."""

import json
import re

import pytest
import tensorflow as tf

from bert.errors import UserError
from bert.modeling import cpu_bfloat16
from bert.training import strategy
from tests.training.configs import training_config


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"num_gpus": 1}, "--num_gpus=1, but TensorFlow sees 0 GPU"),
        ({"precision": "tf32"}, "--precision=tf32 is a GPU's"),
        (
            {"use_tpu": True, "distribution_strategy": "mirrored"},
            "--use_tpu and --distribution_strategy=mirrored contradict",
        ),
        (
            {"distribution_strategy": "multi_worker"},
            "needs the environment variable TF_CONFIG",
        ),
        (
            {"use_tpu": True, "tpu_name": "grpc://127.0.0.1:1"},
            "gs:// paths only. Received: --output_dir=out;",
        ),
        (
            {
                "use_tpu": True,
                "tpu_name": "grpc://127.0.0.1:1",
                "output_dir": "gs://bucket/out",
            },
            "no TPU can be reached at 'grpc://127.0.0.1:1'",
        ),
    ],
)
def test_what_is_not_there_is_refused(monkeypatch, values, message):
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda _: [])
    monkeypatch.delenv("TF_CONFIG", raising=False)
    with pytest.raises(UserError, match=re.escape(message)):
        strategy.create(training_config(**values))


@pytest.mark.parametrize(
    "values",
    [
        {"num_gpus": 2, "distribution_strategy": "one_device"},
        {"num_gpus": 2, "distribution_strategy": "multi_worker"},
    ],
)
def test_num_gpus_belongs_to_mirrored(values):
    with pytest.raises(UserError, match="--num_gpus"):
        strategy.create(training_config(**values))


def test_a_script_that_writes_one_file_takes_no_workers(monkeypatch):
    cluster = {"cluster": {"worker": ["a:1", "b:1"]}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(cluster))
    config = training_config(distribution_strategy="multi_worker")
    with pytest.raises(UserError, match="is for training"):
        strategy.create(config, allows_workers=False)
    auto = strategy.create(training_config(), allows_workers=False)
    assert auto.num_replicas_in_sync == 1


@pytest.mark.parametrize(
    ("rows", "parts", "fits"), [(8, 4, True), (8, 3, False), (8, 16, False)]
)
def test_a_batch_must_be_shared_evenly(rows, parts, fits):
    config = training_config(
        train_batch_size=rows, gradient_accumulation_steps=parts
    )
    if fits:
        strategy.check_batch(config)
        return
    with pytest.raises(UserError, match=f"multiple of {parts}:.*: {rows}"):
        strategy.check_batch(config)


@pytest.mark.parametrize("has_workers", [True, False])
def test_a_lost_worker_is_named_where_there_are_some(monkeypatch, has_workers):
    workers = ["a:1", "b:1"] if has_workers else ["a:1"]
    task = {"type": "worker", "index": 0}
    monkeypatch.setenv(
        "TF_CONFIG", json.dumps({"cluster": {"worker": workers}, "task": task})
    )
    error = tf.errors.UnavailableError(None, None, "Collective ops is aborted")
    with (
        pytest.raises(
            UserError if has_workers else tf.errors.UnavailableError,
            match="Another worker stopped" if has_workers else "aborted",
        ),
        strategy.worker_barrier(tf.distribute.get_strategy()),
    ):
        raise error


def warnings_of(monkeypatch, caplog, factor, has_bfloat16=False, **flags):
    monkeypatch.setattr(cpu_bfloat16, "speed_up", lambda: factor)
    monkeypatch.setattr(cpu_bfloat16, "has_bfloat16", lambda: has_bfloat16)
    strategy.create(training_config(**flags))
    return [record.getMessage() for record in caplog.records]


def test_slow_bfloat16_is_told_with_its_factor(monkeypatch, caplog):
    (found,) = warnings_of(monkeypatch, caplog, 0.0868, precision="bfloat16")
    assert "--precision=bfloat16: " in found
    assert "0.087 times the speed of float32" in found
    assert len(found) <= 300


@pytest.mark.parametrize(
    "other",
    [
        {"precision": "float32"},
        {"has_bfloat16": True},
        {"factor": 1.5},
    ],
)
def test_bfloat16_that_may_help_is_not_warned_of(monkeypatch, caplog, other):
    given = {"precision": "bfloat16", "factor": 0.1} | other
    assert not warnings_of(monkeypatch, caplog, **given)
