"""Steps of several tasks: what each moves, by what, and in which order."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from bert.modeling import checkpoint
from bert.training import run
from bert.training.batches import Unreadable
from bert.training.checkpointing import RunState
from bert.training.feeds import Feed
from bert.training.length import Length
from bert.training.objectives.distillation import (
    Distillation,
    Settings,
    annealed,
)
from bert.training.objectives.multitask import Multitask, Turn
from bert.training.objectives.task_sampling import Slope, TaskOrder
from bert.training.optimization import AdamSettings, AdamWeightDecay, Lamb
from bert.training.steps import StepSettings, compile_train_step
from tests.modeling.test_multitask_model import TINY, make
from tests.scripts.runner import run_code
from tests.training.configs import training_config

DRY = dataclasses.replace(
    TINY, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0
)
IDS = tf.constant([[1, 2, 3, 4], [5, 6, 7, 0]])
BATCHES = {
    "a": {"input_ids": IDS, "label_ids": tf.constant([0, 1])},
    "b.1": {"input_ids": IDS, "label_ids": tf.constant([2, 1])},
    "span": {
        "input_ids": IDS,
        "start_positions": tf.constant([0, 1]),
        "end_positions": tf.constant([2, 1]),
    },
    "mlm": {
        "input_ids": IDS,
        "masked_lm_positions": tf.constant([[1], [2]]),
        "masked_lm_ids": tf.constant([[7], [8]]),
        "masked_lm_weights": tf.constant([[1.0], [1.0]]),
    },
}
TAUGHT = {
    **BATCHES["a"],
    "has_label": tf.constant([[1], [0]]),
    "teacher_logits": tf.constant([[2.0, -1.0], [0.5, 1.0]]),
}


def feed(batch, make_objective=None):
    return Feed(
        lambda state, context: tf.data.Dataset.from_tensors(batch).repeat(),
        Unreadable(),
        make_objective,
    )


def split_feed(batch):
    """A row of two for each of two devices; both for one."""

    def make_batches(state, context):
        rows = tf.data.Dataset.from_tensor_slices(batch).repeat()
        return rows.batch(2 // context.num_replicas_in_sync)

    return Feed(make_batches, Unreadable())


FEEDS = {name: feed(batch) for name, batch in BATCHES.items()}
SPLIT_FEEDS = {name: split_feed(batch) for name, batch in BATCHES.items()}
# A teacher of the first task, whose share falls.
TAUGHT_FEEDS = {
    **FEEDS,
    "a": feed(
        TAUGHT,
        lambda model, done: Distillation(
            model, {"logits": "classes"}, Settings(annealed(done))
        ),
    ),
}


def objective(weights=None, num_steps=8, feeds=FEEDS):
    return Multitask(
        feeds,
        lambda seed: TaskOrder(
            dict.fromkeys(BATCHES, 8), "uniform", 1.0, num_steps, seed
        ),
        {**dict.fromkeys(BATCHES, Slope(1.0, 1.0)), **(weights or {})},
        2,
    )


class Trained:
    """A model in training, whose steps are counted from 0."""

    def __init__(
        self,
        weights=None,
        max_grad_norm=1.0,
        step=0,
        feeds=FEEDS,
        kind=AdamWeightDecay,
        **settings,
    ):
        self.model = make(DRY)
        self.optimizer = kind(
            {
                name: v.value
                for name, v in checkpoint.named_variables(self.model).items()
            },
            lambda step: tf.constant(0.01),
            AdamSettings(weight_decay=0.1, **settings),
        )
        self.optimizer.global_step.assign(step)
        self.settings = StepSettings(
            seed=1, max_grad_norm=max_grad_norm, num_train_steps=8
        )
        self.step = objective(weights, feeds=feeds).compile(
            self.model,
            self.optimizer,
            self.settings,
            dict.fromkeys(BATCHES),
        )

    def tensors(self):
        found = {
            **checkpoint.named_variables(self.model),
            **self.optimizer.state(),
        }
        return {name: np.array(v) for name, v in found.items()}


@pytest.mark.parametrize(
    ("kind", "settings"),
    [
        (AdamWeightDecay, {}),
        pytest.param(
            *(AdamWeightDecay, {"bias_correction": True}),
            marks=pytest.mark.slow,
        ),
        pytest.param(Lamb, {}, marks=pytest.mark.slow),
    ],
)
def test_a_step_moves_the_encoder_and_its_own_head_alone(kind, settings):
    trained = Trained(kind=kind, **settings)
    for done, (task, batch) in enumerate(BATCHES.items()):
        before = trained.tensors()
        trained.step(Turn(task, batch))
        trained.step(Turn(task, batch))
        after = trained.tensors()
        moved = {n for n in before if (before[n] != after[n]).any()}
        others = tuple(f"tasks/{name}/" for name in BATCHES if name != task)
        # Neither weight nor moment, nor is anything decayed there.
        assert not [name for name in moved if name.startswith(others)]
        assert {n for n in moved if n.startswith(f"tasks/{task}/")} == {
            n for n in before if n.startswith(f"tasks/{task}/")
        }
        has_moved = "bert/pooler/dense/kernel" in moved
        assert has_moved is trained.model.tasks[task].uses_pooler
        assert "bert/embeddings/word_embeddings/adam_v" in moved
        assert after["global_step"] == 2 * (done + 1)


def test_a_step_is_that_of_the_task_alone():
    trained, alone = Trained(), Trained()
    figures = trained.step(Turn("a", BATCHES["a"]))
    model = alone.model.tasks["a"]
    own = [
        name
        for name in alone.optimizer.variables
        if name.startswith(("bert/", "tasks/a/"))
    ]
    step = compile_train_step(model, alone.optimizer.of(own), alone.settings)
    expected = step(BATCHES["a"])
    assert figures["loss"] == figures["a/loss"] == expected["loss"]
    assert figures["gradient_norm"] == expected["gradient_norm"]
    found, wanted = trained.tensors(), alone.tensors()
    for name in own:
        np.testing.assert_array_equal(found[name], wanted[name])


@pytest.mark.parametrize(
    ("step", "factor"),
    [
        pytest.param(0, 1.0, marks=pytest.mark.slow),
        (4, 0.6),
        pytest.param(8, 0.2, marks=pytest.mark.slow),
    ],
)
def test_a_weight_multiplies_the_gradient_along_a_line(step, factor):
    plain = Trained(max_grad_norm=1e9, step=step)
    weighted = Trained({"a": Slope(1.0, 0.2)}, max_grad_norm=1e9, step=step)
    turn = Turn("a", BATCHES["a"])
    before, after = plain.step(turn), weighted.step(turn)
    assert after["loss"] == before["loss"]  # without the weight
    np.testing.assert_allclose(
        after["gradient_norm"], factor * before["gradient_norm"], rtol=1e-5
    )
    name = "tasks/a/output_weights/adam_m"
    np.testing.assert_allclose(
        weighted.tensors()[name],
        factor * plain.tensors()[name],
        rtol=1e-5,
        atol=1e-9,
    )


@pytest.mark.parametrize(
    ("step", "share"),
    [
        pytest.param(0, 1.0, marks=pytest.mark.slow),
        (6, 0.25),
        pytest.param(8, 0.0, marks=pytest.mark.slow),
    ],
)
def test_a_teachers_share_falls_along_a_line(step, share):
    trained = Trained(step=step, feeds=TAUGHT_FEEDS)
    model = trained.model.tasks["a"]
    model.dropout_rate = 0.0
    logits = model(TAUGHT)["logits"]
    figures = trained.step(Turn("a", TAUGHT))
    teacher, student = (
        tf.nn.log_softmax(x) for x in (TAUGHT["teacher_logits"], logits)
    )
    apart = tf.reduce_sum(tf.exp(teacher) * (teacher - student), axis=-1)
    np.testing.assert_allclose(
        figures["a/distillation_loss"],
        share * np.mean(apart),
        rtol=1e-5,
        atol=1e-9,
    )
    # The second row has no label.
    np.testing.assert_allclose(
        figures["a/classification_loss"],
        -(1 - share) * student[0, 0],
        rtol=1e-5,
        atol=1e-9,
    )


def follow(folder, num_steps, feeds=FEEDS, config=TINY, **values):
    run.train(
        dataclasses.replace(
            training_config(
                output_dir=str(folder), train_batch_size=2, random_seed=5
            ),
            **values,
        ),
        Length(num_steps, 0),
        lambda seed: make(config, seed),
        objective({"a": Slope(1.0, 0.5)}, feeds=feeds),
    )
    return checkpoint.Reader(str(folder))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("feeds", "values"),
    [
        (FEEDS, {}),
        (TAUGHT_FEEDS, {}),
        (TAUGHT_FEEDS, {"optimizer": "lamb", "use_xla": True}),
        (FEEDS, {"gradient_accumulation_steps": 2}),
        (FEEDS, {"freeze_layers": 0, "layerwise_lr_decay": 0.5}),
        (FEEDS, {"precision": "float16"}),
        (FEEDS, {"recompute_activations": True}),
    ],
)
def test_a_run_that_stops_goes_on_with_the_same_bits(feeds, values, tmp_path):
    values = {"learning_rate": 0.01, **values}
    whole = follow(tmp_path / "whole", 8, feeds, **values)
    # As if it had been killed after its checkpoint of step 3.
    parts = tmp_path / "again"
    values["save_checkpoints_steps"] = 3
    first = follow(parts, 8, feeds, **values)
    assert first.shapes == whole.shapes
    (parts / "checkpoint").write_text('model_checkpoint_path: "model.ckpt-3"\n')
    again = follow(parts, 8, feeds, **values)
    for name in whole.shapes:
        np.testing.assert_array_equal(again.read(name), whole.read(name))


@pytest.mark.slow
@pytest.mark.parametrize(
    "values",
    [
        {"gradient_accumulation_steps": 2},
        {"use_xla": True},
        {"recompute_activations": True},
    ],
)
def test_what_saves_memory_or_time_trains_the_same(values, tmp_path):
    plain = follow(tmp_path / "a", 8, TAUGHT_FEEDS, DRY, learning_rate=1e-4)
    other = follow(
        tmp_path / "b", 8, TAUGHT_FEEDS, DRY, learning_rate=1e-4, **values
    )
    assert plain.shapes == other.shapes
    for name in plain.shapes:
        np.testing.assert_allclose(
            other.read(name), plain.read(name), rtol=1e-3, atol=1e-5
        )


def test_layers_learn_at_rates_of_their_own_and_all_heads_at_one():
    model = make()
    config = training_config(layerwise_lr_decay=0.5)
    factors = run.rate_factors(config, model)
    heads = {factors[n] for n in factors if n.startswith("tasks/")}
    assert heads == {factors["bert/pooler/dense/kernel"]} == {1.0}
    assert factors["bert/embeddings/word_embeddings"] == 0.5**3
    layer = "bert/encoder/layer_0/output/dense/kernel"
    assert factors[layer] == 0.5**2


@pytest.mark.slow
def test_frozen_layers_have_neither_moments_nor_moves(tmp_path):
    found = follow(tmp_path, 8, freeze_layers=0, learning_rate=0.01)
    first = checkpoint.Reader(str(tmp_path / "model.ckpt-0"))
    name = "bert/embeddings/word_embeddings"
    assert f"{name}/adam_m" not in found
    np.testing.assert_array_equal(found.read(name), first.read(name))
    for task in BATCHES:  # whose heads learn
        head = next(n for n in found.shapes if n.startswith(f"tasks/{task}/"))
        assert (found.read(head) != first.read(head)).any()


# In a process of its own: devices can only be split before TensorFlow starts.
DEVICES = """
import sys
import numpy as np
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(
    cpu, [tf.config.LogicalDeviceConfiguration()] * 2
)
from tests.training.objectives import test_multitask as own

def end(name, strategy):
    with strategy.scope():
        found = own.follow(
            sys.argv[1] + name, 8, own.SPLIT_FEEDS, own.DRY, learning_rate=1e-4
        )
    return {name: found.read(name) for name in found.shapes}

one = end("one", tf.distribute.get_strategy())
two = end("two", tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]))
assert one.keys() == two.keys()
for name in one:
    np.testing.assert_allclose(
        two[name], one[name], rtol=1e-3, atol=1e-5, err_msg=name
    )
"""


@pytest.mark.slow
def test_two_devices_train_as_one_does(tmp_path):
    done = run_code(DEVICES, f"{tmp_path}/")
    assert done.returncode == 0, done.stderr


def test_batches_come_in_the_order_of_the_seed():
    found = []
    order = TaskOrder(dict.fromkeys(BATCHES, 8), "uniform", 1.0, 8, 7)

    def distribute(make_batches):
        return make_batches(None)

    state = RunState(seed=7, examples_seen=2 * 3)
    batches = objective().batches(state, distribute)
    for turn, _ in zip(batches.dataset, range(5), strict=False):
        found.append(turn.task)
        np.testing.assert_array_equal(
            turn.batch["input_ids"], BATCHES[turn.task]["input_ids"]
        )
    assert found == order.drawn(3, 5)


def test_the_weights_beside_the_model_are_those_of_all_tasks():
    feeds = {
        name: Feed(lambda state, context: None, Unreadable(), None, number)
        for name, number in (("a", 2), ("b", 3), ("c", 0))
    }
    whole = Multitask(feeds, lambda seed: None, {}, 2)
    assert whole.num_other_weights == 5
