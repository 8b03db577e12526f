import keras
import numpy as np
import pytest
import tensorflow as tf

from bert.modeling.head_layers import MaskedLmHead, OutputLayer
from bert.modeling.layers import LayerOptions
from bert.modeling.randomness import WeightInitializer

INITIALIZER = WeightInitializer(0.5, seed=3)


@pytest.mark.parametrize(
    ("dtype", "tolerance"), [("float32", 1e-6), ("mixed_bfloat16", 0.02)]
)
def test_output_is_the_product_with_each_labels_weights(dtype, tolerance):
    layer = OutputLayer(3, 2, LayerOptions(INITIALIZER, dtype), "head")
    layer.build()
    layer.output_bias.assign([1.0, 2.0, 3.0])
    x = np.array([[[1.0, 2.0], [-3.0, 0.5]]], np.float32)
    found = layer(x)
    assert found.dtype == tf.float32
    expected = x[0] @ layer.output_weights.numpy().T + [1.0, 2.0, 3.0]
    np.testing.assert_allclose(found, expected, atol=tolerance)


def test_masked_lm_head_scores_words_by_the_words_own_vectors():
    with keras.name_scope("cls"):
        head = MaskedLmHead(5, 4, "gelu", LayerOptions(INITIALIZER))
        head.build()
    assert {variable.path for variable in head.variables} == {
        f"cls/predictions/{name}"
        for name in (
            "output_bias",
            "transform/dense/kernel",
            "transform/dense/bias",
            "transform/LayerNorm/beta",
            "transform/LayerNorm/gamma",
        )
    }
    head.output_bias.assign(tf.range(5.0))
    table = tf.random.stateless_normal([5, 4], [1, 2])
    x = tf.random.stateless_normal([3, 4], [3, 4])
    expected = head.transform(x).numpy() @ table.numpy().T + np.arange(5.0)
    np.testing.assert_allclose(
        head(x, word_embeddings=table), expected, rtol=1e-5
    )
