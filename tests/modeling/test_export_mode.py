import numpy as np
import tensorflow as tf

from bert.modeling import BertModel
from bert.modeling.export_mode import export_mode, in_export_mode, own_gradient
from tests.modeling.backbones.test_bert import DROPPING, IDS, MASK


@own_gradient
def doubled(x):
    return 2.0 * x, lambda dy: 100.0 * dy


def slope_of_doubled():
    x = tf.constant(1.0)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = doubled(x)
    return float(tape.gradient(y, x))


def test_only_export_mode_has_the_derived_gradient():
    assert slope_of_doubled() == 100
    with export_mode():
        assert in_export_mode()
        assert slope_of_doubled() == 2
    assert slope_of_doubled() == 100


def test_export_mode_computes_and_learns_the_same():
    model = BertModel(DROPPING, init_seed=1)

    @tf.function
    def run(is_export):
        with tf.GradientTape() as tape:
            if is_export:
                with export_mode():
                    outputs = model(
                        IDS, input_mask=MASK, training=True, seed=[1, 2]
                    )
            else:
                outputs = model(
                    IDS, input_mask=MASK, training=True, seed=[1, 2]
                )
            loss = tf.reduce_sum(outputs["sequence_output"] ** 3)
            loss += tf.reduce_sum(outputs["pooled_output"])
        gradients = tape.gradient(loss, model.trainable_variables)
        return loss, [tf.convert_to_tensor(g) for g in gradients]

    found = [run(is_export) for is_export in (False, True)]
    for ours, derived in zip(*map(tf.nest.flatten, found), strict=True):
        np.testing.assert_allclose(ours, derived, rtol=1e-4, atol=1e-4)
    graphs = [
        run.get_concrete_function(is_export).graph
        for is_export in (False, True)
    ]
    own = [
        {op.type for op in graph.get_operations()} & {"IdentityN"}
        for graph in graphs
    ]
    assert own == [{"IdentityN"}, set()]
