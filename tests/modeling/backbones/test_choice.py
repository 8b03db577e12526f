import dataclasses
import json
import subprocess
import sys

import numpy as np
import pytest

from bert.errors import UserError
from bert.modeling import BertModel
from bert.modeling.backbones import choice
from bert.modeling.backbones.choice import make_backbone
from bert.modeling.config import BertConfig, read_config
from tests.modeling.backbones.encoders import every_encoder
from tests.modeling.backbones.test_bert import IDS, TINY


def test_a_bert_config_makes_a_bert_model_with_these_options():
    made = make_backbone(TINY, compute_dtype="bfloat16", init_seed=1)
    assert type(made) is BertModel
    assert made.config == TINY
    expected = BertModel(TINY, compute_dtype="bfloat16", init_seed=1)
    np.testing.assert_array_equal(
        made(IDS)["pooled_output"], expected(IDS)["pooled_output"]
    )


@every_encoder
def test_every_row_makes_its_encoder(config):
    made = make_backbone(config)
    assert type(made) is choice.backbone_class(config)
    assert made(IDS)["sequence_output"].shape == [2, 4, 8]


@pytest.mark.parametrize(
    "value", ["lstm", "BERT", None, 3, ["bert"], "x" * 999]
)
def test_an_unknown_encoder_is_one_line_that_names_the_known_ones(
    tmp_path, value
):
    path = tmp_path / "bert_config.json"
    path.write_text(json.dumps({"vocab_size": 9, "encoder_type": value}))
    with pytest.raises(
        UserError, match="encoder_type must be one of bert, "
    ) as e:
        read_config(str(path))
    assert str(path) in str(e.value)
    assert len(str(e.value)) - len(str(path)) < 250
    assert "\n" not in str(e.value)


@every_encoder
def test_a_hidden_size_that_cannot_be_shared_is_named(config):
    wrong = dataclasses.replace(config, hidden_size=9)
    with pytest.raises(UserError, match=r"hidden.size.* a multiple of"):
        wrong.validate()


@every_encoder
def test_a_configuration_keeps_its_encoder(config):
    again = BertConfig.from_dict(json.loads(config.to_json_string()))
    assert again.encoder_type == config.encoder_type
    has_key = "encoder_type" in config.to_dict()
    assert has_key == (config.encoder_type != "bert")


@every_encoder
def test_the_weights_of_a_block_are_as_many_as_the_row_says(config):
    large = dataclasses.replace(
        config, hidden_size=64, intermediate_size=256, num_hidden_layers=1
    )
    num_weights = sum(
        np.prod(variable.shape)
        for variable in make_backbone(large).variables
        if "/layer_0/" in variable.path
    )
    expected = choice.encoder_type(large).weights_per_unit(large) * 64
    assert num_weights == pytest.approx(expected, rel=0.05)


def test_configurations_are_checked_without_tensorflow():
    code = (
        "import sys; from bert.modeling.config import BertConfig;"
        "BertConfig(vocab_size=9, encoder_type='textcnn').validate();"
        "sys.exit('tensorflow' in sys.modules)"
    )
    assert not subprocess.run(
        [sys.executable, "-c", code], check=False
    ).returncode
