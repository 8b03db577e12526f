import json

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import save_file

from tests.conversion import hf_folder
from tests.conversion.hf_folder import assert_golden, convert, put, read, remove


@pytest.mark.parametrize(
    ("dtype", "atol"),
    # Weights are below 4 in size: half of their last bit.
    [("float64", 0.0), ("float16", 2**-10), (ml_dtypes.bfloat16, 2**-7)],
)
def test_other_precisions_become_float32(golden, tmp_path, dtype, atol):
    tensors = {
        name: value.astype(dtype)
        for name, value in hf_folder.hf_tensors(golden).items()
    }
    out = convert(hf_folder.write(golden, tmp_path / "hf", tensors))
    assert_golden(out, golden, atol)
    name = "bert/embeddings/word_embeddings"
    np.testing.assert_array_equal(
        read(out)[name],
        tensors[hf_folder.hf_name(name)].astype(np.float32),
    )


def shard(folder, golden):
    """Splits model.safetensors into two files and an index."""
    tensors = hf_folder.hf_tensors(golden)
    names = sorted(tensors)
    weight_map = {}
    for number, part in enumerate((names[::2], names[1::2]), start=1):
        file = f"model-0000{number}-of-00002.safetensors"
        save_file({name: tensors[name] for name in part}, folder / file)
        weight_map |= dict.fromkeys(part, file)
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors.index.json").write_text(
        json.dumps({"metadata": {}, "weight_map": weight_map})
    )


def test_shards_are_read_together(golden, tmp_path):
    folder = hf_folder.write(golden, tmp_path / "hf")
    shard(folder, golden)
    assert_golden(convert(folder), golden)


def truncate(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-100])


def only_pickle(folder):
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def folder_as_weights(folder):
    (folder / "model.safetensors").unlink()
    (folder / "model.safetensors").mkdir()


def lost_shard(folder):
    (folder / "model.safetensors").unlink()
    put("model.safetensors.index.json", b'{"weight_map": {"a": "b.safe"}}')(
        folder
    )


def shard_twice(folder):
    tensors = {"bert.pooler.dense.bias": np.zeros([32], np.float32)}
    for name in ("a", "b"):
        save_file(tensors, folder / name)
    (folder / "model.safetensors").unlink()
    put("model.safetensors.index.json", b'{"weight_map":{"x":"a","y":"b"}}')(
        folder
    )


def name_twice(folder):
    """The second entry has the same bytes, which the package lets through."""
    path = folder / "model.safetensors"
    content = path.read_bytes()
    size = int.from_bytes(content[:8], "little")
    entries = json.loads(content[8 : 8 + size])
    entry = json.dumps(entries["bert.pooler.dense.bias"])
    header = f'{{"bert.pooler.dense.bias":{entry},'.encode()
    header += content[9 : 8 + size]
    path.write_bytes(
        len(header).to_bytes(8, "little") + header + content[8 + size :]
    )


def shard_elsewhere(folder):
    (folder / "model.safetensors").unlink()
    put("model.safetensors.index.json", b'{"weight_map": {"a": "../b"}}')(
        folder
    )


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            remove("model.safetensors"),
            "Expected config.json and model.safetensors",
        ),
        (
            only_pickle,
            "a pickle, which can run any code when it is read; make",
        ),
        (truncate, "model.safetensors is truncated, damaged or no safetens"),
        (put("model.safetensors", b""), "model.safetensors is truncated"),
        (folder_as_weights, "model.safetensors; it is none"),
        (lost_shard, "b.safe; it is none"),
        (shard_twice, "b has bert.pooler.dense.bias, which another file"),
        (name_twice, "model.safetensors has bert.pooler.dense.bias 2 times"),
        (shard_elsewhere, "name of a file beside it"),
    ],
)
def test_weights_that_are_missing_or_wrong_are_named(
    golden, tmp_path, spoil, message
):
    hf_folder.assert_spoilt_refused(golden, tmp_path, spoil, message)


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        ("nan", "float32"),
        ("inf", "float16"),
        ("-inf", ml_dtypes.bfloat16),
        ("1e+300", "float64"),
    ],
)
def test_numbers_that_are_not_finite_are_refused(
    golden, tmp_path, value, dtype
):
    tensors = hf_folder.hf_tensors(golden)
    name = "bert.pooler.dense.bias"
    tensors[name] = tensors[name].astype(dtype)
    tensors[name][3] = float(value)
    folder = hf_folder.write(golden, tmp_path / "hf", tensors)
    message = f"{name} must hold numbers that are finite in float32. Received: "
    hf_folder.assert_refused(folder, tmp_path / "out", f"{message}{value}.")
