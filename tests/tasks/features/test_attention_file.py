import os

import numpy as np
import pytest

from bert.tasks.features import attention_file

ROWS = [
    (["[CLS]", "##東", "[SEP]"], np.arange(18, dtype=np.float32)),
    (["[CLS]", "[SEP]"], np.arange(8, dtype=np.float32)),
]


def write(path):
    with attention_file.writer(str(path)) as out:
        for tokens, values in ROWS:
            size = len(tokens)
            # As it comes: cut out of a batch.
            wide = np.zeros([2, 1, size, size + 1], np.float32)
            wide[..., :size] = values.reshape(2, 1, size, size)
            out.write(tokens, wide[..., :size])


def test_each_line_has_its_tokens_and_its_numbers(tmp_path):
    write(tmp_path / "a.npz")
    with np.load(tmp_path / "a.npz") as found:
        assert found.files == [
            *("attention_0", "tokens_0", "attention_1", "tokens_1")
        ]
        for row, (tokens, values) in enumerate(ROWS):
            size = len(tokens)
            assert found[f"tokens_{row}"].tolist() == tokens
            assert found[f"attention_{row}"].dtype == np.float32
            np.testing.assert_array_equal(
                found[f"attention_{row}"], values.reshape(2, 1, size, size)
            )


def test_the_same_rows_give_the_same_bytes(tmp_path):
    write(tmp_path / "a.npz")
    write(tmp_path / "b.npz")
    assert (tmp_path / "a.npz").read_bytes() == (
        tmp_path / "b.npz"
    ).read_bytes()


def test_an_error_leaves_what_was_there(tmp_path):
    path = tmp_path / "a.npz"
    path.write_text("before")

    def stopped():
        with attention_file.writer(str(path)) as out:
            out.write(["a"], np.ones([1, 1, 1, 1], np.float32))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stopped()
    assert path.read_text() == "before"
    assert os.listdir(tmp_path) == ["a.npz"]
