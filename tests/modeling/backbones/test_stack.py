"""What the encoders that are no BERT have in common."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from bert.errors import UserError
from bert.modeling.backbones import stack
from bert.modeling.backbones.choice import (
    ENCODER_TYPES,
    backbone_class,
    make_backbone,
)
from tests.modeling.backbones.test_bert import DROPPING, IDS, MASK, TINY

STACKS = [
    name
    for name in ENCODER_TYPES
    if issubclass(
        backbone_class(dataclasses.replace(TINY, encoder_type=name)),
        stack.Stack,
    )
]
every_stack = pytest.mark.parametrize("encoder_type", STACKS)


@every_stack
def test_the_embeddings_are_those_of_bert(encoder_type):
    config = dataclasses.replace(TINY, encoder_type=encoder_type)
    ours, bert = make_backbone(config), make_backbone(TINY)
    for one, other in zip(
        ours.embeddings.variables, bert.embeddings.variables, strict=True
    ):
        assert one.path.removeprefix("encoder/") == other.path.removeprefix(
            "bert/"
        )
        one.assign(other)
    np.testing.assert_array_equal(
        ours(IDS)["embedding_output"], bert(IDS)["embedding_output"]
    )


@every_stack
def test_every_place_that_drops_draws_its_own_mask(encoder_type):
    config = dataclasses.replace(DROPPING, encoder_type=encoder_type)
    model = make_backbone(config, init_seed=1)
    outputs = [
        model(IDS, MASK, training=True, seed=[1, number])
        for number in (2, 2, 3)
    ]
    layers = [
        [x["embedding_output"], *x["all_encoder_layers"]] for x in outputs
    ]
    for one, same, other in zip(*layers, strict=True):
        np.testing.assert_array_equal(one, same)
        assert np.any(one != other)
    one, two = (tf.equal(x, 0.0) for x in layers[0][:2])
    assert np.any(one != two)


@every_stack
def test_padding_has_no_gradient(encoder_type):
    config = dataclasses.replace(TINY, encoder_type=encoder_type)
    model = make_backbone(config, init_seed=1)
    with tf.GradientTape() as tape:
        outputs = model(IDS, input_mask=MASK, training=True)
        real = tf.cast(MASK, tf.float32)[:, :, tf.newaxis]
        loss = tf.reduce_sum(outputs["sequence_output"] ** 3 * real)
        loss += tf.reduce_sum(outputs["pooled_output"])
    rows = tape.gradient(loss, model.embeddings.word_embeddings.value)
    found = tf.reshape(rows.values, [2, 4, 8])
    np.testing.assert_array_equal(found[1, 2:], np.zeros([2, 8]))
    assert np.all(np.any(found[0] != 0, axis=-1))


@every_stack
def test_there_is_no_attention_and_one_line_says_so(encoder_type):
    model = make_backbone(dataclasses.replace(TINY, encoder_type=encoder_type))
    message = f"encoder_type '{encoder_type}' has no attention to show"
    with pytest.raises(UserError, match=message):
        model(IDS, with_attention=True)
