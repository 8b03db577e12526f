"""Several steps in a call: the same numbers, and how many there are."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from bert.data.records import length_sorting
from bert.modeling import BertConfig, checkpoint, classifiers
from bert.training import loop, optimization, step_calls, steps
from bert.training.batches import Batches, Unreadable
from bert.training.step_calls import StepCalls

CONFIG = BertConfig.from_dict(
    {
        "vocab_size": 40,
        "hidden_size": 8,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 16,
    }
)


class Run:
    """A model with dropout in training, all of it from seeds."""

    def __init__(self, **settings):
        self.model = classifiers.ClassifierModel(CONFIG, 3, init_seed=1)
        self.optimizer = optimization.AdamWeightDecay(
            {
                checkpoint.checkpoint_name(v, self.model): v.value
                for v in self.model.trainable_variables
            },
            optimization.learning_rate_schedule("linear", 0.01, 20, 5),
        )
        self.step = steps.compile_train_step(
            self.model,
            self.optimizer,
            steps.StepSettings(seed=3, **settings),
            dataset().element_spec,
        )

    def tensors(self):
        trained = loop.Trained(self.model, self.optimizer)
        return {k: v.numpy() for k, v in trained.tensors().items()}


def dataset():
    """Returns endless batches of 4 rows, each as long as its longest row."""
    rng = np.random.default_rng(0)
    lengths = rng.integers(2, 10, (24, 1))
    rows = {
        "input_ids": rng.integers(5, 40, (24, 10), np.int32),
        "input_mask": np.int32(np.arange(10) < lengths),
        "segment_ids": np.zeros((24, 10), np.int32),
        "label_ids": rng.integers(0, 3, 24, np.int32),
    }
    per_token = ["input_ids", "input_mask", "segment_ids"]
    return (
        tf.data.Dataset.from_tensor_slices(rows)
        .repeat()
        .batch(4, drop_remainder=True)
        .map(lambda batch: length_sorting.cut(batch, per_token))
    )


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"gradient_accumulation_steps": 2},
        pytest.param({"use_xla": True}, marks=pytest.mark.slow),
    ],
)
def test_steps_in_one_call_are_bit_for_bit_those_of_many(settings, monkeypatch):
    monkeypatch.setattr(step_calls, "_SECONDS", 600.0)
    one, several = Run(**settings), Run(**settings)
    batches = dataset()
    if settings.get("use_xla"):  # which compiles anew for each length
        batches = batches.take(1).repeat()
    calls = StepCalls(
        one.step, Batches(itertools.islice(batches, 6)), several=True
    )
    singly = [calls.take(100) for _ in range(6)]
    calls = StepCalls(several.step, Batches(batches), several=True)
    together = [calls.take(2), calls.take(4)]
    assert [len(f["loss"]) for f in together] == [2, 4]
    for name in singly[0]:
        np.testing.assert_array_equal(
            np.concatenate([figures[name] for figures in singly]),
            np.concatenate([figures[name] for figures in together]),
        )
    expected = one.tensors()
    for name, values in several.tensors().items():
        np.testing.assert_array_equal(values, expected[name], name)


@tf.function
def counted(batch):
    tf.debugging.assert_less(tf.cast(batch, tf.int32), 7)
    return {"loss": tf.cast(batch, tf.float32), "norm": tf.constant(2.0)}


def test_a_call_ends_when_its_time_is_over(monkeypatch):
    numbers = Batches(tf.data.Dataset.range(7))
    monkeypatch.setattr(step_calls, "_SECONDS", -1.0)
    assert StepCalls(counted, numbers, several=True).take(5)[
        "loss"
    ].numpy() == [0.0]
    monkeypatch.setattr(step_calls, "_SECONDS", 60.0)
    figures = StepCalls(counted, numbers, several=True).take(5)
    assert list(figures) == ["loss", "norm"]
    np.testing.assert_array_equal(figures["loss"], [0, 1, 2, 3, 4])
    np.testing.assert_array_equal(figures["norm"], [2, 2, 2, 2, 2])


@pytest.mark.parametrize(
    ("step", "batches"),
    [
        (counted, [tf.constant(0), tf.constant(1)]),
        (lambda batch: counted(batch), tf.data.Dataset.range(2)),
    ],
    ids=["batches of Python", "step of Python"],
)
def test_what_is_not_tensorflow_s_takes_one_step_a_call(step, batches):
    calls = StepCalls(step, Batches(batches), several=True)
    for value in (0.0, 1.0):
        figures = calls.take(5)
        assert {k: v.numpy() for k, v in figures.items()} == {
            "loss": [value],
            "norm": [2.0],
        }


def checked(number):
    tf.debugging.assert_less(number, tf.constant(3, tf.int64))
    return number


ERRORS = (tf.errors.InvalidArgumentError,)


@pytest.mark.parametrize("as_list", [False, True])
def test_a_batch_that_cannot_be_read_is_explained(as_list):
    data = tf.data.Dataset.range(9).map(checked)
    unreadable = Unreadable(ERRORS, lambda error: KeyError("record 3"))
    batches = (batch for batch in data) if as_list else data
    calls = StepCalls(counted, Batches(batches, unreadable), several=True)
    with pytest.raises(KeyError, match="record 3"):
        [calls.take(9) for _ in range(9)]


def test_an_error_of_the_step_is_no_batch_that_cannot_be_read():
    unreadable = Unreadable(ERRORS, lambda error: KeyError("record 3"))
    calls = StepCalls(
        counted, Batches(tf.data.Dataset.range(9), unreadable), several=True
    )
    with pytest.raises(ERRORS):
        [calls.take(9) for _ in range(9)]
