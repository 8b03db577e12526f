"""The original's module `optimization`: its names and what they compute."""

import inspect
import json

import numpy as np
import pytest
import tensorflow as tf

from bert import optimization
from bert.errors import UserError

OLD_CALL = r"no loss.*model\.compile\(optimizer=optimization\.create_optimizer"


@pytest.fixture(scope="module")
def records(golden):
    """The goldens of the module by the name that is called."""
    found: dict[str, list[dict]] = {}
    for record in json.loads(
        (golden / "library/optimization.json").read_text()
    ):
        name = record["call"].removeprefix("optimization.")
        found.setdefault(name, []).append(record)
    return found


def test_an_optimizer_has_the_originals_arguments_and_attributes(records):
    (record,) = records["AdamWeightDecayOptimizer"]
    optimizer = optimization.AdamWeightDecayOptimizer(**record["args"])

    assert optimizer.name == record["name"]
    names = list(inspect.signature(type(optimizer)).parameters)
    assert names[:7] == [*record["attributes"], "name"]
    rate = record["attributes"].pop("learning_rate")
    assert float(optimizer.learning_rate) == pytest.approx(rate)
    for name, value in record["attributes"].items():
        assert getattr(optimizer, name) == value


@pytest.mark.parametrize("name", ["_do_use_weight_decay", "_get_variable_name"])
def test_names_are_read_as_in_the_original(records, name):
    for record in records[f"AdamWeightDecayOptimizer.{name}"]:
        optimizer = optimization.AdamWeightDecayOptimizer(**record["self"])
        method = getattr(optimizer, name)
        assert list(map(method, record["items"])) == record["result"]


def test_the_rates_are_the_originals(records):
    for record in records["create_optimizer"]:
        names = ("init_lr", "num_train_steps", "num_warmup_steps", "use_tpu")
        optimizer = optimization.create_optimizer(
            *(record["args"][name] for name in names)
        )
        for step, rate in zip(
            record["at_global_step"], record["learning_rate"], strict=True
        ):
            optimizer.iterations.assign(step)
            assert float(optimizer.learning_rate) == pytest.approx(
                rate, abs=record["tolerance"]
            )


def test_updates_are_the_originals(records):
    (record,) = records["AdamWeightDecayOptimizer.apply_gradients"]
    optimizer = optimization.AdamWeightDecayOptimizer(**record["self"])
    variables = {
        name: tf.Variable(value, name=name)
        for name, value in record["variables"].items()
    }
    kernel, bias, _ = variables.values()
    for expected in record["after_each_step"]:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(kernel**2) + tf.reduce_sum(bias**3)
        gradients = tape.gradient(loss, list(variables.values()))
        optimizer.apply_gradients(
            zip(gradients, variables.values(), strict=True), None
        )
        state = {v.path: v for v in optimizer.variables}
        for name, value in expected.items():
            path, _, moment = name.removesuffix(":0").partition("/adam_")
            found = variables[path]
            if moment:
                path = path.replace("/", "_")
                found = state[f"{optimizer.name}/{path}_0_adam_{moment}"]
            np.testing.assert_allclose(
                found.numpy(), value, rtol=0, atol=record["tolerance"]
            )


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        ((tf.constant(1.0), 1e-3, 10, 0, False), {}),
        ((tf.constant(1.0), 1e-3, 10, 0), {}),
        ((1.0, 1e-3, 10, 0, False), {}),
        ((), {"loss": tf.constant(1.0), "init_lr": 1e-3, "num_train_steps": 9}),
    ],
)
def test_the_originals_call_is_told_what_to_write(args, kwargs):
    with pytest.raises(TypeError, match=OLD_CALL) as raised:
        optimization.create_optimizer(*args, **kwargs)
    assert len(str(raised.value)) <= 300


def test_there_is_a_step_to_train():
    with pytest.raises(UserError, match=r"num_train_steps.*Received: 0\."):
        optimization.create_optimizer(1e-3, 0, 0)


def test_what_is_gone_names_what_is_there():
    optimizer = optimization.create_optimizer(1e-3, 10, 0)
    with pytest.raises(AttributeError, match=r"create_optimizer\(init_lr"):
        _ = optimization.LAMBOptimizer
    for name in ("minimize", "compute_gradients", "get_slot"):
        with pytest.raises(AttributeError, match=rf"^{name} .*; write \S+"):
            getattr(optimizer, name)
    with pytest.raises(AttributeError, match="no 'other'"):
        _ = optimizer.other
    assert {"AdamWeightDecayOptimizer", "create_optimizer"} <= set(
        dir(optimization)
    )
