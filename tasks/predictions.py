"""What a model makes of the examples of a file, in their order."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import tensorflow as tf

from bert.data.records import file_order, input_pipeline
from bert.data.records.record_files import RecordSource
from bert.modeling.task_model import Batch, TaskModel
from bert.tasks import record_sets
from bert.training.batches import Batches
from bert.training.forward import Forward

Select = Callable[
    [TaskModel, Mapping[str, tf.Tensor], Batch], dict[str, tf.Tensor]
]


class Predictions:
    """A model's answers, an entry for each record of a file.

    Equal records that are sorted together are computed once. Can be iterated
    again and again, each time with the model's weights of
    that moment. Make and iterate it in the strategy's scope.

    Args:
        model: a task model.
        source: the records.
        batch_size: records that are computed together; they are of like
            length.
        select: what to keep, from the model, its outputs and their batch;
            tensors [B, ...]. A record's entries for padding may be missing.
        fixed_shapes: whether every batch must have the same shape.

    Attributes:
        lengths: of each record in pieces, without padding; None where they
            are not known.
    """

    def __init__(
        self,
        model: TaskModel,
        source: RecordSource,
        batch_size: int,
        select: Select,
        fixed_shapes: bool = False,
    ):
        self.lengths = source.lengths
        self._forward = Forward(
            model,
            lambda outputs, batch: {
                **select(model, outputs, batch),
                "row": batch["row"],
            },
        )
        self._batches = Batches(
            input_pipeline.predict_batches(
                source,
                batch_size,
                fixed_shapes=fixed_shapes,
                least_work=True,
            ),
            record_sets.unreadable(source),
        )

    def __iter__(self) -> Iterator[dict[str, np.ndarray]]:
        """Yields a dict of arrays for each record."""
        return file_order.in_file_order(self._forward(self._batches))
