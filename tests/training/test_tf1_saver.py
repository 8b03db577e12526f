"""TF1's Saver restores what training here saves, into the original's graph.

The graph is made from the names that the contract lists, not from a checkpoint
or a model of ours.
"""

import numpy as np
import pytest
import tensorflow as tf

from bert.modeling import BertConfig, checkpoint, classifiers, heads
from bert.training import checkpointing, optimization
from bert.training.checkpointing import RunState

V, D, WIDE, LAYERS, POSITIONS, TYPES = 50, 12, 20, 2, 16, 2

DENSE = {
    "attention/self/query": (D, D),
    "attention/self/key": (D, D),
    "attention/self/value": (D, D),
    "attention/output/dense": (D, D),
    "intermediate/dense": (D, WIDE),
    "output/dense": (WIDE, D),
}


def dense(scope, inputs, outputs):
    return {f"{scope}/kernel": (inputs, outputs), f"{scope}/bias": (outputs,)}


def layer_norm(scope):
    return {
        f"{scope}/LayerNorm/beta": (D,),
        f"{scope}/LayerNorm/gamma": (D,),
    }


def encoder_shapes():
    """The contract's names: embeddings, blocks and pooler."""
    shapes = {
        "bert/embeddings/word_embeddings": (V, D),
        "bert/embeddings/token_type_embeddings": (TYPES, D),
        "bert/embeddings/position_embeddings": (POSITIONS, D),
        **layer_norm("bert/embeddings"),
        **dense("bert/pooler/dense", D, D),
    }
    for index in range(LAYERS):
        layer = f"bert/encoder/layer_{index}"
        for scope, sizes in DENSE.items():
            shapes |= dense(f"{layer}/{scope}", *sizes)
        shapes |= layer_norm(f"{layer}/attention/output")
        shapes |= layer_norm(f"{layer}/output")
    return shapes


PRETRAINING = {
    **dense("cls/predictions/transform/dense", D, D),
    **layer_norm("cls/predictions/transform"),
    "cls/predictions/output_bias": (V,),
    "cls/seq_relationship/output_weights": (2, D),
    "cls/seq_relationship/output_bias": (2,),
}
CLASSIFIER = {"output_weights": (3, D), "output_bias": (3,)}
SPAN = {"cls/squad/output_weights": (2, D), "cls/squad/output_bias": (2,)}


def config():
    return BertConfig(
        vocab_size=V,
        hidden_size=D,
        num_hidden_layers=LAYERS,
        num_attention_heads=3,
        intermediate_size=WIDE,
        max_position_embeddings=POSITIONS,
        type_vocab_size=TYPES,
    )


def saved(folder, model, step):
    """Saves as training does; returns the prefix and all values by name."""
    optimizer = optimization.AdamWeightDecay(
        {
            name: variable
            for name, variable in checkpoint.named_variables(model).items()
            if variable.trainable
        },
        lambda step: 0.0,
    )
    tensors = {**checkpoint.named_variables(model), **optimizer.state()}
    random = np.random.default_rng(0)
    for name, variable in tensors.items():
        if name == "global_step":
            variable.assign(step)
        else:
            variable.assign(random.normal(size=variable.shape))
    prefix = checkpointing.save(str(folder), step, tensors, RunState(1, 0))
    return prefix, {name: v.numpy() for name, v in tensors.items()}


def restored(prefix, shapes):
    """Restores every variable of a TF1 graph; returns their values."""
    with tf.Graph().as_default():
        variables = {
            name: tf.compat.v1.get_variable(name, shape)
            for name, shape in shapes.items()
        }
        variables["global_step"] = (
            tf.compat.v1.train.get_or_create_global_step()
        )
        with tf.compat.v1.Session() as session:
            # Over all variables, by their names: the graph's, no map.
            tf.compat.v1.train.Saver().restore(session, prefix)
            return session.run(variables)


@pytest.mark.parametrize(
    ("make_model", "head", "untrained"),
    [
        (lambda: heads.PretrainingModel(config()), PRETRAINING, ""),
        (lambda: classifiers.ClassifierModel(config(), 3), CLASSIFIER, ""),
        # The pooler gets no gradient, and so has no moments.
        (lambda: heads.SpanModel(config()), SPAN, "bert/pooler/"),
    ],
    ids=["pretraining", "classifier", "squad"],
)
def test_a_tf1_saver_restores_a_run_into_the_contracts_graph(
    tmp_path, make_model, head, untrained
):
    prefix, expected = saved(tmp_path, make_model(), 12)
    weights = encoder_shapes() | head
    moments = {
        f"{name}/{moment}": shape
        for name, shape in weights.items()
        if not (untrained and name.startswith(untrained))
        for moment in ("adam_m", "adam_v")
    }
    found = restored(prefix, weights | moments)
    assert found["global_step"] == 12
    assert set(found) == set(expected)
    for name, value in expected.items():
        assert found[name].dtype == value.dtype
        np.testing.assert_array_equal(found[name], value)


def test_a_name_that_the_checkpoint_lacks_is_an_error_of_the_saver(tmp_path):
    prefix, _ = saved(tmp_path, heads.SpanModel(config()), 1)
    shapes = encoder_shapes() | CLASSIFIER
    with pytest.raises(tf.errors.NotFoundError, match="output_bias"):
        restored(prefix, shapes)
