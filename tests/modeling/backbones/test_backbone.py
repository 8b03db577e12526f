"""What a backbone promises to tasks and training, whichever it is."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf

from bert.errors import UserError
from bert.modeling import BertModel, checkpoint
from bert.modeling.backbones.choice import encoder_type, make_backbone
from bert.modeling.classifiers import ClassifierModel
from bert.modeling.heads import PretrainingModel
from tests.modeling.backbones.encoders import (
    dropping,
    every_encoder,
    every_encoder_some_slow,
)
from tests.modeling.backbones.test_bert import IDS, MASK, SEGMENTS, TINY
from tests.modeling.test_heads import BATCH, make, total_loss


def pooler_of(model):
    if not encoder_type(model.config).has_pooler:
        return []
    names = ("pooler/dense/kernel", "pooler/dense/bias")
    return [f"{model.scope}/{name}" for name in names]


@every_encoder
def test_names_in_checkpoints_begin_with_the_scope(config):
    model = make_backbone(config)
    names = [variable.path for variable in model.variables]
    assert all(name.startswith(f"{model.scope}/") for name in names)
    assert len(names) == len(set(names))
    # But for the pooler, a checkpoint must have them.
    optional = [n for n in names if not n.startswith(model.required_scopes)]
    assert optional == pooler_of(model)
    blocks = {part for n in names for part in n.split("/")}
    assert {"layer_0", "layer_1"} <= blocks


@every_encoder
def test_the_word_table_has_a_row_a_word(config):
    assert make_backbone(config).word_table.shape == (20, 8)


@every_encoder
def test_a_frozen_pooler_has_no_trainable_weight(config):
    model = make_backbone(config)
    model.freeze_pooler()
    trainable = {variable.path for variable in model.trainable_variables}
    frozen = {variable.path for variable in model.variables} - trainable
    assert frozen == set(pooler_of(model))


@every_encoder
def test_recomputing_keeps_fewer_activations(config):
    with keras.StatelessScope(initialize_variables=False):
        model = make_backbone(config)
    kept = model.count_activations(4, 6, recomputes=False)
    assert model.count_activations(8, 6, recomputes=False) == 2 * kept
    assert model.count_activations(4, 6, recomputes=True) < kept


@every_encoder
def test_freezing_leaves_the_layers_behind_it_and_the_head(config):
    model = make(ClassifierModel, config)
    every = set(checkpoint.named_variables(model))

    def trained():
        return {
            checkpoint.checkpoint_name(v, model)
            for v in model.trainable_variables
        }

    model.backbone.freeze(0)
    scope = model.backbone.scope
    embeddings = {n for n in every if n.startswith(f"{scope}/embeddings/")}
    assert trained() == every - embeddings
    model.backbone.freeze(1)
    first = {n for n in every if "/layer_0/" in n}
    assert first
    assert trained() == every - embeddings - first


@every_encoder
def test_rates_fall_from_the_pooler_to_the_embeddings(config):
    model = make_backbone(config)
    blocks = f"{model.scope}/"
    if model.scope != "encoder":
        blocks += "encoder/"
    factors = model.rate_factors(0.5)
    assert set(factors) == {weight.path for weight in model.weights}
    for start, expected in (
        (f"{model.scope}/pooler/", 1),
        (f"{blocks}layer_1/", 0.5**2),
        (f"{blocks}layer_0/", 0.5**3),
        (f"{model.scope}/embeddings/", 0.5**4),
    ):
        own = {f for path, f in factors.items() if path.startswith(start)}
        assert own == ({expected} if model.pooler or expected < 1 else set())
    assert set(model.rate_factors(1.0).values()) == {1}


def test_a_weight_without_a_depth_is_an_error():
    class Loose(BertModel):
        def stages(self):
            return [self.embeddings, *self.encoder.blocks[:1]]

    with pytest.raises(ValueError, match=r"Received: bert/encoder/layer_1/"):
        Loose(TINY).rate_factors(0.9)


@every_encoder
@pytest.mark.parametrize("compute_dtype", ["bfloat16", "float16"])
def test_compute_dtype_is_that_of_products_not_of_weights(
    config, compute_dtype
):
    model = make_backbone(config, compute_dtype=compute_dtype, init_seed=1)
    assert {v.dtype for v in model.variables} == {"float32"}
    found = model(IDS, input_mask=MASK)
    expected = make_backbone(config, init_seed=1)(IDS, input_mask=MASK)
    for one, other in zip(
        tf.nest.flatten(found), tf.nest.flatten(expected), strict=True
    ):
        assert one.dtype == compute_dtype
        np.testing.assert_allclose(tf.cast(one, tf.float32), other, atol=0.1)


def test_an_unknown_compute_dtype_lists_the_known_ones():
    with pytest.raises(UserError, match=r"float32, bfloat16, float16.*'int8'"):
        BertModel(TINY, compute_dtype="int8")


def test_a_configuration_of_another_encoder_is_refused():
    config = dataclasses.replace(TINY, encoder_type="textcnn")
    with pytest.raises(UserError, match=r"BertModel is not .* 'textcnn'; make"):
        BertModel(config)


@every_encoder
def test_a_row_without_real_tokens_has_no_part_in_the_gradient(config):
    """Such rows fill up a batch."""
    model = make(ClassifierModel, config, dropout_rate=0.0)
    batch = {
        **BATCH,
        "input_mask": tf.constant([[1, 1, 1, 1], [0, 0, 0, 0]]),
        "is_real_example": tf.constant([1, 0]),
    }
    found = []
    for rows in (1, 2):
        part = {name: value[:rows] for name, value in batch.items()}
        with tf.GradientTape() as tape:
            loss = total_loss(model, part, training=True)
        gradients = tape.gradient(
            loss,
            [variable.value for variable in model.trainable_variables],
            unconnected_gradients="zero",
        )
        found.append([loss, *gradients])
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(
            tf.convert_to_tensor(one), tf.convert_to_tensor(other), atol=1e-6
        )


@every_encoder
def test_weights_of_a_second_model_bear_the_same_names(config):
    names = [
        [v.path for v in make_backbone(config).variables] for _ in range(2)
    ]
    assert names[0] == names[1]


@every_encoder
def test_weights_are_mirrored_under_a_strategy(config):
    strategy = tf.distribute.MirroredStrategy(["CPU:0"])
    with strategy.scope():
        model = make_backbone(config, init_seed=1)
    alone = make_backbone(config, init_seed=1)
    for one, other in zip(model.variables, alone.variables, strict=True):
        assert one.value.distribute_strategy is strategy
        assert one.path == other.path
        np.testing.assert_array_equal(one.numpy(), other.numpy())


@every_encoder
def test_padding_does_not_change_real_tokens(config):
    model = make_backbone(config, init_seed=1)
    alone = model(IDS[1:, :2], segment_ids=SEGMENTS[1:, :2])
    padded = model(IDS, input_mask=MASK, segment_ids=SEGMENTS)
    for key in ("sequence_output", "embedding_output"):
        np.testing.assert_allclose(padded[key][1:, :2], alone[key], atol=1e-6)
    np.testing.assert_allclose(
        padded["pooled_output"][1:], alone["pooled_output"], atol=1e-6
    )


@every_encoder
def test_what_stands_under_the_mask_does_not_matter(config):
    model = make_backbone(config, init_seed=1)
    other = tf.constant([[1, 2, 3, 4], [5, 6, 9, 8]])
    one, two = (
        model(x, input_mask=MASK)["sequence_output"] for x in (IDS, other)
    )
    np.testing.assert_array_equal(one[1, :2], two[1, :2])
    # And without a mask it does, where it may be seen.
    one, two = (model(x)["sequence_output"] for x in (IDS, other))
    difference = np.max(np.abs(one[1, :2] - two[1, :2]))
    assert difference == 0.0 if config.is_causal else difference > 1e-2


@every_encoder
def test_segments_and_positions_matter(config):
    model = make_backbone(config, init_seed=1)
    plain = model(IDS)["sequence_output"]
    other = model(IDS, segment_ids=SEGMENTS)["sequence_output"]
    has_segments = config.encoder_type != "gpt"
    assert (np.max(np.abs(plain - other)) > 1e-2) == has_segments
    swapped = model(IDS[:, ::-1])["sequence_output"][:, ::-1]
    assert np.max(np.abs(plain - swapped)) > 1e-2


@every_encoder
def test_mask_and_segments_default_to_all_real_and_first(config):
    model = make_backbone(config, init_seed=1)
    np.testing.assert_array_equal(
        model(IDS)["sequence_output"],
        model(
            IDS, input_mask=tf.ones_like(IDS), segment_ids=tf.zeros_like(IDS)
        )["sequence_output"],
    )


@every_encoder_some_slow
@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("training", [False, True])
def test_a_graph_for_any_size_computes_what_eager_does(
    config, jit_compile, training
):
    model = make_backbone(dropping(config), init_seed=1)
    spec = tf.TensorSpec([None, None], tf.int32)

    @tf.function(input_signature=[spec, spec], jit_compile=jit_compile)
    def graph(ids, mask):
        return model(ids, input_mask=mask, training=training, seed=[1, 2])

    for ids, mask in ((IDS, MASK), (IDS[:1, :3], MASK[:1, :3])):
        expected = model(ids, input_mask=mask, training=training, seed=[1, 2])
        found = graph(ids, mask)
        for one, other in zip(
            tf.nest.flatten(found), tf.nest.flatten(expected), strict=True
        ):
            np.testing.assert_allclose(one, other, atol=1e-5)


@every_encoder
def test_dropout_follows_from_the_seed_alone(config):
    model = make_backbone(dropping(config), init_seed=1)

    def run(*seed):
        return model(IDS, training=True, seed=seed)["sequence_output"].numpy()

    np.testing.assert_array_equal(run(1, 2), run(1, 2))
    assert np.any(run(1, 2) != run(1, 3))
    assert np.any(run(1, 2) != model(IDS)["sequence_output"])
    np.testing.assert_array_equal(
        model(IDS, seed=[1, 2])["sequence_output"],
        model(IDS)["sequence_output"],
    )


@every_encoder
@pytest.mark.parametrize("compute_dtype", ["float32", "bfloat16"])
def test_ids_may_come_as_floats_that_are_not_rounded(config, compute_dtype):
    config = dataclasses.replace(config, vocab_size=1100)
    model = make_backbone(config, init_seed=1, compute_dtype=compute_dtype)
    ids = IDS + 1001  # beyond the 8 bits of bfloat16
    np.testing.assert_array_equal(
        *(
            model(tf.cast(ids, dtype), segment_ids=tf.cast(SEGMENTS, dtype))[
                "pooled_output"
            ]
            for dtype in (tf.int64, tf.float32)
        )
    )
    with pytest.raises(UserError, match=r"integers.*bfloat16, which rounds"):
        model(tf.cast(ids, tf.bfloat16))


@every_encoder
def test_ids_are_a_matrix(config):
    model = make_backbone(config)
    with pytest.raises(ValueError, match="actual rank `3`"):
        model(IDS[tf.newaxis])


@every_encoder
def test_start_weights_follow_from_the_seed_whatever_was_made_before(config):
    one = make_backbone(config, init_seed=1)
    tf.random.normal([3])
    PretrainingModel(config)
    again, other = (
        make_backbone(config, init_seed=1),
        make_backbone(config, init_seed=2),
    )
    for a, b, c in zip(
        one.variables, again.variables, other.variables, strict=True
    ):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
        constant = a.path.endswith(("bias", "beta", "gamma"))
        assert constant == np.array_equal(a.numpy(), c.numpy())


@every_encoder
def test_start_weights_differ_from_each_other(config):
    drawn = [
        v.numpy().ravel()[:64]
        for v in make_backbone(config, init_seed=1).variables
        if not v.path.endswith(("bias", "beta", "gamma"))
    ]
    assert len({x[:8].tobytes() for x in drawn}) == len(drawn)


@every_encoder
def test_a_sequence_longer_than_the_positions_is_an_error(config):
    ids = tf.ones([1, 7], tf.int32)
    with pytest.raises(UserError, match=r"^Cannot .* length 7 .* length 6\.$"):
        make_backbone(config)(ids)


@every_encoder
def test_a_sequence_found_too_long_when_run_is_an_error(config):
    model = make_backbone(config)
    graph = tf.function(
        model.call, input_signature=[tf.TensorSpec([None, None], tf.int32)]
    )
    # Now and then the sum of the embeddings, which runs beside the check, fails
    # first.
    message = r"only trained up to .* length 6|ncompatible shapes"
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        graph(tf.ones([1, 7], tf.int32))


@every_encoder
@pytest.mark.parametrize("recomputes", [False, True])
def test_chosen_tokens_have_the_output_and_gradient_they_have_among_all(
    config,
    recomputes,
):
    model = make_backbone(config, init_seed=1)
    if recomputes:
        model.recompute_activations()
    positions = tf.constant([[0, 3], [0, 1]])

    def chosen(x):
        return tf.gather(x, positions, batch_dims=1)

    found = []
    for choose in (None, chosen):
        with tf.GradientTape() as tape:
            outputs = model(
                IDS,
                input_mask=MASK,
                segment_ids=SEGMENTS,
                training=True,
                choose=choose,
            )
            last = outputs["sequence_output"]
            last = last if choose else chosen(last)
            loss = tf.reduce_sum(last**3) + tf.reduce_sum(
                outputs["pooled_output"]
            )
        gradients = tape.gradient(loss, model.trainable_variables)
        found.append([last, outputs["pooled_output"], *gradients])
    assert found[0][0].shape == found[1][0].shape == [2, 2, 8]
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(
            tf.convert_to_tensor(ours),
            tf.convert_to_tensor(theirs),
            rtol=1e-4,
            atol=1e-5,
        )
