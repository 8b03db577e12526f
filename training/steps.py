"""One optimizer step, compiled, under any tf.distribute strategy.

The recipe is inside the replica function: gradients of (sum of losses / global
denominator), one all-reduce of their sum, clip by the global norm, update. So
N devices with a part of a batch each do what one device does with all of it.
"""

from collections.abc import Callable, Mapping, Sequence

import tensorflow as tf

from modeling.task_model import TaskModel
from training.optimization import AdamWeightDecay, clip_scale

Batch = Mapping[str, tf.Tensor]


def compile_train_step(
    model: TaskModel,
    optimizer: AdamWeightDecay,
    seed: int,
    batch_spec: Mapping[str, tf.TypeSpec] | None = None,
) -> Callable[[Batch], dict[str, tf.Tensor]]:
    """Returns one optimizer step as a compiled function.

    Args:
        model: a task model.
        optimizer: over the model's trainable variables.
        seed: of dropout: masks follow from (seed, step, replica, site).
        batch_spec: what all batches have in common, so that batches of many
            lengths are compiled for once; None: that of each batch.

    Returns:
        A function of a (distributed) batch that updates the weights and
        returns float32 scalars over the global batch, taken before the
        update: `loss`, its parts by name if it has several (`<name>_loss`),
        and `gradient_norm` before clipping.
    """
    strategy = tf.distribute.get_strategy()
    variables = list(optimizer.variables.values())

    def replica_step(batch: Batch) -> dict[str, tf.Tensor]:
        context = tf.distribute.get_replica_context()
        step_seed = _fold(
            seed, optimizer.global_step, context.replica_id_in_sync_group
        )
        # Known before the model runs, so that a batch cut into parts, on
        # devices or in time, is divided by what the whole of it has.
        weights = model.loss_weights(batch)
        denominators = {
            name: context.all_reduce("SUM", tf.reduce_sum(weight.weights))
            + weight.epsilon
            for name, weight in weights.items()
        }
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(variables)
            outputs = model(batch, training=True, seed=step_seed)
            losses = model.losses(outputs, batch)
            parts = {
                name: tf.reduce_sum(weights[name].weights * losses[name])
                / denominators[name]
                for name in losses
            }
            loss = tf.add_n(list(parts.values()))
        gradients, rows_square, is_rows = _densify(
            tape.gradient(loss, variables)
        )
        gradients, rows_square, parts = context.all_reduce(
            "SUM", (gradients, rows_square, parts)
        )
        norm = tf.sqrt(
            rows_square
            + tf.add_n(
                [
                    tf.reduce_sum(tf.square(gradient))
                    for gradient, rows in zip(gradients, is_rows, strict=True)
                    if not rows
                ]
            )
        )
        scale = clip_scale(norm)
        optimizer.apply([gradient * scale for gradient in gradients])
        return _figures(parts, norm)

    @tf.function(input_signature=[batch_spec] if batch_spec else None)
    def train_step(batch: Batch) -> dict[str, tf.Tensor]:
        figures = strategy.run(replica_step, (batch,))
        # All replicas hold the same sums.
        return {
            name: strategy.experimental_local_results(value)[0]
            for name, value in figures.items()
        }

    return train_step


def _densify(
    gradients: Sequence[tf.Tensor | tf.IndexedSlices],
) -> tuple[list[tf.Tensor], tf.Tensor, list[bool]]:
    """Makes gradients dense, and keeps the original's norm of gathered ones.

    Where the word table is only gathered from, its gradient comes as one row
    a token. The original clips by the norm of these rows as they are; rows of
    equal ids are added up afterwards.

    Returns:
        The dense gradients, the sum of the squares of all gathered rows, and
        for each gradient whether it came as rows.
    """
    is_rows = [isinstance(g, tf.IndexedSlices) for g in gradients]
    squares = [
        tf.reduce_sum(tf.square(gradient.values))
        for gradient, rows in zip(gradients, is_rows, strict=True)
        if rows
    ]
    return (
        [tf.convert_to_tensor(gradient) for gradient in gradients],
        tf.add_n(squares) if squares else tf.zeros([]),
        is_rows,
    )


def _figures(
    parts: Mapping[str, tf.Tensor], norm: tf.Tensor
) -> dict[str, tf.Tensor]:
    figures = {"loss": tf.add_n(list(parts.values()))}
    if len(parts) > 1:
        figures |= {f"{name}_loss": value for name, value in parts.items()}
    return {**figures, "gradient_norm": norm}


def _fold(seed, step, replica):
    """Returns the seed, int32 [2], of one replica's part of one step."""
    return tf.random.experimental.stateless_fold_in(
        tf.random.experimental.stateless_fold_in([seed, 0], step), replica
    )
