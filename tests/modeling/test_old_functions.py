"""What the original's modeling.py returns: all but its configuration."""

import json
import re

import numpy as np
import pytest
import tensorflow as tf

from bert import modeling
from bert.modeling import old_functions
from tests.compat.exceptions import exceptions_of

# Errors of another type or text, on purpose: they say what to change.
OTHER_ERRORS = {
    114: "hidden_act must be one of .* Received: 'swish'",
    115: "num_hidden_layers must be .* Received: 0",
    116: "vocab_size must be .* Received: None",
    117: "Cannot use sequence length 7 .* length 6",
}


def records(golden, call):
    """Yields (number, record) of the calls of a name."""
    found = json.loads((golden / "library/modeling.json").read_text())
    left_out = exceptions_of("modeling") - OTHER_ERRORS.keys()
    for number, record in enumerate(found):
        if record["call"] == f"modeling.{call}" and number not in left_out:
            yield number, record


def _whole(message):
    return f"^{re.escape(message)}"


def placeholder(record):
    tensor = record["tensor"]
    return tf.compat.v1.placeholder(
        tf.float32, tensor["placeholder_of_shape"], tensor["name"]
    )


def test_gelu_is_the_originals(golden):
    ((_, record),) = records(golden, "gelu")
    found = modeling.gelu(tf.constant(record["args"]["x"]))
    np.testing.assert_allclose(found, record["result"], atol=1e-6)


def test_activations_are_those_of_the_original(golden):
    for _, record in records(golden, "get_activation"):
        name = record["args"]["activation_string"]
        if name == "<a function>":
            assert modeling.get_activation(tf.tanh) is tf.tanh
        elif "raises" in record:
            with pytest.raises(ValueError, match=_whole(record["message"])):
                modeling.get_activation(name)
        elif "function_of_x" in record:
            found = modeling.get_activation(name)(tf.constant(record["x"]))
            np.testing.assert_allclose(
                found, record["function_of_x"], atol=record["tolerance"]
            )
        else:
            assert modeling.get_activation(name) == record["result"]


def test_assignment_maps_are_the_originals(golden, tmp_path):
    for _, record in records(golden, "get_assignment_map_from_checkpoint"):
        tvars = record["args"]["tvars"]
        tvars = [_Named(name) for name in (tvars and tvars["$named"])]
        if "raises" in record:
            with pytest.raises(tf.errors.NotFoundError, match="Failed to find"):
                modeling.get_assignment_map_from_checkpoint(
                    tvars, str(tmp_path / "missing")
                )
            continue
        path = golden / record["args"]["init_checkpoint"]["$golden"]
        expected_map, expected_names = record["result"]["$tuple"]
        found_map, found_names = modeling.get_assignment_map_from_checkpoint(
            tvars, str(path)
        )
        assert list(found_map.items()) == list(expected_map.items())
        assert found_names == expected_names


class _Named:
    def __init__(self, name):
        self.name = name


def test_weights_of_keras_are_found_by_their_paths(golden):
    config = modeling.BertConfig.from_json_file(
        golden / "model_base/bert_config.json"
    )
    model = modeling.BertModel(config)
    found, _ = modeling.get_assignment_map_from_checkpoint(
        model.trainable_variables, str(golden / "model_base/bert_model.ckpt")
    )
    assert set(found) == {v.path for v in model.trainable_variables}


@pytest.mark.parametrize(
    "name", ["get_shape_list", "assert_rank", "reshape_to_matrix", "dropout"]
)
def test_shapes_are_the_originals(golden, name):
    for _, record in records(golden, name):
        with tf.Graph().as_default():
            tensor = placeholder(record)
            call = getattr(modeling, name)
            if "raises" in record:
                with pytest.raises(ValueError, match=_whole(record["message"])):
                    call(tensor, **record["args"])
                continue
            found = call(tensor, **record["args"])
            if isinstance(found, list):
                found = [
                    "<scalar int32 tensor>"
                    if isinstance(n, tf.Tensor)
                    and (n.dtype, n.shape.rank) == (tf.int32, 0)
                    else n
                    for n in found
                ]
            elif isinstance(found, tf.Tensor):
                found = {
                    "same_tensor": found is tensor,
                    "static_shape": found.shape.as_list(),
                }
            assert found == record["result"]


def test_a_matrix_gets_its_shape_back():
    x = tf.reshape(tf.range(24.0), [2, 3, 4])
    matrix = modeling.reshape_to_matrix(x)
    again = modeling.reshape_from_matrix(
        matrix, modeling.get_shape_list(x, expected_rank=3)
    )
    np.testing.assert_array_equal(again, x)
    assert modeling.reshape_from_matrix(matrix, [6, 4]) is matrix


def test_dropout_drops_what_it_is_told():
    x = modeling.dropout(tf.ones([100, 100]), 0.25).numpy()
    assert set(np.unique(x)) == {0.0, np.float32(1 / 0.75)}
    assert abs(np.mean(x == 0) - 0.25) < 0.02


def test_eager_tensors_have_no_name_to_tell():
    with pytest.raises(ValueError, match="tensor `input` in scope"):
        old_functions.assert_rank(tf.ones([2]), [2, 3])


def test_initializers_are_the_originals(golden):
    for _, record in records(golden, "create_initializer"):
        found = modeling.create_initializer(**record["args"])
        assert type(found).__name__ == record["class"]
        assert (found.mean, found.stddev) == (record["mean"], record["stddev"])


def test_attention_masks_are_the_originals(golden):
    ((_, record),) = records(golden, "create_attention_mask_from_input_mask")
    found = modeling.create_attention_mask_from_input_mask(
        *map(tf.constant, record["args"].values())
    )
    np.testing.assert_array_equal(found, record["result"])
    assert found.dtype == record["dtype"]


def test_models_have_the_originals_outputs_and_weights(golden):
    for number, record in records(golden, "BertModel"):
        sizes = record["args"]["config"]["with"]
        spec = tf.TensorSpec(
            record["args"]["input_ids"]["placeholder_of_shape"],
            tf.int32,
            "Placeholder",
        )
        if "raises" in record:
            message = OTHER_ERRORS.get(number) or re.escape(record["message"])
            with pytest.raises(ValueError, match=message):
                _trace(modeling.BertConfig(**sizes), spec)
            continue
        model, outputs = _trace(modeling.BertConfig(**sizes), spec)
        result = record["result"]
        for name in ("pooled_output", "sequence_output", "embedding_output"):
            assert outputs[name].shape.as_list() == result[f"get_{name}"]
        assert [
            x.shape.as_list() for x in outputs["all_encoder_layers"]
        ] == result["get_all_encoder_layers"]
        assert list(model.word_table.shape) == result["get_embedding_table"]
        assert {f"{v.path}:0": list(v.shape) for v in model.weights} == dict(
            result["variables"]
        )


def _trace(config, spec):
    """Returns a model and the specs of its outputs."""
    model = modeling.BertModel(config)
    function = tf.function(lambda ids: model(ids), autograph=False)
    return model, function.get_concrete_function(spec).structured_outputs


def test_what_built_graphs_names_what_is_there():
    for name in ("layer_norm", "attention_layer", "embedding_postprocessor"):
        with pytest.raises(
            AttributeError, match=rf"{name}.*; use \S+"
        ) as found:
            getattr(modeling, name)
        assert len(str(found.value)) <= 300
