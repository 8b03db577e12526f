"""The scale of the loss under float16, whose small gradients become 0."""

import tensorflow as tf

from bert.training.checkpointing import LARGEST_LOSS_SCALE
from bert.training.strategy import scalar_variable

START = 2.0**15
# Steps with finite gradients after which the scale is tried doubled.
_GROWTH_STEPS = 2000


class LossScale:
    """What the loss is multiplied by, and gradients are divided by.

    It halves when a gradient is not finite, and doubles after 2,000 steps in
    a row with finite gradients.

    Source: Micikevicius et al. 2018, section 3.2.

    Create it under the strategy's scope.
    """

    def __init__(self):
        self.scale = scalar_variable(START, tf.float32, "loss_scale")
        self.good_steps = scalar_variable(0, tf.int64, "good_steps")

    def value(self) -> tf.Tensor:
        """Returns the scale of the coming step, float32 scalar."""
        return tf.convert_to_tensor(self.scale)

    def update(self, is_finite: tf.Tensor) -> None:
        """Adapts the scale to a step; in replica context.

        Args:
            is_finite: bool scalar, whether the step's gradients were.
        """
        tf.distribute.get_replica_context().merge_call(
            self._update, args=(is_finite,)
        )

    def _update(self, strategy: tf.distribute.Strategy, is_finite) -> None:
        good = tf.convert_to_tensor(self.good_steps) + 1
        scale = tf.convert_to_tensor(self.scale)
        grows = good >= _GROWTH_STEPS
        no_steps = tf.zeros_like(good)
        finite = (
            tf.where(grows, tf.minimum(scale * 2.0, LARGEST_LOSS_SCALE), scale),
            tf.where(grows, no_steps, good),
        )
        not_finite = (tf.maximum(scale / 2.0, 1.0), no_steps)
        for variable, yes, no in zip(
            (self.scale, self.good_steps), finite, not_finite, strict=True
        ):
            strategy.extended.update(
                variable,
                lambda v, is_finite, yes, no: v.assign(
                    tf.where(is_finite, yes, no)
                ),
                args=(is_finite, yes, no),
                group=False,
            )
