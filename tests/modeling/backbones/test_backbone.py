"""What a backbone promises to tasks and training, whichever it is."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from bert.errors import UserError
from bert.modeling import BertModel, checkpoint
from bert.modeling.classifiers import ClassifierModel
from tests.modeling.backbones.test_bert import IDS, MASK, TINY
from tests.modeling.test_heads import make


def test_names_in_checkpoints_begin_with_the_scope():
    model = BertModel(TINY)
    names = [variable.path for variable in model.variables]
    assert all(name.startswith(f"{model.scope}/") for name in names)
    # But for the pooler, a checkpoint must have them.
    optional = [n for n in names if not n.startswith(model.required_scopes)]
    assert optional == ["bert/pooler/dense/kernel", "bert/pooler/dense/bias"]
    blocks = {n.removeprefix("bert/encoder/").split("/")[0] for n in names}
    assert {"layer_0", "layer_1"} <= blocks


def test_the_word_table_has_a_row_a_word():
    assert BertModel(TINY).word_table.shape == (20, 8)


def test_a_frozen_pooler_has_no_trainable_weight():
    model = BertModel(TINY)
    model.freeze_pooler()
    trainable = {variable.path for variable in model.trainable_variables}
    frozen = {variable.path for variable in model.variables} - trainable
    assert frozen == {"bert/pooler/dense/kernel", "bert/pooler/dense/bias"}


def test_recomputing_keeps_fewer_activations():
    with keras.StatelessScope(initialize_variables=False):
        model = BertModel(TINY)
    kept = model.count_activations(4, 6, recomputes=False)
    assert model.count_activations(8, 6, recomputes=False) == 2 * kept
    assert model.count_activations(4, 6, recomputes=True) < kept


def test_freezing_leaves_the_layers_behind_it_and_the_head():
    model = make(ClassifierModel)
    every = set(checkpoint.named_variables(model))

    def trained():
        return {
            checkpoint.checkpoint_name(v, model)
            for v in model.trainable_variables
        }

    model.backbone.freeze(0)
    embeddings = {n for n in every if n.startswith("bert/embeddings/")}
    assert trained() == every - embeddings
    model.backbone.freeze(1)
    first = {n for n in every if n.startswith("bert/encoder/layer_0/")}
    assert first
    assert trained() == every - embeddings - first


def test_rates_fall_from_the_pooler_to_the_embeddings():
    model = BertModel(TINY)
    factors = model.rate_factors(0.5)
    assert set(factors) == {weight.path for weight in model.weights}
    for start, expected in (
        ("bert/pooler/", 1),
        ("bert/encoder/layer_1/", 0.5**2),
        ("bert/encoder/layer_0/", 0.5**3),
        ("bert/embeddings/", 0.5**4),
    ):
        own = {f for path, f in factors.items() if path.startswith(start)}
        assert own == {expected}
    assert set(model.rate_factors(1.0).values()) == {1}


def test_a_weight_without_a_depth_is_an_error():
    class Loose(BertModel):
        def stages(self):
            return [self.embeddings, *self.encoder.blocks[:1]]

    with pytest.raises(ValueError, match=r"Received: bert/encoder/layer_1/"):
        Loose(TINY).rate_factors(0.9)


@pytest.mark.parametrize("compute_dtype", ["bfloat16", "float16"])
def test_compute_dtype_is_that_of_products_not_of_weights(compute_dtype):
    model = BertModel(TINY, compute_dtype=compute_dtype, init_seed=1)
    assert {v.dtype for v in model.variables} == {"float32"}
    found = model(IDS, input_mask=MASK)
    expected = BertModel(TINY, init_seed=1)(IDS, input_mask=MASK)
    for one, other in zip(
        tf.nest.flatten(found), tf.nest.flatten(expected), strict=True
    ):
        assert one.dtype == compute_dtype
        np.testing.assert_allclose(tf.cast(one, tf.float32), other, atol=0.1)


def test_an_unknown_compute_dtype_lists_the_known_ones():
    with pytest.raises(UserError, match=r"float32, bfloat16, float16.*'int8'"):
        BertModel(TINY, compute_dtype="int8")
