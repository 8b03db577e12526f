import numpy as np
import pytest
import tensorflow as tf

from bert.errors import UserError
from bert.model_folder import saved_model
from bert.model_folder.saved_model import SIGNATURE, SavedModel
from bert.tasks import spec

IDS = tf.TensorSpec([None, None], tf.int32)


def save(folder, names):
    """Writes a SavedModel that adds up its inputs, times a variable."""
    root = tf.Module()
    root.factor = tf.Variable(2)
    root.serve = tf.function(
        lambda **inputs: {"sum": root.factor * sum(inputs.values())},
    ).get_concrete_function(**dict.fromkeys(names, IDS))
    tf.saved_model.save(root, str(folder), {SIGNATURE: root.serve})
    return str(folder)


def test_a_model_takes_tensors_or_arrays(tmp_path):
    model = SavedModel(save(tmp_path, spec.INPUTS))
    arrays = dict.fromkeys(spec.INPUTS, np.full([1, 2], 3, np.int32))
    assert model.compute(arrays)["sum"].tolist() == [[18, 18]]
    tensors = {name: tf.constant(array) for name, array in arrays.items()}
    assert model(**tensors)["sum"].numpy().tolist() == [[18, 18]]


def test_a_model_of_other_inputs_is_refused(tmp_path):
    folder = save(tmp_path, ["text"])
    with pytest.raises(UserError, match="which takes text; name the folder th"):
        SavedModel(folder)


def test_what_is_no_model_is_refused(tmp_path):
    (tmp_path / "saved_model.pb").write_text("no")
    with pytest.raises(UserError, match=f"Cannot load .* {tmp_path}: .*anew"):
        SavedModel(str(tmp_path))


def test_the_size_is_that_of_the_graph_and_the_weights(tmp_path):
    for name, size in (
        ("saved_model.pb", 3),
        ("variables/variables.index", 20),
        ("variables/variables.data-00000-of-00001", 100),
        ("assets/vocab.txt", 7000),
        ("fingerprint.pb", 50000),
    ):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x" * size)

    assert saved_model.num_bytes(str(tmp_path)) == 123
