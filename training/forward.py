"""A model's forward pass, under any tf.distribute strategy."""

from collections.abc import Callable, Iterator

import numpy as np
import tensorflow as tf

from bert.modeling.task_model import Batch
from bert.training import strategy
from bert.training.batches import Batches, read


class Forward:
    """A model's forward pass, for evaluation and prediction.

    Compiled once; every call runs it with the model's present weights.

    Args:
        model: a task model, or any function of a batch and `training`.
        select: what to bring to the host, from a model's outputs and its
            batch; tensors of one entry a row.
    """

    def __init__(
        self,
        model: Callable[..., dict],
        select: Callable[[dict, Batch], dict[str, tf.Tensor]],
    ):
        def replica_step(batch: Batch) -> dict[str, tf.Tensor]:
            return select(model(batch, training=False), batch)

        def step(batch: Batch) -> dict[str, tf.Tensor]:
            if strategy.has_workers():
                # With several workers the chief alone does this.
                return replica_step(batch)
            return tf.distribute.get_strategy().run(replica_step, (batch,))

        self._step = step
        self._compiled: Callable[[Batch], dict[str, tf.Tensor]] | None = None

    def __call__(self, batches: Batches) -> Iterator[dict[str, np.ndarray]]:
        """Yields for every batch what `select` gave, in the batch's order.

        Args:
            batches: finite, or as many as the caller takes; alike in all
                calls.

        Raises:
            UserError: a batch cannot be read.
        """
        devices = tf.distribute.get_strategy()
        if devices.num_replicas_in_sync > 1 and not strategy.has_workers():
            dataset = devices.experimental_distribute_dataset(batches.dataset)
            batches = batches._replace(dataset=dataset)
        compiled = self._compiled
        if compiled is None:
            # Batches come in many widths: one graph for all of them.
            spec = getattr(batches.dataset, "element_spec", None)
            compiled = self._compiled = tf.function(
                self._step, input_signature=spec and [spec], autograph=False
            )
        for batch in read(batches):
            yield {
                name: np.concatenate(
                    [
                        v.numpy()
                        for v in devices.experimental_local_results(value)
                    ]
                )
                for name, value in compiled(batch).items()
            }
