import json
import shutil
import sys

import numpy as np
import pytest

from bert.conversion import openai_gpt
from bert.errors import UserError
from tests.conversion import gpt_folder
from tests.scripts.runner import run_code


@pytest.fixture
def folder(golden, tmp_path):
    """A copy of the original's folder."""
    return shutil.copytree(golden / "gpt/model", tmp_path / "model")


def test_each_number_is_in_a_weight_once(golden):
    tensors, _ = openai_gpt.read(str(golden / "gpt/model"), 2)
    flat = np.concatenate(
        [np.load(golden / f"gpt/model/params_{i}.npy") for i in range(10)]
    )
    # Of the word table's rows, the last four are new.
    own = [
        value[:-4] if name.endswith("word_embeddings") else value
        for name, value in tensors.items()
    ]
    found = np.concatenate([value.ravel() for value in own])
    np.testing.assert_array_equal(np.sort(found), np.sort(flat))
    for value in tensors.values():
        assert value.dtype == np.float32
        assert value.flags.c_contiguous


def test_query_key_and_value_are_thirds_of_the_columns(golden):
    tensors, _ = openai_gpt.read(str(golden / "gpt/model"), 2)
    flat = np.concatenate(
        [np.load(golden / f"gpt/model/params_{i}.npy") for i in range(10)]
    )
    start = (48 + 213) * 32
    whole = flat[start : start + 32 * 96].reshape(32, 96)
    for number, name in enumerate(("query", "key", "value")):
        np.testing.assert_array_equal(
            tensors[f"gpt/encoder/layer_0/attention/self/{name}/kernel"],
            whole[:, 32 * number : 32 * number + 32],
        )


def test_special_tokens_get_new_rows_the_same_each_time(golden):
    name = "gpt/embeddings/word_embeddings"
    one, two = (
        openai_gpt.read(str(golden / "gpt/model"), 2)[0][name] for _ in range(2)
    )
    assert one.shape == (213 + 4, 32)
    np.testing.assert_array_equal(one, two)
    assert 0.01 < np.std(one[-4:]) < 0.03


def test_the_folder_says_what_the_model_is(golden, tmp_path):
    folder = gpt_folder.write(golden, tmp_path / "out")
    config = json.loads((folder / "bert_config.json").read_text())
    assert config["encoder_type"] == "gpt"
    assert config["vocab_size"] == 217
    assert config["num_attention_heads"] == 2
    assert config["max_position_embeddings"] == 48
    task = json.loads((folder / "task.json").read_text())
    assert task == {
        "do_lower_case": True,
        "max_seq_length": 48,
        "task": "features",
    }
    for name in ("encoder_bpe_40000.json", "vocab_40000.bpe"):
        source = golden / "gpt/model" / name
        assert (folder / name).read_bytes() == source.read_bytes()


def not_an_array(folder):
    (folder / "params_3.npy").write_bytes(b"no array")


def other_dtype(folder):
    np.save(folder / "params_3.npy", np.zeros(3376))


def archive(folder):
    np.savez(folder / "params_3.npz", a=np.zeros(3))
    (folder / "params_3.npz").rename(folder / "params_3.npy")


def too_few(folder):
    np.save(folder / "params_3.npy", np.zeros(3375, np.float32))


def not_finite(folder):
    np.save(folder / "params_3.npy", np.full(3376, np.nan, np.float32))


def shapes(change):
    def write(folder):
        path = folder / openai_gpt.SHAPES_FILE
        path.write_text(json.dumps(change(json.loads(path.read_text()))))

    return write


def merges(folder):
    (folder / "vocab_40000.bpe").write_text("#version: 0.2\nt h e\n")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: (f / "params_9.npy").unlink(), "array of NumPy in .*_9.npy"),
        (not_an_array, r"array of NumPy in .*params_3\.npy"),
        (other_dtype, r"expected float32 \[n\]. Received: float64 \[3376\]"),
        (archive, "expected an array. Received: an archive"),
        (too_few, "expected 33760 numbers .* Received: 33759"),
        (not_finite, r"model: gpt/.* finite in float32\. Received: nan"),
        (shapes(lambda s: {}), r"that of a table for array 0"),
        (shapes(lambda s: 3), r"expected a JSON list of shapes"),
        (shapes(lambda s: [*s[:3], "x"]), r"expected a JSON list of shapes"),
        (shapes(lambda s: s[:1]), r"expected"),
        (
            shapes(lambda s: [s[0], [32, 213], *s[2:]]),
            r"shape \(213, 32\) for array 1, .* Received: \(32, 213\)",
        ),
        (
            lambda f: (f / "vocab_40000.bpe").unlink(),
            r"Expected the merges of byte pairs; cannot read .*vocab_40000",
        ),
        (merges, r"vocab_40000\.bpe, line 2: expected two pieces.*'t h e'"),
        (
            lambda f: (f / "encoder_bpe_40000.json").write_text("[1, 2]"),
            r"encoder_bpe_40000\.json: expected a JSON object",
        ),
    ],
)
def test_a_damaged_folder_is_one_line(folder, change, message):
    change(folder)
    with pytest.raises(UserError, match=message) as raised:
        openai_gpt.read(str(folder), 2)
    assert len(str(raised.value).replace(str(folder), "")) <= 300


@pytest.mark.parametrize(
    ("num_heads", "message"),
    [
        (None, r"--num_attention_heads must be given: .* has 12\."),
        (3, r"hidden size \(32\) is not a multiple .* heads \(3\)"),
    ],
)
def test_heads_that_are_missing_or_cannot_be_are_one_line(
    golden, num_heads, message
):
    with pytest.raises(UserError, match=message):
        openai_gpt.read(str(golden / "gpt/model"), num_heads)


CONVERT = """
import sys
import tensorflow as tf
from bert.conversion import openai_gpt, output_folder
folder, out = sys.argv[1:]
tf.identity(1.0)
def read(name):
    with open("/proc/self/status") as file:
        values = dict(line.split(":", 1) for line in file)
    return int(values[name].split()[0]) / 1024
before = read("VmRSS")
tensors, texts = openai_gpt.read(folder, 4)
output_folder.original_writer(tensors, lambda: texts)(out)
print(read("VmHWM") - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_a_conversion_holds_the_weights_once(folder, tmp_path):
    """Of a model of 98 MiB; OpenAI's takes 1.13 times its 445 MiB."""
    size, positions, pieces = 512, 512, 213
    block = [
        *([1, size, 3 * size], [3 * size], [1, size, size], [size], [size]),
        *([size], [1, size, 4 * size], [4 * size], [1, 4 * size, size]),
        *([size], [size], [size]),
    ]
    shapes = [[positions, size], [pieces, size], *block * 8]
    (folder / openai_gpt.SHAPES_FILE).write_text(json.dumps(shapes))
    total = sum(int(np.prod(shape)) for shape in shapes)
    numbers = np.random.default_rng(1).random(total, np.float32)
    for number, part in enumerate(np.array_split(numbers, 10)):
        np.save(folder / f"params_{number}.npy", part)
    done = run_code(CONVERT, str(folder), f"{tmp_path}/out-")
    assert float(done.stdout) <= 1.5 * 4 * total / 2**20, done.stderr
