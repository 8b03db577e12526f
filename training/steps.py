"""One optimizer step, compiled, under any tf.distribute strategy.

The recipe is inside the replica function: gradients of (sum of losses / global
denominator), part by part of the batch; one all-reduce of their sum; clip by
the global norm; update. So N devices with a part of a batch each, or one device
that takes it in N parts, do what one does with all of it at once.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

import tensorflow as tf

from bert.modeling.task_model import Batch, LossWeight, TaskModel
from bert.training.gradient_norm import GradientNorm
from bert.training.loss_scale import LossScale
from bert.training.optimization import AdamWeightDecay, clip_scale


class StepSettings(NamedTuple):
    """How to take a step.

    Attributes:
        seed: of dropout: masks follow from (seed, step, replica, part, site).
        gradient_accumulation_steps: parts in which each replica takes its
            rows, one after the other; divides their number.
        use_xla: compile forward and backward by XLA.
        max_grad_norm: gradients are scaled down to this global norm.
        num_train_steps: the step at which training ends.
        loss_weight: what the loss is multiplied by, before the norm is taken;
            the figures are without. None: 1.
    """

    seed: int
    gradient_accumulation_steps: int = 1
    use_xla: bool = False
    max_grad_norm: float = 1.0
    num_train_steps: int = 1
    loss_weight: Callable[[], tf.Tensor] | None = None


def share_done(optimizer: AdamWeightDecay, settings: StepSettings) -> tf.Tensor:
    """Returns how much of a training is done, float32 scalar, 0 to 1."""
    step = tf.cast(optimizer.global_step, tf.float32)
    return step / float(settings.num_train_steps)


class Objective(Protocol):
    """What a step minimizes; a `TaskModel` is its own."""

    def loss_weights(self, batch: Batch) -> dict[str, LossWeight]:
        """Returns the weights of each loss, from the batch alone."""

    def losses(
        self, outputs: Mapping[str, tf.Tensor], batch: Batch
    ) -> dict[str, tf.Tensor]:
        """Returns the losses, by the names of `loss_weights`."""


class _Gradients(NamedTuple):
    """Sums over rows, which may be added up.

    Attributes:
        dense: of each variable, float32.
        rows_square: sum of squares of the gradients that came as rows.
        parts: the losses by name.
    """

    dense: list[tf.Tensor]
    rows_square: tf.Tensor
    parts: dict[str, tf.Tensor]


def compile_train_step(
    model: TaskModel,
    optimizer: AdamWeightDecay,
    settings: StepSettings,
    batch_spec: Mapping[str, tf.TypeSpec] | None = None,
    loss_scale: LossScale | None = None,
    objective: Objective | None = None,
) -> Callable[[Batch], dict[str, tf.Tensor]]:
    """Returns one optimizer step as a compiled function.

    Args:
        model: a task model.
        optimizer: over the model's trainable variables.
        settings: how to take a step.
        batch_spec: the spec of all batches, so that batches of many lengths
            share one compiled function; None: each batch's own.
        loss_scale: under float16, what the loss is multiplied by.
        objective: what is minimized; None: the model's own losses.

    Returns:
        A function of a (distributed) batch that updates the weights and
        returns float32 scalars over the global batch, taken before the
        update: `loss`, its parts by name if it has several (`<name>_loss`),
        and `gradient_norm` before clipping. Where that is not finite, no
        weight is changed.
    """
    objective = objective or model
    strategy = tf.distribute.get_strategy()
    variables = list(optimizer.variables.values())
    norms = GradientNorm()

    def gradients_of(batch, seed, denominators, factor) -> _Gradients:
        """Returns the gradients of factor * loss over some rows."""
        weights = objective.loss_weights(batch)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(variables)
            outputs = model(batch, training=True, seed=seed)
            losses = objective.losses(outputs, batch)
            parts = {
                name: tf.reduce_sum(weights[name].weights * losses[name])
                / denominators[name]
                for name in losses
            }
            loss = tf.add_n(list(parts.values())) * factor
        # Of a pooled vector alone, some encoders leave weights without one.
        gradients = tape.gradient(loss, variables, unconnected_gradients="zero")
        return _Gradients(*norms.densify(gradients), parts)

    if settings.use_xla:
        gradients_of = tf.function(
            gradients_of, jit_compile=True, autograph=False
        )

    def replica_step(batch: Batch) -> dict[str, tf.Tensor]:
        context = tf.distribute.get_replica_context()
        seed = _fold(
            [settings.seed, 0],
            optimizer.global_step,
            context.replica_id_in_sync_group,
        )
        # Known before the model runs, so that a batch cut into parts, on
        # devices or in time, is divided by what the whole of it has.
        denominators = {
            name: context.all_reduce("SUM", tf.reduce_sum(weight.weights))
            + weight.epsilon
            for name, weight in objective.loss_weights(batch).items()
        }
        factor = loss_scale.value() if loss_scale else tf.ones([])
        weight = settings.loss_weight
        weighted = factor * weight() if weight else factor
        gradients = _accumulate(
            lambda part, i: gradients_of(
                part,
                _fold(seed, i)
                if settings.gradient_accumulation_steps > 1
                else seed,
                denominators,
                weighted,
            ),
            batch,
            settings.gradient_accumulation_steps,
        )
        gradients = _Gradients(*context.all_reduce("SUM", tuple(gradients)))
        norm = norms.of(gradients.dense, gradients.rows_square) / factor
        is_finite = tf.math.is_finite(norm) & tf.math.is_finite(
            tf.add_n(list(gradients.parts.values()))
        )
        scale = clip_scale(norm, settings.max_grad_norm) / factor
        optimizer.apply(gradients.dense, scale, is_finite)
        if loss_scale:
            loss_scale.update(is_finite)
        return _figures(gradients.parts, norm)

    # Nothing here is Python that hangs on a tensor: to look for it would take
    # a fifth of the time to the first step.
    @tf.function(
        input_signature=[batch_spec] if batch_spec else None, autograph=False
    )
    def train_step(batch: Batch) -> dict[str, tf.Tensor]:
        figures = strategy.run(replica_step, (batch,))
        # All replicas hold the same sums.
        return {
            name: strategy.experimental_local_results(value)[0]
            for name, value in figures.items()
        }

    return train_step


def _accumulate(
    gradients_of: Callable[[Batch, tf.Tensor | int], _Gradients],
    batch: Batch,
    parts: int,
) -> _Gradients:
    """Adds up the gradients of equal parts of a batch, one after the other."""
    if parts == 1:
        return gradients_of(batch, 0)
    rows = tf.shape(batch["input_ids"])[0] // parts

    def part(i):
        return {
            name: values[i * rows : (i + 1) * rows]
            for name, values in batch.items()
        }

    def add(i, sums):
        more = gradients_of(part(i), i)
        return i + 1, tf.nest.map_structure(tf.add, sums, more)

    # A loop, not parts side by side: these would be in memory together.
    _, sums = tf.while_loop(
        lambda i, sums: i < parts,
        add,
        (tf.constant(1), gradients_of(part(0), 0)),
        parallel_iterations=1,
    )
    return sums


def _figures(
    parts: Mapping[str, tf.Tensor], norm: tf.Tensor
) -> dict[str, tf.Tensor]:
    figures = {"loss": tf.add_n(list(parts.values()))}
    # A masked-LM loss keeps its name where there is no second task.
    if len(parts) > 1 or "masked_lm" in parts:
        figures |= {f"{name}_loss": value for name, value in parts.items()}
    return {**figures, "gradient_norm": norm}


def _fold(seed, *numbers):
    """Returns a seed, int32 [2], made of a seed and some numbers."""
    for number in numbers:
        seed = tf.random.experimental.stateless_fold_in(seed, number)
    return seed
