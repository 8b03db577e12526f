"""The file `checkpoint`, which names the newest."""

import pytest
import tensorflow as tf

from bert.errors import UserError
from bert.modeling import checkpoint_paths

NAMES = ["model.ckpt-1", "ä b/model.ckpt-2", "/x/model.ckpt-3"]


def test_what_tensorflow_writes_is_read(tmp_path):
    tf.compat.v1.train.update_checkpoint_state(
        str(tmp_path),
        NAMES[2],
        NAMES,
        all_model_checkpoint_timestamps=[1, 2, 3],
    )
    found = checkpoint_paths.read_state(str(tmp_path))
    theirs = tf.train.get_checkpoint_state(str(tmp_path))
    assert found == [NAMES[2], *NAMES]
    assert theirs.all_model_checkpoint_paths[2] == NAMES[2]


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"model.ckpt-1",
        b'model_checkpoint_path: "\xff"',
        b'all_model_checkpoint_paths: "a"',
        b'path: "a"',
    ],
)
def test_a_damaged_file_names_nothing(tmp_path, text):
    assert checkpoint_paths.read_state(str(tmp_path)) == []
    assert checkpoint_paths.latest_in(str(tmp_path)) is None
    (tmp_path / "checkpoint").write_bytes(text)
    assert checkpoint_paths.read_state(str(tmp_path)) == []
    with pytest.raises(UserError, match="does not name a checkpoint"):
        checkpoint_paths.latest_in(str(tmp_path))


def test_a_path_of_another_machine_is_looked_for_here(tmp_path):
    (tmp_path / "checkpoint").write_text(
        "# by hand\nmodel_checkpoint_path: '/gone/model.ckpt-7'\n"
    )
    (tmp_path / "model.ckpt-7.index").touch()
    found = checkpoint_paths.latest_in(str(tmp_path))
    assert found == str(tmp_path / "model.ckpt-7")
