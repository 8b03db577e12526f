"""Tiny encoders of every type, for what is true of each of them."""

import dataclasses

import pytest

from bert.modeling import BertConfig
from bert.modeling.backbones.choice import ENCODER_TYPES
from tests.modeling.backbones.test_bert import TINY

every_type = pytest.mark.parametrize("encoder_type", ENCODER_TYPES)
every_encoder = pytest.mark.parametrize(
    "config",
    [dataclasses.replace(TINY, encoder_type=name) for name in ENCODER_TYPES],
    ids=list(ENCODER_TYPES),
)
# For what takes seconds of most, and is quick of BERT.
every_encoder_some_slow = pytest.mark.parametrize(
    "config",
    [
        pytest.param(
            dataclasses.replace(TINY, encoder_type=name),
            marks=[pytest.mark.slow] * (name != "bert"),
            id=name,
        )
        for name in ENCODER_TYPES
    ],
)


def dropping(config: BertConfig) -> BertConfig:
    """The encoder with dropout."""
    return dataclasses.replace(config, hidden_dropout_prob=0.5)
