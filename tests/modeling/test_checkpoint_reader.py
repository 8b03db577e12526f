"""Names and shapes without TensorFlow; what is unusual with it."""

import pytest
import tensorflow as tf

from bert.errors import UserError
from bert.modeling import checkpoint, checkpoint_index
from bert.modeling.checkpoint_reader import Reader


@pytest.fixture
def prefix(tmp_path):
    prefix = str(tmp_path / "model.ckpt-1")
    checkpoint.write_files(
        prefix, {"w": tf.constant([1.0, 2.0]), "global_step": tf.constant(3)}
    )
    return prefix


def no_tensorflow(monkeypatch):
    def load(path):
        raise AssertionError(path)

    monkeypatch.setattr(tf.train, "load_checkpoint", load)


def test_tensorflow_reads_no_more_than_values(prefix, monkeypatch):
    reader = Reader(prefix)
    assert reader.read("w").tolist() == [1, 2]
    no_tensorflow(monkeypatch)
    reader = Reader(prefix)
    assert reader.shapes == {"w": (2,), "global_step": ()}
    assert reader.dtypes == {"w": "float32", "global_step": "int32"}
    with pytest.raises(AssertionError):
        reader.read("w")


def test_tensors_in_slices_are_read(tmp_path):
    prefix = str(tmp_path / "model.ckpt-1")
    tf.raw_ops.SaveV2(
        prefix=prefix,
        tensor_names=["w", "w"],
        shape_and_slices=["2 3 0,1:0,3", "2 3 1,1:0,3"],
        tensors=[tf.zeros([1, 3]), tf.ones([1, 3])],
    )
    reader = Reader(prefix)
    assert reader.shapes == {"w": (2, 3)}
    assert reader.dtypes == {"w": "float32"}
    assert reader.read("w").tolist() == [[0, 0, 0], [1, 1, 1]]


def test_what_is_wrong_with_an_index_tensorflow_says(prefix):
    with open(f"{prefix}.index", "r+b") as file:
        file.truncate(60)
    with pytest.raises(UserError, match="cannot be read; it is damaged or inc"):
        Reader(prefix)


def test_an_index_without_permission_is_not_called_damaged(prefix, monkeypatch):
    def read(path):
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(checkpoint_index, "read", read)
    with pytest.raises(PermissionError, match=r"model\.ckpt-1\.index"):
        Reader(prefix)
