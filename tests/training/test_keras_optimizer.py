import keras
import numpy as np
import pytest
import tensorflow as tf

from bert import optimization
from bert.errors import UserError
from bert.modeling import checkpoint
from bert.training import keras_optimizer, steps
from tests.training.test_loop import GoldenRun

LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
# What `fit` is to learn in each golden run: the labels by output.
TARGETS = {
    "train_classifier": {"logits": "label_ids"},
    "train_squad": {
        "start_logits": "start_positions",
        "end_logits": "end_positions",
    },
}
WEIGHTS = {"train_squad": {"start_logits": 0.5, "end_logits": 0.5}}


@pytest.mark.parametrize("name", TARGETS)
def test_12_steps_of_fit_are_those_of_our_loop(golden, name):
    ours, theirs = GoldenRun(golden, name), GoldenRun(golden, name)
    for run in (ours, theirs):
        run.restore(0)
    step = steps.compile_train_step(
        ours.model, ours.optimizer, steps.StepSettings(seed=0)
    )
    losses = [float(step(ours.batch(i))["loss"]) for i in range(12)]

    model = theirs.model.keras_model()
    trajectory, weights = theirs.trajectory, WEIGHTS.get(name)
    model.compile(
        optimization.create_optimizer(
            trajectory["learning_rate"],
            trajectory["num_train_steps"],
            trajectory["num_warmup_steps"],
        ),
        loss=dict.fromkeys(weights, LOSS) if weights else LOSS,
        loss_weights=weights,
    )

    def labels(batch):
        found = {
            output: tf.reshape(batch[label], [-1])
            for output, label in TARGETS[name].items()
        }
        return found if len(found) > 1 else found["logits"]

    batches = tf.data.Dataset.from_tensor_slices(theirs.batches).map(
        lambda batch: (
            {name: batch[name] for name in model.input},
            labels(batch),
        )
    )
    history = model.fit(batches, shuffle=False, verbose=0).history

    assert history["loss"] == [pytest.approx(np.mean(losses), abs=1e-6)]
    moments = {v.path: v for v in model.optimizer.variables}
    tensors = ours.tensors()
    for weight in theirs.model.trainable_variables:
        path = weight.path.replace("/", "_")
        name = checkpoint.checkpoint_name(weight, theirs.model)
        for found, expected in (
            (weight, name),
            (
                moments[f"{model.optimizer.name}/{path}_adam_m"],
                f"{name}/adam_m",
            ),
            (
                moments[f"{model.optimizer.name}/{path}_adam_v"],
                f"{name}/adam_v",
            ),
        ):
            np.testing.assert_allclose(
                found.numpy(), tensors[expected], rtol=0, atol=1e-6
            )


def regression(**options):
    """Returns a model of one weight and a bias, compiled."""
    model = keras.Sequential(
        [keras.Input([1]), keras.layers.Dense(1, kernel_initializer="ones")]
    )
    model.compile(
        optimization.AdamWeightDecayOptimizer(0.1, **options), loss="mse"
    )
    return model


def fit(model, num_steps=3):
    x = np.arange(1.0, num_steps + 1)
    model.fit(x, 3.0 * x + 1, batch_size=1, shuffle=False, verbose=0)
    return [weight.numpy() for weight in model.weights]


def test_a_saved_run_goes_on_as_if_never_stopped(tmp_path):
    def compiled():
        model = regression()
        model.compile(optimization.create_optimizer(0.1, 6, 2), loss="mse")
        return model

    whole, part = compiled(), compiled()
    fit(whole), fit(part)
    part.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")

    assert loaded.optimizer.get_config() == part.optimizer.get_config()
    for one, other in zip(fit(whole), fit(loaded), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_rates_of_weights_have_factors_by_their_paths():
    plain = fit(regression(), 1)
    model = regression(rate_factors={})
    path = model.weights[0].path
    model.optimizer.rate_factors = {path: 0.5}
    kernel, bias = fit(model, 1)
    np.testing.assert_allclose(kernel - 1, (plain[0] - 1) / 2, rtol=1e-6)
    np.testing.assert_array_equal(bias, plain[1])
    with pytest.raises(UserError, match=r"paths of weights .* Received: x, "):
        fit(regression(rate_factors={"x": 0.5}), 1)


def test_gradients_are_clipped_only_if_asked_to():
    def moment(**options):
        model = regression(**options)
        fit(model, 1)
        return model.optimizer.variables[-4].numpy().item()

    # 1 - 4 = -3 twice: for kernel and bias -6, whose norm is 6 * sqrt(2).
    assert moment() == pytest.approx(0.1 * -6.0)
    assert moment(max_grad_norm=1.0) == pytest.approx(0.1 / -np.sqrt(2.0))


def test_a_step_that_is_not_finite_changes_nothing():
    model = regression(weight_decay_rate=0.1)
    before = fit(model, 1)
    model.fit(np.array([np.inf]), np.array([1.0]), verbose=0)
    for weight, value in zip(model.weights, before, strict=True):
        np.testing.assert_array_equal(weight.numpy(), value)


def test_gradients_of_several_batches_are_one_update():
    parts, whole = regression(gradient_accumulation_steps=2), regression()
    x, y = np.array([1.0, 2.0]), np.array([4.0, 7.0])
    parts.fit(x, y, batch_size=1, shuffle=False, verbose=0)
    whole.fit(x, y, batch_size=2, verbose=0)
    for one, other in zip(parts.weights, whole.weights, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=1e-6)


def test_xla_computes_the_same():
    compiled, plain = (
        regression(max_grad_norm=1.0),
        regression(max_grad_norm=1.0),
    )
    compiled.compile(compiled.optimizer, loss="mse", jit_compile=True)
    for one, other in zip(fit(compiled), fit(plain), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


def test_two_weights_of_one_name_are_two_weights():
    weights = [keras.Variable([1.0], name="kernel") for _ in range(2)]
    assert weights[0].path == weights[1].path
    optimizer = optimization.AdamWeightDecayOptimizer(0.1)
    optimizer.apply_gradients(
        [(tf.constant([1.0]), weights[0]), (None, weights[1])]
    )
    optimizer.apply_gradients(
        [(None, weights[0]), (tf.constant([1.0]), weights[1])]
    )
    assert weights[0].numpy() == weights[1].numpy() < 1.0


@pytest.mark.parametrize("name", ["weight_decay", "global_clipnorm"])
def test_keras_names_of_options_are_told_ours(name):
    with pytest.raises(TypeError, match=f"no {name}; write "):
        optimization.AdamWeightDecayOptimizer(0.1, **{name: 0.01})


def test_a_schedule_is_saved_with_its_arguments():
    schedule = keras_optimizer.WarmupSchedule(1e-3, 10)
    again = type(schedule).from_config(schedule.get_config())
    assert float(again(5)) == float(schedule(5)) == pytest.approx(5e-4)


def test_weights_are_float32():
    weight = keras.Variable([1.0], dtype="bfloat16", name="kernel")
    optimizer = optimization.AdamWeightDecayOptimizer(0.1)
    with pytest.raises(UserError, match=r"Received: kernel, bfloat16; .*mixed"):
        optimizer.build([weight])
