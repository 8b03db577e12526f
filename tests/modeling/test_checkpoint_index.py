"""The list of a checkpoint's tensors, against TensorFlow's own reader."""

import pytest
import tensorflow as tf

from bert.modeling import checkpoint, checkpoint_index
from bert.modeling.checkpoint_index import Entry


@pytest.fixture
def index(tmp_path):
    """Writes tensors; returns the path of their index."""

    def write(tensors):
        checkpoint.write_files(str(tmp_path / "a"), tensors)
        return tmp_path / "a.index"

    return write


def test_every_tensor_has_its_shape_and_type(index):
    path = index(
        {
            "scalar": tf.zeros([], tf.int64),
            "empty": tf.zeros([0, 2], tf.float16),
            "bert/ä": tf.zeros([3, 300], tf.bfloat16),
            "text": tf.constant(["a"]),
        }
    )
    assert checkpoint_index.read(str(path)) == {
        "bert/ä": Entry((3, 300), "bfloat16"),
        "empty": Entry((0, 2), "float16"),
        "scalar": Entry((), "int64"),
        "text": Entry((1,), "string"),
    }


def test_a_long_list_is_the_one_of_tensorflow(index):
    names = [f"scope/layer_{i}/{'kernel' * (i % 9)}" for i in range(400)]
    path = index({name: tf.zeros([i]) for i, name in enumerate(names)})
    reader = tf.train.load_checkpoint(str(path.with_suffix("")))
    shapes = reader.get_variable_to_shape_map()
    found = checkpoint_index.read(str(path))
    assert {n: list(e.shape) for n, e in found.items()} == shapes
    assert list(found) == sorted(names)


def test_goldens_are_read(golden):
    for path in golden.rglob("*.index"):
        reader = tf.train.load_checkpoint(str(path.with_suffix("")))
        types = reader.get_variable_to_dtype_map()
        found = checkpoint_index.read(str(path))
        assert {n: e.dtype for n, e in found.items()} == {
            name: dtype.name for name, dtype in types.items()
        }


def test_a_damaged_file_is_none(index):
    path = index({"a": tf.zeros([2]), "b": tf.zeros([3])})
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place])
        with pytest.raises(ValueError, match=r"."):
            checkpoint_index.read(str(path))
        damaged = bytearray(whole)
        damaged[place] ^= 0x55
        path.write_bytes(damaged)
        try:
            found = checkpoint_index.read(str(path))
        except ValueError:
            continue
        # In what stands behind the list, and says nothing.
        assert found == {
            "a": Entry((2,), "float32"),
            "b": Entry((3,), "float32"),
        }
