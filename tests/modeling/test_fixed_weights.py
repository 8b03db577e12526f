import numpy as np
import pytest
import tensorflow as tf

from bert.modeling import BertModel
from bert.modeling.fixed_weights import fixed_weights
from tests.modeling.backbones.test_bert import IDS, MASK, TINY


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_kernels_are_joined_and_cast_where_the_graph_is_made(dtype):
    model = BertModel(TINY, compute_dtype=dtype, init_seed=1)
    expected = model(IDS, input_mask=MASK)["sequence_output"]

    @tf.function(autograph=False)
    def run():
        with fixed_weights():
            return model(IDS, input_mask=MASK)["sequence_output"]

    found = run()
    np.testing.assert_allclose(
        *(tf.cast(y, tf.float32) for y in (found, expected)), atol=2e-2
    )
    # What comes in later, the graph does not see.
    for weight in model.trainable_variables:
        if weight.path.endswith("kernel"):
            weight.assign(tf.zeros_like(weight))
    np.testing.assert_array_equal(run(), found)
