import json
import os

import numpy as np
import pytest

from bert.tasks.features import feature_files

LAYERS = [-1, 0]


def rows():
    """Two rows of 2 and 3 tokens; 2 layers, 4 numbers."""
    values = np.random.default_rng(1).standard_normal((2, 5, 4))
    values = values.astype(np.float32)
    return [
        (["[CLS]", 'q"é'], values[:, :2]),
        (["[CLS]", "##東", "[SEP]"], values[:, 2:]),
    ]


def write(path, rows, longest_token=5):
    with feature_files.writer(str(path), LAYERS, 4, longest_token) as out:
        for tokens, values in rows:
            out.write(tokens, values)


def layers_of(values):
    """Layers as the original makes them."""
    return [
        {"index": index, "values": [round(float(x), 6) for x in vector]}
        for index, vector in zip(LAYERS, values, strict=True)
    ]


def test_json_lines_are_what_json_makes_of_the_originals_objects(tmp_path):
    write(tmp_path / "out", rows())
    expected = [
        {
            "linex_index": number,
            "features": [
                {"token": token, "layers": layers_of(values[:, position])}
                for position, token in enumerate(tokens)
            ],
        }
        for number, (tokens, values) in enumerate(rows())
    ]
    found = (tmp_path / "out").read_text("ascii")
    assert found == "".join(json.dumps(line) + "\n" for line in expected)


def test_pooled_json_lines_have_layers_and_no_tokens(tmp_path):
    pooled = [(tokens, values[:, 0]) for tokens, values in rows()]
    write(tmp_path / "out", pooled)
    expected = [
        {"linex_index": number, "layers": layers_of(values)}
        for number, (_, values) in enumerate(pooled)
    ]
    found = (tmp_path / "out").read_text("ascii")
    assert found == "".join(json.dumps(line) + "\n" for line in expected)


def test_npz_has_the_tokens_of_all_rows_and_where_each_begins(tmp_path):
    path = tmp_path / "out.npz"
    write(path, rows())
    with np.load(path) as arrays:
        found = dict(arrays)
    assert set(found) == {"layer_-1", "layer_0", "tokens", "row_offsets"}
    assert found["tokens"].dtype == "<U5"
    for number, (tokens, values) in enumerate(rows()):
        start, end = found["row_offsets"][number : number + 2]
        assert found["tokens"][start:end].tolist() == tokens
        for index, vectors in zip(LAYERS, values, strict=True):
            array = found[f"layer_{index}"]
            assert array.dtype == np.float32
            np.testing.assert_array_equal(array[start:end], vectors)
    assert found["row_offsets"].tolist() == [0, 2, 5]
    assert os.listdir(tmp_path) == ["out.npz"]


def test_pooled_npz_has_a_row_a_line(tmp_path):
    path = tmp_path / "out.npz"
    pooled = [(tokens, values[:, 0]) for tokens, values in rows()]
    write(path, pooled, longest_token=0)
    with np.load(path) as found:
        assert set(found) == {"layer_-1", "layer_0"}
        for place, index in enumerate(LAYERS):
            np.testing.assert_array_equal(
                found[f"layer_{index}"], [v[place] for _, v in pooled]
            )


def test_the_same_rows_give_the_same_bytes(tmp_path):
    write(tmp_path / "a.npz", rows())
    write(tmp_path / "b.npz", rows())
    assert (tmp_path / "a.npz").read_bytes() == (
        tmp_path / "b.npz"
    ).read_bytes()


@pytest.mark.parametrize("name", ["out.npz", "out.jsonl"])
def test_an_error_leaves_what_was_there(tmp_path, name):
    path = tmp_path / name
    path.write_text("before")

    def failing():
        yield rows()[0]
        raise OSError("no space left")

    with pytest.raises(OSError, match="no space"):
        write(path, failing())
    assert path.read_text() == "before"
    assert os.listdir(tmp_path) == [name]
