import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest

from bert import modeling
from bert.errors import UserError
from bert.modeling.config import HIDDEN_ACTS, BertConfig, read_config

SMALL = {"vocab_size": 30, "hidden_size": 8, "num_attention_heads": 2}


def written(tmp_path, content):
    path = tmp_path / "bert_config.json"
    path.write_bytes(content if type(content) is bytes else content.encode())
    return path


def test_defaults_are_the_originals():
    assert BertConfig(vocab_size=5).to_dict() == {
        "vocab_size": 5,
        "hidden_size": 768,
        "num_hidden_layers": 12,
        "num_attention_heads": 12,
        "intermediate_size": 3072,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1,
        "max_position_embeddings": 512,
        "type_vocab_size": 16,
        "initializer_range": 0.02,
    }


def test_arguments_have_the_originals_order():
    config = BertConfig(9, 8, 1, 2, 16, "relu", 0.2, 0.3, 64, 3, 0.5)
    assert list(config.to_dict().values()) == [
        *(9, 8, 1, 2, 16, "relu", 0.2, 0.3, 64, 3, 0.5)
    ]


def test_keys_of_others_survive_a_round_trip(tmp_path):
    published = {
        **BertConfig(**SMALL).to_dict(),
        "directionality": "bidi",
        "pooler_num_fc_layers": 3,
    }
    config = BertConfig.from_json_file(written(tmp_path, json.dumps(published)))
    assert config.directionality == "bidi"
    assert not hasattr(config, "pooler_type")
    assert config.to_dict() == published
    assert json.loads(config.to_json_string()) == published
    again = BertConfig.from_json_file(
        written(tmp_path, config.to_json_string())
    )
    assert again.to_dict() == config.to_dict()


def test_attributes_of_ones_own_are_written(tmp_path):
    config = BertConfig(**SMALL)
    config.my_key = [1, {"a": 2}]

    values = config.to_dict()
    values["my_key"][1]["a"] = 3  # a copy

    assert json.loads(config.to_json_string())["my_key"] == [1, {"a": 2}]


def test_values_may_be_set_before_a_model_is_made():
    config = BertConfig(**SMALL)
    config.hidden_dropout_prob = 0.0
    assert config.to_dict()["hidden_dropout_prob"] == 0.0
    config.hidden_dropout_prob = 2
    with pytest.raises(UserError, match="hidden_dropout_prob must be"):
        config.validate()


def test_activations_may_be_written_in_capitals():
    BertConfig(9, hidden_act="GELU").validate()


def test_another_config_is_made_by_replace():
    config = BertConfig.from_dict(SMALL)
    other = dataclasses.replace(config, hidden_dropout_prob=0.0)
    assert other.to_dict() == {**config.to_dict(), "hidden_dropout_prob": 0.0}


def test_configs_are_compared_by_identity_as_in_the_original():
    config = BertConfig(**SMALL)
    assert {config: 1}[config] == 1
    assert config != BertConfig(**SMALL)


def test_a_model_is_made_of_sound_values_only():
    config = BertConfig(**SMALL, num_hidden_layers=0)
    with pytest.raises(UserError, match="num_hidden_layers must be"):
        modeling.BertModel(config)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("vocab_size", 0),
        ("vocab_size", None),
        ("hidden_size", -8),
        ("num_hidden_layers", 2.0),
        ("num_attention_heads", True),
        ("intermediate_size", "16"),
        ("max_position_embeddings", 0),
        ("type_vocab_size", 0),
        ("hidden_dropout_prob", 1),
        ("hidden_dropout_prob", 0.997),
        ("hidden_dropout_prob", -0.1),
        ("attention_probs_dropout_prob", "0.1"),
        ("attention_probs_dropout_prob", float("nan")),
        ("initializer_range", 0),
        ("initializer_range", float("inf")),
        ("hidden_act", "swish"),
        ("hidden_act", ["gelu"]),
        ("hidden_act", None),
    ],
)
def test_wrong_value_names_the_key_and_what_came(key, value):
    with pytest.raises(UserError) as error:
        BertConfig.from_dict({**SMALL, key: value}).validate()
    assert str(error.value).startswith(f"{key} must be ")
    assert str(error.value).endswith(f"Received: {value!r}.")


def test_unknown_activation_lists_the_known_ones():
    with pytest.raises(UserError, match=", ".join(HIDDEN_ACTS)):
        BertConfig(9, hidden_act="swish").validate()


def test_hidden_size_must_be_a_multiple_of_the_heads():
    with pytest.raises(
        UserError,
        match=r"The hidden size \(770\) is not a multiple of the number of "
        r"attention heads \(12\)",
    ):
        BertConfig(9, hidden_size=770).validate()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"vocab_size": 3', "is not valid JSON: .*line 1"),
        (b'{"vocab_size": \xff}', "is not valid JSON"),
        ("[1, 2]", "JSON object .*Received: list"),
        ("{}", "vocab_size is missing"),
        ('{"vocab_size": -1}', "vocab_size must be .*Received: -1"),
    ],
)
def test_a_bad_file_is_named_with_what_is_wrong(tmp_path, content, message):
    path = written(tmp_path, content)
    with pytest.raises(UserError, match=message) as error:
        read_config(path)
    assert str(error.value).startswith(str(path))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("scheme", ["", "file://"])
def test_a_missing_file_is_named(tmp_path, scheme):
    path = f"{scheme}{tmp_path}/none.json"
    with pytest.raises(UserError, match=r"Cannot read .*none\.json"):
        read_config(path)


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(UserError, match=r"--bert_config_file must name a fi"):
        read_config(str(tmp_path))


def test_a_file_that_tensorflow_reads(tmp_path):
    path = written(tmp_path, json.dumps(SMALL))
    assert BertConfig.from_json_file(f"file://{path}").hidden_size == 8
    assert read_config(f"file://{path}").hidden_size == 8


def test_a_sequence_longer_than_the_positions_is_the_originals_error():
    config = BertConfig(9, max_position_embeddings=64)
    config.check_sequence_length(64)
    with pytest.raises(
        UserError,
        match="Cannot use sequence length 65 because the BERT model was only "
        "trained up to sequence length 64",
    ):
        config.check_sequence_length(65)


def test_import_modeling_gives_the_originals_names_without_tensorflow():
    code = (
        "import modeling, sys; "
        "assert modeling.BertConfig(9).vocab_size == 9; "
        "assert 'tensorflow' not in sys.modules; "
        "assert 'keras' not in sys.modules"
    )
    subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=True
    )
    assert {"BertConfig", "BertModel", "gelu"} <= set(dir(modeling))
    assert modeling.BertModel.__module__ == "bert.modeling.backbones.bert"
    assert modeling.get_activation("gelu") is modeling.gelu
    with pytest.raises(AttributeError, match="no attribute 'BertMdel'"):
        _ = modeling.BertMdel
