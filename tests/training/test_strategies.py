"""The same training on two devices as on one: the goldens again."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.scripts.runner import run_code

ROOT = Path(__file__).parents[2]

# In a process of its own: devices can only be split before TensorFlow starts.
CODE = """
import sys
from pathlib import Path
import numpy as np
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(
    cpu, [tf.config.LogicalDeviceConfiguration()] * 2
)
from bert.data.records import file_order, length_sorting
from bert.modeling import checkpoint
from tests.training import test_loop
from bert.training import optimization, steps
from bert.training.batches import Batches
from bert.training.forward import Forward

strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
with strategy.scope():
    run = test_loop.GoldenRun(Path("tests/golden"), sys.argv[1])
    run.restore(0)
    train_step = steps.compile_train_step(
        run.model, run.optimizer, steps.StepSettings(seed=0)
    )
    for step in range(12):
        batch = run.batch(step)
        halves = strategy.experimental_distribute_values_from_function(
            lambda context: {
                name: tf.split(value, 2)[context.replica_id_in_sync_group]
                for name, value in batch.items()
            }
        )
        loss = float(train_step(halves)["loss"])
        assert abs(loss - run.trajectory["losses"][step]) <= 1e-5, step
    # Nine rows for two devices: each row once, in order.
    rows = {k: v.reshape(-1, *v.shape[2:])[:9] for k, v in run.batches.items()}
    forward = Forward(
        run.model, lambda outputs, batch: {"ids": batch["input_ids"]}
    )
    dataset = tf.data.Dataset.from_tensor_slices(rows).batch(6)
    parts = list(forward(Batches(dataset)))
    assert np.array_equal(
        np.concatenate([part["ids"] for part in parts]), rows["input_ids"]
    )
    # Sorted, cut and shared by the devices, rows come back in their order.
    windows = tf.data.Dataset.from_tensor_slices(rows).batch(9)
    batches = length_sorting.sorted_batches(
        windows, 4, per_token={"input_ids", "input_mask", "segment_ids"}
    )
    sums = Forward(
        run.model,
        lambda outputs, batch: {
            "sum": tf.reduce_sum(batch["input_ids"], axis=1),
            "row": batch["row"],
        },
    )(Batches(batches))
    assert [int(r["sum"]) for r in file_order.in_file_order(sums)] == [
        *(rows["input_ids"] * rows["input_mask"]).sum(axis=1)
    ]
test_loop.assert_same_end(
    run.tensors(), checkpoint.Reader(str(run.folder / "model.ckpt-12"))
)
with strategy.scope():
    weights = {name: tf.Variable([1.0, 2.0]) for name in ("low", "top")}
    optimizer = optimization.AdamWeightDecay(
        weights, lambda step: tf.constant(0.1), rate_factors={"low": 0.5}
    )
    strategy.run(
        lambda: optimizer.apply(
            [tf.constant([1.0, -1.0])] * 2, tf.ones([]), tf.constant(True)
        )
    )
moved = {name: np.array([1.0, 2.0]) - w.numpy() for name, w in weights.items()}
assert np.allclose(2 * moved["low"], moved["top"], atol=1e-6), moved
"""


@pytest.mark.parametrize("name", ["train_pretraining", "train_classifier"])
def test_two_devices_go_the_way_of_the_original(name):
    done = subprocess.run(
        [sys.executable, "-c", CODE, name],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


KERAS_CODE = """
import sys
from pathlib import Path
import keras
import numpy as np
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(
    cpu, [tf.config.LogicalDeviceConfiguration()] * 2
)
from bert import optimization
from bert.modeling import checkpoint
from tests.training import test_loop

strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
with strategy.scope():
    run = test_loop.GoldenRun(Path("tests/golden"), "train_classifier")
    run.restore(0)
    model = run.model.keras_model()
    model.compile(
        optimization.create_optimizer(
            run.trajectory["learning_rate"],
            run.trajectory["num_train_steps"],
            run.trajectory["num_warmup_steps"],
        ),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
batches = tf.data.Dataset.from_tensor_slices(run.batches).map(
    lambda batch: (
        {name: batch[name] for name in run.model.inputs},
        tf.reshape(batch["label_ids"], [-1]),
    )
)
(loss,) = model.fit(batches, shuffle=False, verbose=0).history["loss"]
assert abs(loss - np.mean(run.trajectory["losses"])) <= 1e-6, loss
assert model.predict(batches, verbose=0).shape == (96, 3)
assert np.isfinite(model.evaluate(batches, verbose=0))
reader = checkpoint.Reader(str(run.folder / "model.ckpt-12"))
for name, variable in checkpoint.named_variables(run.model).items():
    expected = reader.read(name)
    assert np.max(np.abs(variable.numpy() - expected)) <= 1e-6, name

draw = tf.function(
    lambda: run.model.backbone.dropout_seeds.seed(True, None, [0.1])
)
seeds = [
    tuple(seed.numpy())
    for _ in range(2)
    for seed in strategy.experimental_local_results(strategy.run(draw))
]
assert len(set(seeds)) == 4, seeds
"""


def test_fit_on_two_devices_goes_the_way_of_the_original():
    done = run_code(KERAS_CODE)
    assert done.returncode == 0, done.stderr


WINDOWS_CODE = """
import contextlib
import numpy as np
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(
    cpu, [tf.config.LogicalDeviceConfiguration()] * 2
)
from bert.modeling import checkpoint
from bert.modeling.classifiers import ClassifierModel
from bert.training import optimization, steps
from tests.modeling.backbones.test_bert import TINY

ids = np.random.default_rng(1).integers(0, 19, [4, 3, 5])
there = np.array([[1, 1, 1], [1, 0, 0], [1, 1, 0], [1, 0, 0]])
batch = {
    "input_ids": tf.constant(ids, tf.int32),
    "input_mask": tf.constant(np.repeat(there[:, :, None], 5, 2), tf.int32),
    "segment_ids": tf.zeros([4, 3, 5], tf.int32),
    "label_ids": tf.constant([[0], [1], [2], [1]]),
}

def train(scope, parts, feed):
    with scope:
        model = ClassifierModel(TINY, 3, dropout_rate=0.0, init_seed=1)
        named = checkpoint.named_variables(model)
        optimizer = optimization.AdamWeightDecay(
            {name: variable.value for name, variable in named.items()},
            lambda step: tf.constant(0.01),
        )
        settings = steps.StepSettings(
            seed=0, gradient_accumulation_steps=parts
        )
        step = steps.compile_train_step(model, optimizer, settings)
        losses = [float(step(feed())["loss"]) for _ in range(3)]
    return losses, {name: value.numpy() for name, value in named.items()}

strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
halves = lambda: strategy.experimental_distribute_values_from_function(
    lambda context: {
        name: tf.split(value, 2)[context.replica_id_in_sync_group]
        for name, value in batch.items()
    }
)
losses, weights = train(contextlib.nullcontext(), 1, lambda: batch)
for others in (
    train(strategy.scope(), 1, halves),
    train(contextlib.nullcontext(), 2, lambda: batch),
):
    assert np.allclose(losses, others[0], atol=1e-5), (losses, others[0])
    for name, value in weights.items():
        if not name.endswith("key/bias"):  # whose gradient is rounding
            assert np.allclose(value, others[1][name], atol=1e-4), name
"""


@pytest.mark.slow
def test_windows_of_texts_learn_alike_on_devices_and_in_parts():
    done = run_code(WINDOWS_CODE)
    assert done.returncode == 0, done.stderr
