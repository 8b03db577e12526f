"""Where the batches of a training come from."""

import dataclasses
from collections.abc import Callable, Mapping

import tensorflow as tf

from bert.modeling.task_model import Batch, TaskModel
from bert.training import steps
from bert.training.batches import Batches, Unreadable
from bert.training.checkpointing import RunState
from bert.training.loss_scale import LossScale
from bert.training.optimization import AdamWeightDecay

# Makes the training batches of a worker, from the seed and the examples seen.
MakeBatches = Callable[[RunState, tf.distribute.InputContext], tf.data.Dataset]

# Makes what is minimized, of the model and of what returns the share of the
# training that is done (float32 scalar).
MakeObjective = Callable[[TaskModel, Callable[[], tf.Tensor]], steps.Objective]

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
        make_objective: returns what is minimized; None: the model's own
            losses.
        num_other_weights: numbers that models beside the task's have, as a
            teacher.
    """

    make_batches: MakeBatches
    unreadable: Unreadable
    make_objective: MakeObjective | None = None
    num_other_weights: int = 0

    def batches(self, state: RunState, distribute: Distribute) -> Batches:
        """Returns the batches of a run, from where it stands."""
        return Batches(
            distribute(lambda context: self.make_batches(state, context)),
            self.unreadable,
        )

    def compile(
        self,
        model: TaskModel,
        optimizer: AdamWeightDecay,
        settings: steps.StepSettings,
        batch_spec: Mapping[str, tf.TypeSpec] | None,
        loss_scale: LossScale | None = None,
    ) -> Callable[[Batch], dict[str, tf.Tensor]]:
        """Returns a step; see `steps.compile_train_step`."""
        objective = None
        if self.make_objective:
            objective = self.make_objective(
                model, lambda: steps.share_done(optimizer, settings)
            )
        return steps.compile_train_step(
            *(model, optimizer, settings, batch_spec, loss_scale), objective
        )
