"""The original's optimizer, LAMB, and learning-rate schedules.

Source: optimization.py of google-research/bert; Loshchilov and Hutter 2019
(decoupled weight decay); Devlin et al. 2019, appendix A.2; You et al. 2019
(LAMB).
"""

import copy
import dataclasses
import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import ClassVar, NamedTuple, Self

import tensorflow as tf

from bert.modeling import checkpoint_names
from bert.training.strategy import scalar_variable

# Learning rate (float32 scalar) at a step (int64 scalar).
Schedule = Callable[[tf.Tensor], tf.Tensor]

# Decay leaves out a weight in whose full name one of these is found.
NO_DECAY = ("LayerNorm", "layer_norm", "bias")


def is_decayed(name: str, no_decay: Iterable[str] = NO_DECAY) -> bool:
    """Returns whether the weight of a full name is one to decay.

    Args:
        name: as in checkpoints.
        no_decay: regular expressions of the names to leave out.
    """
    # What a task is called says nothing of its weights.
    own = checkpoint_names.without_task(name)
    return not any(re.search(part, own) for part in no_decay)


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
        decays: whether to decay the weight of a name.
        moments: m and v of all weights, float32 zeros of their shapes; None:
            new ones.
        rate_factors: by name, what a weight's learning rate is multiplied by,
            with which it decays, too; 1 for names that are not there.

    Attributes:
        skipped_steps: int64, how many steps changed nothing.

    Create it under the strategy's scope.
    """

    always_corrects_bias: ClassVar[bool] = False

    def __init__(
        self,
        variables: Mapping[str, tf.Variable],
        schedule: Schedule,
        settings: AdamSettings | None = None,
        decays: Callable[[str], bool] = is_decayed,
        moments: Sequence[Sequence[tf.Variable]] | None = None,
        rate_factors: Mapping[str, float] | None = None,
    ):
        self.variables = dict(variables)
        self.schedule = schedule
        self.settings = settings or AdamSettings()
        self._decays = decays
        self._factors = {
            name: (rate_factors or {}).get(name, 1.0) for name in self.variables
        }
        self._m, self._v = (
            dict(zip(self.variables, each, strict=True))
            for each in moments or (self._zeros(), self._zeros())
        )
        self.global_step = scalar_variable(0, tf.int64, "global_step")
        self.skipped_steps = scalar_variable(0, tf.int64, "skipped_steps")

    def of(self, names: Collection[str]) -> Self:
        """Returns what updates some of the weights alone.

        With the same moments, schedule and global_step.

        Args:
            names: of the weights.
        """
        other = copy.copy(self)
        other.variables = {name: self.variables[name] for name in names}
        return other

    def state(self) -> dict[str, tf.Variable]:
        """Returns the moments and global_step by checkpoint name."""
        state = {"global_step": self.global_step}
        for name in self.variables:
            state[f"{name}/adam_m"] = self._m[name]
            state[f"{name}/adam_v"] = self._v[name]
        return state

    def _zeros(self) -> list[tf.Variable]:
        return [
            tf.Variable(tf.zeros(weight.shape, tf.float32), trainable=False)
            for weight in self.variables.values()
        ]

    def learning_rate(self) -> tf.Tensor:
        """Returns the rate of the coming update, float32 scalar."""
        return self.schedule(self.global_step)

    def apply(
        self,
        gradients: Sequence[tf.Tensor | None],
        scale: tf.Tensor,
        is_finite: tf.Tensor,
    ) -> None:
        """Updates every weight once, and global_step; in replica context.

        Args:
            gradients: summed over replicas, dense float32 tensors in the order
                of `variables`; None for a weight to leave as it is.
            scale: what to multiply them by, float32 scalar.
            is_finite: bool scalar, whether to do so; else the step is counted
                as skipped.
        """
        rates = self._rates(scale, is_finite)
        tf.distribute.get_replica_context().merge_call(
            self._update_all,
            args=(
                list(gradients),
                {
                    factor: rates.times(factor)
                    for factor in dict.fromkeys(self._factors.values())
                },
                is_finite,
                tf.logical_not(is_finite),
            ),
        )

    def _update_all(
        self,
        strategy: tf.distribute.Strategy,
        gradients,
        rates,
        is_finite,
        is_skipped,
    ) -> None:
        for (name, weight), gradient in zip(
            self.variables.items(), gradients, strict=True
        ):
            if gradient is None:
                continue
            strategy.extended.update(
                weight,
                self._update_one,
                args=(
                    *(gradient, self._m[name], self._v[name]),
                    rates[self._factors[name]],
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

    def _rates(self, scale: tf.Tensor, is_finite: tf.Tensor) -> "_Rates":
        """Returns a step's numbers; those of no change for a skipped one.

        Made once: for each weight they would be a third of the graph.
        """
        settings = self.settings
        one = tf.ones([])
        scale_m = scale_v = one
        if settings.bias_correction or self.always_corrects_bias:
            step = tf.cast(self.global_step + 1, tf.float32)
            scale_m = 1.0 / (1.0 - tf.pow(settings.beta_1, step))
            scale_v = 1.0 / (1.0 - tf.pow(settings.beta_2, step))
        scale = tf.where(is_finite, scale, 0.0)
        rate = tf.where(is_finite, self.learning_rate(), 0.0)
        share_m, share_v = 1.0 - settings.beta_1, 1.0 - settings.beta_2
        return _Rates(
            learning_rate=rate,
            decay=rate * settings.weight_decay,
            beta_1=tf.where(is_finite, settings.beta_1, 1.0),
            beta_2=tf.where(is_finite, settings.beta_2, 1.0),
            scale=scale,
            into_m=scale * share_m,
            # ResourceApplyAdam computes 1 - beta_2 in float32, 1.3e-5 below
            # 0.001: corrected in the gradient.
            into_v=tf.sqrt(share_v / (one - settings.beta_2)) / share_m,
            scale_m=scale_m,
            scale_v=scale_v,
            adam_rate=rate * scale_m / tf.sqrt(scale_v),
            adam_epsilon=settings.epsilon / tf.sqrt(scale_v),
            zero=tf.zeros([]),
            one=one,
        )

    def _update_one(
        self, weight, gradient, m, v, rates: "_Rates", *, decays
    ) -> tf.Operation:
        if decays:
            # In place, as all here: a weight that moves leaves a gap in the
            # memory, which the next batch's tensors do not fill. By itself it
            # rounds to nothing at rates below 3e-6 (with a decay of 0.01).
            weight.assign_sub(weight * rates.decay, read_value=False)
        # TensorFlow's own updates go over memory once where the equations
        # take a pass each: half the time on a CPU. A rate of 0 leaves the
        # weight, a beta of 1 a moment as it is, and powers of 0 switch off
        # Adam's bias correction.
        gradient = tf.math.multiply_no_nan(gradient, rates.into_m)
        moved_m = tf.raw_ops.ResourceApplyMomentum(
            var=weight.handle,
            accum=m.handle,
            lr=rates.zero,
            grad=gradient,
            momentum=rates.beta_1,
        )
        with tf.control_dependencies([moved_m]):
            return tf.raw_ops.ResourceApplyAdam(
                var=weight.handle,
                m=m.handle,
                v=v.handle,
                beta1_power=rates.zero,
                beta2_power=rates.zero,
                lr=rates.adam_rate,
                beta1=rates.one,
                beta2=rates.beta_2,
                epsilon=rates.adam_epsilon,
                grad=gradient * rates.into_v,
            )


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

    always_corrects_bias = True

    def _update_one(
        self, weight, gradient, m, v, rates: "_Rates", *, decays
    ) -> tf.Operation:
        settings = self.settings
        gradient = tf.math.multiply_no_nan(gradient, rates.scale)
        new_m = m.assign(rates.beta_1 * m + (1.0 - settings.beta_1) * gradient)
        new_v = v.assign(
            rates.beta_2 * v + (1.0 - settings.beta_2) * tf.square(gradient)
        )
        update = (
            rates.scale_m
            * new_m
            / (tf.sqrt(rates.scale_v * new_v) + settings.epsilon)
        )
        if decays:
            update += settings.weight_decay * weight
            update *= _trust_ratio(weight, update)
        return weight.assign_sub(rates.learning_rate * update, read_value=False)


class _Rates(NamedTuple):
    """The numbers of a step, float32 scalars.

    Attributes:
        learning_rate: of the weights.
        decay: share of itself that a weight loses.
        beta_1: share of m that is kept.
        beta_2: share of v that is kept.
        scale: factor of the gradient; 0 in a step that is skipped.
        into_m: factor of the gradient that is added to m.
        into_v: factor of that before ResourceApplyAdam squares it for v.
        scale_m: of m, for the update.
        scale_v: of v, for the update.
        adam_rate: learning_rate with both scales, by which m is divided by
            the root of v itself.
        adam_epsilon: epsilon beside that root.
        zero: 0.
        one: 1.
    """

    learning_rate: tf.Tensor
    decay: tf.Tensor
    beta_1: tf.Tensor
    beta_2: tf.Tensor
    scale: tf.Tensor
    into_m: tf.Tensor
    into_v: tf.Tensor
    scale_m: tf.Tensor
    scale_v: tf.Tensor
    adam_rate: tf.Tensor
    adam_epsilon: tf.Tensor
    zero: tf.Tensor
    one: tf.Tensor

    def times(self, factor: float) -> "_Rates":
        """Returns them with another learning rate, by a factor."""
        if factor == 1.0:
            return self
        return self._replace(
            learning_rate=self.learning_rate * factor,
            decay=self.decay * factor,
            adam_rate=self.adam_rate * factor,
        )


def _trust_ratio(weight: tf.Tensor, update: tf.Tensor) -> tf.Tensor:
    """Returns LAMB's factor of an update."""
    weight_norm, update_norm = tf.norm(weight), tf.norm(update)
    usable = (weight_norm > 0.0) & (update_norm > 0.0)
    return tf.where(usable, weight_norm / update_norm, 1.0)
