import json
import os

import numpy as np
import pytest
from safetensors.numpy import load_file

from bert.conversion import huggingface_folder, output_folder
from bert.conversion import huggingface_names as names
from bert.errors import UserError
from bert.tasks import spec
from tests.conversion import plain_model

FEATURES = spec.find("features")


def write(folder, model):
    """Writes a model's files; returns its tensors."""
    huggingface_folder.prepare(model)(f"{folder}{os.sep}")
    return load_file(folder / "model.safetensors")


def test_the_files_of_the_format_are_written(tmp_path):
    write(tmp_path, plain_model.make(FEATURES))

    form = huggingface_folder.FORMAT
    assert isinstance(form, output_folder.Format)
    assert sorted(os.listdir(tmp_path)) == sorted(form.files)
    assert form.files[-1] == "config.json"


def test_kernels_are_transposed_and_tables_are_not(tmp_path):
    model = plain_model.make(FEATURES)

    found = write(tmp_path, model)

    for hf_name, name, transposed in (
        (
            "encoder.layer.0.intermediate.dense.weight",
            "bert/encoder/layer_0/intermediate/dense/kernel",
            True,
        ),
        ("pooler.dense.weight", "bert/pooler/dense/kernel", True),
        (
            "embeddings.word_embeddings.weight",
            "bert/embeddings/word_embeddings",
            False,
        ),
    ):
        value = model.tensors[name]
        np.testing.assert_array_equal(
            found[hf_name], value.T if transposed else value
        )


def test_names_begin_with_bert_where_there_is_a_head(tmp_path):
    model = plain_model.make(
        spec.find("classification", "regression"), num_labels=1
    )

    found = write(tmp_path, model)

    assert len(found) == len(model.tensors)
    assert {name.split(".")[0] for name in found} == {"bert", "classifier"}
    assert found["classifier.weight"].shape == (1, 4)


def test_a_pooler_that_the_architecture_has_not_is_left_out(tmp_path):
    model = plain_model.make(spec.find("squad"), num_labels=2)

    found = write(tmp_path, model)

    assert len(found) == len(model.tensors) - 2
    assert not any("pooler" in name for name in found)


def test_config_json_says_where_the_padding_is(tmp_path):
    model = plain_model.make(FEATURES)
    write(tmp_path, model._replace(vocab=b"[UNK]\n[CLS]\n[SEP]\n[PAD]\n"))
    config = json.loads((tmp_path / "config.json").read_text())
    assert (config["pad_token_id"], config["vocab_size"]) == (3, 6)

    write(tmp_path, model._replace(vocab=b"[UNK]\n[CLS]\n[SEP]\n"))
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["pad_token_id"] is None


def test_the_tokenizer_has_the_models_casing_and_length(tmp_path):
    write(tmp_path, plain_model.make(FEATURES, max_position_embeddings=9))

    found = json.loads((tmp_path / "tokenizer_config.json").read_text())
    assert found["do_lower_case"] is True
    assert found["model_max_length"] == 9


def test_the_vocabulary_is_written_without_spaces_and_returns(tmp_path):
    model = plain_model.make(FEATURES)

    write(tmp_path, model._replace(vocab=b"[UNK] \r\n[CLS]\n[SEP]\n\xc3\xa4"))

    found = (tmp_path / "vocab.txt").read_bytes()
    assert found == b"[UNK]\n[CLS]\n[SEP]\n\xc3\xa4\n"


def test_weights_may_be_read_by_those_who_may_read_other_files(tmp_path):
    umask = os.umask(0o027)
    try:
        write(tmp_path, plain_model.make(FEATURES))
    finally:
        os.umask(umask)

    mode = (tmp_path / "model.safetensors").stat().st_mode
    assert mode & 0o777 == 0o640


def test_a_model_that_transformers_has_not_is_refused_before_it_is_written():
    row = spec.find("classification", "classification")
    headless = plain_model.make(row, [names.ENCODER], 2)
    with pytest.raises(UserError, match="stands on the pooler"):
        huggingface_folder.prepare(headless)

    model = plain_model.make(FEATURES)._replace(vocab=b"[UNK]\n[CLS]\n")
    with pytest.raises(UserError, match=r"It lacks \[SEP\]"):
        huggingface_folder.prepare(model)
