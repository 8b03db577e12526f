import tensorflow as tf

from bert.training.loss_scale import LossScale


def test_loss_scale_grows_after_many_good_steps():
    scale = LossScale()
    scale.good_steps.assign(1998)
    seen = []
    for _ in range(2):
        scale.update(tf.constant(True))
        seen.append(float(scale.scale.numpy()))
    assert seen == [2.0**15, 2.0**16]
    assert scale.good_steps.numpy() == 0
    scale.scale.assign(1.5)
    scale.update(tf.constant(False))
    assert scale.scale.numpy() == 1.0
