"""Where the batches of a training come from."""

import dataclasses
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from bert.modeling.task_model import Batch
from bert.training import loop, steps
from bert.training.checkpointing import RunState

# Makes the training batches of a worker, from the seed and the examples seen.
MakeBatches = Callable[[RunState, tf.distribute.InputContext], tf.data.Dataset]

# Makes what all devices take of what makes a worker's.
Distribute = Callable[
    [Callable[[tf.distribute.InputContext], tf.data.Dataset]],
    tf.distribute.DistributedDataset,
]


@dataclasses.dataclass(frozen=True)
class Feed:
    """What one task is trained on.

    Attributes:
        make_batches: returns its endless batches.
        unreadable: how to explain that one cannot be read.
    """

    make_batches: MakeBatches
    unreadable: loop.Unreadable

    def batches(self, state: RunState, distribute: Distribute) -> loop.Batches:
        """Returns the batches of a run, from where it stands."""
        return loop.Batches(
            distribute(lambda context: self.make_batches(state, context)),
            self.unreadable,
        )

    def compile(self, *args: Any) -> Callable[[Batch], dict[str, tf.Tensor]]:
        """Returns a step; see `steps.compile_train_step`."""
        return steps.compile_train_step(*args)
