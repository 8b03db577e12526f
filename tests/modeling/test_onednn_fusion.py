import collections
import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.python.eager import context
from tensorflow.python.framework import test_util

from bert.modeling import BertModel, cpu_bfloat16
from bert.modeling.activations import gelu
from bert.modeling.export_mode import export_mode
from bert.modeling.onednn_fusion import onednn_fusion, uses_onednn_fusion
from tests.modeling.backbones.test_bert import IDS, MASK, TINY

SPEC = tf.TensorSpec([None, None], tf.int32)


def compiled(model, training):
    @tf.function(input_signature=[SPEC, SPEC])
    def run(ids, mask):
        return model(ids, input_mask=mask, training=training)

    return run


def nodes(run):
    """Returns the operations that TensorFlow runs."""
    context.enable_run_metadata()
    try:
        run(IDS, MASK)
        metadata = context.export_run_metadata()
    finally:
        context.disable_run_metadata()
    return [
        node
        for graphs in metadata.function_graphs
        for node in graphs.post_optimization_graph.node
    ]


def operations(run):
    """Counts the operations that TensorFlow runs, by type."""
    return collections.Counter(node.op for node in nodes(run))


def outputs(run):
    return tf.nest.flatten(run(IDS, MASK))


@pytest.fixture
def model():
    return BertModel(TINY, init_seed=1)


# TensorFlow's word, not that of what is tested.
has_onednn = pytest.mark.skipif(
    not test_util.IsMklEnabled() or bool(tf.config.list_logical_devices("GPU")),
    reason="no oneDNN, or a GPU",
)
has_bfloat16 = pytest.mark.skipif(
    not cpu_bfloat16.has_bfloat16(), reason="a processor without bfloat16"
)


@has_onednn
def test_a_pass_without_training_runs_onednns_layer_norm_and_gelu(model):
    found = operations(compiled(model, False))
    layers = TINY.num_hidden_layers
    # One behind the embeddings, two in each layer.
    assert found["_MklLayerNorm"] == 1 + 2 * layers
    # Neither statistics nor gelu's powers are left.
    assert not {"Mean", "Rsqrt", "Sigmoid", "Square", "Pow"} & set(found)


@has_onednn
@has_bfloat16
@pytest.mark.parametrize("hidden_act", ["gelu", "gelu_erf"])
def test_in_bfloat16_gelu_and_softmax_are_onednns_too(hidden_act):
    config = dataclasses.replace(TINY, hidden_act=hidden_act)
    model = BertModel(config, compute_dtype="bfloat16", init_seed=1)
    found = nodes(compiled(model, False))
    ops = collections.Counter(node.op for node in found)
    assert ops["_MklLayerNorm"] == 1 + 2 * config.num_hidden_layers
    assert not {"Mean", "Rsqrt", "Sigmoid", "Square", "Pow", "Erf"} & set(ops)
    softmaxes = [node for node in found if node.op == "Softmax"]
    assert len(softmaxes) == config.num_hidden_layers
    assert {tf.DType(node.attr["T"].type) for node in softmaxes} == {
        tf.bfloat16
    }


@has_onednn
@pytest.mark.slow
@pytest.mark.parametrize("hidden_act", ["gelu", "gelu_erf"])
def test_bfloat16_points_where_float32_does(hidden_act):
    config = dataclasses.replace(TINY, hidden_act=hidden_act)
    expected, *others = [
        np.concatenate([np.ravel(tf.cast(y, tf.float32)) for y in found])
        for found in (
            outputs(
                compiled(
                    BertModel(config, compute_dtype=dtype, init_seed=1),
                    training,
                )
            )
            for dtype, training in (
                ("float32", False),
                ("bfloat16", False),
                ("bfloat16", True),
            )
        )
    ]
    for other in others:
        norms = np.linalg.norm(expected) * np.linalg.norm(other)
        assert expected @ other / norms > 0.9999


@has_onednn
def test_a_processor_without_bfloat16_has_the_plain_forms(monkeypatch):
    monkeypatch.setattr(cpu_bfloat16, "has_bfloat16", lambda: False)
    model = BertModel(TINY, compute_dtype="bfloat16", init_seed=1)
    assert operations(compiled(model, False))["Sigmoid"]


def test_training_keeps_the_plain_forms(model):
    found = operations(compiled(model, True))
    assert found["_MklLayerNorm"] == 0
    assert found["Sigmoid"] == TINY.num_hidden_layers


def test_without_onednn_the_forms_are_plain(model, monkeypatch):
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    assert operations(compiled(model, False))["_MklLayerNorm"] == 0


def test_fused_and_plain_forms_compute_the_same(model):
    eager = tf.nest.flatten(model(IDS, input_mask=MASK))
    for fused, plain, run in zip(
        outputs(compiled(model, False)),
        outputs(compiled(model, True)),
        eager,
        strict=True,
    ):
        np.testing.assert_allclose(fused, plain, rtol=0, atol=2e-6)
        np.testing.assert_allclose(run, plain, rtol=0, atol=2e-6)


def test_fused_forms_have_the_same_gradient(model):
    @tf.function
    def gradients(training):
        with tf.GradientTape() as tape:
            found = model(IDS, input_mask=MASK, training=training)
            loss = tf.reduce_sum(found["sequence_output"] ** 3)
            loss += tf.reduce_sum(found["pooled_output"])
        gradients = tape.gradient(loss, model.trainable_variables)
        return [tf.convert_to_tensor(gradient) for gradient in gradients]

    for fused, plain in zip(gradients(False), gradients(True), strict=True):
        np.testing.assert_allclose(fused, plain, rtol=1e-3, atol=1e-4)


def test_fused_forms_take_a_batch_without_rows(model):
    found = compiled(model, False)(IDS[:0], MASK[:0])
    assert found["sequence_output"].shape == (0, 4, TINY.hidden_size)


def test_export_mode_has_the_plain_forms():
    with onednn_fusion(True), export_mode():
        assert not tf.function(uses_onednn_fusion)()


def test_nothing_is_fused_outside_a_pass_or_a_graph():
    assert not tf.function(uses_onednn_fusion)()
    with onednn_fusion(True):
        assert not uses_onednn_fusion()
        with onednn_fusion(False):
            assert not tf.function(uses_onednn_fusion)()


def test_gelu_of_large_inputs_is_finite_where_it_is_fused():
    @tf.function
    def run(x):
        with onednn_fusion(True):
            return gelu(x)

    np.testing.assert_allclose(
        run(tf.constant([-1e4, 0.0, 1e4])), [0, 0, 1e4], atol=1e-6
    )
