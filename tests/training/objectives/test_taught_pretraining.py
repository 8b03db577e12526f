"""What a teacher of pre-training teaches: terms, and words by their formula."""

import numpy as np
import pytest
import tensorflow as tf

from bert.modeling.heads import PretrainingModel
from bert.training.objectives import relations, taught_pretraining
from bert.training.objectives.distillation import Settings, annealed
from tests.conversion import run_folder
from tests.scripts.runner import run_code

STUDENT = np.array([[1.0, -2.0, 0.5, 2.0], [0.0, 3.0, 1.0, 0.5]])
TEACHER = np.array([[2.0, 0.0, -1.0, 1.5], [0.5, 0.25, 4.0, -1.0]])


def softmax(logits):
    powers = np.exp(np.asarray(logits, np.float64))
    return powers / powers.sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("top_k", [2, 4])
def test_of_the_likeliest_words(top_k):
    found = taught_pretraining.divergence(
        *(tf.constant(x, tf.float32) for x in (STUDENT, TEACHER)), 2.0, top_k
    )
    expected = []
    for student, teacher in zip(STUDENT, TEACHER, strict=True):
        words = np.argsort(-teacher)[:top_k]
        p, q = softmax(teacher[words] / 2), softmax(student / 2)[words]
        expected.append(4 * (p * np.log(p / q)).sum())
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_a_student_of_its_teacher_has_the_labels_left():
    config = run_folder.tiny_config(num_hidden_layers=1)
    model = PretrainingModel(config, init_seed=1)
    batch = {
        "input_ids": tf.constant([[5, 6, 7, 8]] * 2),
        "masked_lm_positions": tf.constant([[1, 2], [3, 0]]),
        "masked_lm_ids": tf.constant([[9, 10], [11, 0]]),
        "masked_lm_weights": tf.constant([[1.0, 1.0], [1.0, 0.0]]),
        "next_sentence_labels": tf.constant([0, 1]),
    }
    outputs = model(batch)
    objective = taught_pretraining.TaughtPretraining(
        model, model, Settings(0.25), config.vocab_size
    )
    weights = objective.loss_weights(batch)
    assert weights["distillation"] is weights["masked_lm"]
    found = objective.losses(outputs, batch)
    own = model.losses(outputs, batch)
    assert found.keys() == {*own, "distillation"} == {*weights}
    np.testing.assert_allclose(found["masked_lm"], 0.75 * own["masked_lm"])
    np.testing.assert_array_equal(found["next_sentence"], own["next_sentence"])
    np.testing.assert_allclose(found["distillation"], 0, atol=1e-5)


BATCH = {
    "input_ids": tf.constant([[5, 6, 7, 8, 0, 0], [5, 9, 7, 9, 6, 8]]),
    "input_mask": tf.constant([[1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 1]]),
    "masked_lm_positions": tf.constant([[1, 2], [3, 0]]),
    "masked_lm_ids": tf.constant([[9, 10], [11, 0]]),
    "masked_lm_weights": tf.constant([[1.0, 1.0], [1.0, 0.0]]),
    "next_sentence_labels": tf.constant([0, 1]),
}


@pytest.mark.parametrize(
    ("alpha", "top_k", "names"),
    [
        (0.5, 3, ["masked_lm", "next_sentence", "distillation", "relations"]),
        (0.5, 0, ["masked_lm", "next_sentence", "relations"]),
        (1.0, 3, ["masked_lm", "next_sentence", "distillation", "relations"]),
        (1.0, 0, ["next_sentence", "relations"]),
    ],
)
def test_terms_that_have_no_share_are_left_out(alpha, top_k, names):
    model, teacher = (
        PretrainingModel(
            run_folder.tiny_config(hidden_size=size, num_attention_heads=3),
            init_seed=size,
        )
        for size in (24, 36)
    )
    model.related, teacher.related = (1, 6), (0, 6)
    objective = taught_pretraining.TaughtPretraining(
        model, teacher, Settings(alpha), top_k
    )
    outputs = model(BATCH)
    found = objective.losses(outputs, BATCH)
    weights = objective.loss_weights(BATCH)
    assert list(found) == names
    assert weights.keys() == {*names}
    np.testing.assert_array_equal(
        weights["relations"].weights, [1] * 4 + [0] * 2 + [1] * 6
    )
    np.testing.assert_allclose(
        found["relations"],
        alpha * relations.losses(outputs, teacher(BATCH), BATCH),
    )


def test_a_share_that_falls_leaves_nothing_out():
    model, teacher = (
        PretrainingModel(run_folder.tiny_config(), init_seed=seed)
        for seed in (1, 2)
    )
    outputs, done = model(BATCH), tf.Variable(0.0)
    falling = Settings(annealed(done.value))

    def losses(settings):
        objective = taught_pretraining.TaughtPretraining(
            model, teacher, settings, 3
        )
        assert objective.loss_weights(BATCH).keys() == {
            *("masked_lm", "next_sentence", "distillation")
        }
        return objective.losses(outputs, BATCH)

    for value in (0.0, 0.75):
        done.assign(value)
        found, expected = losses(falling), losses(Settings(1 - value))
        for name in expected:
            np.testing.assert_array_equal(found[name], expected[name])


# In a process of its own: devices can only be split before TensorFlow starts.
CODE = """
import contextlib
import numpy as np
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(
    cpu, [tf.config.LogicalDeviceConfiguration()] * 2
)
from bert.modeling import checkpoint
from bert.modeling.heads import PretrainingModel
from bert.training import optimization, steps
from bert.training.loss_scale import LossScale
from bert.training.objectives.distillation import Settings
from bert.training.objectives.taught_pretraining import TaughtPretraining
from tests.conversion import run_folder

random = np.random.default_rng(1)
lengths = random.integers(3, 10, [8, 1])
batch = {
    "input_ids": random.integers(5, 300, [8, 10]),
    "input_mask": np.arange(10) < lengths,
    "masked_lm_positions": random.integers(0, 3, [8, 2]),
    "masked_lm_ids": random.integers(5, 300, [8, 2]),
    "masked_lm_weights": random.integers(0, 2, [8, 2]),
    "next_sentence_labels": random.integers(0, 2, [8, 2]),
    # A second text in some rows.
    "text_starts": np.stack([np.zeros(8), np.arange(8) % 3], axis=1),
}
batch = {
    name: tf.constant(
        value, tf.float32 if name.endswith("weights") else tf.int32
    )
    for name, value in batch.items()
}

def after(
    alone, strategy=None, dtype="float32", recomputes=False, dropout=0.0,
    loss_scale=None, **settings
):
    def make(**changes):
        config = run_folder.tiny_config(
            hidden_dropout_prob=dropout, attention_probs_dropout_prob=dropout,
            initializer_range=0.2, **changes,
        )
        return PretrainingModel(
            config, not alone, compute_dtype=dtype, init_seed=1
        )

    with strategy.scope() if strategy else contextlib.nullcontext():
        model = make()
        teacher = make(hidden_size=48, num_attention_heads=2)
        model.related, teacher.related = (1, 6), (0, 6)
        if alone:
            model.freeze_words()
        if recomputes:
            model.backbone.recompute_activations()
        optimizer = optimization.AdamWeightDecay(
            {
                checkpoint.checkpoint_name(v, model): v.value
                for v in model.trainable_variables
            },
            optimization.learning_rate_schedule("original", 0.01, 10, 0),
            optimization.AdamSettings(),
        )
        alpha, top_k = (1.0, 0) if alone else (0.4, 5)
        before = [w.numpy() for w in teacher.weights]
        step = steps.compile_train_step(
            model, optimizer, steps.StepSettings(seed=0, **settings), None,
            loss_scale and loss_scale(),
            TaughtPretraining(
                model, teacher, Settings(alpha), top_k, recomputes
            ),
        )
        given = batch
        if strategy:
            given = strategy.experimental_distribute_values_from_function(
                lambda context: {
                    name: tf.split(value, 2)[context.replica_id_in_sync_group]
                    for name, value in batch.items()
                }
            )
        figures = {k: float(v) for k, v in step(given).items()}
    for value, weight in zip(before, teacher.weights, strict=True):
        np.testing.assert_array_equal(value, weight)
    # Adam takes signs of tiny gradients: moments are what may be compared.
    moments = {k: v.numpy() for k, v in optimizer.state().items()}
    return figures, {k: v for k, v in moments.items() if "adam_m" in k}

def assert_same(found, expected, way):
    for name, value in expected[0].items():
        assert abs(found[0][name] - value) < 2e-5 * max(value, 1), (way, name)
    for name, value in expected[1].items():
        assert np.max(np.abs(found[1][name] - value)) < 1e-6, (way, name)

mirrored = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
names = {"masked_lm", "next_sentence", "distillation", "relations"}
WAYS = (
    {"gradient_accumulation_steps": 4},
    {"strategy": mirrored},
    {"use_xla": True},
    {"recomputes": True},
    {"strategy": mirrored, "gradient_accumulation_steps": 2},
    {"recomputes": True, "use_xla": True, "gradient_accumulation_steps": 2},
)
for alone in (False, True):
    whole = after(alone)
    parts = set() if alone else {f"{name}_loss" for name in names}
    assert {*whole[0]} == {"loss", "gradient_norm", *parts}, whole[0]
    # All that is trained is learned.
    assert all(np.any(value) for value in whole[1].values())
    for way in WAYS[4:] if alone else WAYS:
        assert_same(after(alone, **way), whole, (alone, way))
    if alone:
        continue
    for dtype, scale in (("bfloat16", None), ("float16", LossScale)):
        theirs, _ = after(alone, dtype=dtype, loss_scale=scale)
        assert abs(theirs["loss"] - whole[0]["loss"]) < 0.05, (dtype, theirs)
    kept, recomputed = (
        after(alone, recomputes=recomputes, dropout=0.2)
        for recomputes in (False, True)
    )
    assert_same(recomputed, kept, "dropout")
"""


@pytest.mark.slow
def test_parts_and_devices_go_the_way_of_the_whole_batch():
    done = run_code(CODE)
    assert done.returncode == 0, done.stderr
