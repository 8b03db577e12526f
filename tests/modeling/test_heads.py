import dataclasses

import numpy as np
import pytest
import tensorflow as tf

from bert.modeling import checkpoint
from bert.modeling.classifiers import ClassifierModel
from bert.modeling.heads import (
    PretrainingModel,
    SpanModel,
    TokenModel,
    with_first,
)
from bert.modeling.losses import MASKED_LM_EPSILON
from tests.modeling.backbones.test_bert import DROPPING, TINY, bert_names

ENCODED = {
    "input_ids": tf.constant([[1, 2, 3, 4], [5, 6, 0, 0]]),
    "input_mask": tf.constant([[1, 1, 1, 1], [1, 1, 0, 0]]),
    "segment_ids": tf.constant([[0, 0, 1, 1], [0, 1, 0, 0]]),
}
BATCH = {
    **ENCODED,
    "masked_lm_positions": tf.constant([[1, 3], [1, 0]]),
    "masked_lm_ids": tf.constant([[7, 19], [8, 0]]),
    "masked_lm_weights": tf.constant([[1.0, 1.0], [1.0, 0.0]]),
    "next_sentence_labels": tf.constant([[0], [1]]),
    "label_ids": tf.constant([2, 0]),
    "start_positions": tf.constant([1, 0]),
    "end_positions": tf.constant([3, 0]),
}
HEADS = {
    PretrainingModel: {
        "cls/predictions/transform/dense/kernel": [8, 8],
        "cls/predictions/transform/dense/bias": [8],
        "cls/predictions/transform/LayerNorm/beta": [8],
        "cls/predictions/transform/LayerNorm/gamma": [8],
        "cls/predictions/output_bias": [20],
        "cls/seq_relationship/output_weights": [2, 8],
        "cls/seq_relationship/output_bias": [2],
    },
    ClassifierModel: {"output_weights": [3, 8], "output_bias": [3]},
    SpanModel: {
        "cls/squad/output_weights": [2, 8],
        "cls/squad/output_bias": [2],
    },
}
TASKS = list(HEADS)


def make(task, config=TINY, **kwargs):
    if task is ClassifierModel:
        kwargs["num_labels"] = 3
    return task(config, init_seed=1, **kwargs)


def total_loss(model, batch, **kwargs):
    losses = model.losses(model(batch, **kwargs), batch)
    weights = model.loss_weights(batch)
    assert set(losses) == set(weights)
    return tf.add_n(
        [
            tf.reduce_sum(w * losses[name]) / (tf.reduce_sum(w) + epsilon)
            for name, (w, epsilon) in weights.items()
        ]
    )


def gradients(model, **kwargs):
    names = {checkpoint.checkpoint_name(v, model): v for v in model.variables}
    with tf.GradientTape() as tape:
        loss = total_loss(model, BATCH, **kwargs)
    return tape.gradient(loss, {n: v.value for n, v in names.items()})


@pytest.mark.parametrize("task", TASKS)
def test_weights_are_those_of_the_originals_checkpoint(task):
    variables = checkpoint.named_variables(make(task))
    assert set(variables) == bert_names(2) | set(HEADS[task])
    for name, shape in HEADS[task].items():
        assert list(variables[name].shape) == shape


@pytest.mark.parametrize("task", TASKS)
def test_only_a_word_table_that_is_only_gathered_has_a_gradient_of_rows(task):
    found = gradients(make(task))
    rows = {n for n, g in found.items() if isinstance(g, tf.IndexedSlices)}
    expected = {"bert/embeddings/word_embeddings"}
    assert rows == (set() if task is PretrainingModel else expected)


@pytest.mark.parametrize(
    ("task", "name", "stddev"),
    [
        (PretrainingModel, "cls/predictions/transform/dense/kernel", 0.5),
        (PretrainingModel, "cls/seq_relationship/output_weights", 0.5),
        (ClassifierModel, "output_weights", 0.02),
        (SpanModel, "cls/squad/output_weights", 0.02),
    ],
)
def test_heads_start_with_the_originals_range(task, name, stddev):
    config = dataclasses.replace(TINY, hidden_size=512)
    drawn = checkpoint.named_variables(make(task, config))[name].numpy()
    assert abs(np.std(drawn) / (0.8796 * stddev) - 1) < 0.07
    assert np.max(np.abs(drawn)) <= 2 * stddev


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("compute_dtype", ["bfloat16", "float16"])
def test_logits_and_losses_are_float32_in_any_compute_dtype(
    task, compute_dtype
):
    model = make(task, compute_dtype=compute_dtype)
    outputs = model(BATCH)
    losses = model.losses(outputs, BATCH)
    found = [*outputs.values(), *losses.values()]
    assert {x.dtype for x in found} == {tf.float32}
    assert all(
        g.dtype == tf.float32
        for g in gradients(model).values()
        if g is not None
    )
    loss, expected = total_loss(model, BATCH), total_loss(make(task), BATCH)
    np.testing.assert_allclose(loss, expected, rtol=0.05)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("jit_compile", [False, True])
def test_a_graph_for_any_size_computes_what_eager_does(task, jit_compile):
    model = make(task, DROPPING)
    spec = {
        name: tf.TensorSpec([None] * x.shape.rank, x.dtype)
        for name, x in BATCH.items()
    }

    @tf.function(input_signature=[spec], jit_compile=jit_compile)
    def graph(batch):
        return total_loss(model, batch, training=True, seed=[1, 2])

    for rows in (2, 1):
        batch = {name: x[:rows] for name, x in BATCH.items()}
        np.testing.assert_allclose(
            graph(batch),
            total_loss(model, batch, training=True, seed=[1, 2]),
            rtol=1e-5,
        )


def test_with_first_takes_tokens_in_order():
    hidden = tf.reshape(tf.range(12.0), [2, 3, 2])
    found = with_first(hidden, tf.constant([[2, 0], [1, 1]]))
    np.testing.assert_array_equal(
        found, [[[0, 1], [4, 5], [0, 1]], [[6, 7], [8, 9], [8, 9]]]
    )


def test_masked_lm_scores_are_of_the_word_table():
    model = make(PretrainingModel)
    table = model.backbone.word_table
    before = model(BATCH)["masked_lm_logits"]
    assert before.shape == [4, 20]
    # Row 15 is in no input: only its score can change.
    table.assign(tf.tensor_scatter_nd_update(table.value, [[15]], [[3.0] * 8]))
    changed = np.any(before != model(BATCH)["masked_lm_logits"], axis=0)
    assert np.flatnonzero(changed).tolist() == [15]


def test_pretraining_weights_count_real_predictions_and_rows():
    weights = make(PretrainingModel).loss_weights(BATCH)
    masked, sentence = weights["masked_lm"], weights["next_sentence"]
    np.testing.assert_array_equal(masked.weights, [1, 1, 1, 0])
    assert masked.epsilon == MASKED_LM_EPSILON == 1e-5
    np.testing.assert_array_equal(sentence.weights, [1, 1])
    assert sentence.epsilon == 0.0


def test_span_logits_are_the_head_applied_to_every_token():
    model = make(SpanModel)
    weights = checkpoint.named_variables(model)
    weights["cls/squad/output_bias"].assign([0.25, -0.5])
    hidden = model.encode(BATCH, False, None)["sequence_output"]
    expected = tf.einsum(
        "bsd,ld->lbs", hidden, weights["cls/squad/output_weights"].value
    )
    outputs = model(BATCH)
    np.testing.assert_allclose(
        outputs["start_logits"], expected[0] + 0.25, atol=1e-5
    )
    np.testing.assert_allclose(
        outputs["end_logits"], expected[1] - 0.5, atol=1e-5
    )


def test_padding_may_have_no_part_in_the_loss_of_spans():
    lengths, batch = [4, 2], {**BATCH, "end_positions": tf.constant([3, 1])}
    model = make(SpanModel, masks_padding=True)
    found = model.losses(model(batch), batch)["span"]
    for row, length in enumerate(lengths):
        alone = {k: v[row : row + 1] for k, v in batch.items()}
        alone.update({k: alone[k][:, :length] for k in ENCODED})
        np.testing.assert_allclose(
            found[row], model.losses(model(alone), alone)["span"][0], atol=1e-5
        )
    assert type(model).from_config(model.get_config()).masks_padding
    model.masks_padding = False
    assert abs(model.losses(model(batch), batch)["span"] - found)[1] > 0.1


def test_token_logits_are_the_head_applied_to_every_token():
    model = make(TokenModel, num_labels=4)
    weights = checkpoint.named_variables(model)
    weights["cls/token/output_bias"].assign([0.0, 1.0, 2.0, 3.0])
    hidden = model.encode(BATCH, False, None)["sequence_output"]
    expected = tf.einsum(
        "bsd,ld->bsl", hidden, weights["cls/token/output_weights"].value
    )
    np.testing.assert_allclose(
        model(BATCH)["logits"],
        tf.add(expected, [0.0, 1.0, 2.0, 3.0]),
        atol=1e-5,
    )


def test_only_masked_in_positions_count_in_the_token_loss():
    model = make(TokenModel, num_labels=4)
    shape = BATCH["input_ids"].shape
    mask = np.zeros(shape, np.int32)
    mask[1, 2] = 1
    labels = np.full(shape, 3)
    batch = {**BATCH, "label_ids": labels, "label_mask": tf.constant(mask)}
    found = total_loss(model, batch)
    changed = {**batch, "label_ids": np.where(mask, labels, 0)}
    np.testing.assert_array_equal(found, total_loss(model, changed))
    logits = model(BATCH)["logits"][1, 2]
    expected = -tf.nn.log_softmax(logits)[3]
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_without_the_second_task_the_loss_is_that_of_masked_words():
    whole = make(PretrainingModel)
    model = make(PretrainingModel, has_next_sentence=False)
    names = checkpoint.named_variables(model)
    assert set(names) == bert_names(2) | {
        name for name in HEADS[PretrainingModel] if "relationship" not in name
    }
    assert not names["bert/pooler/dense/kernel"].trainable
    outputs, expected = model(BATCH), whole(BATCH)
    assert list(outputs) == ["masked_lm_logits"]
    np.testing.assert_array_equal(
        outputs["masked_lm_logits"], expected["masked_lm_logits"]
    )
    losses = whole.losses(expected, BATCH)["masked_lm"]
    np.testing.assert_array_equal(
        model.losses(outputs, BATCH)["masked_lm"], losses
    )
    assert set(model.losses(outputs, BATCH)) == set(model.loss_weights(BATCH))
    assert model.get_config()["has_next_sentence"] is False


@pytest.mark.parametrize("has_next_sentence", [False, True])
def test_without_words_what_is_left_to_learn_is_what_relations_are_made_of(
    has_next_sentence,
):
    model = make(PretrainingModel, has_next_sentence=has_next_sentence)
    model.freeze_words()
    frozen = {
        name
        for name, variable in checkpoint.named_variables(model).items()
        if not variable.trainable
    }
    if has_next_sentence:
        assert all(name.startswith("cls/predictions/") for name in frozen)
        assert len(frozen) == 5
        return
    last = "bert/encoder/layer_1/"
    kept = (
        f"{last}attention/self/",
        "bert/embeddings/",
        "bert/encoder/layer_0",
    )
    names = checkpoint.named_variables(model)
    assert frozen == {name for name in names if not name.startswith(kept)}


def test_a_model_returns_what_relations_are_made_of_where_that_is_wanted():
    model = make(PretrainingModel)
    plain = model(BATCH)
    model.related = (1, 2)
    found = model(BATCH)
    assert {*found} - {*plain} == {"queries", "keys", "values"}
    for name, value in plain.items():
        np.testing.assert_array_equal(found[name], value)
