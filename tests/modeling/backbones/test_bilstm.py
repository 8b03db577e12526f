import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from bert.modeling.backbones.bilstm import BiLstm, read
from tests.modeling.backbones.test_bert import IDS, MASK, TINY

CONFIG = dataclasses.replace(TINY, encoder_type="bilstm")


def test_weights_bear_their_checkpoint_names():
    shapes = {v.path: list(v.shape) for v in BiLstm(CONFIG).variables}
    block = {
        **{f"{way}/kernel": [8, 16] for way in ("forward", "backward")},
        **{f"{way}/bias": [16] for way in ("forward", "backward")},
        **{
            f"{way}/recurrent_kernel": [4, 16]
            for way in ("forward", "backward")
        },
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


def states(model, hidden, mask):
    """What both directions of the first block make of [B, S, D].

    Returns the states of each direction, [S, B, H], in the order of the
    sequence, and the last ones, [B, H].
    """
    by_time = tf.transpose(hidden, [1, 0, 2])
    is_real = tf.transpose(mask)[:, :, tf.newaxis] > 0
    ways = model.blocks[0].directions
    gates = [by_time @ way.kernel.value + way.bias.value for way in ways]
    found, last = read(
        tf.stack([gates[0], gates[1][::-1]], 1),
        tf.stack([way.recurrent_kernel.value for way in ways]),
        tf.stack([is_real, is_real[::-1]], 1),
    )
    return [(found[:, 0], last[0]), (found[::-1, 1], last[1])]


def test_the_forget_gate_starts_open():
    (bias,) = {
        tuple(way.bias.numpy())
        for block in BiLstm(CONFIG).blocks
        for way in block.directions
    }
    assert bias == (0,) * 4 + (1,) * 4 + (0,) * 8


def test_a_token_without_mask_leaves_the_state_as_it_is():
    model = BiLstm(CONFIG, init_seed=1)
    hidden = tf.random.stateless_normal([1, 4, 8], [1, 2])
    with_gap = states(model, hidden, tf.constant([[1, 0, 1, 0]]))
    real = tf.gather(hidden, [0, 2], axis=1)
    alone = states(model, real, tf.constant([[1, 1]]))
    for (ours, last), (expected, end) in zip(with_gap, alone, strict=True):
        np.testing.assert_allclose(ours[0], expected[0], atol=1e-6)
        np.testing.assert_allclose(ours[2], expected[1], atol=1e-6)
        np.testing.assert_allclose(last, end, atol=1e-6)


def test_a_block_gives_each_token_both_of_its_states():
    model = BiLstm(dataclasses.replace(CONFIG, num_hidden_layers=1))
    outputs = model(IDS, input_mask=MASK)
    hidden = outputs["embedding_output"]
    both = [found for found, _ in states(model, hidden, MASK)]
    by_token = np.transpose(np.concatenate(both, axis=-1), [1, 0, 2])
    np.testing.assert_allclose(
        outputs["sequence_output"],
        model.blocks[0].layer_norm(hidden + by_token),
        atol=1e-5,
    )


def test_the_pooled_vector_is_of_both_last_states():
    model = BiLstm(dataclasses.replace(CONFIG, num_hidden_layers=1))
    outputs = model(IDS, input_mask=MASK)
    (forward, _), (backward, _) = states(
        model, outputs["embedding_output"], MASK
    )
    ends = np.stack([forward[3, 0], forward[1, 1]])
    last = np.concatenate([ends, backward[0]], axis=-1)
    dense = model.pooler.dense
    np.testing.assert_allclose(
        outputs["pooled_output"],
        np.tanh(last @ dense.kernel.numpy() + dense.bias.numpy()),
        atol=1e-5,
    )


def test_both_directions_are_those_of_pytorch():
    torch = pytest.importorskip("torch", reason="needs PyTorch")
    model = BiLstm(CONFIG, init_seed=1)
    hidden = tf.random.stateless_normal([2, 6, 8], [1, 2])
    theirs = torch.nn.LSTM(8, 4, batch_first=True, bidirectional=True)
    with torch.no_grad():
        for way, end in zip(
            model.blocks[0].directions, ("", "_reverse"), strict=True
        ):
            way.bias.assign(tf.random.stateless_normal([16], [3, len(end)]))
            for name, ours in (
                ("weight_ih", way.kernel),
                ("weight_hh", way.recurrent_kernel),
                ("bias_ih", way.bias),
            ):
                weight = getattr(theirs, f"{name}_l0{end}")
                weight.copy_(torch.tensor(ours.numpy().T.copy()))
            getattr(theirs, f"bias_hh_l0{end}").zero_()
        lengths = [6, 4]
        packed = torch.nn.utils.rnn.pack_padded_sequence(
            torch.tensor(hidden.numpy()), lengths, batch_first=True
        )
        output, (last, _) = theirs(packed)
        output, _ = torch.nn.utils.rnn.pad_packed_sequence(
            output, batch_first=True
        )
    mask = tf.sequence_mask(lengths, 6, tf.int32)
    found = states(model, hidden, mask)
    ours = tf.transpose(tf.concat([x for x, _ in found], -1), [1, 0, 2])
    for row, length in enumerate(lengths):
        np.testing.assert_allclose(
            ours[row, :length], output[row, :length].numpy(), atol=1e-5
        )
    for (_, end), expected in zip(found, last, strict=True):
        np.testing.assert_allclose(end, expected.numpy(), atol=1e-5)
