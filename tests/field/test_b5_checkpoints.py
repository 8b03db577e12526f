"""Issue 15, B 5: checkpoints that other programs wrote."""

import shutil

import numpy as np
import pytest
import tensorflow as tf

from bert.conversion import huggingface
from bert.errors import UserError
from bert.model_folder.given import Given
from bert.modeling import BertConfig, BertModel, checkpoint
from bert.serving.masked_words import MaskedWords
from tests.conversion import hf_folder
from tests.modeling import checkpoints

KERNEL = "bert/encoder/layer_0/output/dense/kernel"
ADAPTER = "bert/encoder/layer_0/adapter/down/kernel"
SLOTS = {
    "biobert": ("BERTAdam", "BERTAdam_1"),
    "lamb": ("lamb_m", "lamb_v"),
    "adam": ("Adam", "Adam_1"),
    "decay": ("AdamWeightDecayOptimizer", "AdamWeightDecayOptimizer_1"),
    "average": ("adam_m/ExponentialMovingAverage", "accum"),
}


def write(golden, folder, more=None, **config):
    """Makes a folder of model_base with more tensors in its checkpoint."""
    folder.mkdir()
    tensors = {**hf_folder.golden_tensors(golden), **(more or {})}
    checkpoint.write_files(str(folder / "bert_model.ckpt"), tensors)
    checkpoints.changed_config(golden, folder, **config)
    (folder / "changed_config.json").rename(folder / "bert_config.json")
    shutil.copy(golden / "inputs/vocab.txt", folder / "vocab.txt")
    return folder


def slots_of(golden, *suffixes):
    return {
        f"{name}/{suffix}": np.zeros_like(value)
        for name, value in hf_folder.golden_tensors(golden).items()
        for suffix in suffixes
    }


def fill(folder):
    words = MaskedWords.load(str(folder), 8, Given(do_lower_case=True))
    return list(words.fill([words.request("the [MASK] of")], 3))


@pytest.mark.parametrize("name", SLOTS)
def test_slots_of_any_optimizer_are_left_out_and_counted(
    golden, tmp_path, caplog, name
):
    caplog.set_level("INFO", logger="absl")
    slots = slots_of(golden, *SLOTS[name])
    given = {"beta1_power": np.float32(0.1), "global_step": np.int64(3)}
    folder = write(golden, tmp_path / "in", {**slots, **given})
    out = hf_folder.convert(folder, tmp_path / "out")
    assert f": {len(slots)} slots (" in caplog.text
    assert ") and global_step." in caplog.text
    hf_folder.assert_golden(hf_folder.convert(out, tmp_path / "back"), golden)
    caplog.clear()
    assert fill(folder) == fill(tmp_path / "back")
    assert f"of the training run: {len(slots)} slots (" in caplog.text


def test_what_is_neither_weight_nor_slot_is_warned_of_or_refused(
    golden, tmp_path, caplog
):
    more = {f"{ADAPTER}_{i:02}": np.ones([2], np.float32) for i in range(12)}
    folder = write(golden, tmp_path / "in", more)
    fill(folder)
    assert "12 tensors in the encoder that BERT has not" in caplog.text
    assert "kernel_09, … (12 in all)" in caplog.text
    hf_folder.assert_refused(
        folder, tmp_path / "out", "has 12 tensors in the encoder"
    )
    out = hf_folder.convert(folder, tmp_path / "out", force=True)
    assert len(huggingface.Tensors(str(out)).shapes) == 62


@pytest.mark.parametrize("force", [True, False])
def test_a_further_layer_stays_an_error(golden, tmp_path, force):
    folder = write(golden, tmp_path / "in", num_hidden_layers=2)
    with pytest.raises(UserError, match=r"more layers: .*encoder/layer_2/"):
        fill(folder)
    message = "tensors of 2 layers by num_hidden_layers"
    hf_folder.assert_refused(folder, tmp_path / "out", message, force=force)


@pytest.mark.parametrize("prefix", ["module/", "model/", "_orig_mod."])
def test_a_wrappers_prefix_is_named(golden, tmp_path, prefix):
    base = hf_folder.golden_tensors(golden)
    checkpoint.write_files(
        str(tmp_path / "x.ckpt"), {prefix + k: v for k, v in base.items()}
    )
    config = BertConfig.from_json_file(golden / "model_base/bert_config.json")
    with pytest.raises(UserError, match=f"names begin with '{prefix}', as a"):
        checkpoint.load_weights(BertModel(config), str(tmp_path))
    tensors = {
        prefix.replace("/", ".") + name: value
        for name, value in hf_folder.hf_tensors(golden).items()
    }
    folder = hf_folder.write(golden, tmp_path / "hf", tensors)
    message = f"names begin with '{prefix.replace('/', '.')}', as a wrapper"
    hf_folder.assert_refused(folder, tmp_path / "out", message)


@pytest.mark.parametrize("dtype", [tf.string, tf.complex64, tf.int64, tf.bool])
def test_weights_that_are_no_floats_are_one_line(golden, tmp_path, dtype):
    value = hf_folder.golden_tensors(golden)[KERNEL]
    other = tf.as_string(value) if dtype == tf.string else tf.cast(value, dtype)
    folder = write(golden, tmp_path / "in", {KERNEL: other})
    message = f"{KERNEL} is {dtype.name} in the checkpoint and must be float32"
    with pytest.raises(UserError, match=message):
        fill(folder)
    hf_folder.assert_refused(folder, tmp_path / "out", message)


@pytest.mark.parametrize("dtype", [tf.float16, tf.bfloat16, tf.float64])
def test_weights_of_other_precisions_are_read(golden, tmp_path, dtype):
    half = {
        name: tf.cast(value, dtype)
        for name, value in hf_folder.golden_tensors(golden).items()
    }
    folder = write(golden, tmp_path / "in", half)
    assert len(fill(folder)) == 1
    model = BertModel(BertConfig.from_json_file(folder / "bert_config.json"))
    checkpoint.load_weights(model, str(folder))
    np.testing.assert_array_equal(
        checkpoint.named_variables(model)[KERNEL].numpy(),
        tf.cast(half[KERNEL], tf.float32).numpy(),
    )
