"""Steps of several tasks: what each moves, by what, and in which order."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from bert.modeling import checkpoint
from bert.training import run
from bert.training.checkpointing import RunState
from bert.training.feeds import Feed
from bert.training.loop import Unreadable
from bert.training.objectives.distillation import (
    Distillation,
    Settings,
    annealed,
)
from bert.training.objectives.multitask import Multitask, Turn
from bert.training.objectives.task_sampling import Slope, TaskOrder
from bert.training.optimization import AdamSettings, AdamWeightDecay
from bert.training.steps import StepSettings, compile_train_step
from tests.modeling.test_multitask_model import TINY, make
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


FEEDS = {name: feed(batch) for name, batch in BATCHES.items()}
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

    def __init__(self, weights=None, max_grad_norm=1.0, step=0, feeds=FEEDS):
        self.model = make(DRY)
        self.optimizer = AdamWeightDecay(
            {
                name: v.value
                for name, v in checkpoint.named_variables(self.model).items()
            },
            lambda step: tf.constant(0.01),
            AdamSettings(weight_decay=0.1),
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


@pytest.mark.parametrize("task", BATCHES)
def test_a_step_moves_the_encoder_and_its_own_head_alone(task):
    trained = Trained()
    before = trained.tensors()
    for _ in range(2):
        trained.step(Turn(task, BATCHES[task]))
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
    assert after["global_step"] == 2


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


@pytest.mark.parametrize(("step", "factor"), [(0, 1.0), (4, 0.6), (8, 0.2)])
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


@pytest.mark.parametrize(("step", "share"), [(0, 1.0), (6, 0.25), (8, 0.0)])
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


def follow(folder, num_steps, feeds=FEEDS, **values):
    run.train(
        dataclasses.replace(
            training_config(
                output_dir=str(folder), train_batch_size=2, random_seed=5
            ),
            **values,
        ),
        run.Length(num_steps, 0),
        lambda seed: make(TINY, seed),
        objective({"a": Slope(1.0, 0.5)}, feeds=feeds),
    )
    return checkpoint.Reader(str(folder))


@pytest.mark.parametrize("feeds", [FEEDS, TAUGHT_FEEDS], ids=["", "taught"])
def test_a_run_that_stops_goes_on_with_the_same_bits(feeds, tmp_path):
    whole = follow(tmp_path / "whole", 8, feeds, learning_rate=0.01)
    # As if it had been killed after its checkpoint of step 3.
    parts = tmp_path / "again"
    values = {"learning_rate": 0.01, "save_checkpoints_steps": 3}
    first = follow(parts, 8, feeds, **values)
    assert first.shapes == whole.shapes
    (parts / "checkpoint").write_text('model_checkpoint_path: "model.ckpt-3"\n')
    again = follow(parts, 8, feeds, **values)
    for name in whole.shapes:
        np.testing.assert_array_equal(again.read(name), whole.read(name))


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
