import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from bert.modeling.backbones.textcnn import WIDTHS, TextCnn
from tests.modeling.backbones.test_bert import IDS, MASK, TINY

CONFIG = dataclasses.replace(TINY, encoder_type="textcnn")


def test_weights_bear_their_checkpoint_names():
    shapes = {v.path: list(v.shape) for v in TextCnn(CONFIG).variables}
    block = {
        **{f"convolution_{w}/kernel": [w, 8, 2] for w in (2, 3, 4, 5)},
        **{f"convolution_{w}/bias": [2] for w in (2, 3, 4, 5)},
        "dense/kernel": [8, 8],
        "dense/bias": [8],
        "LayerNorm/beta": [8],
        "LayerNorm/gamma": [8],
    }
    assert shapes == {
        "encoder/embeddings/word_embeddings": [20, 8],
        "encoder/embeddings/token_type_embeddings": [2, 8],
        "encoder/embeddings/position_embeddings": [6, 8],
        "encoder/embeddings/LayerNorm/beta": [8],
        "encoder/embeddings/LayerNorm/gamma": [8],
        **{
            f"encoder/layer_{index}/{name}": shape
            for index in range(2)
            for name, shape in block.items()
        },
        "encoder/pooler/dense/kernel": [8, 8],
        "encoder/pooler/dense/bias": [8],
    }


def test_a_token_is_seen_as_far_as_the_widest_convolution():
    model = TextCnn(dataclasses.replace(CONFIG, num_hidden_layers=1))
    # At least 2 tokens, at most 6, as max_position_embeddings.
    ids = np.array([[1, 2, 3, 4, 5, 6]])
    before = model(ids)["sequence_output"].numpy()
    ids[0, 0] = 7
    changed = np.any(before != model(ids)["sequence_output"], axis=-1)
    np.testing.assert_array_equal(changed, [[1, 1, 1, 0, 0, 0]])


def test_the_pooled_vector_is_of_the_maximum_over_real_tokens():
    model = TextCnn(CONFIG, init_seed=1)
    outputs = model(IDS, input_mask=MASK)
    last = outputs["sequence_output"].numpy()
    largest = np.stack([last[0].max(axis=0), last[1, :2].max(axis=0)])
    dense = model.pooler.dense
    np.testing.assert_allclose(
        outputs["pooled_output"],
        np.tanh(largest @ dense.kernel.numpy() + dense.bias.numpy()),
        atol=1e-5,
    )


@pytest.mark.filterwarnings("ignore:Using padding='same'")
def test_convolutions_are_those_of_pytorch():
    torch = pytest.importorskip("torch", reason="needs PyTorch")
    model = TextCnn(CONFIG, init_seed=1)
    hidden = tf.random.stateless_normal([2, 6, 8], [1, 2])
    for width, ours in zip(WIDTHS, model.blocks[0].convolutions, strict=True):
        ours.bias.assign([0.5, -0.25])
        theirs = torch.nn.Conv1d(8, 2, width, padding="same")
        with torch.no_grad():
            theirs.weight.copy_(
                torch.tensor(ours.kernel.numpy().transpose(2, 1, 0))
            )
            theirs.bias.copy_(torch.tensor(ours.bias.numpy()))
            found = theirs(torch.tensor(hidden.numpy().transpose(0, 2, 1)))
        np.testing.assert_allclose(
            ours(hidden), found.numpy().transpose(0, 2, 1), atol=1e-5
        )
