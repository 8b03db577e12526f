"""The original's optimizer and learning-rate schedules.

Source: optimization.py of google-research/bert; Loshchilov and Hutter 2019
(decoupled weight decay); Devlin et al. 2019, appendix A.2.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import tensorflow as tf

# Learning rate (float32 scalar) at a step (int64 scalar).
Schedule = Callable[[tf.Tensor], tf.Tensor]

# Decay leaves out a weight whose full name has one of these in it.
NO_DECAY = ("LayerNorm", "layer_norm", "bias")


def learning_rate_schedule(
    kind: str,
    learning_rate: float,
    num_train_steps: int,
    num_warmup_steps: int,
) -> Schedule:
    """Returns the learning rate as a function of the step, counted from 0.

    With W warm-up steps of N, the rate at step s < W is learning_rate * s/W:
    0 at step 0. From step W on:

    - original: learning_rate * (1 - s/N). The line starts at step 0, so the
      rate falls at step W from about learning_rate to (1 - W/N) of it.
    - linear: learning_rate * (N - s)/(N - W), without that fall.

    Args:
        kind: "original" or "linear".
        learning_rate: the peak.
        num_train_steps: N; later steps have the rate of step N, which is 0.
        num_warmup_steps: W; 0 for no warm-up.
    """
    if kind not in ("original", "linear"):
        raise ValueError(f"Unknown learning-rate schedule: {kind!r}")
    decay_start = num_warmup_steps if kind == "linear" else 0
    decay_steps = max(num_train_steps - decay_start, 1)

    def rate(step: tf.Tensor) -> tf.Tensor:
        step = tf.cast(step, tf.float32)
        done = (tf.minimum(step, float(num_train_steps)) - decay_start) / (
            decay_steps
        )
        decayed = learning_rate * (1.0 - done)
        if num_warmup_steps == 0:
            return decayed
        warm = learning_rate * (step / float(num_warmup_steps))
        return tf.where(step < float(num_warmup_steps), warm, decayed)

    return rate


def clip_scale(norm: tf.Tensor, max_norm: float = 1.0) -> tf.Tensor:
    """Returns what to multiply gradients by so that their norm fits.

    Args:
        norm: global norm of all gradients, float32 scalar.
        max_norm: the largest norm allowed.
    """
    return max_norm * tf.minimum(1.0 / norm, 1.0 / max_norm)


@dataclasses.dataclass(frozen=True)
class AdamSettings:
    """Adam's constants; the defaults are the original's."""

    weight_decay: float = 0.01
    beta_1: float = 0.9
    beta_2: float = 0.999
    epsilon: float = 1e-6
    bias_correction: bool = False


class AdamWeightDecay:
    """Adam with decoupled weight decay and, as in BERT, no bias correction.

    For a weight w with gradient g, at a step with learning rate r:

        m = beta_1 * m + (1 - beta_1) * g
        v = beta_2 * v + (1 - beta_2) * g * g
        w -= r * (m / (sqrt(v) + epsilon) + weight_decay * w)

    Decay is left out where the name has LayerNorm, layer_norm or bias in it.

    Checkpoint: `<name>/adam_m` and `<name>/adam_v` beside each weight, and
    `global_step`, int64, the number of updates done.

    Args:
        variables: the weights to train, tf.Variables by checkpoint name.
        schedule: learning rate by step.
        settings: Adam's constants.

    Create it under the strategy's scope.
    """

    def __init__(
        self,
        variables: Mapping[str, tf.Variable],
        schedule: Schedule,
        settings: AdamSettings | None = None,
    ):
        self.variables = dict(variables)
        self.schedule = schedule
        self.settings = settings or AdamSettings()
        self._m = {name: _zeros(v) for name, v in self.variables.items()}
        self._v = {name: _zeros(v) for name, v in self.variables.items()}
        self.global_step = tf.Variable(
            0,
            dtype=tf.int64,
            trainable=False,
            name="global_step",
            aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
        )

    def state(self) -> dict[str, tf.Variable]:
        """Returns the moments and global_step by checkpoint name."""
        state = {"global_step": self.global_step}
        for name in self.variables:
            state[f"{name}/adam_m"] = self._m[name]
            state[f"{name}/adam_v"] = self._v[name]
        return state

    def learning_rate(self) -> tf.Tensor:
        """Returns the rate of the coming update, float32 scalar."""
        return self.schedule(self.global_step)

    def apply(self, gradients: Sequence[tf.Tensor]) -> None:
        """Updates every weight once, and global_step; in replica context.

        Args:
            gradients: clipped, summed over replicas, dense float32 tensors in
                the order of `variables`.
        """
        tf.distribute.get_replica_context().merge_call(
            self._update_all, args=(list(gradients),)
        )

    def _update_all(
        self, strategy: tf.distribute.Strategy, gradients: list
    ) -> None:
        learning_rate = self.learning_rate()
        scale = self._step_scale()
        for (name, weight), gradient in zip(
            self.variables.items(), gradients, strict=True
        ):
            strategy.extended.update(
                weight,
                self._update_one,
                args=(
                    gradient,
                    self._m[name],
                    self._v[name],
                    learning_rate,
                    scale,
                ),
                kwargs={"decay": self._decay(name)},
                group=False,
            )
        self.global_step.assign_add(1)

    def _update_one(
        self, weight, gradient, m, v, learning_rate, scale, decay: float
    ) -> tf.Operation:
        settings = self.settings
        new_m = settings.beta_1 * m + (1.0 - settings.beta_1) * gradient
        new_v = settings.beta_2 * v + (1.0 - settings.beta_2) * tf.square(
            gradient
        )
        update = (
            scale[0] * new_m / (tf.sqrt(scale[1] * new_v) + settings.epsilon)
        )
        if decay:
            update += decay * weight
        return tf.group(
            m.assign(new_m),
            v.assign(new_v),
            weight.assign_sub(learning_rate * update),
        )

    def _step_scale(self) -> tuple[tf.Tensor | float, tf.Tensor | float]:
        """Returns the factors of m and v: 1, or Adam's bias correction."""
        if not self.settings.bias_correction:
            return 1.0, 1.0
        step = tf.cast(self.global_step + 1, tf.float32)
        return (
            1.0 / (1.0 - tf.pow(self.settings.beta_1, step)),
            1.0 / (1.0 - tf.pow(self.settings.beta_2, step)),
        )

    def _decay(self, name: str) -> float:
        excluded = any(part in name for part in NO_DECAY)
        return 0.0 if excluded else self.settings.weight_decay


def _zeros(variable: tf.Variable) -> tf.Variable:
    return tf.Variable(tf.zeros(variable.shape, tf.float32), trainable=False)
