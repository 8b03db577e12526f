"""C15: a sidecar with impossible values, and a loop that hears no signal."""

import json
import signal

import pytest
import tensorflow as tf

from bert.errors import UserError
from bert.modeling import checkpoint
from bert.training import checkpointing, loop
from bert.training.batches import Batches
from bert.training.checkpointing import RunState
from bert.training.loss_scale import LossScale
from tests.training.configs import training_config
from tests.training.test_loop import GoldenRun, endless

GOOD = {"seed": 1, "examples_seen": 8}


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"loss_scale": float("inf")}, "loss_scale: inf"),
        ({"loss_scale": float("nan")}, "loss_scale: nan"),
        ({"loss_scale": 1e39}, "loss_scale: 1e+39"),
        ({"loss_scale": 10**400}, "loss_scale: 1000"),
        ({"loss_scale": 0}, "loss_scale: 0"),
        ({"loss_scale": -1.0}, "loss_scale: -1.0"),
        ({"loss_scale": True}, "loss_scale: True"),
        ({"loss_scale": "x" * 999}, "loss_scale: 'xxx"),
        ({"good_steps": 2**63 - 1}, "good_steps"),
        ({"good_steps": None}, "good_steps: None"),
        ({"skipped_steps": 1.5}, "skipped_steps: 1.5"),
        ({"examples_seen": 2**63}, "examples_seen"),
        ({"best_metric": "f1", "best_value": float("nan")}, "best_value: nan"),
        ({"best_metric": "f1", "best_value": False}, "best_value: False"),
        ({"best_step": False}, "best_step: False"),
        ({"best_metric": 3}, "best_metric is no name"),
        ({"x" * 999: 3}, "unexpected keyword"),
    ],
)
def test_impossible_values_are_named(tmp_path, values, named):
    tensors = {"global_step": tf.Variable(4, dtype=tf.int64)}
    prefix = checkpointing.save(str(tmp_path), 4, tensors, RunState(**GOOD))
    with open(f"{prefix}.run.json", "w") as file:
        json.dump({**GOOD, **values}, file)
    with pytest.raises(UserError, match=r"run\.json is damaged") as raised:
        checkpointing.read_state(checkpoint.Reader(prefix))
    assert named in str(raised.value)
    assert len(str(raised.value)) - len(prefix) < 250


def test_a_scale_does_not_grow_until_it_is_infinite():
    scale = LossScale()
    scale.scale.assign(checkpointing.LARGEST_LOSS_SCALE)
    scale.good_steps.assign(10**6)
    scale.update(tf.constant(True))
    assert scale.scale.numpy() == checkpointing.LARGEST_LOSS_SCALE
    RunState(**GOOD, loss_scale=float(scale.scale.numpy()))


def skipping_step(sends_at):
    """Stands in for `compile_train_step`: no step counts, for ever."""

    def compile_train_step(*_):
        taken = []

        def step(batch):
            taken.append(1)
            assert len(taken) <= sends_at
            if len(taken) == sends_at:
                signal.raise_signal(signal.SIGTERM)
            nan = tf.constant(float("nan"))
            return {"loss": nan, "gradient_norm": nan}

        return step

    return compile_train_step


def test_sigterm_is_heard_after_a_skipped_step(golden, tmp_path):
    run = GoldenRun(golden, "train_classifier")
    trained = loop.Trained(
        run.model, run.optimizer, LossScale(), skipping_step(3)
    )
    with pytest.raises(SystemExit) as raised:
        loop.TrainLoop(
            trained,
            Batches(endless(run)),
            training_config(output_dir=str(tmp_path), train_batch_size=8),
            10,
            RunState(seed=1, examples_seen=0),
        ).run()
    assert raised.value.code == 128 + signal.SIGTERM
    reader = checkpoint.Reader(str(tmp_path))
    assert checkpointing.step_of(reader) == 0
    assert checkpointing.read_state(reader).examples_seen == 24
