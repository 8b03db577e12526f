"""The original's optimizer, LAMB, and learning-rate schedules.

Source: optimization.py of google-research/bert; Loshchilov and Hutter 2019
(decoupled weight decay); Devlin et al. 2019, appendix A.2; You et al. 2019
(LAMB).
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

    A step whose gradient is not finite changes nothing; it is counted.

    Checkpoint: `<name>/adam_m` and `<name>/adam_v` beside each weight, and
    `global_step`, int64, the number of updates done.

    Args:
        variables: the weights to train, tf.Variables by checkpoint name.
        schedule: learning rate by step.
        settings: Adam's constants.

    Attributes:
        skipped_steps: int64, how many steps changed nothing.

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
        self.global_step = _counter("global_step")
        self.skipped_steps = _counter("skipped_steps")

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

    def apply(
        self, gradients: Sequence[tf.Tensor], is_finite: tf.Tensor
    ) -> None:
        """Updates every weight once, and global_step; in replica context.

        Args:
            gradients: clipped, summed over replicas, dense float32 tensors in
                the order of `variables`.
            is_finite: bool scalar, whether they may be used.
        """
        tf.distribute.get_replica_context().merge_call(
            self._update_all,
            args=(list(gradients), is_finite, tf.logical_not(is_finite)),
        )

    def _update_all(
        self, strategy: tf.distribute.Strategy, gradients, is_finite, is_skipped
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
                    is_finite,
                ),
                kwargs={"decays": self._decays(name)},
                group=False,
            )
        for counter, counts in (
            (self.global_step, is_finite),
            (self.skipped_steps, is_skipped),
        ):
            strategy.extended.update(
                counter,
                lambda variable, counts: variable.assign_add(
                    tf.cast(counts, tf.int64)
                ),
                args=(counts,),
                group=False,
            )

    def _update_one(
        self, weight, gradient, m, v, learning_rate, scale, is_finite, *, decays
    ) -> tf.Operation:
        settings = self.settings
        new_m = settings.beta_1 * m + (1.0 - settings.beta_1) * gradient
        new_v = settings.beta_2 * v + (1.0 - settings.beta_2) * tf.square(
            gradient
        )
        update = (
            scale[0] * new_m / (tf.sqrt(scale[1] * new_v) + settings.epsilon)
        )
        if decays:
            update += settings.weight_decay * weight
            update *= self._trust_ratio(weight, update)
        # Selected, not multiplied: 0 * NaN is NaN.
        return tf.group(
            m.assign(tf.where(is_finite, new_m, m)),
            v.assign(tf.where(is_finite, new_v, v)),
            weight.assign_sub(tf.where(is_finite, learning_rate * update, 0.0)),
        )

    def _trust_ratio(
        self, weight: tf.Tensor, update: tf.Tensor
    ) -> tf.Tensor | float:
        """Returns what the update of a decayed weight is multiplied by."""
        del weight, update
        return 1.0

    def _step_scale(self) -> tuple[tf.Tensor | float, tf.Tensor | float]:
        """Returns the factors of m and v: 1, or Adam's bias correction."""
        if not self.settings.bias_correction:
            return 1.0, 1.0
        step = tf.cast(self.global_step + 1, tf.float32)
        return (
            1.0 / (1.0 - tf.pow(self.settings.beta_1, step)),
            1.0 / (1.0 - tf.pow(self.settings.beta_2, step)),
        )

    def _decays(self, name: str) -> bool:
        return not any(part in name for part in NO_DECAY)


class Lamb(AdamWeightDecay):
    """LAMB: Adam's update, as long for each weight as the weight itself.

    With Adam's bias-corrected update u = m' / (sqrt(v') + epsilon) +
    weight_decay * w of a weight w (a kernel or a table):

        w -= r * |w| / |u| * u

    The ratio is 1 where a norm is 0, and for biases and layer normalization,
    which are not decayed either, as in the authors' code.

    Args, attributes and checkpoint: those of `AdamWeightDecay`; the bias
    correction is always on.

    Source: You et al. 2019, algorithm 2.
    """

    def __init__(
        self,
        variables: Mapping[str, tf.Variable],
        schedule: Schedule,
        settings: AdamSettings | None = None,
    ):
        settings = settings or AdamSettings()
        super().__init__(
            variables,
            schedule,
            dataclasses.replace(settings, bias_correction=True),
        )

    def _trust_ratio(self, weight, update):
        weight_norm, update_norm = tf.norm(weight), tf.norm(update)
        usable = (weight_norm > 0.0) & (update_norm > 0.0)
        return tf.where(usable, weight_norm / update_norm, 1.0)


def _counter(name: str) -> tf.Variable:
    return tf.Variable(
        0,
        dtype=tf.int64,
        trainable=False,
        name=name,
        aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
    )


def _zeros(variable: tf.Variable) -> tf.Variable:
    return tf.Variable(tf.zeros(variable.shape, tf.float32), trainable=False)
