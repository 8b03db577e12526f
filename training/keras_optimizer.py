"""The original's optimizer as a Keras optimizer, for `model.compile`.

Source: optimization.py of google-research/bert, whose names these are.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from typing import Any

import keras
import tensorflow as tf

from bert.errors import UserError
from bert.training.gradient_norm import GradientNorm
from bert.training.optimization import (
    NO_DECAY,
    AdamSettings,
    AdamWeightDecay,
    clip_scale,
    is_decayed,
    learning_rate_schedule,
)

# Keras' names of what has a name of its own here, and a meaning of its own.
_OWN_NAMES = {
    "weight_decay": "weight_decay_rate",
    "global_clipnorm": "max_grad_norm",
}
# Methods of TF1's optimizers, and what does their work.
_GONE = {
    "compute_gradients": "tf.GradientTape().gradient(loss, variables)",
    "minimize": "model.compile(optimizer=…, loss=…) and model.fit(…)",
    "get_slot": "optimizer.variables",
    "get_slot_names": "optimizer.variables",
}


def create_optimizer(
    init_lr: float,
    num_train_steps: int,
    num_warmup_steps: int | None = None,
    use_tpu: bool = False,
    *more: object,
    max_grad_norm: float | None = 1.0,
    loss: object = None,
) -> "AdamWeightDecayOptimizer":
    """Returns the optimizer that BERT is trained with.

    The original takes the loss before these arguments, and returns an
    operation of a TF1 graph.

    Args:
        init_lr: the peak of the learning rate.
        num_train_steps: steps in all; at the last one the rate is 0.
        num_warmup_steps: steps in which the rate rises from 0; None for none.
        use_tpu: not needed; a TPU has a `tf.distribute` strategy.
        *more: none; the original's call has one more argument.
        max_grad_norm: see `AdamWeightDecayOptimizer`.
        loss: none; it goes to `model.compile`.

    Raises:
        TypeError: it is called as the original is, with a loss.
        UserError: there is no step to train.
    """
    if more or loss is not None or not isinstance(init_lr, Real):
        raise TypeError(
            "create_optimizer takes no loss and returns a Keras optimizer. "
            "Write model.compile(optimizer=optimization.create_optimizer("
            "init_lr, num_train_steps, num_warmup_steps), loss=…), then "
            "model.fit(…)."
        )
    return AdamWeightDecayOptimizer(
        WarmupSchedule(init_lr, num_train_steps, num_warmup_steps),
        weight_decay_rate=AdamSettings.weight_decay,
        exclude_from_weight_decay=list(NO_DECAY),
        max_grad_norm=max_grad_norm,
    )


@keras.saving.register_keras_serializable("bert")
class WarmupSchedule(keras.optimizers.schedules.LearningRateSchedule):
    """The original's learning rate; see `learning_rate_schedule`.

    Args:
        init_lr: the peak.
        num_train_steps: steps in all.
        num_warmup_steps: steps in which the rate rises; None for none.

    Raises:
        UserError: there is no step to train.
    """

    def __init__(
        self,
        init_lr: float,
        num_train_steps: int,
        num_warmup_steps: int | None = None,
    ):
        if num_train_steps < 1:
            raise UserError(
                "num_train_steps must be at least 1. Received: "
                f"{num_train_steps}."
            )
        self.init_lr = float(init_lr)
        self.num_train_steps = int(num_train_steps)
        self.num_warmup_steps = int(num_warmup_steps or 0)
        self._rate = learning_rate_schedule(
            "original",
            self.init_lr,
            self.num_train_steps,
            self.num_warmup_steps,
        )

    def __call__(self, step: tf.Tensor) -> tf.Tensor:
        """Returns the rate of a step, which are counted from 0."""
        return self._rate(step)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments."""
        return {
            "init_lr": self.init_lr,
            "num_train_steps": self.num_train_steps,
            "num_warmup_steps": self.num_warmup_steps,
        }


@keras.saving.register_keras_serializable("bert")
class AdamWeightDecayOptimizer(keras.optimizers.Optimizer):
    """The original's Adam: decoupled weight decay, no bias correction.

    `AdamWeightDecay` has the equations. A step whose gradients are not finite
    changes nothing.

    Args:
        learning_rate: a number, or a schedule of Keras.
        weight_decay_rate: share of itself that a weight loses in a step, per
            unit of the learning rate.
        beta_1: share of the first moment that is kept in a step.
        beta_2: share of the second one.
        epsilon: added to the root of the second moment.
        exclude_from_weight_decay: regular expressions; a weight in whose path
            one is found (`bert/pooler/dense/bias`) is not decayed.
        name: the optimizer's.
        max_grad_norm: gradients are scaled down to this norm of all of them,
            summed over the devices; None: they are left as they are.
        rate_factors: what the learning rates of weights are multiplied by, by
            their paths, as `Backbone.rate_factors` gives them; 1 for others.
        **options: of Keras' optimizers, but `weight_decay` and
            `global_clipnorm`, whose work is done here.
    """

    def __init__(
        self,
        learning_rate: float | keras.optimizers.schedules.LearningRateSchedule,
        weight_decay_rate: float = 0.0,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-6,
        exclude_from_weight_decay: Sequence[str] | None = None,
        name: str = "AdamWeightDecayOptimizer",
        max_grad_norm: float | None = None,
        rate_factors: Mapping[str, float] | None = None,
        **options: Any,
    ):
        for theirs, ours in _OWN_NAMES.items():
            if options.pop(theirs, None) is not None:
                raise TypeError(
                    f"{type(self).__name__} has no {theirs}; write {ours}."
                )
        super().__init__(learning_rate, name=name, **options)
        self.weight_decay_rate = weight_decay_rate
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.exclude_from_weight_decay = exclude_from_weight_decay
        self.max_grad_norm = max_grad_norm
        self.rate_factors = rate_factors

    def __getattr__(self, name: str) -> Any:
        # Called only for what is no attribute.
        if name in _GONE:
            raise AttributeError(
                f"{name} built TF1 graphs and is gone; write {_GONE[name]}."
            )
        raise AttributeError(f"{type(self).__name__} has no {name!r}")

    def build(self, variables: Sequence[keras.Variable | tf.Variable]) -> None:
        """Makes the moments of these weights.

        Raises:
            UserError: a weight is not float32, or `rate_factors` has none of
                this path.
        """
        if self.built:
            return
        for v in variables:
            if tf.as_dtype(v.dtype) != tf.float32:
                raise UserError(
                    f"{self.name} takes float32 weights. Received: "
                    f"{v.name}, {v.dtype}; a policy such as mixed_bfloat16 "
                    "keeps weights in float32."
                )
        super().build(variables)
        names = [
            self._get_variable_name(getattr(v, "path", v.name))
            for v in variables
        ]
        factors = self.rate_factors or {}
        if unknown := sorted({*factors} - {*names}):
            raise UserError(
                "rate_factors must have paths of weights that are trained. "
                f"Received: {unknown[0]}, beside {len(unknown) - 1} others."
            )
        moments = self.add_optimizer_variables(variables, ["adam_m", "adam_v"])
        self._adam = AdamWeightDecay(
            {str(i): _value(v) for i, v in enumerate(variables)},
            lambda step: tf.convert_to_tensor(self.learning_rate),
            AdamSettings(
                self.weight_decay_rate, self.beta_1, self.beta_2, self.epsilon
            ),
            decays=lambda index: self._do_use_weight_decay(names[int(index)]),
            moments=[[_value(each) for each in moment] for moment in moments],
            rate_factors={
                str(i): factors.get(name, 1.0) for i, name in enumerate(names)
            },
        )

    def apply_gradients(
        self,
        grads_and_vars: Iterable[tuple[tf.Tensor | None, keras.Variable]],
        global_step: object = None,
        name: object = None,
    ) -> tf.Tensor:
        """Updates the weights once; those without a gradient are left.

        Args:
            grads_and_vars: pairs of a gradient, or None, and its weight.
            global_step: not used, as in the original: `iterations` counts.
            name: not used.
        """
        pairs = list(grads_and_vars)
        if not self.built:
            self.build([variable for _, variable in pairs])
        # Keras would warn, but BERT's pooler has none in half of all tasks.
        with_gradient = [pair for pair in pairs if pair[0] is not None]
        return super().apply_gradients(with_gradient or pairs)

    def _backend_update_step(
        self,
        grads: Sequence[tf.Tensor | tf.IndexedSlices],
        trainable_variables: Sequence[keras.Variable],
        learning_rate: tf.Tensor,
    ) -> None:
        """Updates weights; Keras calls it, in replica context.

        All at once, instead of `update_step` for each: the norm is that of
        the gradients of all devices.
        """
        norms = GradientNorm()
        dense, rows_square = tf.distribute.get_replica_context().all_reduce(
            "SUM", norms.densify(grads)
        )
        norm = norms.of(dense, rows_square)
        scale = tf.ones([])
        if self.max_grad_norm:
            scale = clip_scale(norm, self.max_grad_norm)
        places = map(self._get_variable_index, trainable_variables)
        by_place = dict(zip(places, dense, strict=True))
        self._adam.apply(
            [by_place.get(i) for i in range(len(self._adam.variables))],
            scale,
            tf.math.is_finite(norm),
        )

    def _do_use_weight_decay(self, param_name: str) -> bool:
        """Returns whether the weight of this name is decayed."""
        if not self.weight_decay_rate:
            return False
        return is_decayed(param_name, self.exclude_from_weight_decay or ())

    def _get_variable_name(self, param_name: str) -> str:
        """Returns a name without TF1's number of the output, `:0`."""
        return re.sub(r":\d+$", "", param_name)

    def get_config(self) -> dict[str, Any]:
        """Returns the arguments."""
        config = super().get_config()
        for theirs in _OWN_NAMES:
            del config[theirs]
        return {
            **config,
            "weight_decay_rate": self.weight_decay_rate,
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
            "exclude_from_weight_decay": self.exclude_from_weight_decay,
            "max_grad_norm": self.max_grad_norm,
            "rate_factors": self.rate_factors,
        }


def _value(variable: keras.Variable | tf.Variable) -> tf.Variable:
    return variable.value if isinstance(variable, keras.Variable) else variable
